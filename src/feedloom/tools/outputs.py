"""JSON Schemas of results: no more than a caller needs to find its way, as they come with every list of tools."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

_OBJECT: Final = {"type": "object"}
_TEXT: Final = {"type": "string"}
_TEXTS: Final = {"type": "array", "items": _TEXT}
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}
_COUNT_OR_NULL: Final = {"type": ["integer", "null"]}

TRUST: Final = {"untrusted": _TEXTS, "masked": {"type": "boolean"}}
VERIFICATION: Final = {"verification": _OBJECT}


def output(properties: dict[str, Any], *, required: Iterable[str] = ()) -> dict[str, Any]:
    """The schema of a result with *properties*, all of which are always there unless *required* says which."""
    return {
        "type": "object",
        "properties": properties | VERIFICATION,
        "required": [*(required or properties), "verification"],
    }


LIST_OUTPUT: Final = output(
    {
        "items": {"type": "array", "items": _OBJECT},
        "total": _COUNT_OR_NULL,
        "cursor": _TEXT_OR_NULL,
        "truncated": {"type": "boolean"},
        "hint": _TEXT,
        **TRUST,
    },
    required=("items", "cursor", "truncated"),
)
ONE_OUTPUT: Final = output({"item": _OBJECT, **TRUST}, required=("item",))

PUBLISHED_OUTPUT: Final = {
    "type": "object",
    "properties": {"data": _OBJECT, "error": _TEXT_OR_NULL, "successful": {"type": "boolean"}},
}


def flat_output(null_fields: Iterable[str]) -> dict[str, Any]:
    """The published schema of a report, whose figures stand at the top."""
    figures = {name: {"type": ["object" if name == "data" else "number", "null"]} for name in null_fields}
    return {
        "type": "object",
        "properties": {**figures, "error": _TEXT_OR_NULL, "successful": {"type": "boolean"}},
    }
