"""Runs one sealed SELECT on PostgreSQL in a process of its own: ``python -m feedloom.tools.postgres_worker``.

The session reads only, as a role that cannot do more, for a limited time, and sees no schema but by its name; the
process has the limits of every process that runs queries, for what the server may send.

Reads one JSON object from stdin and writes one to stdout.
"""

from __future__ import annotations

import time
from typing import Any, Final

import psycopg2

from feedloom.tools.privacy import clean
from feedloom.tools.worker_rows import fetch, quoted, serve

READER: Final = "pg_read_all_data"
"""The role that a superuser is turned into: PostgreSQL's own, since version 14, for reading every table."""

_ROWS_AT_ONCE: Final = 50
_SESSION: Final = {
    "client_encoding": "UTF8",
    "default_transaction_read_only": "on",
    "idle_in_transaction_session_timeout": "20s",
    "jit": "off",
    "lock_timeout": "2s",
    "max_parallel_workers_per_gather": "0",
    "search_path": "",
    "standard_conforming_strings": "on",
    "timezone": "UTC",
    "work_mem": "32MB",
}
_KINDS: Final = {
    "57014": "Timeout",
    "25006": "PermissionException",
    "42501": "PermissionException",
    "53": "OutOfMemoryException",
    "54": "OutOfMemoryException",
    "08": "IOException",
    "57": "IOException",
    "58": "IOException",
}
"""SQLSTATE, or its class -> what it means to a caller, in the words of the other engine."""


def run(request: dict[str, Any]) -> dict[str, Any]:
    """The rows of ``request["sql"]``: ``columns``, ``rows``, ``truncated`` and ``elapsed_s``."""
    with open_sealed(request["address"], role=request["role"], longest_s=request["longest_s"]) as connection:
        started_s = time.monotonic()
        cursor = connection.cursor("feedloom")
        cursor.itersize = _ROWS_AT_ONCE
        cursor.execute(request["sql"])
        first = cursor.fetchmany(1)
        names = [one.name for one in cursor.description or ()]
        rows, is_cut = fetch(_Rows(first, cursor), names, request)
        elapsed_s = round(time.monotonic() - started_s, 3)
        types = _types(connection, [one.type_code for one in cursor.description or ()])
    columns = [{"name": name, "type": type_} for name, type_ in zip(names, types, strict=True)]
    return {"columns": columns, "rows": rows, "truncated": is_cut, "elapsed_s": elapsed_s}


def open_sealed(address: str, *, role: str | None, longest_s: float) -> Any:
    """A connection in a transaction that only reads, for at most *longest_s* a statement, as *role*.

    Without one, a superuser becomes a reader, and anybody else stays who they are.
    """
    settings = {**_SESSION, "statement_timeout": f"{int(longest_s * 1000)}ms"}
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    connection = psycopg2.connect(address, options=options, connect_timeout=max(2, int(longest_s)))
    connection.set_session(readonly=True)
    with connection.cursor() as cursor:
        cursor.execute("select rolsuper from pg_catalog.pg_roles where rolname = current_user")
        found = cursor.fetchone()
        reader = role or (READER if found and found[0] else None)
        if reader is not None:
            cursor.execute("set local role " + quoted(reader))
    return connection


class _Rows:
    """Rows of a cursor one by one, of which the first came already."""

    def __init__(self, first: list[Any], cursor: Any) -> None:
        self._first = first
        self._rows = iter(cursor)

    def fetchone(self) -> Any:
        """The next row; None at the end."""
        return self._first.pop() if self._first else next(self._rows, None)


def _types(connection: Any, codes: list[int]) -> list[str]:
    """The server's names of types."""
    with connection.cursor() as cursor:
        cursor.execute("select oid, format_type(oid, null) from pg_catalog.pg_type where oid = any(%s)", [codes])
        names = dict(cursor.fetchall())
    return [names.get(code, "unknown") for code in codes]


def _kind(error: psycopg2.Error) -> str:
    state = error.pgcode or "08"
    return _KINDS.get(state) or _KINDS.get(state[:2]) or type(error).__name__


def _words(error: psycopg2.Error) -> str:
    """The first line of what PostgreSQL says; nothing of an address, which only failed connections tell."""
    if error.pgcode is None:
        return "the server could not be reached"
    return clean(str(error).partition("\n")[0])[:500]


def _told(error: psycopg2.Error) -> tuple[str, str]:
    return _words(error), _kind(error)


if __name__ == "__main__":
    serve(run, psycopg2.Error, _told)
