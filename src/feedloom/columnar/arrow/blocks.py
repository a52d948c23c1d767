"""A table in the making: columns of equal length, and for each row the row of the table above that it belongs to."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedloom.columnar.arrow.naming import PARENT_ID, POSITION, ROOT_ID, ROW_ID
from feedloom.columnar.arrow.seen import SeenKeys
from feedloom.columnar.names import ROW_HASH

_ID_BYTES = 12
_ID_LETTERS = 16


@dataclass(slots=True, kw_only=True)
class Block:
    """Rows of one table that were made together.

    Attributes:
        table: Its name.
        parts: The parts of its name, outermost first, before any shortening.
        roots: For each row, the position of its root row in the batch.
        parent_rows: For each row, the position of its parent in the parent's block; ascending. Unused in root blocks.
        positions: For each row, its position in the list it comes from. Unused in root blocks.
        columns: Name -> Arrow array.
        sorted_json: The JSON columns again, with sorted keys, for fingerprints.
        only_hashed: Arrays that count for the fingerprint and are not loaded, by a name of their own.
        not_hashed: Columns that do not count for the fingerprint.
        is_hashed: The rows count for the fingerprint of their root.
        children: Blocks of the lists in these rows.
        ids: ``_dlt_id`` of each row, once known.
    """

    table: str
    parts: tuple[str, ...]
    roots: Any
    parent_rows: Any = None
    positions: Any = None
    columns: dict[str, Any] = field(default_factory=dict)
    sorted_json: dict[str, Any] = field(default_factory=dict)
    only_hashed: dict[str, Any] = field(default_factory=dict)
    not_hashed: set[str] = field(default_factory=set)
    is_hashed: bool = True
    children: list[Block] = field(default_factory=list)
    ids: Any = None

    def __len__(self) -> int:
        """Count of rows."""
        return len(self.roots)

    def walk(self) -> Iterator[Block]:
        """This block and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def without(self, bad_roots: Any) -> Block:
        """The block, and all below it, without the rows that belong to *bad_roots*, a mask over the batch."""
        return _kept(self, ~bad_roots, None)

    def give_ids(self, root_ids: Any) -> None:
        """Set ``ids`` here and below: those of roots from *root_ids*, one for each row of the batch.

        A child's id is made of its parent's id, the list's name and the position in it, so that the same parent gives
        the same ids again.
        """
        self.ids = root_ids.take(pa.array(self.roots))
        for parent in self.walk():
            for child in parent.children:
                parents = parent.ids.take(pa.array(child.parent_rows))
                own_name = ".".join(child.parts[len(parent.parts) :])
                positions = pa.array(child.positions).cast(pa.string())
                child.ids = pc.binary_join_element_wise(parents, own_name, positions, ".")

    def tables(self, root_ids: Any, *, with_root_ids: bool) -> Iterator[tuple[str, str, Any]]:
        """Name, parent's name and Arrow table of this root block and of each block below it that has rows."""
        yield self.table, "", pa.table({**self.columns, ROW_ID: self.ids})
        for parent in self.walk():
            for child in parent.children:
                keys = {
                    PARENT_ID: parent.ids.take(pa.array(child.parent_rows)),
                    POSITION: pa.array(child.positions, pa.int64()),
                    ROW_ID: child.ids,
                }
                if with_root_ids:
                    keys[ROOT_ID] = root_ids.take(pa.array(child.roots))
                if len(child):
                    yield child.table, parent.table, pa.table({**child.columns, **keys})


def _kept(block: Block, good_roots: Any, parent_kept: Any) -> Block:
    kept = good_roots[block.roots]
    mask = pa.array(kept)
    parent_rows = block.parent_rows
    if parent_kept is not None:
        parent_rows = (np.cumsum(parent_kept) - 1)[parent_rows[kept]]
    return Block(
        table=block.table,
        parts=block.parts,
        roots=block.roots[kept],
        parent_rows=parent_rows,
        positions=block.positions[kept] if block.positions is not None else None,
        columns={name: column.filter(mask) for name, column in block.columns.items()},
        sorted_json={name: column.filter(mask) for name, column in block.sorted_json.items()},
        only_hashed={name: column.filter(mask) for name, column in block.only_hashed.items()},
        not_hashed=block.not_hashed,
        is_hashed=block.is_hashed,
        children=[_kept(child, good_roots, kept) for child in block.children],
    )


def random_ids(count: int) -> Any:
    """*count* new row ids: 16 letters of base64 each, from 96 random bits."""
    letters = b64encode(os.urandom(count * _ID_BYTES))
    ends = np.arange(count + 1, dtype=np.int32) * _ID_LETTERS
    return pa.StringArray.from_buffers(count, pa.py_buffer(ends), pa.py_buffer(letters))


def key_ids(blocks: Sequence[Block], key: Sequence[str], count: int) -> Any:
    """Ids for *count* root rows, made from the columns in *key* as dlt's relational normaliser does for upserts."""
    from dlt.common.normalizers.json.helpers import get_row_hash  # noqa: PLC0415 - dlt takes a second to import

    ids: list[str | None] = [None] * count
    for root, values in _keys(blocks, key):
        ids[root] = get_row_hash(dict(zip(key, values, strict=True)), subset=list(key))
    return pa.array(ids, pa.string())


def without_repeated(blocks: Sequence[Block], key: Sequence[str], seen: SeenKeys, count: int) -> list[Block]:
    """The blocks without root rows whose key came before; *seen* holds what came and is added to.

    *count* is that of the batch's root rows.
    """
    if not blocks:
        return []
    roots = np.concatenate([block.roots for block in blocks])
    keys = pa.concat_arrays([_key_text(block, key) for block in blocks])
    order = np.argsort(roots)
    repeated = np.zeros(count, dtype=bool)
    repeated[roots[order]] = seen.add(keys.take(pa.array(order)))
    kept = [block.without(repeated) for block in blocks] if repeated.any() else blocks
    return [block for block in kept if len(block)]


def _key_text(block: Block, key: Sequence[str]) -> Any:
    """The key of each root row as one text."""
    missing = pa.nulls(len(block), pa.string())
    columns = [block.columns[name].cast(pa.string()) if name in block.columns else missing for name in key]
    return pc.binary_join_element_wise(*columns, "\x1f", null_handling="replace", null_replacement="\x1e")


def key_table(block: Block, key: Mapping[str, str]) -> Any:
    """The columns that *key* names, under its names, and the fingerprints of a root block."""
    missing = pa.nulls(len(block))
    columns = {name: block.columns.get(column, missing) for name, column in key.items()}
    return pa.table({**columns, ROW_HASH: block.columns[ROW_HASH]})


def _keys(blocks: Sequence[Block], key: Sequence[str]) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """The position and the key of each root row."""
    for block in blocks:
        columns = [block.columns[name].to_pylist() if name in block.columns else [None] * len(block) for name in key]
        yield from zip(block.roots.tolist(), zip(*columns, strict=True), strict=True)


def as_offsets(parent_rows: Any, parents: int) -> Any:
    """Where the rows of each of *parents* parents start, and the last end; *parent_rows* is the parent of each row."""
    counts = np.bincount(parent_rows, minlength=parents)
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int32)


def positions_among(parent_rows: Any) -> Any:
    """The position of each row among those of its parent; the rows of one parent stand together."""
    starts = np.flatnonzero(np.concatenate(([True], parent_rows[1:] != parent_rows[:-1])))
    counts = np.diff(np.append(starts, len(parent_rows)))
    return np.arange(len(parent_rows)) - np.repeat(starts, counts)


def concat(tables: Sequence[Any]) -> Any:
    """Tables of the same columns and types, some columns missing in some, as one."""
    return tables[0] if len(tables) == 1 else pa.concat_tables(tables, promote_options="default")
