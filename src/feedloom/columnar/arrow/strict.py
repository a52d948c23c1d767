"""Reads one row of JSON exactly, or says why it cannot be kept."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import orjson

_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""U+0000 as JSON has to write it; behind one more backslash it would be plain text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A row that cannot be loaded without losing part of it: its bytes as they came, and the reason in words."""

    raw: bytes
    reason: str


class FlawError(Exception):
    """A row cannot be kept exactly; the text says why."""


def refuse_nul(raw: bytes) -> None:
    """Raises FlawError where a text or a key of the row *raw* holds U+0000."""
    if _ESCAPED_NUL.search(raw):
        raise FlawError("a text in it holds the character U+0000, which this destination cannot store")


def load_row(raw: bytes) -> tuple[dict[str, Any], bool]:
    """The row in *raw*, integers of any length kept, and whether a key stands in it more than once with the same value.

    Raises:
        FlawError: It is no JSON object, or one that cannot be held exactly: text that is not UTF-8, NaN, a number
            beyond what a double holds, a key with two values, about a thousand levels or more.
    """
    row, repeated = load_value(raw)
    if not isinstance(row, dict):
        raise FlawError("it is no object")
    return row, repeated


def load_value(raw: bytes) -> tuple[Any, bool]:
    """Any JSON value, read like a row; see :func:`load_row`."""
    repeated = False

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        whole = dict(pairs)
        if len(whole) < len(pairs):
            repeated = True
            for key, value in pairs:
                if repr(whole[key]) != repr(value):
                    raise FlawError(f"the key {key!r} stands twice in one object, with different values")
        return whole

    try:
        orjson.loads(raw)
        return json.loads(raw, object_pairs_hook=once), repeated
    except RecursionError as error:
        raise FlawError("it is nested too deeply") from error
    except ValueError as error:
        raise FlawError(f"it is not valid JSON: {error}") from error
