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
from feedloom.tools.query_worker import MEMORY_MB, SEALED

LONGEST_SQL: Final = 10_000
_NO_TABLE: Final = re.compile(r"[^\w$]")
"""What stands in no table's name, and in every path, pattern or address."""

_CATALOGS: Final = frozenset({SEALED, "memory", "system", "temp"})
"""Names of what holds datasets in the process that runs queries; none of them can be said."""

_HINT: Final = "give one SELECT over tables of the warehouse; warehouse_list_tables names them"


def refuse(sql: str) -> None:
    """Raise ToolError unless *sql* is one SELECT over datasets and tables that calls nothing that could leave them."""
    if len(sql) > LONGEST_SQL:
        raise _refused(f"the SQL is longer than {LONGEST_SQL:,} characters", "shorten it")
    with duckdb.connect(":memory:") as parser:
        try:
            refuse_in_duckdb(sql, parser)
            found = parser.execute("select json_serialize_sql(?::varchar)", [sql]).fetchone()
        except InputError as error:
            raise _refused(error.message, error.hint) from None
        except duckdb.Error:
            raise _refused("the SQL could not be read", _HINT) from None
    for node in _nodes(orjson.loads(found[0]) if found else {}):
        if node.get("type") == "SHOW_REF" and node.get("query") is None:
            raise _refused("SHOW can't be used here", "warehouse_list_tables names the tables")
        if node.get("type") == "BASE_TABLE":
            catalog, schema = str(node["catalog_name"] or ""), str(node["schema_name"] or "")
            if _NO_TABLE.search(str(node["table_name"])):
                raise _refused("a file can't be read here", _HINT)
            if catalog or schema.casefold() in _CATALOGS:
                raise _refused(f"there is no dataset {catalog or schema}", _HINT)


async def run(
    sql: str, file: Path, *, limit: int, max_chars: int, shows_personal: bool, longest_s: float
) -> dict[str, Any]:
    """What the worker gives for *sql* on *file*; raises ToolError when it fails, takes too long or too much."""
    request = {
        "sql": sql,
        "file": file.name,
        "limit": limit,
        "max_chars": max_chars,
        "shows_personal": shows_personal,
        "cpu_s": int(longest_s * 2) + 2,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "feedloom.tools.query_worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=file.parent,
        env=_environment(),
    )
    try:
        async with asyncio.timeout(longest_s):
            out, _ = await process.communicate(orjson.dumps(request))
    except TimeoutError:
        raise ToolError(
            "TIMEOUT",
            f"the query took longer than {longest_s:g} s and was stopped",
            next_step="read fewer rows, filter earlier or aggregate less",
        ) from None
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
    if kind == "OutOfMemoryException" or "out of memory" in words.lower():
        raise _too_much()
    if kind in ("IOException", "FatalException", "InternalException"):
        raise ToolError("WAREHOUSE", "the database could not be read", next_step="repeat the call", retry=after(5))
    if kind in ("PermissionException", "NotOneSelect"):
        raise _refused("the SQL would do more than read the warehouse", _HINT)
    raise ToolError("SQL", words, next_step="correct the SQL; warehouse_describe shows the columns of a table")


def _too_much() -> ToolError:
    return ToolError(
        "TOO_MUCH",
        f"the query needed more than the {MEMORY_MB} MB it may use and was stopped",
        next_step="read fewer rows or columns, or aggregate first",
    )


def _refused(happened: str, next_step: str) -> ToolError:
    return ToolError("SQL_REFUSED", happened, undone="Nothing was run.", next_step=next_step)


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
