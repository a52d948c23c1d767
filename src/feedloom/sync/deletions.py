"""Marks, or removes, rows of windowed lists that were not among those read again.

No cursor depends on it, so that a run which is cut off before it leaves nothing wrong: the counts still differ, and the
next run reads the same windows again. Whole lists are kept by ``sync.carrying``, inside their load.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final, TypeAlias

import sqlglot
from dlt.common.schema.utils import get_nested_tables
from dlt.pipeline.pipeline import Pipeline
from sqlglot import expressions as sql

from feedloom.catalogue import Table
from feedloom.columnar import DELETED_AT
from feedloom.http import legible_rows
from feedloom.sources.planning import Cursor
from feedloom.sync.changes import is_too_much
from feedloom.sync.counts import between, bounds, loaded_range
from feedloom.sync.jobs import Job
from feedloom.sync.queries import (
    ask,
    at,
    client_of,
    column,
    count,
    count_live,
    has_marks,
    literal,
    live,
    relation,
)
from feedloom.sync.stopping import until_stopped

_AHEAD = timedelta(days=1)
_KEYS_A_STATEMENT: Final = 1_000
_ROW_ID, _PARENT_ID, _LOAD_ID = "_dlt_id", "_dlt_parent_id", "_dlt_load_id"

Key: TypeAlias = tuple[Any, ...]


class TooManyError(Exception):
    """So many rows are missing at the source that it is not believed; ``rows`` says how many."""

    def __init__(self, rows: int) -> None:
        super().__init__(rows)
        self.rows = rows


def take_out(job: Job, table: Table, windows: Sequence[Cursor], *, load_id: str | None) -> int:
    """Mark or remove the rows in *windows* that their reading did not bring, which went into the load *load_id*.

    *load_id* is None where the reading brought no row. A row that moved on to a later place, or that came and was put
    aside, is not gone; where a row was put aside whose key cannot be read, none is. Asks the vendor for what came since
    the run began, where rows move. Returns how many are gone.

    Raises TooManyError for more than 20 rows and a tenth of the table, unless the job allows it; nothing is changed.
    """
    put_aside = job.session.reading(table.name).keys_put_aside
    if None in put_aside:
        return 0
    missing = {
        key for key in _missing(job.pipeline, table, windows, load_id) if len(key) > 1 or str(key[0]) not in put_aside
    }
    if missing and table.window is not None and table.window.moves:
        missing -= until_stopped(
            _listed_after(job, table), stop=job.session.stop, what=f"the look for rows of {table.name} that moved"
        )
    if not job.allow_deletes and is_too_much(len(missing), held=count_live(job.pipeline, table.name)):
        raise TooManyError(len(missing))
    if not missing:
        return 0
    if job.deletes == "hard":
        _remove(job.pipeline, table, [_among(job.pipeline, table, some) for some in _in_parts(missing)])
    else:
        _mark(job.pipeline, table, missing)
    return len(missing)


def remove_marked(pipeline: Pipeline, table: Table) -> int:
    """Remove the rows that were marked as gone, and their child rows; returns how many there were."""
    if not has_marks(pipeline, table.name):
        return 0
    marked = sql.not_(column(pipeline, DELETED_AT).is_(sql.Null()))
    found = count(pipeline, table.name, marked)
    if found:
        _remove(pipeline, table, [marked])
    return found


def _missing(pipeline: Pipeline, table: Table, windows: Sequence[Cursor], load_id: str | None) -> set[Key]:
    """The keys of the rows in *windows* that were not read."""
    if table.window is None:
        return set()
    moment = column(pipeline, table.window.passes[0].column)
    conditions: list[sql.Condition] = [
        *live(pipeline, table.name),
        sql.or_(*[sql.and_(*between(moment, window)) for window in windows]),
    ]
    if load_id is not None:
        conditions.append(column(pipeline, _LOAD_ID).neq(load_id))
    query = sqlglot.select(*[column(pipeline, name) for name in table.primary_key])
    return {tuple(row) for row in ask(pipeline, query.from_(relation(pipeline, table.name)).where(*conditions))}


async def _listed_after(job: Job, table: Table) -> set[Key]:
    """The keys of the rows that lie after the loaded range by now."""
    through = loaded_range(job.vendor, table, job.pipeline).through
    if through is None:
        return set()
    after = bounds(job.vendor, table, Cursor(since=through, through=datetime.now(UTC) + _AHEAD))
    found: set[Key] = set()
    async with job.client() as client:
        async for page in client.pages(job.vendor.endpoint(table.endpoint), after):
            found |= {tuple(row.get(name) for name in table.primary_key) for row in legible_rows(page.cut)}
    return found


def _in_parts(keys: Iterable[Key]) -> Iterator[list[Key]]:
    rest = iter(keys)
    while some := list(islice(rest, _KEYS_A_STATEMENT)):
        yield some


def _among(pipeline: Pipeline, table: Table, keys: Sequence[Key]) -> sql.Condition:
    """The condition under which a row has one of *keys*."""
    columns = [column(pipeline, name) for name in table.primary_key]
    if len(columns) == 1:
        return columns[0].isin(*[literal(value) for (value,) in keys])
    return sql.or_(
        *[sql.and_(*[one.eq(literal(value)) for one, value in zip(columns, key, strict=True)]) for key in keys]
    )


def _mark(pipeline: Pipeline, table: Table, keys: Iterable[Key]) -> None:
    place, moment = sql.to_identifier(DELETED_AT, quoted=True), at(datetime.now(UTC))
    _execute(
        pipeline,
        (
            sql.Update(
                this=relation(pipeline, table.name),
                expressions=[sql.EQ(this=place, expression=moment.copy())],
                where=sql.Where(this=_among(pipeline, table, some)),
            )
            for some in _in_parts(keys)
        ),
    )


def _remove(pipeline: Pipeline, table: Table, conditions: Sequence[sql.Condition]) -> None:
    """Delete the rows that meet one of *conditions*, and the rows of child tables below them, lowest first."""
    name = pipeline.default_schema.naming.normalize_table_identifier(table.name)
    _execute(
        pipeline,
        (
            sql.delete(relation(pipeline, child), where=_below(pipeline, child, condition))
            for condition in conditions
            for child in reversed([str(one["name"]) for one in get_nested_tables(pipeline.default_schema.tables, name)])
            if pipeline.default_schema.get_table_columns(child)
        ),
    )


def _below(pipeline: Pipeline, name: str, condition: sql.Condition) -> sql.Condition:
    """The condition under which a row of the table *name* belongs to a root row that meets *condition*."""
    parent = pipeline.default_schema.tables[name].get("parent")
    if parent is None:
        return condition
    parents = sqlglot.select(column(pipeline, _ROW_ID)).from_(relation(pipeline, parent))
    return column(pipeline, _PARENT_ID).isin(query=parents.where(_below(pipeline, parent, condition)))


def _execute(pipeline: Pipeline, statements: Iterator[sql.Expression]) -> None:
    """Run *statements* in one transaction."""
    with client_of(pipeline) as client, client.begin_transaction():
        for statement in statements:
            client.execute_sql(statement.sql(dialect=client.capabilities.sqlglot_dialect))
