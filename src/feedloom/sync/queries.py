"""Asks the destination, whichever it is: queries are written once and put into its dialect."""

from __future__ import annotations

import weakref
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import sqlglot
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.pipeline.pipeline import Pipeline
from sqlglot import expressions as sql

from feedloom.columnar import DELETED_AT


def column(pipeline: Pipeline, path: str, table: str | None = None) -> sql.Column:
    """The column that holds the field at *path* of a row (``contact.account.uuid``)."""
    naming = _known(pipeline).naming
    name = naming.make_path(*(naming.normalize_identifier(part) for part in path.split(".")))
    return sql.column(name, table=table, quoted=True)


def relation(pipeline: Pipeline, table: str, alias: str | None = None) -> sql.Table:
    """The table called *table* in the pipeline's dataset; a child table by its full name (``responses__answers``)."""
    parts = _known(pipeline).parts(pipeline, table)
    return sql.Table(
        this=sql.to_identifier(parts[-1], quoted=True),
        db=sql.to_identifier(parts[-2], quoted=True) if len(parts) > 1 else None,
        catalog=sql.to_identifier(parts[-3], quoted=True) if len(parts) > 2 else None,  # noqa: PLR2004 - catalog.db.table
        alias=sql.TableAlias(this=sql.to_identifier(alias)) if alias else None,
    )


class _Known:
    """What does not change while a pipeline lives, and takes dlt some milliseconds each time it is asked."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.naming = pipeline.default_schema.naming
        self.client: Any = None
        self.marked: set[str] | None = None
        self._parts: dict[str, list[str]] = {}

    def parts(self, pipeline: Pipeline, table: str) -> list[str]:
        """Catalog, dataset and name of *table* of *pipeline*, as far as the destination has them."""
        if table not in self._parts:
            with pipeline.sql_client() as client:
                name = self.naming.normalize_tables_path(table)
                self._parts[table] = client.make_qualified_table_name_path(name, quote=False)
        return self._parts[table]


_KNOWN: weakref.WeakKeyDictionary[Pipeline, _Known] = weakref.WeakKeyDictionary()


def _known(pipeline: Pipeline) -> _Known:
    if pipeline not in _KNOWN:
        _KNOWN[pipeline] = _Known(pipeline)
    return _KNOWN[pipeline]


@contextmanager
def held_open(pipeline: Pipeline) -> Iterator[None]:
    """Keep one connection to the destination for all queries inside the ``with`` block.

    Opening and closing a DuckDB file takes longer than a small load.
    """
    known = _known(pipeline)
    with pipeline.sql_client() as client:
        known.client = client
        try:
            yield
        finally:
            known.client = None


@contextmanager
def client_of(pipeline: Pipeline) -> Iterator[Any]:
    """Dlt's client of the destination: the one that is held open, else a new one."""
    held = _known(pipeline).client if pipeline.default_schema_name is not None else None
    if held is not None:
        yield held
        return
    with pipeline.sql_client() as client:
        yield client


def has_column(pipeline: Pipeline, table: str, path: str) -> bool:
    """Whether the table holds the field at *path*; a field that was null in every row has no column."""
    if pipeline.default_schema_name is None:
        return False
    schema = pipeline.default_schema
    name = schema.naming.normalize_table_identifier(table)
    if name not in schema.tables:
        return False
    known = schema.get_table_columns(name).get(column(pipeline, path).name)
    return known is not None and "data_type" in known


def at(moment: datetime) -> sql.Expression:
    """*moment* as a literal with time zone."""
    text = sql.Literal.string(moment.astimezone(UTC).isoformat(sep=" "))
    return sql.cast(text, sql.DataType.Type.TIMESTAMPTZ)


def literal(value: Any) -> Any:
    """*value*, as a driver gave it, as a literal."""
    if isinstance(value, datetime):
        return at(value if value.tzinfo is not None else value.replace(tzinfo=UTC))
    if isinstance(value, date):
        return sql.cast(sql.Literal.string(value.isoformat()), sql.DataType.Type.DATE)
    return sql.convert(value)


def live(pipeline: Pipeline, table: str, alias: str | None = None) -> list[sql.Condition]:
    """The condition under which a row of *table* is still at the source; none where no row was ever marked as gone."""
    if not has_marks(pipeline, table):
        return []
    return [sql.column(DELETED_AT, table=alias, quoted=True).is_(sql.Null())]


def live_text(columns: Collection[str]) -> str:
    """The same for a query in SQL of a table with these *columns*: a clause, or nothing."""
    return f' where "{DELETED_AT}" is null' if DELETED_AT in columns else ""


def ask(pipeline: Pipeline, query: sql.Query) -> Sequence[Sequence[Any]]:
    """The rows that *query* gives; none where its table does not exist yet."""
    with client_of(pipeline) as client:
        dialect = client.capabilities.sqlglot_dialect
        try:
            return client.execute_sql(query.sql(dialect=dialect)) or ()
        except DestinationUndefinedEntity:
            return ()


def count(pipeline: Pipeline, table: str, *conditions: sql.Expression | sql.Condition) -> int:
    """How many rows of *table* meet all *conditions*, marked ones too; 0 where it does not exist yet."""
    if pipeline.default_schema_name is None:
        return 0
    query = sqlglot.select(sql.Count(this=sql.Star())).from_(relation(pipeline, table))
    rows = ask(pipeline, query.where(*conditions) if conditions else query)
    return int(rows[0][0]) if rows else 0


def count_live(pipeline: Pipeline, table: str, *conditions: sql.Expression | sql.Condition) -> int:
    """How many rows of *table* are still at the source and meet all *conditions*."""
    return count(pipeline, table, *live(pipeline, table), *conditions)


def has_marks(pipeline: Pipeline, table: str) -> bool:
    """Whether the destination itself has the column of marks in *table*, which the schema may know before it is made.

    The destination is asked once in the life of *pipeline*; what is loaded since, ``note_columns`` tells.
    """
    if not has_column(pipeline, table, DELETED_AT):
        return False
    known = _known(pipeline)
    if known.marked is None:
        known.marked = set(_marked_tables(pipeline))
    return known.naming.normalize_table_identifier(table) in known.marked


def note_columns(pipeline: Pipeline, table: str) -> None:
    """Note that *table* was just loaded, so that the destination has the columns that the schema knows."""
    known = _known(pipeline)
    if known.marked is not None and has_column(pipeline, table, DELETED_AT):
        known.marked.add(known.naming.normalize_table_identifier(table))


def _marked_tables(pipeline: Pipeline) -> Iterator[str]:
    """The tables that have the column of marks in the destination, as it tells itself."""
    names = [name for name, table in pipeline.default_schema.tables.items() if DELETED_AT in table["columns"]]
    with pipeline.destination_client() as client:
        if isinstance(client, SqlJobClientBase):
            for name, columns in client.get_storage_tables(names):
                if DELETED_AT in map(str.lower, columns):
                    yield name
