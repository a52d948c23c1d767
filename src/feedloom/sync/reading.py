"""Reads the database without any chance of changing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb
from sqlglot import errors, parse
from sqlglot import expressions as sql

from feedloom.errors import DestinationError, InputError
from feedloom.sync.failures import explain
from feedloom.sync.warehouse import choose_target, open_pipeline
from feedloom.vendors import VENDORS

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

Ask = Callable[[str], "pa.RecordBatchReader"]


@contextmanager
def read_only(to: str | None) -> Iterator[Ask]:
    """Yields a function that runs one SELECT and gives its rows as Arrow batches.

    A DuckDB file is opened read-only, cut off from files, extensions and network, with its settings locked. Other
    destinations get only what parses as one SELECT.

    Raises:
        DestinationError: There is no database yet, or it can't be opened.
        InputError: The SQL is wrong, or would do more than read (raised by the function).
    """
    target = choose_target(VENDORS["refiner"], to, None)
    if target.file is None:
        pipeline = open_pipeline(VENDORS["refiner"], target)
        dialect = pipeline.destination.capabilities().sqlglot_dialect or ""
        yield lambda text: _select(text, dialect, lambda: _batches(pipeline.dataset()(text).arrow()))
        return
    connection = _open(target.file)
    try:
        yield lambda text: _select(text, "duckdb", lambda: connection.execute(text).to_arrow_reader(10_000))
    finally:
        connection.close()


def _open(file: Path) -> duckdb.DuckDBPyConnection:
    if not file.exists():
        raise DestinationError(
            f"there is no database {file} yet", hint="run `feedloom sync refiner`, or `feedloom demo`", code="FL607"
        )
    try:
        connection = duckdb.connect(str(file), read_only=True)
    except duckdb.Error as error:
        raise explain(error) or error from None
    datasets = [
        name
        for (name,) in connection.execute(
            "select schema_name from information_schema.schemata where catalog_name = current_database() and "
            "schema_name not in ('main', 'information_schema', 'pg_catalog') and not contains(schema_name, '_staging')"
        ).fetchall()
    ]
    path = ",".join(f'"{name}"' for name in [*datasets, "main"])
    connection.execute(f"set search_path = '{path}'")
    connection.execute("set timezone = 'UTC'")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


def _select(text: str, dialect: str, execute: Callable[[], pa.RecordBatchReader]) -> pa.RecordBatchReader:
    _refuse_more_than_reading(text, dialect)
    try:
        return execute()
    except duckdb.Error as error:
        known = explain(error)
        if known is not None:
            raise known from None
        first, *rest = str(error).splitlines()
        hint = next(
            (line for line in rest if "Did you mean" in line or "Candidate" in line), "check the names and the SQL"
        )
        raise InputError(first, hint=hint, code="FL242") from None


def _refuse_more_than_reading(text: str, dialect: str) -> None:
    try:
        statements = [statement for statement in parse(text, read=dialect) if statement is not None]
    except errors.SqlglotError:
        if dialect != "duckdb":
            raise InputError(
                "the SQL could not be read", hint="check it; only one SELECT can be run", code="FL242"
            ) from None
        return
    reads = (sql.Query, sql.Describe, sql.Show, sql.Pragma, sql.Command)
    if len(statements) != 1 or not isinstance(statements[0], reads):
        raise InputError("only one SELECT can be run here", hint="the database is open for reading only", code="FL243")


def _batches(table: pa.Table) -> pa.RecordBatchReader:
    return table.to_reader()
