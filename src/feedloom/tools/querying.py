"""Runs one SELECT for a caller who may want anything: refused by its parse, run in a sealed process, killed in time."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import duckdb
import orjson

import feedloom
from feedloom.errors import InputError
from feedloom.sync.one_select import refuse_in_duckdb
from feedloom.tools.failures import ToolError, after
from feedloom.tools.postgres_sealing import HINT, LONGEST_SQL, refused_sql
from feedloom.tools.query_worker import MEMORY_MB, SEALED

_NO_TABLE: Final = re.compile(r"[^\w$]")
"""What stands in no table's name, and in every path, pattern or address."""

_CATALOGS: Final = frozenset({SEALED, "memory", "system", "temp"})
"""Names of what holds datasets in the process that runs queries; none of them can be said."""

GRACE_S: Final = 2.0
"""How much longer than its query a process may live that is stopped by the server."""


def refuse(sql: str) -> None:
    """Raise ToolError unless *sql* is one SELECT over datasets and tables that calls nothing that could leave them."""
    if len(sql) > LONGEST_SQL:
        raise refused_sql(f"the SQL is longer than {LONGEST_SQL:,} characters", "shorten it")
    with duckdb.connect(":memory:") as parser:
        try:
            refuse_in_duckdb(sql, parser)
            found = parser.execute("select json_serialize_sql(?::varchar)", [sql]).fetchone()
        except InputError as error:
            raise refused_sql(error.message, error.hint) from None
        except duckdb.Error:
            raise refused_sql("the SQL could not be read", HINT) from None
    for node in _nodes(orjson.loads(found[0]) if found else {}):
        if node.get("type") == "SHOW_REF" and node.get("query") is None:
            raise refused_sql("SHOW can't be used here", "warehouse_list_tables names the tables")
        if node.get("type") == "BASE_TABLE":
            catalog, schema = str(node["catalog_name"] or ""), str(node["schema_name"] or "")
            if _NO_TABLE.search(str(node["table_name"])):
                raise refused_sql("a file can't be read here", HINT)
            if catalog or schema.casefold() in _CATALOGS:
                raise refused_sql(f"there is no dataset {catalog or schema}", HINT)


async def run(
    request: dict[str, Any],
    *,
    module: str = "feedloom.tools.query_worker",
    folder: Path | None = None,
    longest_s: float,
) -> dict[str, Any]:
    """What the process *module*, run in *folder*, answers to *request*.

    Raises ToolError when it fails, takes longer than *longest_s* or too much memory.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=folder,
        env=_environment(),
    )
    try:
        async with asyncio.timeout(longest_s):
            out, _ = await process.communicate(orjson.dumps(request))
    except TimeoutError:
        raise _too_long() from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _understood(out)


def _environment() -> dict[str, str]:
    """What the worker knows: where Python finds feedloom, and nothing of this process's environment."""
    needed = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    return {"PYTHONPATH": str(Path(feedloom.__file__).parents[1]), "LANG": "C.UTF-8", **needed}


def _understood(out: bytes) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = orjson.loads(out)
    except orjson.JSONDecodeError:
        raise _too_much() from None
    if "error" not in answer:
        if answer["truncated"] and not answer["rows"]:
            raise ToolError(
                "TOO_LARGE",
                "one row alone is longer than a result may be",
                next_step="choose columns, or cut long texts",
            )
        return answer
    kind, words = answer["kind"], answer["error"]
    if kind == "Timeout":
        raise _too_long()
    if kind == "OutOfMemoryException" or "out of memory" in words.lower():
        raise _too_much()
    if kind in ("IOException", "FatalException", "InternalException"):
        raise ToolError("WAREHOUSE", "the database could not be read", next_step="repeat the call", retry=after(5))
    if kind in ("PermissionException", "NotOneSelect"):
        raise refused_sql("the SQL would do more than read the warehouse", HINT)
    raise ToolError("SQL", words, next_step="correct the SQL; warehouse_describe shows the columns of a table")


def _too_long() -> ToolError:
    return ToolError(
        "TIMEOUT",
        "the query took longer than it may and was stopped",
        next_step="read fewer rows, filter earlier or aggregate less",
    )


def _too_much() -> ToolError:
    return ToolError(
        "TOO_MUCH",
        f"the query needed more than the {MEMORY_MB} MB it may use and was stopped",
        next_step="read fewer rows or columns, or aggregate first",
    )


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object of the parse *tree*."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
