"""Finds the rows that no reader of typed columns can read: text where the others have a number, a list, an object."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import orjson

from feedloom.columnar.arrow.strict import FlawError, load_row

Path: TypeAlias = tuple[str | None, ...]
"""A place in a row: keys from the outside in; None stands for the items of a list."""

_LINE_BREAK = ord("\n")

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


def diagnose(rows: Sequence[Any]) -> Diagnosis:
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
    found.odd |= odd_rows(b"\n".join(rows), rows, found.contested) - found.flaws.keys()
    return found


def odd_rows(lines: bytes, rows: Sequence[Any], contested: Mapping[Path, str]) -> set[int]:
    """The *rows* that hold something else at a *contested* place than most do; *lines* are the same rows, one a line.

    Only rows in which the key of such a place occurs are read.
    """
    words = {spelling for path in contested for spelling in _spellings(path)}
    odd = set()
    for index in _lines_with(lines, words):
        row = orjson.loads(bytes(rows[index]))
        if any(_kinds_at(row, path) - {kind} for path, kind in contested.items()):
            odd.add(index)
    return odd


def _lines_with(lines: bytes, words: Iterable[bytes]) -> list[int]:
    """The numbers of the lines that hold one of *words*."""
    places: list[int] = []
    for word in words:
        place = lines.find(word)
        while place >= 0:
            places.append(place)
            end = lines.find(b"\n", place)
            place = lines.find(word, end) if end >= 0 else -1
    if not places:
        return []
    ends = np.flatnonzero(np.frombuffer(lines, np.uint8) == _LINE_BREAK)
    return [int(number) for number in np.unique(np.searchsorted(ends, places))]


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
