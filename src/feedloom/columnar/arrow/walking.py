"""Walks through the columns of a batch: objects become columns, lists become tables, open maps get their own columns.

Names and order are those of dlt's relational normaliser, after ``RowShaper``. Whatever needs a closer look (two keys of
one name, a key past the cap, a number whose spelling matters) marks its rows as bad; these are read one by one instead.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedloom.columnar.arrow.blocks import Block, positions_among
from feedloom.columnar.arrow.column_types import KINDS
from feedloom.columnar.arrow.fitting import Fitter, is_small, is_whole
from feedloom.columnar.arrow.moments import read_epoch_ms, read_moments
from feedloom.columnar.arrow.naming import LIST, VALUE, Naming
from feedloom.columnar.arrow.specs import NOTHING, Spec
from feedloom.columnar.names import ROW_HASH, KeyNames


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the walk is: the names above, what the catalogue says, and the open map it is in ("" for none)."""

    above: tuple[str, ...]
    spec: Spec
    map_path: str

    def below(self, name: str, key: str, spec: Spec) -> _Place:
        """The object that stands at *key*."""
        path = f"{self.map_path}.{key}" if self.map_path else spec.open_map
        return _Place((*self.above, name), spec, path)


class Walker:
    """Turns the columns of one batch into blocks.

    Args:
        fitter: Puts values into columns.
        naming: Spells the names.
        names: The columns of the table's open maps; every key of the batch is known to it, or past the cap.
        tables: The tables that blocks were made for, to find two lists of one name.
    """

    def __init__(self, fitter: Fitter, naming: Naming, names: KeyNames) -> None:
        self._fitter = fitter
        self._naming = naming
        self._names = names
        self._tables: dict[str, Block] = {}
        self._claims: dict[tuple[int, str], list[tuple[Block, Any]]] = defaultdict(list)

    def walk(self, root: Block, columns: dict[str, Any], spec: Spec, *, skipped: Collection[str]) -> None:
        """Fill *root* with *columns*, top-level key -> array, leaving out the keys in *skipped*."""
        self._tables[root.table] = root
        members = [(key, array) for key, array in columns.items() if key not in skipped]
        self._object(root, members, _Place((), spec, spec.open_map))
        self._give_up_shared()

    def leaf(self, block: Block, column: str, values: Any) -> None:
        """Put plain *values* into *column*, which no catalogue says anything about."""
        self._fitter.check_doubles(block, values)
        self._fitter.add(block, column, values)

    def _object(self, block: Block, members: list[tuple[str, Any]], place: _Place) -> None:
        for key, array in members:
            is_empty = array.null_count == len(array)
            if is_empty and place.map_path:
                continue
            name = key
            if place.map_path:
                column = self._names.column(place.map_path, key)
                if column is None:
                    self._fitter.give_up(block, array.is_valid())
                    continue
                name = column
            spec = NOTHING if place.map_path else place.spec.at(key)
            self._claims[id(block), self._naming.join(*place.above, self._naming.column(name))].append((block, array))
            if not is_empty:
                self._member(block, key, name, array, place, spec)

    def _give_up_shared(self) -> None:
        """Leave rows to be read one by one in which keys that are named alike may meet; even a null counts then."""
        for claims in self._claims.values():
            if len(claims) > 1:
                for block, array in claims:
                    self._fitter.give_up(block, array.is_valid())

    def _member(self, block: Block, key: str, name: str, array: Any, place: _Place, spec: Spec) -> None:
        part = self._naming.column(name)
        column = self._naming.join(*place.above, part)
        kind = array.type
        if pa.types.is_nested(kind) and self._fitter.is_json(block, column):
            self._fitter.give_up(block, array.is_valid())
        elif pa.types.is_struct(kind):
            inner = [(field.name, values) for field, values in zip(kind, array.flatten(), strict=True)]
            self._object(block, inner, place.below(part, key, spec))
        elif pa.types.is_list(kind):
            map_path = f"{place.map_path}.{key}[]" if place.map_path else ""
            self._list(block, array, (*place.above, self._naming.table(name)), _Place((), spec.of_items, map_path))
        elif column != ROW_HASH or block.parent_rows is not None:
            self._scalar(block, column, array, place, key, spec)

    def _list(self, parent: Block, array: Any, own_parts: tuple[str, ...], items: _Place) -> None:
        values = array.flatten()
        if not len(values):
            return
        parts = (*parent.parts, *own_parts)
        table = self._naming.join(*parts)
        parent_rows = np.asarray(pc.list_parent_indices(array)).astype(np.int64)
        child = Block(
            table=table,
            parts=parts,
            roots=parent.roots[parent_rows],
            parent_rows=parent_rows,
            positions=positions_among(parent_rows),
        )
        other = self._tables.setdefault(table, child)
        if other is not child:
            for block in (other, child):
                self._fitter.bad[block.roots] = True
        parent.children.append(child)
        self._items(child, values, items)

    def _items(self, block: Block, values: Any, place: _Place) -> None:
        kind = values.type
        if pa.types.is_struct(kind):
            self._object(
                block, [(field.name, inner) for field, inner in zip(kind, values.flatten(), strict=True)], place
            )
        elif pa.types.is_list(kind):
            if self._fitter.is_json(block, self._naming.column(LIST)):
                self._fitter.give_up(block, values.is_valid())
            map_path = f"{place.map_path}[]" if place.map_path else ""
            self._list(block, values, (self._naming.table(LIST),), _Place((), NOTHING, map_path))
        elif values.null_count == len(values):
            return
        elif place.map_path:
            self._fitter.check_doubles(block, values)
            self._typed(block, VALUE, values, self._names.item_kind(place.map_path, KINDS[kind]))
        else:
            self.leaf(block, VALUE, values)

    def _scalar(self, block: Block, column: str, values: Any, place: _Place, key: str, spec: Spec) -> None:
        self._fitter.check_doubles(block, values)
        if spec.time is not None:
            values = self._moments(block, values, spec)
        if place.map_path:
            self._typed(block, column, values, self._names.kind(place.map_path, key, KINDS[values.type]))
        else:
            self._fitter.add(block, column, values)

    def _moments(self, block: Block, values: Any, spec: Spec) -> Any:
        """Declared moments as timestamps; where some are none, their rows are read one by one."""
        field = spec.time
        if field is None:
            return values
        if field.time == "epoch_ms":
            if pa.types.is_floating(values.type):
                self._fitter.give_up(block, is_whole(values))
            if not pa.types.is_integer(values.type):
                return values
        elif not pa.types.is_string(values.type):
            return values
        moments, failed = read_moments(values, field)
        if failed is not None:
            self._fitter.give_up(block, failed)
        return moments

    def _typed(self, block: Block, column: str, values: Any, held: str) -> None:
        """Put the values of one key of an open map into its column, which holds *held*, or into a variant of it."""
        kind = KINDS[values.type]
        if kind == held:
            self._fitter.add(block, column, values)
            return
        if kind == "double":
            self._fitter.give_up(block, is_whole(values))
        fits, changed = _changed(values, kind, held)
        variant = self._naming.join(column, self._naming.column(f"v_{kind}"))
        if fits is None:
            self._fitter.add_variant(block, variant, values)
        else:
            self._fitter.add(block, column, changed)
            self._fitter.add_variant(block, variant, pc.if_else(fits, pa.scalar(None, values.type), values))


def _changed(values: Any, kind: str, held: str) -> tuple[Any, Any]:
    """Which integers become the doubles or moments that their key's column holds, and these; None and None for none."""
    if kind == "bigint" and held == "double":
        fits = is_small(values)
        return fits, pc.if_else(fits, values, pa.scalar(None, values.type)).cast(pa.float64())
    if kind == "bigint" and held == "timestamp":
        moments, _ = read_epoch_ms(values, zero_is_null=False)
        return moments.is_valid(), moments
    return None, None
