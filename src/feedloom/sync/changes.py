"""Counts what a load brings: rows that are new, changed or the same, against what the table holds.

Keys and fingerprints of the rows read go to a file while they are read; those of the table are fetched in chunks, and
only for the keys that were read where those are few. Both are compared in a scratch database on disk, so that memory
does not grow with the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
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
from feedloom.columnar import DELETED_AT, ROW_HASH
from feedloom.sync.queries import client_of, column, has_marks, relation

_CHUNK_ROWS = 100_000
_FEW_KEYS = 20_000
_KEYS_A_QUERY = 1_000
_BETWEEN = "\x1f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """How the rows of one load compare with the table before it; rows that came twice count once.

    ``gone`` counts rows of the table that the load did not bring, where that was asked for, and ``returned`` those that
    it brought although they were marked as gone. ``repeated`` counts rows that came more than once, beyond the first.
    ``unknown`` counts rows that another engine loaded before, with
    fingerprints of another kind, so that nobody can tell whether they changed.
    """

    new: int
    changed: int
    same: int
    gone: int
    repeated: int
    unknown: int = 0
    returned: int = 0


_MOST_GONE = 0.1
_FEW_ROWS = 20


def loses_too_much(changes: Changes) -> bool:
    """Whether a whole list misses more than 20 rows and a tenth of the table: more likely a fault than deletions."""
    return is_too_much(changes.gone, held=changes.changed + changes.same + changes.unknown + changes.gone)


def is_too_much(gone: int, *, held: int) -> bool:
    """Whether *gone* rows of those *held* are more than 20 and a tenth."""
    return gone > max(_FEW_ROWS, _MOST_GONE * held)


class ChangeCounter:
    """Collects keys and fingerprints of one table's rows, then compares them with the table.

    Args:
        folder: An existing folder for scratch files.
        memory_mb: What the comparison may take, in megabytes; what does not fit goes to the folder.
    """

    def __init__(self, folder: Path, *, memory_mb: int = 64) -> None:
        self._few: set[str] | None = set()
        self._rows = 0
        self._database = duckdb.connect(str(folder / "changes.duckdb"))
        self._database.execute(
            f"set preserve_insertion_order = false; set memory_limit = '{memory_mb}MB'; set timezone = 'UTC'"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def start(self) -> None:
        """Forget what was collected."""
        self._few, self._rows = set(), 0
        for name in ("read", "held"):
            self._database.execute(
                f"create or replace table {name} "
                "(part utinyint, key uhugeint, hash ubigint, kind boolean, aside boolean)"
            )

    def add(self, table: Table, keys: Any) -> None:
        """Collect the rows of some pages: a ``pyarrow.Table`` with the primary key and the fingerprint of each row.

        Rows of a table without key, whose every row is new, are not collected.
        """
        if not table.primary_key:
            return
        self._remember(keys[table.primary_key[0]])
        self._insert("read", keys.select([*table.primary_key, ROW_HASH]))

    def compare(
        self, pipeline: Pipeline, table: Table, *, whole: bool = False, if_gone: Sequence[sql.Expr] = ()
    ) -> Changes:
        """The rows collected since :meth:`start` against those that *pipeline*'s destination holds.

        *whole* says that the rows are all of a list, so that the others are gone, where they meet all of *if_gone*.
        """
        few = None if whole or self._few is None else sorted(self._few)
        for rows in _held(pipeline, table, few, if_gone):
            *_, aside = rows.columns
            self._insert("held", rows.select(rows.column_names[:-1]), aside)
        parts = min(_MOST_PARTS, 1 + self._rows // _ROWS_A_PART)
        counted = [self._database.execute(_COMPARE, [parts, part] * 2).fetchall()[0] for part in range(parts)]
        read, distinct, new, changed, same, gone, unknown, returned = map(sum, zip(*counted, strict=True))
        return Changes(
            new=new,
            changed=changed,
            same=same,
            gone=gone if whole else 0,
            repeated=read - distinct,
            unknown=unknown,
            returned=returned,
        )

    def unseen_before(self, rows: Any, moment: datetime) -> list[tuple[int, int]]:
        """Of *rows*, by how many seconds they lie before *moment*, and how many do, if the table did not hold them.

        *rows* has the primary key and a moment, in UTC where it has no zone; they are among those last compared.
        """
        *key, moments = rows.columns
        self._database.register("batch", pa.table({"key": _joined(key), "moment": moments}))
        found = self._database.execute(_UNSEEN, [moment.astimezone(UTC)]).fetchall()
        self._database.unregister("batch")
        return [(int(seconds), int(count)) for seconds, count in found]

    def _remember(self, values: Any) -> None:
        """Keep what stands in the first column of the key, while that is little, and text."""
        if self._few is None or not (_is_text(values.type) or not len(values)):
            self._few = None
            return
        self._few.update(values.unique().to_pylist())
        if len(self._few) > _FEW_KEYS:
            self._few = None

    def _insert(self, name: str, rows: Any, marks: Any = None) -> None:
        """Add *rows*, whose last column is the fingerprint, to the scratch table *name*, with their *marks*."""
        *key, hashes = rows.columns
        aside = pa.repeat(0, len(rows)) if marks is None else marks
        batch = pa.table({"key": _joined(key), "hash": hashes.cast(pa.string()), "aside": aside})
        self._rows += len(batch)
        self._database.register("batch", batch)
        self._database.execute(f"insert into {name} {_DIGESTS}")
        self._database.unregister("batch")


_MOST_PARTS = 240
_ROWS_A_PART = 400_000

_DIGESTS = """
select
    md5_number_upper(key) % 240, md5_number(key), md5_number_lower(hash), contains(hash, ':'),
    case aside when 0 then false when 1 then true end
from batch
"""
"""Digests stand for keys and fingerprints, since they are shorter; keys are told apart by 128 bits. ``aside`` is true
of a row that is marked, null of one that is not gone if it did not come."""

_COMPARE = """
with
    read_once as (
        select key, any_value(hash) as hash, any_value(kind) as kind, count(*) as times
        from read where part % ? = ? group by key
    ),
    held_part as (select * from held where part % ? = ?)
select
    coalesce(sum(times), 0),
    count(times),
    count(*) filter (where held_part.key is null),
    count(*) filter (
        where times is not null and held_part.key is not null
        and held_part.hash is distinct from read_once.hash and coalesce(held_part.kind = read_once.kind, true)
    ),
    count(*) filter (where held_part.hash = read_once.hash),
    count(*) filter (where times is null and aside = false),
    count(*) filter (where held_part.hash <> read_once.hash and held_part.kind <> read_once.kind),
    count(*) filter (where times is not null and aside)
from read_once full join held_part using (key)
"""


_UNSEEN = """
select ceil(epoch(?::timestamptz) - epoch(moment::timestamptz))::bigint as late_s, count(*)
from batch where not exists (select 1 from held where held.key = md5_number(batch.key)) group by late_s
"""


def _joined(key: Sequence[Any]) -> Any:
    """The columns of a key as one text."""
    texts = [_as_text(values) for values in key]
    return texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, _BETWEEN)


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


def _held(pipeline: Pipeline, table: Table, few: Sequence[Any] | None, if_gone: Sequence[sql.Expr]) -> Iterator[Any]:
    """The keys and fingerprints that the table holds; only those whose key begins with one of *few*, where given.

    The last column is 1 for a row that is marked, null for one that does not meet all *if_gone*, else 0.
    """
    columns = [column(pipeline, name) for name in (*table.primary_key, ROW_HASH)]
    aside = sql.Case()
    if has_marks(pipeline, table.name):
        aside = aside.when(sql.not_(column(pipeline, DELETED_AT).is_(sql.Null())), sql.convert(1))
    aside = aside.when(sql.and_(*if_gone) if if_gone else sql.true(), sql.convert(0))
    everything = sqlglot.select(*columns, sql.alias_(aside, "aside")).from_(relation(pipeline, table.name))
    queries: Iterable[sql.Select] = [everything]
    if few is not None:
        queries = (everything.where(columns[0].isin(*part)) for part in _parts(few))
    with client_of(pipeline) as client:
        for query in queries:
            text = query.sql(dialect=client.capabilities.sqlglot_dialect)
            try:
                with client.execute_query(text) as cursor:
                    yield from cursor.iter_arrow(_CHUNK_ROWS)
            except DestinationUndefinedEntity:
                return
