"""Later syncs of Gainsight PX read only what is new, and the database is still equal to the API."""

from __future__ import annotations

import signal
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from support.aptrinsic_stage import (
    COMMAND,
    DEFAULT_TABLES,
    LATEST,
    Stage,
    look_at_a_page,
    playing,
    table_of,
    wait_for_requests,
)
from support.compare_aptrinsic import EVENT_LISTS

PEOPLE = ("users", "accounts")
EVENTS = tuple(EVENT_LISTS)
MILLISECOND = timedelta(milliseconds=1)


def epoch_ms(stage: Stage, **ago: float) -> int:
    """So long ago by the stage's clock."""
    return round((stage.clock() - timedelta(**ago)).timestamp() * 1000)


def without_late_events(stage: Stage, differences: list[str]) -> list[str]:
    """All *differences* but those events that were noted with a date before the look-back of the last load."""
    unseen = {row["eventId"] for row in late_events(stage)}
    return [difference for difference in differences if not any(event_id in difference for event_id in unseen)]


def late_events(stage: Stage) -> list[dict[str, Any]]:
    return []
