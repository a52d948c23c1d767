"""Reads many rows of JSON into Arrow at once, and sets aside those that do not fit together.

The reader is pyarrow's: it checks kinds and repeated keys while it reads, so that nothing is changed without a word.
Three things need care. Text that looks like a date would be read as one, unless the reader is told that it is text.
Nulls at the start of a list may be lost, unless it is told what the list holds. And one row that holds a number where
the others hold text makes it give up, so that such rows are found and read one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.json

from feedloom.columnar.arrow.contests import DEEPEST, Path, contest, diagnose, odd_rows
from feedloom.columnar.arrow.taking import take_out
from feedloom.errors import REPORT_HINT, VendorError

_MOST_HINTS = 2_000
_FAIR_SHARE = 2
_LINE_BREAK, _BRACE = b"\n{"


@dataclass(slots=True)
class ReadRows:
    """Rows as columns.

    Attributes:
        columns: Top-level key -> Arrow array, one value for each of ``fast``.
        fast: The rows that were read together, as positions in what was given, ascending.
        odd: The rows to read one by one, as such positions.
        flaws: Rows that cannot be kept -> why.
        json_values: Path of a JSON column -> its bytes for each of ``fast``.
    """

    columns: dict[str, Any]
    fast: list[int]
    odd: set[int] = field(default_factory=set)
    flaws: dict[int, str] = field(default_factory=dict)
    json_values: dict[str, list[bytes | None]] = field(default_factory=dict)


class RowReader:
    """Reads the rows of one table; keeps what it learns about their types from batch to batch.

    Args:
        json_paths: Paths of JSON columns, which are taken out of the rows first.
        map_keys: Last keys of the open maps, where ``[]`` stands for an empty map.
    """

    def __init__(self, *, json_paths: Sequence[str], map_keys: Iterable[str]) -> None:
        self._json_paths = json_paths
        self._empty_maps = [(orjson.dumps(key) + b":[]", orjson.dumps(key) + b":{}") for key in set(map_keys)]
        self._hints: Any = None
        self._has_empty_lists = False
        self._problem = ""
        self._contested: dict[Path, str] = {}

    def read(self, rows: Sequence[msgspec.Raw]) -> ReadRows:
        """*rows* as columns; each row comes out as fast, as odd or with a flaw.

        Raises VendorError where a row is no object.
        """
        taken = take_out(rows, self._json_paths) if self._json_paths else None
        left: Sequence[Any] = taken.rows if taken else rows
        lines = self._lines(left)
        if not _are_objects(lines, len(rows)):
            raise VendorError("The answer holds rows that are not objects", hint=REPORT_HINT)
        result = ReadRows({}, list(range(len(rows))))
        result.odd = (taken.odd if taken else set()) | self._odd_at_contested(lines, len(rows))
        while True:
            if result.odd or result.flaws:
                result.fast = [row for row in range(len(rows)) if row not in result.odd and row not in result.flaws]
                lines = self._lines([left[row] for row in result.fast])
            table = self._read_typed(lines) if result.fast else pa.table({})
            if table is not None:
                break
            if not self._has_empty_lists and any(empty_list in lines for empty_list, _ in self._empty_maps):
                self._has_empty_lists = True
                lines = self._lines([left[row] for row in result.fast])
            elif not self._sort_out(lines, result):
                result.odd |= set(result.fast)
        result.columns = {name: _whole(table.column(name)) for name in table.column_names}
        if taken:
            result.json_values = {path: [values[row] for row in result.fast] for path, values in taken.values.items()}
        return result

    def _lines(self, rows: Sequence[Any]) -> bytes:
        """*rows*, one a line; with empty maps written as maps, once a vendor was seen to write them as lists."""
        lines = b"\n".join(rows)
        for empty_list, empty_map in self._empty_maps if self._has_empty_lists else ():
            if b"\\" + empty_list not in lines:
                lines = lines.replace(empty_list, empty_map)
        return lines

    def _odd_at_contested(self, lines: bytes, count: int) -> set[int]:
        odd = odd_rows(lines, self._contested) if self._contested else set()
        if len(odd) * _FAIR_SHARE > count:  # what was odd once is now the rule: look anew
            self._contested.clear()
            self._hints = None
            return set()
        return odd

    def _sort_out(self, lines: bytes, result: ReadRows) -> bool:
        """Find out why *lines*, the fast rows, could not be read together; False when there is no reason left to find.

        The reader names the first place where kinds differ, which is enough as a rule; else all rows are looked at.
        """
        named = contest(lines, self._problem)
        if named is None and self._hints is not None:
            self._hints = None
            return True
        self._hints = None
        if named is not None:
            self._contested |= named
            odd, flaws = odd_rows(lines, named), {}
        else:
            diagnosis = diagnose(lines.split(b"\n"))
            self._contested |= diagnosis.contested
            odd, flaws = diagnosis.odd, diagnosis.flaws
        result.odd |= {result.fast[row] for row in odd}
        result.flaws |= {result.fast[row]: flaw for row, flaw in flaws.items()}
        return bool(odd or flaws)

    def _read_typed(self, lines: bytes) -> Any:
        """Rows, one a line, as an Arrow table; None when they cannot be read together."""
        try:
            table = _read_lines(lines, self._hints)
            if max((_depth(field.type) for field in table.schema), default=0) > DEEPEST:
                self._problem = "too deep"
                return None
            named = pa.schema([(field.name, _without_guesses(field.type)) for field in table.schema])
            if named != table.schema or not _is_sound(table):
                everything = pa.schema([(field.name, _without_nulls(field.type)) for field in named])
                table = _read_lines(lines, everything)
        except pa.ArrowInvalid as problem:
            self._problem = str(problem)
            return None
        self._hints = _text_hints(named, self._hints)
        return table


def _are_objects(lines: bytes, count: int) -> bool:
    """Whether *lines* are *count* lines that each start an object."""
    characters = np.frombuffer(lines, np.uint8)
    starts = np.concatenate(([0], np.flatnonzero(characters == _LINE_BREAK) + 1)) if count else np.array([], np.int64)
    return len(starts) == count and bool((characters[starts] == _BRACE).all())


def _read_lines(lines: bytes, hints: Any) -> Any:
    return pa.json.read_json(
        pa.BufferReader(lines),
        read_options=pa.json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        parse_options=pa.json.ParseOptions(explicit_schema=hints),
    )


def _whole(column: Any) -> Any:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _is_sound(table: Any) -> bool:
    """Whether every list has all its items.

    pyarrow 26 drops nulls at the start of a list when it does not know yet what the list holds; told so, it keeps them.
    """
    try:
        table.validate()
    except pa.ArrowInvalid:
        return False
    return True


def _inner(kind: Any) -> list[Any]:
    return [kind.field(index) for index in range(kind.num_fields)] if pa.types.is_nested(kind) else []


def _depth(kind: Any) -> int:
    """Levels of nesting; no recursion, since that is what is being guarded."""
    deepest, waiting = 0, [(kind, 1)]
    while waiting:
        inner, level = waiting.pop()
        deepest = max(deepest, level)
        waiting.extend((field.type, level + 1) for field in _inner(inner))
    return deepest


def _without_guesses(kind: Any) -> Any:
    """*kind* with text in place of timestamps, which are a guess of the reader's."""
    return _changed(kind, lambda inner: pa.string() if pa.types.is_timestamp(inner) else inner)


def _without_nulls(kind: Any) -> Any:
    """*kind* with text in place of what holds nothing but null, so that the reader knows all types beforehand."""
    return _changed(kind, lambda inner: pa.string() if pa.types.is_null(inner) else inner)


def _changed(kind: Any, change: Callable[[Any], Any]) -> Any:
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _changed(field.type, change)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(_changed(kind.value_type, change))
    return change(kind)


def _text_hints(schema: Any, before: Any) -> Any:
    """What to tell the reader of the next batch: the places that hold text; everything else it finds by itself."""
    if sum(_leaves(field.type) for field in schema) > _MOST_HINTS:
        return before
    return pa.schema([(field.name, kind) for field in schema if (kind := _only_text(field.type)) is not None])


def _leaves(kind: Any) -> int:
    return sum(_leaves(field.type) for field in _inner(kind)) or 1


def _only_text(kind: Any) -> Any:
    if pa.types.is_string(kind):
        return kind
    if pa.types.is_struct(kind):
        fields = [(field.name, inner) for field in kind if (inner := _only_text(field.type)) is not None]
        return pa.struct(fields) if fields else None
    if pa.types.is_list(kind):
        item = _only_text(kind.value_type)
        return None if item is None else pa.list_(item)
    return None
