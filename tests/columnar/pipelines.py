"""Real dlt pipelines into DuckDB files, with either engine, and what stands in the files afterwards."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import dlt
import duckdb
import psycopg2
import psycopg2.extras
from dlt.extract import DltResource, DltSource

from columnar.made_up import ENDPOINT, TABLE, Page
from columnar.reference import LONG_TYPES, Json, Rows, make_names
from feedloom.catalogue import Table
from feedloom.columnar import KeyNames, RowShaper, column_hints
from feedloom.columnar.arrow import ArrowShaper, Naming
from feedloom.columnar.arrow.dlt_seam import Handover, needs_root_ids, row_id_kind, stored_types, takes_nul
from feedloom.http.cutting import cut

DATASET = "loaded"
COLUMNS = """
    select table_name, column_name, data_type, is_nullable from information_schema.columns
    where table_schema = '{dataset}' and not starts_with(table_name, '_dlt') order by 1, 2
"""


Answer: TypeAlias = tuple[Sequence[str], list[tuple[Any, ...]]]
"""What a query gives: the names of the columns, and the rows."""

Batches: TypeAlias = Sequence[Sequence[Page]]
"""What one load brings of one table: batches of pages."""


def things(loads: Mapping[str, Batches], *, engine: str, write: Any) -> DltSource:
    """A source with the made-up table once for each name in *loads*, which gives the pages of its batches."""

    @dlt.source(name="made_up")
    def source() -> Any:
        dlt.current.source_schema().remove_type_detection("iso_timestamp")
        return [_resource(replace(TABLE, name=name), batches, engine, write) for name, batches in loads.items()]

    made: DltSource = source()
    return made


def _resource(table: Table, batches: Batches, engine: str, write: Any) -> DltResource:
    replies: Any = {name: {"name": name, "data_type": kind} for name, kind in LONG_TYPES.items()}
    made: DltResource = dlt.resource(
        _by_rows(table, batches) if engine == "json" else _by_columns(table, batches, write),
        name=table.name,
        primary_key=table.primary_key,
        write_disposition=write,
        columns=column_hints(table, ENDPOINT),
        file_format="parquet",
        nested_hints={"replies": {"columns": replies}},
    )()
    return made


def _names(table: Table) -> KeyNames:
    kept = dlt.current.source_state().setdefault("names", {}).setdefault(table.name, {})
    return make_names(kept, dlt.current.source_schema(), 300)


def _by_rows(table: Table, batches: Batches) -> Any:
    def rows() -> Iterator[Any]:
        shaper = RowShaper(table, ENDPOINT, _names(table))
        for batch in batches:
            for body, added in batch:
                yield shaper.shape(json.loads(body)["items"], added)

    return rows


def _by_columns(table: Table, batches: Batches, write: Any) -> Any:
    def rows() -> Iterator[Any]:
        schema = dlt.current.source_schema()
        stored = stored_types(schema, table.name)
        handover = Handover()
        shaper = ArrowShaper(
            table=table,
            endpoint=ENDPOINT,
            names=_names(table),
            naming=Naming.of(schema),
            stored=stored,
            load_id=dlt.current.load_package_state()["load_id"],
            root_ids=needs_root_ids(stored, write),
            row_ids=row_id_kind(write),
            takes_nul=takes_nul(dlt.current.pipeline().destination),
        )
        for batch in batches:
            pages = [cut(ENDPOINT, body) for body, _ in batch]
            yield from handover.items(shaper.shape(pages, [added for _, added in batch]))

    return rows


class Warehouse:
    """One dataset of one database, filled by one pipeline: a DuckDB file, unless another place is given.

    Args:
        folder: An empty folder.
        engine: ``json`` or ``arrow``.
    """

    def __init__(self, folder: Path, *, engine: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.engine = engine

    def load(self, batches: Batches, *, write: Any = "merge") -> None:
        """Load the pages of *batches* in one run."""
        self.load_side_by_side({TABLE.name: batches}, write=write)

    def load_side_by_side(self, loads: Mapping[str, Batches], *, write: Any = "merge") -> None:
        """Load several tables, each of the made-up shape and none knowing of the others, in one run."""
        pipeline = dlt.pipeline(
            "made_up", destination=self._destination(), dataset_name=self._dataset, pipelines_dir=str(self._folder)
        )
        pipeline.run(things(loads, engine=self.engine, write=write)).raise_on_failed_jobs()

    def columns(self) -> list[tuple[Any, ...]]:
        """Table, name, type and nullability of every column."""
        return self._ask([COLUMNS.format(dataset=self._dataset)])[0][1]

    def rows(self) -> Rows:
        """Every row, table by table."""
        kinds: dict[str, dict[str, str]] = defaultdict(dict)
        for table, column, kind, _ in self.columns():
            kinds[table][column] = kind
        found = self._ask([f'select * from {self._dataset}."{table}"' for table in kinds])
        return {
            table: [_typed(dict(zip(names, row, strict=True)), own) for row in rows]
            for (table, own), (names, rows) in zip(kinds.items(), found, strict=True)
        }

    _dataset = DATASET

    def _destination(self) -> Any:
        return dlt.destinations.duckdb(str(self._folder / "made_up.duckdb"))

    def _ask(self, queries: Sequence[str]) -> list[Answer]:
        """What each query gives."""
        with duckdb.connect(str(self._folder / "made_up.duckdb"), read_only=True) as connection:
            found = [connection.execute(query).to_arrow_table() for query in queries]
        return [(table.column_names, [tuple(row.values()) for row in table.to_pylist()]) for table in found]


class PostgresWarehouse(Warehouse):
    """One dataset of a PostgreSQL server."""

    def __init__(self, folder: Path, *, engine: str, server: str, dataset: str) -> None:
        super().__init__(folder, engine=engine)
        self._server = server
        self._dataset = dataset

    def _destination(self) -> Any:
        return dlt.destinations.postgres(self._server)

    def _ask(self, queries: Sequence[str]) -> list[Answer]:
        with closing(psycopg2.connect(self._server)) as connection, connection.cursor() as cursor:
            for register in (psycopg2.extras.register_default_json, psycopg2.extras.register_default_jsonb):
                register(cursor, loads=str)
            cursor.execute("set time zone 'UTC'")
            answers: list[Answer] = []
            for query in queries:
                cursor.execute(query)
                answers.append(([column.name for column in cursor.description], cursor.fetchall()))
        return answers


def _typed(row: dict[str, Any], kinds: Mapping[str, str]) -> dict[str, Any]:
    is_json = {name for name, kind in kinds.items() if kind.upper() in {"JSON", "JSONB"}}
    return {name: Json(value) if name in is_json and value is not None else value for name, value in row.items()}
