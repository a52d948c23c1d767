"""Every action by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from feedloom.tools.writing.action import Action
from feedloom.tools.writing.contacts import DELETE, EVENT, SEGMENT, UPDATE
from feedloom.tools.writing.responses import TAG

ACTIONS: Final[Mapping[str, Action]] = {
    "update_contact": UPDATE,
    "track_event": EVENT,
    "tag_response": TAG,
    "set_segment": SEGMENT,
    "delete_contact": DELETE,
}
