"""Real dlt pipelines into DuckDB files, with either engine, and what stands in the files afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dlt
import duckdb
from dlt.extract import DltSource

from columnar.made_up import ENDPOINT, TABLE, Page
from columnar.reference import LONG_TYPES, Json, Rows, make_names
from feedloom.columnar import RowShaper, column_hints
from feedloom.columnar.arrow import ArrowShaper, Naming
from feedloom.columnar.arrow.dlt_seam import Handover, needs_root_ids, row_id_kind, stored_types
from feedloom.http.cutting import cut

DATASET = "loaded"
COLUMNS = """
    select table_name, column_name, data_type, is_nullable from information_schema.columns
    where table_schema = 'loaded' and not starts_with(table_name, '_dlt') order by all
"""


def things(batches: Sequence[Sequence[Page]], *, engine: str, write: Any) -> DltSource:
    """A source with the made-up table, which gives the pages of *batches*."""

    @dlt.source(name="made_up")
    def source() -> Any:
        dlt.current.source_schema().remove_type_detection("iso_timestamp")
        return dlt.resource(
            _by_rows(batches) if engine == "json" else _by_columns(batches, write),
            name=TABLE.name,
            primary_key=TABLE.primary_key,
            write_disposition=write,
            columns=column_hints(TABLE, ENDPOINT),
            file_format="parquet",
            nested_hints={
                "replies": {"columns": {name: {"name": name, "data_type": kind} for name, kind in LONG_TYPES.items()}}
            },
        )

    made: DltSource = source()
    return made


def _by_rows(batches: Sequence[Sequence[Page]]) -> Any:
    def rows() -> Iterator[Any]:
        names = make_names(dlt.current.source_state().setdefault("names", {}), dlt.current.source_schema(), 300)
        shaper = RowShaper(TABLE, ENDPOINT, names)
        for batch in batches:
            for body, added in batch:
                yield shaper.shape(json.loads(body)["items"], added)

    return rows


def _by_columns(batches: Sequence[Sequence[Page]], write: Any) -> Any:
    def rows() -> Iterator[Any]:
        schema = dlt.current.source_schema()
        stored = stored_types(schema, TABLE.name)
        handover = Handover()
        shaper = ArrowShaper(
            table=TABLE,
            endpoint=ENDPOINT,
            names=make_names(dlt.current.source_state().setdefault("names", {}), schema, 300),
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

    def load(self, batches: Sequence[Sequence[Page]], *, write: Any = "merge") -> None:
        """Load the pages of *batches* in one run."""
        pipeline = dlt.pipeline(
            "made_up",
            destination=dlt.destinations.duckdb(str(self._folder / "made_up.duckdb")),
            dataset_name=DATASET,
            pipelines_dir=str(self._folder),
        )
        pipeline.run(things(batches, engine=self.engine, write=write)).raise_on_failed_jobs()

    def columns(self) -> list[tuple[Any, ...]]:
        """Table, name, type and nullability of every column."""
        return self._query(COLUMNS).fetchall()

    def rows(self) -> Rows:
        """Every row, table by table."""
        found: Rows = {}
        for table in dict.fromkeys(row[0] for row in self.columns()):
            kinds = {column: kind for owner, column, kind, _ in self.columns() if owner == table}
            result = self._query(f"select * from {DATASET}.{table}").to_arrow_table()
            found[table] = [_typed(row, kinds) for row in result.to_pylist()]
        return found

    def _query(self, sql: str) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self._folder / "made_up.duckdb"), read_only=True).execute(sql)


def _typed(row: dict[str, Any], kinds: Mapping[str, str]) -> dict[str, Any]:
    return {name: Json(value) if kinds[name] == "JSON" and value is not None else value for name, value in row.items()}
