"""From the bytes of pages to the Arrow tables that dlt loads: what ``RowShaper`` and dlt's normaliser do, many rows at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from feedloom.catalogue import Endpoint, LongAnswers, Table
from feedloom.columnar.arrow.answers import AnswerReader
from feedloom.columnar.arrow.blocks import Block, concat, random_ids
from feedloom.columnar.arrow.column_types import ColumnTypes
from feedloom.columnar.arrow.cutting import Cutter
from feedloom.columnar.arrow.discovery import Discovery
from feedloom.columnar.arrow.exact import HASHED, ExactReader
from feedloom.columnar.arrow.fingerprint import fingerprints
from feedloom.columnar.arrow.fitting import Fitter, as_column
from feedloom.columnar.arrow.naming import LOAD_ID, ROW_HASH, ROW_ID, Naming
from feedloom.columnar.arrow.reading import ReadRows, RowReader
from feedloom.columnar.arrow.specs import compile_specs
from feedloom.columnar.arrow.strict import Quarantined
from feedloom.columnar.arrow.taking import write_json
from feedloom.columnar.arrow.walking import Walker
from feedloom.columnar.names import KeyNames
from feedloom.columnar.types import column_hints

LONG_TYPES = {
    "position": "bigint",
    "value_text": "text",
    "value_number": "double",
    "value_json": "text",
}
"""The columns of a long table of answers that do not depend on the table."""


class ShapedTable(NamedTuple):
    """Rows of one table, ready to be loaded.

    Attributes:
        name: Its name in the destination.
        rows: The rows, as a ``pyarrow.Table``; columns without a value are left out.
        types: dlt's type of each column that Arrow's type does not tell: the JSON columns.
        parent: The root table's name for a child table, else "".
    """

    name: str
    rows: Any
    types: dict[str, str]
    parent: str


@dataclass(slots=True)
class Shaped:
    """What became of some pages.

    Attributes:
        tables: The root table first; none when there was no row.
        read: Count of rows that came, the quarantined ones included.
        quarantined: Rows that cannot be loaded without losing part of them.
        one_by_one: Count of rows that the fast way could not read.
    """

    tables: list[ShapedTable] = field(default_factory=list)
    read: int = 0
    quarantined: list[Quarantined] = field(default_factory=list)
    one_by_one: int = 0


class ArrowShaper:
    """Shapes the pages of one table.

    Args:
        table: How the rows become a table.
        endpoint: Where they come from.
        names: The columns of the table's open maps.
        naming: How the destination spells names.
        stored: Table -> column -> dlt type, as the destination has them, this table and those below it.
        load_id: The load that the rows belong to, for ``_dlt_load_id``.
        root_ids: Child rows carry ``_dlt_root_id``, which merges need.
        row_ids: ``key`` makes ``_dlt_id`` from the primary key, as dlt does for upserts; ``random`` makes a new one.

    What is not stored takes the types that the catalogue declares, then those of the first values. Nothing is kept between
    calls but names and types; memory is a small multiple of the pages given at once.
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
        row_ids: Literal["random", "key"] = "random",
    ) -> None:
        self._table = table
        self._names = names
        self._naming = naming
        self._load_id = load_id
        self._with_root_ids = root_ids
        self._row_ids = row_ids
        self._root = naming.table(table.name)
        self._types = ColumnTypes(stored, naming.join)
        self._declare_types(endpoint)
        self._cutter = Cutter(endpoint)
        self._specs = compile_specs(table, endpoint)
        self._discovery = Discovery()
        self._json_paths = [path for path in table.json_columns if not _is_described(endpoint, path)]
        self._reader = RowReader(
            json_paths=self._json_paths, map_keys=[path.rsplit(".", 1)[-1] for path in table.open_maps]
        )
        self._exact = ExactReader(
            table=table,
            endpoint=endpoint,
            names=names,
            naming=naming,
            types=self._types,
            root_table=self._root,
        )
        self._answers = AnswerReader(table.long_answers) if table.long_answers else None

    def shape(self, pages: Sequence[bytes], extra: Sequence[Mapping[str, Any]] = ()) -> Shaped:
        """The tables that *pages* make; the columns in *extra*, one mapping for each page, are added to its rows.

        Rows keep their order, save that rows read one by one come after the others of their call. Give some thousand rows
        at once: each call has a cost of its own. Raises VendorError where a page is no list of rows.
        """
        cuts = [self._cutter.cut(page) for page in pages]
        batch = _Batch(
            rows=list(chain.from_iterable(cut.rows for cut in cuts)),
            extras=list(extra) if extra else [{}] * len(cuts),
            page_of=np.repeat(np.arange(len(cuts)), [len(cut.rows) for cut in cuts]),
        )
        shaped = Shaped(quarantined=[row for cut in cuts for row in cut.quarantined])
        shaped.read = len(batch.rows) + len(shaped.quarantined)
        if batch.rows:
            self._shape_batch(batch, shaped)
        return shaped

    def _shape_batch(self, batch: _Batch, shaped: Shaped) -> None:
        read = self._reader.read(batch.rows)
        written = {path: write_json(values) for path, values in read.json_values.items()}
        for column in written.values():
            read.odd |= {read.fast[index] for index in column.odd}
        self._learn(batch, read)
        block, bad = self._fast_block(batch, read, written)
        odd = sorted(read.odd | {read.fast[index] for index in np.flatnonzero(bad)})
        raws = [(row, bytes(batch.rows[row]), batch.extra(row)) for row in odd]
        exact, flaws = self._exact.read(raws)
        for row, reason in sorted((read.flaws | flaws).items()):
            shaped.quarantined.append(Quarantined(raw=bytes(batch.rows[row]), reason=reason))
        shaped.one_by_one = len(odd)
        blocks = [block for block in (block, exact) if block is not None and len(block)]
        shaped.tables = self._finish(blocks, len(batch.rows))

    def _learn(self, batch: _Batch, read: ReadRows) -> None:
        """Choose all names and types that are new, in the order of the rows."""
        first = {read.fast[index] for index in self._discovery.first_rows(read.columns)}
        for row in sorted(first | read.odd):
            self._exact.learn(bytes(batch.rows[row]), batch.extra(row))

    def _fast_block(self, batch: _Batch, read: ReadRows, written: Mapping[str, Any]) -> tuple[Block | None, Any]:
        """The rows that could be read together, and a mask of those among them that turned out to be odd after all."""
        count = len(read.fast)
        fitter = Fitter(self._types, count)
        if not count:
            return None, fitter.bad
        positions = {row: index for index, row in enumerate(read.fast)}
        fitter.bad[[positions[row] for row in read.odd if row in positions]] = True
        block = Block(table=self._root, parts=(self._root,), roots=np.arange(count))
        extras = self._extra_columns(batch, read.fast)
        self._walk(fitter, block, read, extras)
        for path, column in written.items():
            self._put_json(fitter, block, path, column)
        block.not_hashed = set()
        for name, values in extras.items():
            column = self._naming.column(name)
            block.columns.pop(column, None)
            fitter.add(block, column, values)
            block.not_hashed.add(column)
        bad = fitter.bad
        kept = block.without(bad) if bad.any() else block
        numbers = np.array(read.fast)
        for part in kept.walk():
            part.roots = numbers[part.roots]
        return kept, bad

    def _walk(self, fitter: Fitter, block: Block, read: ReadRows, extras: Mapping[str, Any]) -> None:
        long = self._table.long_answers
        skipped = {*extras, *([long.name] if long else []), *([long.path] if long and long.instead else [])}
        walker = Walker(fitter, self._naming, self._names)
        walker.walk(block, read.columns, self._specs, skipped=skipped)
        if long is not None:
            self._add_answers(walker, block, read, extras, long)
"""
"""
