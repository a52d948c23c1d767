"""Where a windowed table keeps how far it is complete: in dlt's state, which commits together with the rows."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

import orjson

from feedloom.sources.planning import Cursor


def place(state: MutableMapping[str, Any], params: Mapping[str, Any]) -> MutableMapping[str, Any]:
    """The part of a resource's *state* that belongs to reading with *params*.

    A table read with filters has a cursor of its own: moving the common one would skip the rows that were filtered out.
    """
    found: MutableMapping[str, Any] = state.setdefault("cursors", {}).setdefault(_name(params), {})
    return found


def peek(state: Mapping[str, Any], params: Mapping[str, Any]) -> Cursor:
    """The cursor of reading with *params*, without making a place for it."""
    return load(state.get("cursors", {}).get(_name(params), {}))


def load(kept: Mapping[str, Any]) -> Cursor:
    """The cursor that :func:`save` kept; a new one where nothing is kept."""
    return Cursor(since=moment_in(kept.get("since")), through=moment_in(kept.get("through")))


def save(kept: MutableMapping[str, Any], cursor: Cursor) -> None:
    """Keep *cursor* as plain JSON."""
    kept.clear()
    for name, moment in (("since", cursor.since), ("through", cursor.through)):
        if moment is not None:
            kept[name] = moment.isoformat()


def _name(params: Mapping[str, Any]) -> str:
    if not params:
        return "all"
    return blake2b(orjson.dumps(dict(params), default=str, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()


def moment_in(text: str | None) -> datetime | None:
    """The moment that was kept as *text*; None where none was."""
    return datetime.fromisoformat(text) if text else None
