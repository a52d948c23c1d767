"""The fast way through one batch: rows that were read together become one block, a column at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from feedloom.catalogue import Table
from feedloom.columnar.arrow.answers import HASHED, AnswerReader
from feedloom.columnar.arrow.blocks import Block, positions_among
from feedloom.columnar.arrow.column_types import ColumnTypes
from feedloom.columnar.arrow.fitting import Fitter, as_column
from feedloom.columnar.arrow.naming import Naming
from feedloom.columnar.arrow.reading import ReadRows
from feedloom.columnar.arrow.specs import Spec
from feedloom.columnar.arrow.taking import JsonColumn
from feedloom.columnar.arrow.walking import Walker
from feedloom.columnar.names import KeyNames


@dataclass(slots=True, kw_only=True)
class Batch:
    """Rows that are shaped together.

    Attributes:
        rows: Their bytes.
        extras: For each page, the columns to add to its rows.
        page_of: For each row, the page it came on, as a numpy array.
    """

    rows: list[msgspec.Raw]
    extras: Sequence[Mapping[str, Any]]
    page_of: Any

    def added_to(self, row: int) -> Mapping[str, Any]:
        """The columns to add to one row."""
        page: int = self.page_of[row]
        return self.extras[page]


@dataclass(slots=True)
class Made:
    """A block of rows, and those of its rows that have to be read one by one after all and are not in it."""

    block: Block
    odd: set[int]


class FastWay:
    """Makes blocks of one table.

    Args:
        table: How the rows become a table.
        root_table: The table's name in the destination.
        specs: What the catalogue says about the rows.
        names: The columns of the table's open maps.
        naming: Spells the names.
        types: The types of all columns.
    """

    def __init__(
        self, *, table: Table, root_table: str, specs: Spec, names: KeyNames, naming: Naming, types: ColumnTypes
    ) -> None:
        self._long = table.long_answers
        self._root = root_table
        self._specs = specs
        self._names = names
        self._naming = naming
        self._types = types
        self._answers = AnswerReader(self._long) if self._long is not None else None

    def make(self, batch: Batch, read: ReadRows, json_columns: Mapping[str, JsonColumn]) -> Made:
        """The rows of *batch* that were read together, as a block whose ``roots`` are positions in the batch."""
        fitter = Fitter(self._types, len(read.fast))
        positions = {row: index for index, row in enumerate(read.fast)}
        fitter.bad[[positions[row] for row in read.odd if row in positions]] = True
        block = Block(table=self._root, parts=(self._root,), roots=np.arange(len(read.fast)))
        extras = self._extras(batch, read.fast)
        walker = Walker(fitter, self._naming, self._names)
        walker.walk(block, read.columns, self._specs, skipped={*extras, *self._replaced()})
        self._add_answers(fitter, block, [batch.rows[row] for row in read.fast], read.columns, extras)
        for path, column in json_columns.items():
            self._add_json(fitter, block, path, column)
        for columns in extras.values():
            block.columns |= columns
            block.not_hashed |= set(columns)
        numbers = np.array(read.fast, np.int64)
        bad = fitter.bad
        made = Made(block.without(bad) if bad.any() else block, set(numbers[bad].tolist()))
        for part in made.block.walk():
            part.roots = numbers[part.roots]
        return made

    def _replaced(self) -> set[str]:
        """Keys of a row in whose place the long form of its answers stands."""
        if self._long is None:
            return set()
        return {self._long.name, self._long.path} if self._long.instead else {self._long.name}

    def _extras(self, batch: Batch, rows: Sequence[int]) -> dict[str, dict[str, Any]]:
        """What to add to *rows*: name -> column -> values; more than one column where some go to a variant."""
        made: dict[str, dict[str, Any]] = {}
        pages = pa.array(batch.page_of[np.array(rows, np.int64)])
        for name in dict.fromkeys(name for extra in batch.extras for name in extra):
            placed: dict[str, list[Any]] = defaultdict(lambda: [None] * len(batch.extras))
            for page, extra in enumerate(batch.extras):
                if extra.get(name) is not None:
                    column, value = self._types.place(self._root, self._naming.column(name), extra[name])
                    placed[column][page] = value
            made[name] = {
                column: as_column(values, self._types.of(self._root, column) or "text")[0].take(pages)
                for column, values in placed.items()
            }
        return made

    def _add_json(self, fitter: Fitter, block: Block, path: str, column: JsonColumn) -> None:
        name = self._naming.join(*(self._naming.column(part) for part in path.split(".")))
        if column.texts.null_count < len(column.texts):
            fitter.put(block, name, column.texts)
            block.sorted_json[name] = column.sorted_texts

    def _add_answers(
        self,
        fitter: Fitter,
        block: Block,
        raws: Sequence[msgspec.Raw],
        columns: Mapping[str, Any],
        extras: Mapping[str, Mapping[str, Any]],
    ) -> None:
        """Add the long form of the answers, as a block below *block*."""
        long, reader = self._long, self._answers
        if long is None or reader is None:
            return
        column = columns.get(long.path)
        if column is None or not pa.types.is_struct(column.type):
            if column is not None and long.instead:
                fitter.give_up(block, column.is_valid())
            return
        answers = reader.read(raws, column)
        block.only_hashed[HASHED] = answers.hashed
        parts = (self._root, self._naming.table(long.name))
        child = Block(
            table=self._naming.join(*parts),
            parts=parts,
            roots=block.roots[answers.parent_rows],
            parent_rows=answers.parent_rows,
            positions=positions_among(answers.parent_rows),
            is_hashed=False,
        )
        if not len(child):
            return
        block.children.append(child)
        for name, key in long.keys.items():
            self._add_key(fitter, child, name, [*extras[key].values()] if key in extras else [columns.get(key)])
        for name, values in answers.columns.items():
            fitter.add(child, self._naming.column(name), values)

    def _add_key(self, fitter: Fitter, child: Block, name: str, found: Sequence[Any]) -> None:
        """Add the column *name*, which holds for each answer a value of its row."""
        for values in found:
            if values is None:
                continue
            repeated = values.take(pa.array(child.parent_rows))
            fitter.check_doubles(child, repeated)
            if pa.types.is_nested(values.type):
                fitter.give_up(child, repeated.is_valid())
            else:
                fitter.add(child, self._naming.column(name), repeated)
