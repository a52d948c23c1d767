"""Runs SQL in a process of its own that has nothing to lose: ``python -m feedloom.tools.query_worker``.

DuckDB's own limits do not hold everywhere (``repeat('x', 3000000000)`` takes 3 GB whatever ``memory_limit`` says, and
cannot be interrupted), so the system's are set too. The process has no environment, writes no file, and is killed when
its time is over. The database is attached under a name that queries cannot say; what they see are views of its tables,
without personal values unless the policy shows them.

Reads one JSON object from stdin and writes one to stdout.
"""

from __future__ import annotations

import time
from typing import Any, Final

import duckdb

from feedloom.tools.privacy import MASK, is_personal
from feedloom.tools.worker_rows import fetch, quoted, serve

SEALED: Final = "feedloom_sealed"
MEMORY_MB: Final = 512
_SETTINGS: Final = {
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": f"{MEMORY_MB}MB",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "threads": "2",
}
_TABLES: Final = (
    "select schema_name, table_name, list(column_name order by column_index) from duckdb_columns() "
    "where database_name = ? and not internal and schema_name <> 'main' and not contains(schema_name, '_staging') "
    "group by all order by all"
)


def run(request: dict[str, Any]) -> dict[str, Any]:
    """The rows of ``request["sql"]``: ``columns``, ``rows``, ``truncated`` and ``elapsed_s``."""
    connection = open_sealed(request["file"], shows_personal=request["shows_personal"])
    statements = connection.extract_statements(request["sql"])
    if len(statements) != 1 or statements[0].type.name != "SELECT":
        return {"error": "only one SELECT can be run here", "kind": "NotOneSelect"}
    started_s = time.monotonic()
    cursor = connection.execute(statements[0])
    columns = [{"name": one[0], "type": str(one[1])} for one in cursor.description or ()]
    rows, is_cut = fetch(cursor, [column["name"] for column in columns], request)
    return {
        "columns": columns,
        "rows": rows,
        "truncated": is_cut,
        "elapsed_s": round(time.monotonic() - started_s, 3),
    }


def open_sealed(file: str, *, shows_personal: bool) -> duckdb.DuckDBPyConnection:
    """A connection that sees the tables of *file* and can reach nothing else."""
    connection = duckdb.connect(":memory:", config=_SETTINGS)  # type: ignore[arg-type]  # its own type is too narrow
    connection.execute(f"attach '{file.replace(chr(39), chr(39) * 2)}' as {SEALED} (read_only)")
    found = connection.execute(_TABLES, [SEALED]).fetchall()
    for schema in dict.fromkeys(row[0] for row in found):
        connection.execute(f"create schema {quoted(schema)}")
    for schema, table, names in found:
        connection.execute(_view(schema, table, () if shows_personal else [one for one in names if is_personal(one)]))
    path = ",".join([*dict.fromkeys(quoted(row[0]) for row in found), "main"])
    for setting in (
        "set enable_external_access = false",
        "set timezone = 'UTC'",
        f"set search_path = '{path}'",
        "set lock_configuration = true",
    ):
        connection.execute(setting)
    return connection


def _view(schema: str, table: str, personal: list[str] | tuple[()]) -> str:
    masks = ", ".join(f"case when {quoted(one)} is not null then '{MASK}' end as {quoted(one)}" for one in personal)
    replaced = f" replace ({masks})" if masks else ""
    name = f"{quoted(schema)}.{quoted(table)}"
    return f"create view {name} as select *{replaced} from {SEALED}.{name}"  # noqa: S608 - names that are there


def _words(error: duckdb.Error) -> str:
    """The first two lines of what DuckDB says, without the name that queries cannot say."""
    lines = [line for line in str(error).replace(f"{SEALED}.", "").splitlines() if line.strip()]
    return " ".join(lines[:2])[:500]


def _told(error: duckdb.Error) -> tuple[str, str]:
    return _words(error), type(error).__name__


if __name__ == "__main__":
    serve(run, duckdb.Error, _told)
