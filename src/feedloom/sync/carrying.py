"""Keeps rows that vanished from a whole list, with the moment that was noticed, while the list replaces its table.

dlt fills a table of the staging dataset with the list, and then replaces the table by it in one transaction. Here the
same transaction begins with statements that carry the rows that did not come over into the staging table, child rows
included, so that rows, marks and cursor commit together. It is all done inside the database: no row travels, and
nothing depends on how many there are.

The seam is the destination's client, whose class makes that job; ``keeping`` puts another in its place. Loads that say
nothing of absences (``sources.absences``) are as dlt makes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, Protocol, TypeVar

from dlt.common.destination import Destination
from dlt.common.destination.client import FollowupJobRequest, PreparedTableSchema
from dlt.common.schema.utils import get_columns_names_with_prop, get_first_column_name_with_prop
from dlt.common.storages.load_package import load_package_state
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.destinations.sql_client import SqlClientBase
from dlt.destinations.sql_jobs import SqlStagingReplaceFollowupJob
from sqlglot import expressions as sql

from feedloom.columnar import DELETED_AT
from feedloom.sources.absences import Absences, noted_absences
from feedloom.sync.queries import at

_IN_ONE_TRANSACTION = "insert-from-staging"

Chain = Sequence[PreparedTableSchema]
AnyDestination = TypeVar("AnyDestination", bound=Destination[Any, Any])


def keeping(destination: AnyDestination) -> AnyDestination:
    """*destination*, whose whole lists keep the rows that vanished where a load asks for it; changed in place."""
    destination.__class__ = _keeping_factory(type(destination))
    return destination


def can_keep(destination: Any) -> bool:
    """Whether *destination* replaces tables by SQL from a staging dataset: databases do, files do not."""
    strategies = destination.capabilities().supported_replace_strategies or ()
    return _IN_ONE_TRANSACTION in strategies and issubclass(destination.client_class, SqlJobClientBase)


@cache
def _keeping_factory(factory: type[Any]) -> type[Any]:
    """A subclass of a destination's *factory* that goes by its name, by which dlt knows destinations."""

    def client_class(self: Any) -> type[Any]:
        return _keeping_client(super(made, self).client_class)

    made: type[Any] = type(
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
def _keeping_client(client: type[Any]) -> type[Any]:
    """A subclass of a destination's *client* that carries rows over before it replaces a table, where it can."""
    if not issubclass(client, SqlJobClientBase):
        return client
    made: type[Any] = type(
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
        if not is_one_transaction or _absences_of(table_chain[0]["name"]) is None:
            return of_dlt(self, table_chain)
        return [_CarryingJob.from_table_chain(table_chain, self.sql_client)]

    return jobs


def _absences_of(table: str) -> Absences | None:
    return noted_absences(load_package_state()["state"].get("destination_state", {}), table)


class _CarryingJob(SqlStagingReplaceFollowupJob):
    """Replaces a table by its staging table, after the rows that did not come were carried over into that."""

    @classmethod
    def generate_sql(cls, table_chain: Chain, sql_client: SqlClientBase[Any]) -> list[str]:
        """One statement a list item; all run in one transaction, and a second time without another effect."""
        absences = _absences_of(table_chain[0]["name"])
        carried = [] if absences is None else carry(table_chain, sql_client, absences)
        return [*carried, *super().generate_sql(table_chain, sql_client)]


def carry(table_chain: Chain, client: SqlClientBase[Any], absences: Absences) -> list[str]:
    """The statements that carry over the rows of a root table and the tables below it, parents first."""
    dialect = client.capabilities.sqlglot_dialect
    return [query.sql(dialect=dialect) for query in _carried(table_chain, client, absences)]


def _carried(table_chain: Chain, client: SqlClientBase[Any], absences: Absences) -> Iterator[sql.Insert]:
    root, *children = table_chain
    names = get_columns_names_with_prop(root, "name")
    key = get_columns_names_with_prop(root, "primary_key")
    came = sql.select("1").from_(_staged(client, root["name"], "came"))
    came = came.where(*[_column(name, "came").eq(_column(name, "held")) for name in key])
    deleted_at = sql.Coalesce(this=_column(DELETED_AT, "held"), expressions=[_mark(absences, key)])
    chosen = [
        sql.alias_(deleted_at, DELETED_AT, quoted=True) if name == DELETED_AT else _column(name) for name in names
    ]
    yield _insert(client, root, names, chosen, sql.Not(this=sql.Exists(this=came)))
    for child in children:
        names = get_columns_names_with_prop(child, "name")
        parent_key, row_key = (get_first_column_name_with_prop(child, prop) for prop in ("parent_key", "row_key"))
        parents = sql.select(_column(_row_key(table_chain, child["parent"]), None))
        parents = parents.from_(_staged(client, child["parent"]))
        there = sql.select(_column(row_key, None)).from_(_staged(client, child["name"]))
        yield _insert(
            client,
            child,
            names,
            [_column(name) for name in names],
            _column(parent_key).isin(query=parents),
            sql.Not(this=_column(row_key).isin(query=there)),
        )


def _mark(absences: Absences, key: Sequence[str]) -> sql.Expression:
    """The mark of a row that was not marked before: null where its absence says nothing."""
    if not absences.tells:
        return sql.cast(sql.Null(), sql.DataType.Type.TIMESTAMPTZ)
    conditions = conditions_of(absences, "held")
    if absences.spared:
        text = sql.cast(_column(key[0]), sql.DataType.Type.TEXT)
        conditions.append(sql.Not(this=text.isin(*absences.spared)))
    moment = at(absences.noticed_at)
    return sql.Case().when(sql.and_(*conditions), moment) if conditions else moment


def conditions_of(absences: Absences, alias: str | None = None) -> list[sql.Expression]:
    """The conditions under which a row lies in the range that was read."""
    column = _column(absences.column, alias)
    since = [] if absences.since is None else [column >= at(absences.since)]
    through = [] if absences.through is None else [column < at(absences.through)]
    return [*since, *through] if absences.column else []


def _insert(
    client: SqlClientBase[Any],
    table: PreparedTableSchema,
    names: Sequence[str],
    chosen: Sequence[sql.Expression],
    *conditions: sql.Expression,
) -> sql.Insert:
    """Insert those rows that are held and meet all *conditions* into the staging table."""
    held = sql.select(*chosen).from_(_held(client, table["name"], "held")).where(*conditions)
    columns = [sql.to_identifier(name, quoted=True) for name in names]
    return sql.insert(held, _staged(client, table["name"]), columns=columns)


def _row_key(table_chain: Chain, name: str) -> str:
    """The column that names a row of the table of the chain called *name*."""
    table = next(table for table in table_chain if table["name"] == name)
    return get_first_column_name_with_prop(table, "row_key") or get_first_column_name_with_prop(table, "unique")


def _column(name: str, table: str | None = "held") -> sql.Column:
    return sql.column(name, table=table, quoted=True)


def _staged(client: SqlClientBase[Any], name: str, alias: str = "") -> sql.Table:
    with client.with_staging_dataset():
        return _held(client, name, alias)


def _held(client: SqlClientBase[Any], name: str, alias: str = "") -> sql.Table:
    *places, last = client.make_qualified_table_name_path(name, quote=False)
    parts = [sql.to_identifier(part, quoted=True) for part in (last, *reversed(places))]
    known = dict(zip(("this", "db", "catalog"), parts, strict=False))
    return sql.Table(**known, alias=sql.TableAlias(this=sql.to_identifier(alias)) if alias else None)
