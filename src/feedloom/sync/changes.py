"""Counts what a load brings: rows that are new, changed or the same, against what the table holds.

Keys and fingerprints of the rows read go to a file while they are read; those of the table are fetched in chunks. Both
are compared in a scratch database on disk, so that memory does not grow with the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.pipeline.pipeline import Pipeline

from feedloom.catalogue import Table

_CHUNK_ROWS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """How the rows of one load compare with the table before it; rows that came twice count once.

    ``gone`` counts rows of the table that the load did not bring; it means something only for whole lists. ``repeated``
    counts rows that came more than once, beyond the first.
    """

    new: int
    changed: int
    same: int
    gone: int
    repeated: int


class ChangeCounter:
    """Collects keys and fingerprints of one table's rows, then compares them with the table.

    Args:
        folder: An existing folder for scratch files.
    """

    def __init__(self, folder: Path) -> None:
        self._database = duckdb.connect(str(folder / "changes.duckdb"))
        self._database.execute("set preserve_insertion_order = false; set memory_limit = '256MB'")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def start(self) -> None:
        """Forget what was collected."""
        for name in ("read", "held"):
            self._database.execute(f"create or replace table {name} (key varchar, hash varchar)")

    def add(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        """Collect the rows of one page."""
        self._insert("read", [_key(row[field] for field in table.primary_key) for row in rows], _hashes(rows))

    def compare(self, pipeline: Pipeline, table: Table) -> Changes:
        """The rows collected since :meth:`start` against those that *pipeline*'s destination holds."""
        for rows in _held(pipeline, table):
            self._insert("held", [_key(row[:-1]) for row in rows], [row[-1] for row in rows])
        found = self._database.execute(_COMPARE).fetchone()
        if found is None:
            raise ValueError("the comparison of changes came out empty")
        return Changes(new=found[0], changed=found[1], same=found[2], gone=found[3], repeated=found[4])

    def _insert(self, name: str, keys: list[str], hashes: list[Any]) -> None:
        batch = pa.table({"key": pa.array(keys, pa.string()), "hash": pa.array(hashes, pa.string())})
        self._database.register("batch", batch)
        self._database.execute(f"insert into {name} select * from batch")  # noqa: S608 - one of two fixed names
        self._database.unregister("batch")


_COMPARE = """
with read_once as (select key, any_value(hash) as hash from read group by key)
select
    count(*) filter (where held.key is null),
    count(*) filter (
        where held.key is not null and read_once.key is not null and held.hash is distinct from read_once.hash
    ),
    count(*) filter (where held.hash = read_once.hash),
    count(*) filter (where read_once.key is null),
    (select count(*) - count(distinct key) from read)
from read_once full join held using (key)
"""


def _hashes(rows: Sequence[dict[str, Any]]) -> list[Any]:
    return [row["_feedloom_hash"] for row in rows]


def _key(values: Iterable[Any]) -> str:
    return "\x1f".join(
        value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value) for value in values
    )


def _held(pipeline: Pipeline, table: Table) -> Iterable[list[tuple[Any, ...]]]:
    naming = pipeline.default_schema.naming
    with pipeline.sql_client() as client:
        columns = ", ".join(
            client.escape_column_name(naming.normalize_identifier(name))
            for name in (*table.primary_key, "_feedloom_hash")
        )
        name = client.make_qualified_table_name(naming.normalize_table_identifier(table.name))
        try:
            with client.execute_query(f"select {columns} from {name}") as cursor:  # noqa: S608 - names are escaped
                while rows := cursor.fetchmany(_CHUNK_ROWS):
                    yield rows
        except DestinationUndefinedEntity:
            return
