"""Reads rows one by one, exactly as ``RowShaper`` and dlt's relational normaliser do: the measure of the fast way.

It is used for the first row that brings something new, and for rows that the fast way cannot read. Some ten thousand
rows a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeAlias

import numpy as np

from feedloom.catalogue import Endpoint, Table
from feedloom.columnar.arrow.answers import HASHED, hashed_answers
from feedloom.columnar.arrow.blocks import Block
from feedloom.columnar.arrow.column_types import ColumnTypes
from feedloom.columnar.arrow.fitting import as_column
from feedloom.columnar.arrow.flattening import flatten
from feedloom.columnar.arrow.naming import LIST, RESERVED, VALUE, Naming
from feedloom.columnar.arrow.strict import FlawError, load_row
from feedloom.columnar.names import ROW_HASH, KeyNames
from feedloom.columnar.rows import RowShaper

_Home: TypeAlias = tuple[tuple[str, ...], ...]
"""Where rows come from: the parts of each table's name that the table above does not have, outermost first.

Two lists may share a table's name; they never share a home.
"""


@dataclass(slots=True)
class _Rows:
    """Rows of one home, with the place of each."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    parent_rows: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)


_MOST_TABLES = 160
"""Tables one below the other; lists that are nested deeper are not taken apart."""

_Found: TypeAlias = dict[_Home, _Rows]


@dataclass(slots=True)
class ExactRows:
    """Rows of one batch that were read one by one.

    Attributes:
        found: The rows.
        flaws: Rows that cannot be kept -> why.
        extras: Columns that were added to them.
    """

    found: _Found = field(default_factory=dict)
    flaws: dict[int, str] = field(default_factory=dict)
    extras: set[str] = field(default_factory=set)


class ExactReader:
    """Reads single rows of one table.

    Args:
        table: How the rows become a table.
        endpoint: Where they come from.
        names: The columns of the table's open maps.
        naming: Spells the names.
        types: The types of all columns; new ones are added.
        root_table: The name of the table in the destination.
    """

    def __init__(
        self,
        *,
        table: Table,
        endpoint: Endpoint,
        names: KeyNames,
        naming: Naming,
        types: ColumnTypes,
        root_table: str,
    ) -> None:
        self._table = table
        self._shaper = RowShaper(table, endpoint, names)
        self._naming = naming
        self._types = types
        self._root: _Home = ((root_table,),)
        self._table_names: dict[_Home, str] = {}
        self._long_part = naming.table(table.long_answers.name) if table.long_answers else ""

    def learn(self, raw: bytes, extra: Mapping[str, Any]) -> None:
        """Choose the names and types of what is new in a row; does nothing where the row cannot be kept."""
        with suppress(FlawError):
            self._row(0, raw, extra)

    def read(self, rows: ExactRows, root: int, raw: bytes, extra: Mapping[str, Any]) -> None:
        """Add the row *raw*, with the columns in *extra*, to *rows*; *root* is its position in the batch."""
        try:
            one = self._row(root, raw, extra)
        except FlawError as flaw:
            rows.flaws[root] = str(flaw)
        else:
            _append(rows.found, one)
            rows.extras |= {self._naming.column(name) for name in extra}

    def block(self, rows: ExactRows) -> Block | None:
        """All rows that were read, as one block; None for none."""
        if not rows.found:
            return None
        block = self._block(rows.found, self._root)
        block.not_hashed = rows.extras
        return block

    def _row(self, root: int, raw: bytes, extra: Mapping[str, Any]) -> _Found:
        row, _ = load_row(raw)
        long = self._table.long_answers
        hashed = hashed_answers(long, row.get(long.path)) if long is not None else None
        found: _Found = {}
        try:
            shaped = self._shaper.shape([row], extra)[0]
            del shaped[ROW_HASH]
            self._object(found, self._root, shaped, root, (0, 0))
        except (RecursionError, OverflowError) as error:
            raise FlawError(f"it cannot be taken apart: {error}") from error
        if max(len(home) for home in found) > _MOST_TABLES:
            raise FlawError(f"its lists are nested more than {_MOST_TABLES} levels deep")
        if hashed is not None:
            found[self._root].rows[0][HASHED] = hashed
        return found

    def _object(self, found: _Found, home: _Home, row: Mapping[str, Any], root: int, place: tuple[int, int]) -> None:
        """Add one row, and the rows of the lists in it; *place* is its parent's row and its own position."""
        table = self._name(home)
        columns, lists = flatten(row, self._naming, lambda column: self._types.of(table, column) == "json")
        number = self._add(found, home, columns, root, place)
        for parts, items in lists.items():
            inner = (*home, parts)
            for position, item in enumerate(items):
                below = (number, position)
                if isinstance(item, dict):
                    self._object(found, inner, item, root, below)
                elif isinstance(item, list):
                    self._object(found, inner, {LIST: item}, root, below)
                else:
                    self._add(found, inner, {VALUE: item}, root, below)

    def _add(self, found: _Found, home: _Home, columns: Mapping[str, Any], root: int, place: tuple[int, int]) -> int:
        """Add one row of plain values; returns its position among those of its home."""
        table = self._name(home)
        written: dict[str, Any] = {}
        for column, value in columns.items():
            if column in RESERVED:
                raise FlawError(f"its key {column!r} is one that dlt uses for itself")
            if value is not None:
                target, fitted = self._types.place(table, column, value)
                written[target] = fitted
        known = found.setdefault(home, _Rows())
        known.rows.append(written)
        known.roots.append(root)
        known.parent_rows.append(place[0])
        known.positions.append(place[1])
        return len(known.rows) - 1

    def _name(self, home: _Home) -> str:
        if home not in self._table_names:
            self._table_names[home] = self._naming.join(*chain.from_iterable(home))
        return self._table_names[home]

    def _block(self, found: _Found, home: _Home) -> Block:
        known, table = found[home], self._name(home)
        is_root = home == self._root
        is_long = home == (*self._root, (self._long_part,))
        block = Block(
            table=table,
            parts=tuple(chain.from_iterable(home)),
            roots=np.array(known.roots, np.int64),
            parent_rows=None if is_root else np.array(known.parent_rows, np.int64),
            positions=None if is_root else np.array(known.positions, np.int64),
            is_hashed=not is_long,
        )
        for column in dict.fromkeys(name for row in known.rows for name in row):
            values = [row.get(column) for row in known.rows]
            if column == HASHED:
                block.only_hashed[column], _ = as_column(values, "text")
                continue
            block.columns[column], sorted_json = as_column(values, self._types.of(table, column) or "text")
            if sorted_json is not None:
                block.sorted_json[column] = sorted_json
        block.children = [self._block(found, inner) for inner in found if inner[:-1] == home]
        return block


def _append(found: _Found, one: _Found) -> None:
    """Add the rows of one root row to those of the roots before it."""
    before = {home: len(known.rows) for home, known in found.items()}
    for home, added in one.items():
        known = found.setdefault(home, _Rows())
        start = before.get(home[:-1], 0)
        known.rows += added.rows
        known.roots += added.roots
        known.parent_rows += [start + parent for parent in added.parent_rows]
        known.positions += added.positions
