"""The database as tools see it: a copy of a DuckDB file, or a PostgreSQL server; a process that reads, asks it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import dlt
import duckdb
from dlt.dataset import Dataset
from sqlglot import expressions as exp

from feedloom.catalogue import Vendor
from feedloom.config import find_text
from feedloom.errors import DestinationError
from feedloom.sync.warehouse import Target, choose_target, open_destination
from feedloom.tools import querying
from feedloom.tools.failures import ToolError
from feedloom.tools.postgres_sealing import sealed_select
from feedloom.tools.snapshot import Snapshot, take_snapshot
from feedloom.vendors import VENDORS

ALONE: Final = threading.Lock()
"""Held by whoever opens a copy within this process: all connections to a file share one set of settings."""

ROLE: Final = ("feedloom", "tools", "postgres_role")
"""The setting that names the role as which queries run on a server."""

_FILE_COLUMNS: Final = (
    "select schema_name, table_name, column_name, data_type from duckdb_columns() where not internal and "
    "database_name = current_database() and schema_name <> 'main' and not contains(schema_name, '_staging') "
    "order by schema_name, table_name, column_index"
)
_SERVER_COLUMNS: Final = (
    "select table_schema, table_name, column_name, data_type from information_schema.columns "
    "where table_schema = any(%s) order by table_schema, table_name, ordinal_position"
)
_CONNECT_S: Final = 10

Tables: TypeAlias = Mapping[str, Mapping[str, Mapping[str, str]]]
"""Dataset -> table -> column -> type, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A PostgreSQL server.

    Attributes:
        to: As ``--to`` takes it.
        address: With the password: for the process that runs queries, and nobody else.
        tables: Those of the datasets that feedloom loads.
        as_of: When this was read, UTC.
    """

    to: str
    address: str
    tables: Tables
    as_of: datetime


Place: TypeAlias = Snapshot | Server


def open_place(to: str | None) -> Place:
    """Where to read the database at *to*, or the configured one.

    Raises ToolError when it is neither a DuckDB file nor a PostgreSQL server or can't be copied now, and
    DestinationError when nothing was loaded yet or the server can't be reached.
    """
    target = choose_target(next(iter(VENDORS.values())), to, None)
    if target.file is not None:
        return take_snapshot(target)
    destination = open_destination(target)
    if not destination.destination_type.endswith(".postgres"):
        raise ToolError(
            "UNSUPPORTED",
            f"the warehouse tools read DuckDB files and PostgreSQL, and the database is {target.to}",
            next_step="ask a person to run `feedloom query`",
            retry="never",
        )
    return _server(target, destination)


def name_of(place: Place) -> str:
    """*place* as ``--to`` takes it."""
    return place.to if isinstance(place, Server) else f"duckdb:{place.file}"


def dataset_of(place: Place, vendor: Vendor) -> Dataset:
    """What *vendor* loaded into *place*, as dlt knows it; to be used with ``ALONE`` held."""
    target = choose_target(vendor, name_of(place), None)
    return dlt.dataset(open_destination(target, read_only=True), target.dataset)


def literal(text: str) -> str:
    """*text* as a literal of SQL."""
    return exp.Literal.string(text).sql(dialect="postgres")


def tables_of(place: Place) -> Tables:
    """The datasets of *place*, their tables, and name and type of each column, in order."""
    if isinstance(place, Server):
        return place.tables
    tables: dict[str, dict[str, dict[str, str]]] = {}
    with ALONE, duckdb.connect(str(place.file), read_only=True) as connection:
        for dataset, table, column, kind in connection.execute(_FILE_COLUMNS).fetchall():
            tables.setdefault(dataset, {}).setdefault(table, {})[column] = kind
    return tables


def safe_sql(place: Place, sql: str, *, shows_personal: bool) -> str:
    """What to run on *place* for the *sql* of somebody who may want anything; raises ToolError to refuse it."""
    if isinstance(place, Server):
        return sealed_select(sql, columns=place.tables, shows_personal=shows_personal)
    querying.refuse(sql)
    return sql


async def ask(
    place: Place, sql: str, *, limit: int, max_chars: int, shows_personal: bool, longest_s: float
) -> dict[str, Any]:
    """What the process gives for safe *sql* on *place*; raises ToolError when it fails, takes too long or too much."""
    request = {
        "sql": sql,
        "limit": limit,
        "max_chars": max_chars,
        "shows_personal": shows_personal,
        "cpu_s": int(longest_s * 2) + 2,
    }
    if isinstance(place, Snapshot):
        return await querying.run(request | {"file": place.file.name}, folder=place.file.parent, longest_s=longest_s)
    role = find_text(*ROLE)
    further = {"address": place.address, "role": role and str(role.value), "longest_s": longest_s}
    return await querying.run(
        request | further, module="feedloom.tools.postgres_worker", longest_s=longest_s + querying.GRACE_S
    )


def _server(target: Target, destination: Any) -> Server:
    try:
        import psycopg2  # noqa: PLC0415 - the driver is an extra
    except ImportError:
        raise ToolError(
            "UNSUPPORTED",
            "PostgreSQL's driver is not installed here",
            next_step="ask a person to run: pip install 'feedloom[postgres]'",
            retry="never",
        ) from None
    datasets = [choose_target(vendor, target.to, None).dataset for vendor in VENDORS.values()]
    bare = dlt.dataset(destination, datasets[0], schema=dlt.Schema(datasets[0]))  # its own would be read at once
    address = bare.sql_client.credentials.to_native_representation()
    as_of = datetime.now(UTC)
    try:
        with psycopg2.connect(address, connect_timeout=_CONNECT_S) as connection, connection.cursor() as cursor:
            cursor.execute(_SERVER_COLUMNS, [datasets])
            rows = cursor.fetchall()
        connection.close()
    except psycopg2.Error:
        raise DestinationError(
            f"the database {target.to} could not be reached",
            hint="check its address and rights with `feedloom status`",
            code="FL605",
        ) from None
    tables: dict[str, dict[str, dict[str, str]]] = {}
    for dataset, table, column, kind in rows:
        tables.setdefault(dataset, {}).setdefault(table, {})[column] = kind
    if not tables:
        raise DestinationError(
            f"nothing has been loaded into {target.to} yet", hint="run `feedloom sync refiner`", code="FL607"
        )
    return Server(to=target.to, address=address, tables=tables, as_of=as_of)
