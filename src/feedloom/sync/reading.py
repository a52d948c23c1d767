"""Reads the database without any chance of changing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pyarrow as pa
from dlt.common.destination.exceptions import DestinationException, DestinationUndefinedEntity
from dlt.dataset import Dataset

from feedloom.errors import DestinationError, FeedloomError, InputError
from feedloom.sync.failures import explain
from feedloom.sync.one_select import refuse_elsewhere, refuse_in_duckdb
from feedloom.sync.warehouse import Target, choose_target, open_destination
from feedloom.vendors import VENDORS

Tables = Mapping[str, Mapping[str, frozenset[str]]]
"""Dataset -> table -> names of its columns."""

Stoppable = Callable[[Callable[[], Any]], Any]
"""Calls what it is given, in a way that Ctrl-C ends."""

_ROWS_AT_ONCE = 10_000
_TRIES = 3
_POLL_S = 0.05
_SEALED: dict[str, str | bool | int | float | list[str]] = {
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
}
"""DuckDB settings that leave a query nothing but the database and the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What a query gave; the batches come as they are taken, and raise what ``Database.ask`` raises."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]

    def records(self) -> list[dict[str, object]]:
        """All rows by column."""
        return [row for batch in self.batches for row in batch.to_pylist()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database that is open for reading.

    Attributes:
        tables: The datasets that are there, their tables, and the names of each table's columns.
        ask: Runs one SELECT; its rows have to be taken before the next. Raises InputError when the SQL is wrong or
            would do more than read, DestinationError when the database fails, KeyboardInterrupt when Ctrl-C stops it.
    """

    tables: Tables
    ask: Callable[[str], Rows]


@contextmanager
def read_only(to: str | None) -> Iterator[Database]:
    """Yields the database at *to*, or the configured one.

    A DuckDB file is opened read-only, cut off from files, extensions, secrets and network, with its settings locked and
    UTC as time zone; its datasets are searched for names without one. Other destinations get only what parses as one
    SELECT over tables of feedloom.

    Raises DestinationError when there is no database yet, or it can't be opened.
    """
    target = choose_target(next(iter(VENDORS.values())), to, None)
    if target.file is None:
        yield _open_elsewhere(target)
        return
    with closing(_open_file(target.file)) as connection, ThreadPoolExecutor(1, "feedloom-query") as worker:
        ask = partial(_ask_duckdb, connection, partial(_stoppable, worker, connection))
        yield Database(tables=_tables(connection), ask=ask)


def _open_file(file: Path) -> duckdb.DuckDBPyConnection:
    if not file.exists():
        raise DestinationError(
            f"there is no database {file} yet", hint="run `feedloom sync refiner`, or `feedloom demo`", code="FL607"
        )
    try:
        connection = duckdb.connect(str(file), read_only=True, config=_SEALED)
    except duckdb.Error as error:
        raise explain(error) or error from None
    path = ",".join(f'"{name}"' for name in [*_tables(connection), "main"])
    connection.execute(f"set search_path = '{path}'")
    connection.execute("set timezone = 'UTC'")
    connection.execute("set lock_configuration = true")
    return connection


def _tables(connection: duckdb.DuckDBPyConnection) -> Tables:
    found = connection.execute(
        "select schema_name, table_name, list(column_name) from duckdb_columns() "
        "where database_name = current_database() and not internal and schema_name <> 'main' "
        "and not contains(schema_name, '_staging') group by all order by all"
    ).fetchall()
    tables: dict[str, dict[str, frozenset[str]]] = {}
    for dataset, table, columns in found:
        tables.setdefault(dataset, {})[table] = frozenset(columns)
    return tables


def _ask_duckdb(connection: duckdb.DuckDBPyConnection, stoppable: Stoppable, text: str) -> Rows:
    def run() -> pa.RecordBatchReader:
        refuse_in_duckdb(text, connection)
        return connection.execute(text).to_arrow_reader(_ROWS_AT_ONCE)

    try:
        reader: pa.RecordBatchReader = stoppable(run)
    except duckdb.Error as error:
        raise _understood(error) from None
    return Rows(schema=reader.schema, batches=_batches(reader, stoppable, run))


def _batches(
    reader: pa.RecordBatchReader, stoppable: Stoppable, again: Callable[[], pa.RecordBatchReader]
) -> Iterator[pa.RecordBatch]:
    while True:
        try:
            batch = stoppable(lambda: next(reader, None))
        except OSError as error:
            raise _understood(_cause(error, stoppable, again)) from None
        if batch is None:
            return
        yield batch


def _cause(error: Exception, stoppable: Stoppable, again: Callable[[], pa.RecordBatchReader]) -> Exception:
    """The failure itself, where DuckDB tells only that it stopped its other threads because of one."""
    for _ in range(_TRIES):
        if "INTERRUPT" not in str(error):
            break
        try:
            reader = stoppable(again)
            while stoppable(lambda: next(reader, None)) is not None:  # noqa: B023 - called before the next round
                pass
        except (OSError, duckdb.Error) as found:
            error = found
    return error


def _stoppable(worker: Executor, connection: duckdb.DuckDBPyConnection, work: Callable[[], Any]) -> Any:
    """What *work* returns; Ctrl-C stops it at once, which DuckDB, busy in the main thread, would not notice."""
    future = worker.submit(work)
    try:
        return future.result()
    except KeyboardInterrupt:
        while not future.done():
            connection.interrupt()
            wait([future], timeout=_POLL_S)
        raise


def _understood(error: Exception) -> FeedloomError:
    """What a failure of DuckDB means; inside a stream of batches it comes as OSError, with the same text."""
    text = str(error)
    if "read-only mode" in text:
        return InputError(
            "the SQL would change the database", hint="the database is open for reading only", code="FL243"
        )
    known = explain(duckdb.Error(text))
    if known is not None:
        return known
    first, *rest = text.splitlines() or [type(error).__name__]
    hint = next((line for line in rest if "Did you mean" in line or "Candidate" in line), "check the names and the SQL")
    return InputError(first, hint=hint.strip(), code="FL242")


def _open_elsewhere(target: Target) -> Database:
    destination = open_destination(target)
    names = [choose_target(vendor, target.to, None).dataset for vendor in VENDORS.values()]
    datasets = {name: dlt.dataset(destination, name) for name in names}
    tables = {name: found for name, dataset in datasets.items() if (found := _loaded_tables(dataset))}
    if not tables:
        raise DestinationError(
            f"nothing has been loaded into {target.to} yet", hint="run `feedloom sync refiner`", code="FL607"
        )
    return Database(tables=tables, ask=partial(_ask_elsewhere, datasets, tables))


def _loaded_tables(dataset: Dataset) -> Mapping[str, frozenset[str]]:
    """The tables of *dataset*, dlt's own too; none when nothing was loaded into it."""
    try:
        schema = dataset.schema
    except DestinationUndefinedEntity:
        return {}
    if not schema.data_table_names():
        return {}
    return {name: frozenset(table["columns"]) for name, table in schema.tables.items()}


def _ask_elsewhere(datasets: Mapping[str, Dataset], tables: Tables, text: str) -> Rows:
    dialect = next(iter(datasets.values())).destination_dialect
    dataset = refuse_elsewhere(text, dialect=dialect, tables=tables)
    try:
        with datasets[dataset].sql_client as client, client.execute_query(text) as cursor:
            found = cursor.arrow()
    except DestinationException as error:
        known = explain(error)
        first = (str(error).splitlines() or [""])[0]
        raise known or InputError(first, hint="check the names and the SQL", code="FL242") from None
    table = pa.table({}) if found is None else found
    return Rows(schema=table.schema, batches=iter(table.to_batches(_ROWS_AT_ONCE)))
