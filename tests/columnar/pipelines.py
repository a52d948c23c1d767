"""Real dlt pipelines into DuckDB files, with either engine, and what stands in the files afterwards."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import dlt
import duckdb
from dlt.extract import DltResource, DltSource

from columnar.made_up import ENDPOINT, TABLE, Page
from columnar.reference import LONG_TYPES, Json, Rows, make_names
from feedloom.catalogue import Table
from feedloom.columnar import KeyNames, RowShaper, column_hints
from feedloom.columnar.arrow import ArrowShaper, Naming
from feedloom.columnar.arrow.dlt_seam import Handover, needs_root_ids, row_id_kind, stored_types
from feedloom.http.cutting import cut

DATASET = "loaded"
COLUMNS = """
    select table_name, column_name, data_type, is_nullable from information_schema.columns
    where table_schema = 'loaded' and not starts_with(table_name, '_dlt') order by all
"""


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
    made: DltResource = dlt.resource(
        _by_rows(table, batches) if engine == "json" else _by_columns(table, batches, write),
        name=table.name,
        primary_key=table.primary_key,
        write_disposition=write,
        columns=column_hints(table, ENDPOINT),
        file_format="parquet",
        nested_hints={
            "replies": {"columns": {name: {"name": name, "data_type": kind} for name, kind in LONG_TYPES.items()}}
        },
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
        )
        for batch in batches:
            pages = [cut(ENDPOINT, body) for body, _ in batch]
            yield from handover.items(shaper.shape(pages, [added for _, added in batch]))

    return rows


class Warehouse:
    """One DuckDB file, filled by one pipeline.

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
            "made_up",
            destination=dlt.destinations.duckdb(str(self._folder / "made_up.duckdb")),
            dataset_name=DATASET,
            pipelines_dir=str(self._folder),
        )
        pipeline.run(things(loads, engine=self.engine, write=write)).raise_on_failed_jobs()

    def columns(self) -> list[tuple[Any, ...]]:
        """Table, name, type and nullability of every column."""
        with self._open() as connection:
            return connection.execute(COLUMNS).fetchall()

    def rows(self) -> Rows:
        """Every row, table by table."""
        kinds: dict[str, dict[str, str]] = defaultdict(dict)
        for table, column, kind, _ in self.columns():
            kinds[table][column] = kind
        with self._open() as connection:
            return {
                table: [
                    _typed(row, own)
                    for row in connection.execute(f"select * from {DATASET}.{table}").to_arrow_table().to_pylist()
                ]
                for table, own in kinds.items()
            }

    def _open(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self._folder / "made_up.duckdb"), read_only=True)


def _typed(row: dict[str, Any], kinds: Mapping[str, str]) -> dict[str, Any]:
    return {name: Json(value) if kinds[name] == "JSON" and value is not None else value for name, value in row.items()}
