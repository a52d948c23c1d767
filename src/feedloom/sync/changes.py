"""Counts what a load brings: rows that are new, changed or the same, against what the table holds.

Keys and fingerprints of the rows read go to a file while they are read; those of the table are fetched in chunks, and
only for the keys that were read where those are few. Both are compared in a scratch database on disk, so that memory
does not grow with the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import sqlglot
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.pipeline.pipeline import Pipeline
from sqlglot import expressions as sql

from feedloom.catalogue import Table
from feedloom.columnar import ROW_HASH
from feedloom.sync.queries import column, relation

_CHUNK_ROWS = 100_000
_FEW_KEYS = 20_000
_KEYS_A_QUERY = 1_000
_BETWEEN = "\x1f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """How the rows of one load compare with the table before it; rows that came twice count once.

    ``gone`` counts rows of the table that the load did not bring, where that was asked for. ``repeated`` counts rows
    that came more than once, beyond the first. ``unknown`` counts rows that another engine loaded before, with
    fingerprints of another kind, so that nobody can tell whether they changed.
    """

    new: int
    changed: int
    same: int
    gone: int
    repeated: int
    unknown: int = 0


class ChangeCounter:
    """Collects keys and fingerprints of one table's rows, then compares them with the table.

    Args:
        folder: An existing folder for scratch files.
        memory_mb: What the comparison may take, in megabytes; what does not fit goes to the folder.
    """

    def __init__(self, folder: Path, *, memory_mb: int = 64) -> None:
        self._first_is_text = False
        self._database = duckdb.connect(str(folder / "changes.duckdb"))
        self._database.execute(f"set preserve_insertion_order = false; set memory_limit = '{memory_mb}MB'")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def start(self) -> None:
        """Forget what was collected."""
        for name in ("read", "held"):
            self._database.execute(f"create or replace table {name} (key varchar, first varchar, hash varchar)")

    def add(self, table: Table, keys: Any) -> None:
        """Collect the rows of some pages: a ``pyarrow.Table`` with the primary key and the fingerprint of each row.

        Rows of a table without key, whose every row is new, are not collected.
        """
        if not table.primary_key:
            return
        self._insert("read", keys.select([*table.primary_key, ROW_HASH]))

    def compare(self, pipeline: Pipeline, table: Table, *, whole: bool = False) -> Changes:
        """The rows collected since :meth:`start` against those that *pipeline*'s destination holds.

        *whole* says that the rows are all of a list, so that the others are gone.
        """
        few = None if whole else self._few_values()
        for rows in _held(pipeline, table, few):
            self._insert("held", rows)
        found = self._database.execute(_COMPARE).fetchone()
        if found is None:
            raise ValueError("the comparison of changes came out empty")
        new, changed, same, gone, repeated, unknown = found
        return Changes(
            new=new, changed=changed, same=same, gone=gone if whole else 0, repeated=repeated, unknown=unknown
        )

    def _few_values(self) -> list[Any] | None:
        """What stands in the first column of the key of the rows read; None where that is much, or no plain text."""
        found = self._database.execute("select distinct first from read limit ?", [_FEW_KEYS + 1]).fetchall()
        is_usable = self._first_is_text and len(found) <= _FEW_KEYS
        return [value for (value,) in found] if is_usable else None

    def _insert(self, name: str, rows: Any) -> None:
        """Add *rows*, whose last column is the fingerprint, to the scratch table *name*."""
        *key, hashes = rows.columns
        if name == "read":
            self._first_is_text = _is_text(key[0].type)
        texts = [_as_text(values) for values in key]
        joined = texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, _BETWEEN)
        batch = pa.table({"key": joined, "first": texts[0], "hash": hashes.cast(pa.string())})
        self._database.register("batch", batch)
        self._database.execute(f"insert into {name} select * from batch")  # noqa: S608 - one of two fixed names
        self._database.unregister("batch")


_COMPARE = """
with
    read_once as (select key, any_value(hash) as hash from read group by key),
    compared as (
        select
            held.key is not null as is_held,
            read_once.key is not null as is_read,
            held.hash is not distinct from read_once.hash as is_same,
            held.hash is not null and contains(held.hash, ':') <> contains(read_once.hash, ':') as is_unknown
        from read_once full join held using (key)
    )
select
    count(*) filter (where is_read and not is_held),
    count(*) filter (where is_read and is_held and not is_same and not is_unknown),
    count(*) filter (where is_read and is_held and is_same),
    count(*) filter (where not is_read),
    (select count(*) - count(distinct key) from read),
    count(*) filter (where is_read and is_held and not is_same and is_unknown)
from compared
"""


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _as_text(values: Any) -> Any:
    """Key values as text that is the same wherever they come from: moments as microseconds since 1970."""
    kind = values.type
    if pa.types.is_timestamp(kind):
        if kind.tz is None:
            values = pc.assume_timezone(values, "UTC")
        values = values.cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    elif pa.types.is_date(kind):
        values = values.cast(pa.date32()).cast(pa.int32())
    return values.cast(pa.string())


def _parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _KEYS_A_QUERY):
        yield values[start : start + _KEYS_A_QUERY]


def _held(pipeline: Pipeline, table: Table, few: Sequence[Any] | None) -> Iterator[Any]:
    """The keys and fingerprints that the table holds; only those whose key begins with one of *few*, where given."""
    columns = [column(pipeline, name) for name in (*table.primary_key, ROW_HASH)]
    everything = sqlglot.select(*columns).from_(relation(pipeline, table.name))
    queries: Iterable[sql.Select] = [everything]
    if few is not None:
        queries = (everything.where(columns[0].isin(*part)) for part in _parts(few))
    with pipeline.sql_client() as client:
        for query in queries:
            text = query.sql(dialect=client.capabilities.sqlglot_dialect)
            try:
                with client.execute_query(text) as cursor:
                    yield from cursor.iter_arrow(_CHUNK_ROWS)
            except DestinationUndefinedEntity:
                return
