"""Finds the rows that a reader of typed columns cannot read: places that hold text in one row and a number in another."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec
import orjson

from feedloom.columnar.arrow.strict import FlawError, load_row

Path: TypeAlias = tuple[str | None, ...]
"""A place in a row: keys from the outside in; None stands for the items of a list."""

DEEPEST = 100
"""Levels of nesting that the fast way follows; deeper rows are read one by one."""


@dataclass(slots=True)
class Diagnosis:
    """Why some rows cannot be read together.

    Attributes:
        flaws: Row -> why it cannot be kept.
        odd: Rows to read one by one.
        contested: Places where kinds differ -> the kind that most rows have there.
    """

    flaws: dict[int, str] = field(default_factory=dict)
    odd: set[int] = field(default_factory=set)
    contested: dict[Path, str] = field(default_factory=dict)


def diagnose(rows: Sequence[msgspec.Raw]) -> Diagnosis:
    """What keeps *rows* from being read together; reads each of them, at some twenty thousand a second."""
    found = Diagnosis()
    kinds: dict[Path, Counter[str]] = defaultdict(Counter)
    for index, raw in enumerate(rows):
        try:
            row, repeated = load_row(bytes(raw))
        except FlawError as flaw:
            found.flaws[index] = str(flaw)
            continue
        places = set(_places(row))
        for path, kind in places:
            kinds[path][kind] += 1
        if repeated or max((len(path) for path, _ in places), default=0) > DEEPEST:
            found.odd.add(index)
    found.contested = {path: counts.most_common(1)[0][0] for path, counts in kinds.items() if len(counts) > 1}
    found.odd |= odd_rows(rows, found.contested, skip=found.flaws)
    return found


def odd_rows(rows: Sequence[msgspec.Raw], contested: Mapping[Path, str], *, skip: Mapping[int, str]) -> set[int]:
    """The rows that hold something else at a *contested* place than most; rows in *skip* are not looked at."""
    if not contested:
        return set()
    spellings = [_spellings(path) for path in contested]
    odd = set()
    for index, raw in enumerate(rows):
        text = bytes(raw)
        if index in skip or not any(spelling in text for names in spellings for spelling in names):
            continue
        row = msgspec.json.decode(text)
        if any(_kinds_at(row, path) - {kind} for path, kind in contested.items()):
            odd.add(index)
    return odd


def _places(row: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Every place of *row* that holds something, with the kind of what it holds; no recursion, however deep the row."""
    waiting: list[tuple[Path, Any]] = [((), row)]
    while waiting:
        path, value = waiting.pop()
        if value is None:
            continue
        yield path, _json_kind(value)
        if isinstance(value, dict):
            waiting.extend(((*path, key), inner) for key, inner in value.items())
        elif isinstance(value, list):
            waiting.extend(((*path, None), inner) for inner in value)


def _kinds_at(row: Any, path: Path) -> set[str]:
    values = [row]
    for part in path:
        if part is None:
            values = [item for value in values if isinstance(value, list) for item in value]
        else:
            values = [value[part] for value in values if isinstance(value, dict) and part in value]
    return {_json_kind(value) for value in values if value is not None}


def _json_kind(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case str():
            return "string"
        case int() | float():
            return "number"
        case dict():
            return "object"
        case _:
            return "list"


def _spellings(path: Path) -> tuple[bytes, ...]:
    """How the last key of *path* may be written: as it is, or with every letter outside ASCII escaped."""
    key = next((part for part in reversed(path) if part is not None), "")
    return orjson.dumps(key), json.dumps(key).encode()
