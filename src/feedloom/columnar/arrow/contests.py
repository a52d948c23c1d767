"""Finds the rows that no reader of typed columns can read: text where the others have a number, a list, an object."""

from __future__ import annotations

import json
import re
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
_NAMED = re.compile(r"Column\(/(.*)\) changed from ", re.DOTALL)

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


def contest(lines: bytes, problem: str) -> dict[Path, str] | None:
    """The place that the reader's message *problem* names, with the kind that most rows have there.

    None where the message names none, or where the rows, *lines*, do not differ there: the fault lies elsewhere then.
    """
    named = _NAMED.search(problem)
    if named is None:
        return None
    path = tuple(None if part == "[]" else part for part in named[1].split("/"))
    kinds: Counter[str] = Counter()
    for _, row in _rows_with(lines, _spellings(path)):
        kinds.update(_kinds_at(row, path))
    return {path: kinds.most_common(1)[0][0]} if len(kinds) > 1 else None


def diagnose(rows: Sequence[bytes]) -> Diagnosis:
    """What keeps *rows* from being read together; reads each of them, at some twenty thousand a second."""
    found = Diagnosis()
    kinds: dict[Path, Counter[str]] = defaultdict(Counter)
    for index, raw in enumerate(rows):
        try:
            row, repeated = load_row(raw)
        except FlawError as flaw:
            found.flaws[index] = str(flaw)
            continue
        places = set(_places(row))
        for path, kind in places:
            kinds[path][kind] += 1
        if repeated or max((len(path) for path, _ in places), default=0) > DEEPEST:
            found.odd.add(index)
    found.contested = {path: counts.most_common(1)[0][0] for path, counts in kinds.items() if len(counts) > 1}
    found.odd |= odd_rows(b"\n".join(rows), found.contested) - found.flaws.keys()
    return found


def odd_rows(lines: bytes, contested: Mapping[Path, str]) -> set[int]:
    """Which rows, one a line, hold something else at a *contested* place than most do.

    Only rows in which the key of such a place occurs are read; those that cannot be are odd.
    """
    words = {spelling for path in contested for spelling in _spellings(path)}
    return {
        index
        for index, row in _rows_with(lines, words)
        if row is None or any(_kinds_at(row, path) - {kind} for path, kind in contested.items())
    }


def _rows_with(lines: bytes, words: Iterable[bytes]) -> Iterator[tuple[int, Any]]:
    """The number and content of each line that holds one of *words*; None for one that cannot be read."""
    places: list[int] = []
    for word in words:
        place = lines.find(word)
        while place >= 0:
            places.append(place)
            end = lines.find(b"\n", place)
            place = lines.find(word, end) if end >= 0 else -1
    if not places:
        return
    ends = np.append(np.flatnonzero(np.frombuffer(lines, np.uint8) == _LINE_BREAK), len(lines))
    for number in np.unique(np.searchsorted(ends, places)).tolist():
        start = ends[number - 1] + 1 if number else 0
        try:
            yield number, orjson.loads(lines[start : ends[number]])
        except orjson.JSONDecodeError:
            yield number, None


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
