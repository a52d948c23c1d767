"""How many rows each table of a loaded database holds, asked of the database itself."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb

DATABASE = "bench.duckdb"
"""The file that every peer makes in the folder it runs in."""

_TABLES = "select table_name from information_schema.tables where table_schema = '{dataset}'"


def tables_in_duckdb(folder: Path, dataset: str) -> dict[str, int]:
    """Table -> rows of *dataset*; empty when the database or the dataset is not there."""
    file = folder / DATABASE
    if not file.exists():
        return {}
    with duckdb.connect(str(file), read_only=True) as connection:
        names = [name for (name,) in connection.execute(_TABLES.format(dataset=dataset)).fetchall()]
        counted = {}
        for name in names:
            found = connection.execute(f'select count(*) from "{dataset}"."{name}"').fetchone()  # noqa: S608 - as listed
            counted[name] = int(found[0]) if found else 0
    return counted


def tables_in_postgres(url: str, dataset: str) -> dict[str, int]:
    """The same of a dataset in PostgreSQL."""
    import psycopg2  # noqa: PLC0415 - an extra, needed where PostgreSQL is

    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(_TABLES.format(dataset=dataset))
        counted = {}
        for (name,) in cursor.fetchall():
            cursor.execute(f'select count(*) from "{dataset}"."{name}"')  # noqa: S608 - as listed
            counted[name] = int(cursor.fetchone()[0])
    return counted


def difference(expected: dict[str, int], counted: dict[str, int]) -> str:
    """What is wrong with *counted*, in words; empty when every expected table holds what it has to."""
    wrong = [
        f"{table} holds {counted[table]:,} rows, not {rows:,}" if table in counted else f"{table} is not there"
        for table, rows in sorted(expected.items())
        if counted.get(table) != rows
    ]
    return "; ".join(wrong)
