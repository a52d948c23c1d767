"""Chooses the fields of rows by dot paths, and how many whole rows a result may hold."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, Final

import orjson

from feedloom.catalogue import Endpoint
from feedloom.tools.failures import ToolError, refused_input

MAX_CHARS: Final = 24_000
"""What a result holds at most, about 6,000 tokens, unless its tool says otherwise."""

_OPEN: Final = frozenset({"map", "object", "any"})


def check_paths(paths: Sequence[str], endpoint: Endpoint) -> None:
    """Raise ToolError for a path that no row of *endpoint* can have; below a map every path may be."""
    types = {field.name.replace("[]", ""): field.type for field in endpoint.fields}
    described = {".".join(name.split(".")[:end]) for name in types for end in range(1, name.count(".") + 2)}
    for path in paths:
        parts = path.split(".")
        parents = [".".join(parts[:end]) for end in range(1, len(parts))]
        if path in described or any(types.get(parent) in ("map", "any") for parent in parents):
            continue
        near = get_close_matches(path, described, n=1)
        top = ", ".join(sorted(name for name in described if "." not in name))
        raise refused_input(
            f"rows have no field {path[:60]!r}", f"did you mean {near[0]}?" if near else f"choose {top}"
        )


def select(row: Any, paths: Sequence[str]) -> Any:
    """*row* with the fields at *paths* only, where it has them; lists are walked through; all of it for no path."""
    return _selected(row, [path.split(".") for path in paths]) if paths else row


def size(value: Any) -> int:
    """Characters of *value* as compact JSON."""
    return len(text(value))


def text(value: Any) -> str:
    """*value* as compact JSON; moments in ISO 8601, what JSON has no word for as text."""
    options = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z | orjson.OPT_PASSTHROUGH_SUBCLASS
    return orjson.dumps(value, default=str, option=options).decode()


def plain(value: Any) -> Any:
    """*value* in JSON types only."""
    return orjson.loads(text(value))


def fitting(items: Sequence[Any], *, max_chars: int, beside: int) -> int:
    """How many of *items*, from the first, fit whole into *max_chars* together with the *beside* characters.

    Raises ToolError when not even the first does.
    """
    used = beside
    for count, item in enumerate(items):
        used += size(item) + 1
        if used > max_chars:
            if count == 0:
                raise too_large(item, max_chars=max_chars)
            return count
    return len(items)


def too_large(item: Any, *, max_chars: int) -> ToolError:
    """The error for one item that is longer than a whole result may be; names what takes the room."""
    parts = item.items() if isinstance(item, dict) else ()
    largest = sorted(((size(value), name) for name, value in parts), reverse=True)[:3]
    named = ", ".join(f"{name} ({chars:,})" for chars, name in largest)
    return ToolError(
        "TOO_LARGE",
        f"one item alone is {size(item):,} characters, more than the {max_chars:,} of a result"
        + (f"; most of it is {named}" if named else ""),
        next_step="choose fewer or deeper `fields`",
    )


def _selected(value: Any, paths: Sequence[Sequence[str]]) -> Any:
    if isinstance(value, list):
        return [_selected(item, paths) for item in value]
    if not isinstance(value, dict):
        return value
    chosen = {}
    for name in dict.fromkeys(path[0] for path in paths):
        if name in value:
            deeper = [path[1:] for path in paths if path[0] == name]
            chosen[name] = value[name] if [] in deeper else _selected(value[name], deeper)
    return chosen
