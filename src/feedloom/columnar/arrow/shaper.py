"""From the bytes of pages to Arrow tables: what ``RowShaper`` and dlt's normaliser do, many rows at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Literal, NamedTuple, Protocol

import msgspec
import numpy as np
import pyarrow as pa

from feedloom.catalogue import Endpoint, Table
from feedloom.columnar.arrow.batch import Batch, FastWay
from feedloom.columnar.arrow.blocks import Block, concat, key_ids, key_table, random_ids, without_repeated
from feedloom.columnar.arrow.column_types import ColumnTypes
from feedloom.columnar.arrow.discovery import Discovery
from feedloom.columnar.arrow.exact import ExactReader, ExactRows
from feedloom.columnar.arrow.fingerprint import fingerprints
from feedloom.columnar.arrow.guard import Breach, Guard
from feedloom.columnar.arrow.naming import LOAD_ID, Naming
from feedloom.columnar.arrow.reading import ReadRows, RowReader
from feedloom.columnar.arrow.seen import SeenKeys
from feedloom.columnar.arrow.specs import compile_specs
from feedloom.columnar.arrow.strict import FlawError, Quarantined, load_row, refuse_nul
from feedloom.columnar.arrow.taking import write_json
from feedloom.columnar.names import MORE_KEYS, ROW_HASH, KeyNames
from feedloom.columnar.types import column_hints

LONG_TYPES = {
    "position": "bigint",
    "value_text": "text",
    "value_number": "double",
    "value_json": "text",
}
"""The types of those columns of a long table of answers that every such table has."""


class PageOfRows(Protocol):
    """One page of a vendor's list, cut into its rows."""

    @property
    def rows(self) -> Sequence[msgspec.Raw]:
        """The bytes of each row, in one line."""

    @property
    def is_sound(self) -> bool:
        """Whether every row is JSON; else some may not be."""


class ShapedTable(NamedTuple):
    """Rows of one table, ready to be loaded.

    Attributes:
        name: Its name in the destination.
        rows: The rows, as a ``pyarrow.Table``; columns without a value are left out.
        types: dlt's type of each column that ``rows`` does not tell: JSON columns, which are text there, and the
            columns of a long table, whether or not they have a value.
        parent: The table above; empty for the root table.
    """

    name: str
    rows: Any
    types: dict[str, str]
    parent: str


@dataclass(slots=True)
class Shaped:
    """What became of some pages.

    Attributes:
        tables: The root table first, parents before children; none when there was no row.
        read: Count of rows that came, the quarantined ones included.
        quarantined: Rows that cannot be loaded without losing part of them.
        breaches: Rows that break the table's contract; they are in none of the tables.
        one_by_one: Count of rows that had to be read one by one.
        keys: The primary key, under the vendor's names, and the fingerprint of each row that can be loaded, also of
            those that are left out because their key came before; None when there was no row.
    """

    tables: list[ShapedTable] = field(default_factory=list)
    read: int = 0
    quarantined: list[Quarantined] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)
    one_by_one: int = 0
    keys: Any = None


class ArrowShaper:
    """Shapes the pages of one table.

    Args:
        table: How the rows become a table.
        endpoint: Where they come from.
        names: The columns of the table's open maps.
        naming: How the destination spells names.
        stored: Table -> column -> dlt type, as the destination has them, of this table and those below it.
        load_id: The load that the rows belong to, for ``_dlt_load_id``.
        root_ids: Child rows carry ``_dlt_root_id``, which merges need.
        unique: Only the first row of each primary key is kept, of all rows that this object shapes; two bytes of each
            stay in memory.
        takes_nul: The destination can store U+0000; else rows that hold it are quarantined.
        guard: Finds rows that break the table's contract; None where everything is taken.
        row_ids: ``key`` makes ``_dlt_id`` from the primary key, as dlt does for upserts; ``random`` makes a new one.

    What is not stored takes the types that the catalogue declares, then those of the first values. Nothing is kept
    between calls but names and types; memory is a small multiple of the pages given at once.
    """

    def __init__(
        self,
        *,
        table: Table,
        endpoint: Endpoint,
        names: KeyNames,
        naming: Naming,
        stored: Mapping[str, Mapping[str, str]],
        load_id: str,
        root_ids: bool = False,
        unique: bool = False,
        takes_nul: bool = True,
        guard: Guard | None = None,
        row_ids: Literal["random", "key"] = "random",
    ) -> None:
        root = naming.table(table.name)
        self._load_id = load_id
        self._with_root_ids = root_ids
        self._key = {name: naming.column(name) for name in table.primary_key}
        self._ids_from_key = row_ids == "key"
        self._takes_nul = takes_nul
        self._guard = guard
        self._keys_seen = SeenKeys() if unique else None
        self._types = ColumnTypes(stored, naming.join)
        self._long_table = naming.join(root, naming.table(table.long_answers.name)) if table.long_answers else ""
        self._long_types = {naming.column(name): kind for name, kind in LONG_TYPES.items()}
        for column, kind in self._long_types.items() if self._long_table else ():
            self._types.learn(self._long_table, column, kind)
        _declare(self._types, table, endpoint, naming, root)
        self._reader = RowReader(
            json_paths=[path for path in table.json_columns if self._is_taken(endpoint, naming, root, path)],
            map_keys=[path.rsplit(".", 1)[-1] for path in table.open_maps],
        )
        self._discovery = Discovery()
        self._exact = ExactReader(
            table=table, endpoint=endpoint, names=names, naming=naming, types=self._types, root_table=root
        )
        self._fast = FastWay(
            table=table,
            root_table=root,
            specs=compile_specs(table, endpoint),
            names=names,
            naming=naming,
            types=self._types,
        )

    def shape(self, pages: Sequence[PageOfRows], extra: Sequence[Mapping[str, Any]] = ()) -> Shaped:
        """The tables that *pages* make; the columns in *extra*, one mapping for each page, are added to its rows.

        Rows keep their order, save that those read one by one come after the others of their call. Give some thousand
        rows at once: each call has a cost of its own. Raises VendorError where a row is no object.
        """
        shaped = Shaped(read=sum(len(page.rows) for page in pages))
        sound = [self._sifted(page, shaped) for page in pages]
        batch = Batch(
            rows=list(chain.from_iterable(sound)),
            extras=extra or [{}] * len(sound),
            page_of=np.repeat(np.arange(len(sound)), [len(rows) for rows in sound]),
        )
        if batch.rows:
            self._shape(batch, shaped)
        return shaped

    def _sifted(self, page: PageOfRows, shaped: Shaped) -> Sequence[msgspec.Raw]:
        """The rows of *page* that are JSON and that the destination can store; the others are quarantined."""
        checks: list[Callable[[bytes], Any]] = [] if page.is_sound else [load_row]
        if not self._takes_nul:
            checks.append(refuse_nul)
        if not checks:
            return page.rows
        sifted = []
        for row in page.rows:
            try:
                for check in checks:
                    check(bytes(row))
            except FlawError as flaw:
                shaped.quarantined.append(Quarantined(raw=bytes(row), reason=str(flaw)))
            else:
                sifted.append(row)
        return sifted

    def _shape(self, batch: Batch, shaped: Shaped) -> None:
        read = self._reader.read(batch.rows)
        json_columns = {path: write_json(values) for path, values in read.json_values.items()}
        for column in json_columns.values():
            read.odd |= {read.fast[index] for index in column.odd}
        exact = self._read_new(batch, read)
        made = self._fast.make(batch, read, json_columns)
        for row in sorted(made.odd - read.odd):
            self._exact.read(exact, row, bytes(batch.rows[row]), batch.added_to(row))
        shaped.one_by_one = len(made.odd | read.odd)
        shaped.quarantined += [
            Quarantined(raw=bytes(batch.rows[row]), reason=reason)
            for row, reason in sorted((read.flaws | exact.flaws).items())
        ]
        blocks = [block for block in (made.block, self._exact.block(exact)) if block is not None and len(block)]
        blocks = self._kept(blocks, batch, shaped)
        for block in blocks:
            block.columns[ROW_HASH] = fingerprints(block)
        shaped.keys = concat([key_table(block, self._key) for block in blocks]) if blocks else None
        if self._keys_seen is not None:
            blocks = without_repeated(blocks, list(self._key.values()), self._keys_seen, len(batch.rows))
        shaped.tables = list(self._finish(blocks, len(batch.rows)))

    def _kept(self, blocks: list[Block], batch: Batch, shaped: Shaped) -> list[Block]:
        """The blocks without the rows that break the contract."""
        found = self._guard.breaches(blocks, self._types.of) if self._guard is not None else {}
        if not found:
            return blocks
        broken = np.zeros(len(batch.rows), dtype=bool)
        broken[list(found)] = True
        shaped.breaches += [replace(breach, raw=bytes(batch.rows[row])) for row, breach in sorted(found.items())]
        return [kept for block in blocks if len(kept := block.without(broken))]

    def _read_new(self, batch: Batch, read: ReadRows) -> ExactRows:
        """Read the odd rows one by one, and choose every name and type that is new in the batch.

        Both happen in the order of the rows, because the first value decides.
        """
        exact = ExactRows()
        for row in sorted(read.odd | {read.fast[index] for index in self._discovery.first_rows(read.columns)}):
            raw, extra = bytes(batch.rows[row]), batch.added_to(row)
            if row in read.odd:
                self._exact.read(exact, row, raw, extra)
            else:
                self._exact.learn(raw, extra)
        return exact

    def _finish(self, blocks: Sequence[Block], rows: int) -> Iterator[ShapedTable]:
        """Ids and the load's id; then the blocks as tables, those of one name together."""
        root_ids = key_ids(blocks, list(self._key.values()), rows) if self._ids_from_key else random_ids(rows)
        tables: dict[str, list[Any]] = {}
        parents: dict[str, str] = {}
        for block in blocks:
            block.give_ids(root_ids)
            block.columns[LOAD_ID] = pa.repeat(self._load_id, len(block))
            for name, parent, table in block.tables(root_ids, with_root_ids=self._with_root_ids):
                tables.setdefault(name, []).append(table)
                parents.setdefault(name, parent)
        for name, parts in tables.items():
            whole = concat(parts)
            whole = whole.select([column for column in whole.column_names if whole[column].null_count < len(whole)])
            json_types = {column: "json" for column in whole.column_names if self._types.of(name, column) == "json"}
            declared = self._long_types if name == self._long_table else {}
            yield ShapedTable(name, whole, {**declared, **json_types}, parents[name])

    def _is_taken(self, endpoint: Endpoint, naming: Naming, root: str, path: str) -> bool:
        """Whether a JSON column is kept as it comes: not where the catalogue describes what stands in it."""
        column = naming.join(*(naming.column(part) for part in path.split(".")))
        is_described = any(known.name.startswith((f"{path}.", f"{path}[")) for known in endpoint.fields)
        return self._types.of(root, column) == "json" and not is_described


def _declare(types: ColumnTypes, table: Table, endpoint: Endpoint, naming: Naming, root: str) -> None:
    """Give columns that are not stored yet the types that the catalogue promises."""
    for column, hint in column_hints(table, endpoint).items():
        types.learn(root, naming.join(*column.split("__")), str(hint["data_type"]))
    for path in table.open_maps:
        types.learn(root, naming.join(*(naming.column(part) for part in (*path.split("."), MORE_KEYS))), "json")
