"""Watches the fields of each table from load to load: which came, changed their type, or bring no value any more.

What is known of a table stands in a file of the pipeline's folder, and is written once the ledger has what changed: a
run that is killed before is repeated by the next one in this too. The first load of a table changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, cast

import msgspec
from dlt.common.schema.utils import has_table_seen_data
from dlt.pipeline.pipeline import Pipeline
from pyarrow import parquet

from feedloom.catalogue import Table, Vendor
from feedloom.columnar.arrow import VARIANT, Naming
from feedloom.columnar.arrow.dlt_seam import stored_types
from feedloom.sync.questions import QuestionChange, QuestionWatch

Kind: TypeAlias = Literal["new column", "new type", "new list", "no values", "values again", "unknown list"]

EXPECTED: Final = 20
"""A field has vanished when so many values were to be expected in new rows since its last one, by its share of the
rows before, in which it had as many at least."""

EXPECTED_WHOLE: Final = 5
"""The same for a list that came whole, against the whole list before: there chance has no part in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChange:
    """How the fields of a table changed.

    Attributes:
        table: The table, which may be one below that of the resource.
        column: The column; of an unknown list the key of the answer; None where a whole list came or went.
        kind: ``new column``: a column came; ``new type``: values of another type came, which have a column of their own
            beside it; ``new list``: a table came below another; ``no values``: rows came, and none had a value there;
            ``values again``: after that, one had; ``unknown list``: answers hold a list beside that of their rows.
        old_type: dlt's type of the column before, where there was one.
        new_type: dlt's type of the column, or of the values that have one of their own now.
    """

    table: str
    column: str | None = None
    kind: Kind
    old_type: str | None = None
    new_type: str | None = None


Columns: TypeAlias = dict[str, dict[str, str]]
"""Table -> column -> dlt's type."""

Filled: TypeAlias = dict[str, tuple[int, dict[str, int]]]
"""Table -> rows of a load, and column -> values among them; tables whose files do not tell are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """How a field was filled so far.

    Attributes:
        rows: Rows that came, all told; of lists that come whole, those of the last list in which it had values.
        values: Values among them.
        missed: New rows since the last value.
        is_gone: It was told that no values come any more.
    """

    rows: int
    values: int
    missed: int = 0
    is_gone: bool = False


@dataclass(slots=True, kw_only=True)
class Known:
    """What is kept of one table; fields are named ``table.column``, and lists ``table.``."""

    columns: Columns = field(default_factory=dict)
    fills: dict[str, Fill] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    other_lists: list[str] = field(default_factory=list)


def came(before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]) -> Iterator[SchemaChange]:
    """The lists, columns and types that *after* has and *before* has not, in the order of *after*."""
    for table, columns in after.items():
        if table not in before:
            yield SchemaChange(table=table, kind="new list")
            continue
        for column, kind in columns.items():
            if column in before[table] or _is_own(column):
                continue
            base, is_variant, _ = column.rpartition(VARIANT)
            if is_variant and base in columns:
                yield SchemaChange(table=table, column=base, kind="new type", old_type=columns[base], new_type=kind)
            else:
                yield SchemaChange(table=table, column=column, kind="new column", new_type=kind)


def filled_again(
    fill: Fill | None, *, rows: int, values: int, new: int, whole: bool, before: int = 0
) -> tuple[Fill | None, Kind | None]:
    """How a field is filled after a load, and what there is to tell of it.

    *rows* came, *new* of them not there before, *values* of them with a value; *whole* says that they are all of a
    list. *before* is how many rows had come in all. None for a field that never had a value.
    """
    if values:
        told: Kind | None = "values again" if fill is not None and fill.is_gone else None
        if whole:
            return Fill(rows=rows, values=values), told
        seen = fill or Fill(rows=before, values=0)
        return Fill(rows=seen.rows + seen.missed + rows, values=seen.values + values), told
    if fill is None:
        return None, None
    missed = rows if whole else fill.missed + new
    enough = EXPECTED_WHOLE if whole else EXPECTED
    is_gone = fill.values >= enough and fill.values * missed >= enough * fill.rows
    told = "no values" if is_gone and not fill.is_gone else None
    return replace(fill, missed=0 if whole else missed, is_gone=fill.is_gone or is_gone), told


class SchemaWatch:
    """Watches the tables of one run, and the questions of surveys in them."""

    def __init__(self, pipeline: Pipeline, vendor: Vendor) -> None:
        self._pipeline = pipeline
        self._vendor = vendor
        self._watches: list[TableWatch] = []

    def table(self, table: Table) -> TableWatch:
        """The watch over *table*, as it is before the run loads it."""
        watch = TableWatch(self._pipeline, table, self._questions)
        self._watches.append(watch)
        return watch

    def keep(self, told: Collection[str]) -> None:
        """Keep what is known of the tables in *told*: those whose changes are in the ledger now.

        What was loaded of another one, in which a run ended, is compared again by the next run.
        """
        for watch in self._watches:
            if watch.table.name in told:
                watch.keep()
        if self._watches and all(watch.table.name in told for watch in self._watches if watch.table.questions):
            self._questions.keep()

    @cached_property
    def _questions(self) -> QuestionWatch:
        return QuestionWatch(self._pipeline, self._vendor.tables)


class TableWatch:
    """Watches one table through one run, which may load it more than once."""

    def __init__(self, pipeline: Pipeline, table: Table, questions: QuestionWatch) -> None:
        self._pipeline = pipeline
        self.table = table
        self._questions = questions
        self._file = Path(pipeline.pipelines_dir) / "fields" / pipeline.pipeline_name / f"{table.name}.json"
        self._is_new = not self._holds_rows()
        self._known = Known() if self._is_new else _read(self._file) or Known(columns=self._columns())
        self._is_changed = False

    def count(self, load_ids: Iterable[str]) -> Filled:
        """How the fields are filled in the packages *load_ids*, which are normalised and not loaded yet."""
        files: dict[str, list[Path]] = {}
        for load_id in load_ids:
            for job in self._pipeline.get_load_package_info(load_id).jobs["new_jobs"]:
                files.setdefault(job.job_file_info.table_name, []).append(Path(job.file_path))
        return {
            table: _counted(parts) for table, parts in files.items() if all(file.suffix == ".parquet" for file in parts)
        }

    def settle(self, filled: Filled, *, new: int, whole: bool, other_lists: Collection[str] = ()) -> list[SchemaChange]:
        """What a load changed, which brought the *whole* list, or *new* rows since the last load, *filled* like this.

        *filled* is empty for rows of long ago that were read again: they may be older than a field, or have one that is
        gone.
        """
        self._is_changed = True
        columns = self._columns()
        found = [] if self._is_new else [*came(self._known.columns, columns)]
        self._known.columns = columns
        found += self._compare_fills(filled, new=new, whole=whole)
        for key in sorted(set(other_lists) - set(self._known.other_lists)):
            found.append(SchemaChange(table=self.table.name, column=key, kind="unknown list"))
            self._known.other_lists.append(key)
        return found

    def changed_questions(self) -> list[QuestionChange]:
        """What changed in the questions of surveys, once the table is loaded."""
        return self._questions.settle(self.table)

    def keep(self) -> None:
        """Write what is known to the file, if it changed."""
        if not self._is_changed:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        written = self._file.with_suffix(".part")
        written.write_bytes(msgspec.json.encode(self._known))
        written.replace(self._file)

    def _compare_fills(self, filled: Filled, *, new: int, whole: bool) -> Iterator[SchemaChange]:
        known, root = self._known, self._root
        if root not in filled or not filled[root][0]:
            return
        rows = filled[root][0]
        for name, (came_rows, values) in _fields(filled, self._known.columns, root).items():
            table, _, column = name.partition(".")
            if self._is_data(table, column):
                continue
            fill, told = filled_again(
                known.fills.get(name),
                rows=came_rows,
                values=values,
                new=new if table == root or not column else new * came_rows // rows,
                whole=whole,
                before=known.rows.get(table if column else root, 0),
            )
            if fill is not None:
                known.fills[name] = fill
            if told is not None:
                kind = known.columns.get(table, {}).get(column)
                yield SchemaChange(table=table, column=column or None, kind=told, old_type=kind)
        for table, (came_rows, _) in filled.items():
            known.rows[table] = known.rows.get(table, 0) + came_rows

    @cached_property
    def _root(self) -> str:
        return str(self._pipeline.default_schema.naming.normalize_table_identifier(self.table.name))

    def _columns(self) -> Columns:
        return stored_types(self._pipeline.default_schema, self._root)

    def _holds_rows(self) -> bool:
        if self._pipeline.default_schema_name is None:
            return False
        return has_table_seen_data(cast("Any", self._pipeline.default_schema.tables.get(self._root, {})))

    @cached_property
    def _data(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What open maps come to, and their long form: beginnings of the root's columns, and of tables below it."""
        naming = Naming.of(self._pipeline.default_schema)
        maps = [naming.join(*map(naming.column, path.split("."))) for path in self.table.open_maps]
        long = [self.table.long_answers.name] if self.table.long_answers else []
        return tuple(f"{name}__" for name in maps), tuple(f"{naming.join(self._root, name)}__" for name in maps + long)

    def _is_data(self, table: str, column: str) -> bool:
        """Whether a field is a key of an open map: those come and go with what customers do."""
        columns, tables = self._data
        return f"{table}__".startswith(tables) or (table == self._root and column.startswith(columns))


def _fields(filled: Filled, columns: Mapping[str, Collection[str]], root: str) -> dict[str, tuple[int, int]]:
    """Name of each field -> rows that could have a value in it, and values: of a column with those of its variants.

    A list that no row has is a field as well: of the root, as others are not told apart.
    """
    found: dict[str, tuple[int, int]] = {}
    for table, known in columns.items():
        rows, values = filled.get(table, (0, {}))
        if table != root:
            found[f"{table}."] = (filled[root][0], rows)
        if not rows:
            continue
        sums: Counter[str] = Counter()
        for column in known:
            base, is_variant, _ = column.rpartition(VARIANT)
            sums[base if is_variant and base in known else column] += values.get(column, 0)
        found |= {f"{table}.{column}": (rows, number) for column, number in sums.items() if not _is_own(column)}
    return found


def _counted(files: Sequence[Path]) -> tuple[int, dict[str, int]]:
    """Rows of Parquet *files*, and values by column, as their footers tell; without a word there, all have one."""
    rows, values = 0, Counter[str]()
    for file in files:
        footer = parquet.read_metadata(file)
        rows += footer.num_rows
        for group in map(footer.row_group, range(footer.num_row_groups)):
            for column in map(group.column, range(group.num_columns)):
                told = column.statistics
                nulls = told.null_count if told is not None and told.has_null_count else 0
                values[column.path_in_schema] += group.num_rows - nulls
    return rows, dict(values)


def _read(file: Path) -> Known | None:
    """What *file* keeps; None where there is none, or it was written by another version."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Known)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _is_own(column: str) -> bool:
    return column.startswith(("_dlt", "_feedloom"))
