"""Keeps rows that vanished from a whole list, with the moment that was noticed, while the list replaces its table.

dlt fills a table of the staging dataset with the list, and then replaces the table by it in one transaction. Here the
same transaction begins with statements that carry the rows that did not come over into the staging table, child rows
included, so that rows, marks and cursor commit together. It is all done inside the database: no row travels, and
nothing depends on how many there are.

The seam is the destination's client, whose class makes that job; ``keeping`` puts another in its place. Loads that say
nothing of absences (``sources.absences``) are as dlt makes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import cache
from typing import Any, Protocol, cast

from dlt.common.destination import PreparedTableSchema
from dlt.common.destination.client import FollowupJobRequest
from dlt.common.schema.typing import TColumnProp, TTableSchema
from dlt.common.schema.utils import get_columns_names_with_prop
from dlt.common.storages.load_package import load_package_state
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.destinations.sql_client import SqlClientBase
from dlt.destinations.sql_jobs import SqlStagingReplaceFollowupJob
from sqlglot import expressions as sql

from feedloom.columnar import DELETED_AT
from feedloom.columnar.arrow.naming import LOAD_ID
from feedloom.sources.absences import Absences, noted_absences
from feedloom.sync.queries import at

_IN_ONE_TRANSACTION = "insert-from-staging"

Chain = Sequence[PreparedTableSchema]


def keeping(destination: Any) -> Any:
    """*destination*, whose whole lists keep the rows that vanished where a load asks for it; changed in place."""
    factory: Any = type(destination)
    destination.__class__ = _keeping_factory(factory)
    return destination


def can_keep(destination: Any) -> bool:
    """Whether *destination* replaces tables by SQL from a staging dataset: databases do, files do not."""
    strategies = destination.capabilities().supported_replace_strategies or ()
    return _IN_ONE_TRANSACTION in strategies and issubclass(destination.client_class, SqlJobClientBase)


@cache
def _keeping_factory(factory: Any) -> Any:
    """A subclass of a destination's *factory* that goes by its name, by which dlt knows destinations."""

    def client_class(self: Any) -> Any:
        return _keeping_client(super(made, self).client_class)

    made: Any = type(
        factory.__name__,
        (factory,),
        {
            "client_class": property(client_class),
            "__module__": factory.__module__,
            "__qualname__": factory.__qualname__,
            "__doc__": factory.__doc__,
        },
    )
    return made


class _Client(Protocol):
    """What is needed of a client of dlt's."""

    sql_client: SqlClientBase[Any]


@cache
def _keeping_client(client: Any) -> Any:
    """A subclass of a destination's *client* that carries rows over before it replaces a table, where it can."""
    if not issubclass(client, SqlJobClientBase):
        return client
    made: Any = type(
        client.__name__,
        (client,),
        {
            "_create_replace_followup_jobs": _replace_jobs(client._create_replace_followup_jobs),  # noqa: SLF001 - the seam
            "__module__": client.__module__,
            "__qualname__": client.__qualname__,
            "__doc__": client.__doc__,
        },
    )
    return made


def _replace_jobs(of_dlt: Callable[..., list[FollowupJobRequest]]) -> Callable[..., list[FollowupJobRequest]]:
    def jobs(self: _Client, table_chain: Chain) -> list[FollowupJobRequest]:
        is_one_transaction = table_chain[0].get("x-replace-strategy") == _IN_ONE_TRANSACTION
        if not is_one_transaction or _absences_of(table_chain[0]) is None:
            return of_dlt(self, table_chain)
        return [_CarryingJob.from_table_chain(table_chain, self.sql_client)]

    return jobs


def _absences_of(root: PreparedTableSchema) -> Absences | None:
    return noted_absences(load_package_state()["state"].get("destination_state", {}), str(root["name"]))


class _CarryingJob(SqlStagingReplaceFollowupJob):
    """Replaces a table by its staging table, after the rows that did not come were carried over into that."""

    @classmethod
    def generate_sql(cls, table_chain: Chain, sql_client: SqlClientBase[Any]) -> list[str]:
        """One statement a list item; all run in one transaction, and a second time without another effect."""
        absences = _absences_of(table_chain[0])
        load_id = load_package_state()["load_id"]
        carried = [] if absences is None else carry(table_chain, sql_client, absences, load_id=load_id)
        return [*carried, *super().generate_sql(table_chain, sql_client)]


def carry(table_chain: Chain, client: SqlClientBase[Any], absences: Absences, *, load_id: str) -> list[str]:
    """The statements that carry over the rows of a root table and the tables below it, parents first.

    *load_id* is the load that brought the list: rows of other loads in the staging table are those carried over.
    """
    dialect = client.capabilities.sqlglot_dialect
    return [query.sql(dialect=dialect) for query in _carried(table_chain, client, absences, load_id)]


def _carried(table_chain: Chain, client: SqlClientBase[Any], absences: Absences, load_id: str) -> Iterator[sql.Insert]:
    root, *children = table_chain
    key = _columns(root, "primary_key")
    came = sql.select("1").from_(_place(client, root, "came", staging=True))
    came = came.where(*[_column(name, "came").eq(_column(name)) for name in key])
    marked = sql.Coalesce(this=_column(DELETED_AT), expressions=[_mark(absences, key)])
    chosen: dict[str, sql.Expr] = {name: _column(name) for name in _columns(root, "name")}
    chosen[DELETED_AT] = sql.alias_(marked, DELETED_AT, quoted=True)
    yield _insert(client, root, chosen, sql.Not(this=sql.Exists(this=came)))
    [row_key] = _columns(root, "row_key")
    over = sql.select(_column(row_key, None)).from_(_place(client, root, staging=True))
    carried = {root["name"]: over.where(_column(LOAD_ID, None).neq(load_id))}
    for child in children:
        [row_key], [parent_key] = _columns(child, "row_key"), _columns(child, "parent_key")
        parents = carried[str(child["parent"])]
        over = sql.select(_column(row_key, None)).from_(_place(client, child, staging=True))
        carried[child["name"]] = over = over.where(_column(parent_key, None).isin(query=parents))
        yield _insert(
            client,
            child,
            {name: _column(name) for name in _columns(child, "name")},
            _column(parent_key).isin(query=parents),
            sql.Not(this=_column(row_key).isin(query=over)),
        )


def _mark(absences: Absences, key: Sequence[str]) -> sql.Expr:
    """The mark of a row that was not marked before: null where its absence says nothing."""
    if not absences.tells:
        return sql.cast(sql.Null(), sql.DataType.Type.TIMESTAMPTZ)
    conditions = taken_for_gone(absences, key, "held")
    moment = at(absences.noticed_at)
    return sql.Case().when(sql.and_(*conditions), moment) if conditions else moment


def taken_for_gone(absences: Absences, key: Sequence[str], alias: str | None = None) -> list[sql.Expr]:
    """The conditions under which a row that did not come is gone; *key* are the columns of its primary key."""
    column = _column(absences.column, alias)
    found: list[sql.Expr] = []
    if absences.column and absences.since is not None:
        found.append(column >= at(absences.since))
    if absences.column and absences.through is not None:
        found.append(column < at(absences.through))
    if absences.spared:
        text = sql.cast(_column(key[0], alias), sql.DataType.Type.TEXT)
        found.append(sql.Not(this=text.isin(*absences.spared)))
    return found


def _insert(
    client: SqlClientBase[Any],
    table: PreparedTableSchema,
    chosen: Mapping[str, sql.Expr],
    *conditions: sql.Expr,
) -> sql.Insert:
    """Insert those rows that are held and meet all *conditions* into the staging table; column -> its value."""
    held = sql.select(*chosen.values()).from_(_place(client, table, "held")).where(*conditions)
    columns = [sql.to_identifier(name, quoted=True) for name in chosen]
    return sql.insert(held, _place(client, table, staging=True), columns=columns)


def _columns(table: PreparedTableSchema, prop: TColumnProp) -> list[str]:
    """The columns of *table* that have the property *prop*; all of them for ``name``."""
    return list(get_columns_names_with_prop(cast("TTableSchema", table), prop))


def _column(name: str, table: str | None = "held") -> sql.Column:
    return sql.column(name, table=table, quoted=True)


def _place(
    client: SqlClientBase[Any], table: PreparedTableSchema, alias: str = "", *, staging: bool = False
) -> sql.Table:
    """Where *table* is: in the dataset, or in the *staging* dataset beside it."""
    with client.with_staging_dataset() if staging else nullcontext():
        *places, last = client.make_qualified_table_name_path(str(table["name"]), quote=False)
    parts = [sql.to_identifier(part, quoted=True) for part in (last, *reversed(places))]
    known = dict(zip(("this", "db", "catalog"), parts, strict=False))
    return sql.Table(**known, alias=sql.TableAlias(this=sql.to_identifier(alias)) if alias else None)
