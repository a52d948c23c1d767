"""Cursors: where a list goes on, as a text that callers hand back without looking inside.

A cursor belongs to one tool and one set of arguments, and can be used again: the same cursor gives the same place. So a
list that a vendor scrolls through, whose pages come once only, is read from its start and passed over instead.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec

from feedloom.tools.failures import ToolError

_NOT_PART = frozenset({"cursor", "fields"})


class Place(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where a list goes on.

    Attributes:
        page: The paging parameter of the page, and its value; empty for the first page.
        skip: Rows of it that were handed out already.
        passed: Rows of the list before the page.
        total: What the vendor said the list's length is.
        key: Tells which call the place belongs to.
    """

    page: dict[str, int | str] = {}
    skip: int = 0
    passed: int = 0
    total: int | None = None
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The call a cursor belongs to: a tool and its arguments, but for those that only change what is shown."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """A short digest."""
        named = {name: value for name, value in self.arguments.items() if name not in _NOT_PART}
        told = json.dumps([self.tool, named], sort_keys=True, default=str)
        return blake2b(told.encode(), digest_size=6).hexdigest()


def write(place: Place) -> str:
    """The cursor of *place*."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read(cursor: str | None, owner: Owner) -> Place:
    """The place that *cursor* names, the start for none; raises ToolError when it is none, or another call's."""
    if cursor is None:
        return Place(key=owner.key)
    try:
        place = msgspec.json.decode(
            base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True), type=Place
        )
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise _refused("the cursor is none that a tool handed out") from None
    if place.key != owner.key or place.skip < 0 or place.passed < 0:
        raise _refused("the cursor belongs to a call with other arguments")
    return place


def _refused(happened: str) -> ToolError:
    return ToolError(
        "CURSOR",
        happened,
        undone="Nothing was read.",
        next_step="repeat the arguments of the call that gave the cursor, or start again without one",
    )
