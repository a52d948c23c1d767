"""Lets one SELECT through, and nothing that would write, leave the database or run text as SQL.

This is the first of two walls: a DuckDB file is also opened read-only, cut off from files, extensions and network.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import duckdb
import orjson
from sqlglot import errors, parse
from sqlglot import expressions as sql

from feedloom.errors import InputError

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # its warnings quote what was refused

_TABLE_FUNCTIONS = frozenset(
    {
        "duckdb_columns",
        "duckdb_functions",
        "duckdb_schemas",
        "duckdb_tables",
        "duckdb_types",
        "duckdb_views",
        "generate_series",
        "json_each",
        "json_tree",
        "pg_timezone_names",
        "pragma_table_info",
        "range",
        "repeat",
        "unnest",
    }
)
"""The functions of DuckDB that stand in FROM and neither leave the database nor change how it works."""

_WRITING = (
    sql.Insert,
    sql.Update,
    sql.Delete,
    sql.Merge,
    sql.Create,
    sql.Drop,
    sql.Alter,
    sql.Into,
    sql.Lock,
    sql.Copy,
    sql.Command,
)
_LEAVING = (sql.Anonymous, sql.AnonymousAggFunc, sql.ReadCSV, sql.ReadParquet)


def refuse_in_duckdb(text: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Raise InputError unless DuckDB itself reads *text* as one SELECT whose table functions are harmless.

    *connection* only parses; FROM-first queries, DESCRIBE, SUMMARIZE and SHOW are SELECTs to it.
    """
    found = connection.execute("select json_serialize_sql(?::varchar)", [text]).fetchone()
    try:
        tree: dict[str, Any] = orjson.loads(found[0]) if found is not None else {}
    except orjson.JSONDecodeError:
        raise InputError("the SQL nests too deep", hint="split it with WITH", code="FL242") from None
    if tree.get("error_type") == "parser":
        at = f"character {int(tree['position']) + 1} of the SQL" if "position" in tree else ""
        raise InputError(
            f"the SQL could not be read: {tree['error_message']}", hint="correct it there", where=at, code="FL242"
        )
    if tree.get("error") or len(tree.get("statements", ())) != 1:
        raise _not_one_select(text)
    for name in _table_functions(tree):
        if name not in _TABLE_FUNCTIONS:
            raise _leaves(f"{name}()")


def refuse_elsewhere(text: str, *, dialect: str, tables: Mapping[str, Collection[str]]) -> str:
    """The dataset that *text* reads; raises InputError unless it is one SELECT over *tables*, given by dataset.

    Only functions that *dialect* is known to have can be called: what others would do can't be known here.
    """
    try:
        statements = [statement for statement in parse(text, read=dialect) if statement is not None]
    except errors.SqlglotError:
        raise InputError("the SQL could not be read", hint="correct it; one SELECT can be run", code="FL242") from None
    if len(statements) != 1 or not isinstance(statements[0], sql.Query) or statements[0].find(*_WRITING) is not None:
        raise _not_one_select(text)
    query = statements[0]
    function = query.find(*_LEAVING)
    if function is not None:
        raise _leaves(f"{function.name or function.sql_name()}()")
    datasets = [table_meant(table, tables)[0] for table in read_tables(query)]
    return datasets[0] if datasets else next(iter(tables))


def read_tables(query: sql.Query) -> list[sql.Table]:
    """What *query* reads that it does not name itself in a WITH that holds there.

    ``with a as (select * from b), b as (select 1)`` reads a table called b: names hold from their place on, unless the
    WITH is recursive, and within the query that has the WITH.
    """
    return [table for table in query.find_all(sql.Table) if table.db or not _is_named(table)]


def table_meant(table: sql.Table, tables: Mapping[str, Collection[str]]) -> tuple[str, str]:
    """Dataset and name of the one of *tables*, given by dataset, that *table* means; InputError for any other."""
    for dataset, names in tables.items():
        known = {name.casefold(): name for name in names}
        is_here = not table.catalog and table.db.casefold() in ("", dataset.casefold())
        if isinstance(table.this, sql.Identifier) and is_here and table.name.casefold() in known:
            return dataset, known[table.name.casefold()]
    raise InputError(
        f"there is no table {table.sql()} of feedloom", hint="`feedloom status` lists the tables", code="FL242"
    )


def _is_named(table: sql.Table) -> bool:
    """Whether a WITH around *table* gives it its name, spelled and quoted alike."""
    wanted = _spelling(table.this)
    below: sql.Expr = table
    while (parent := below.parent) is not None:
        around = parent.args.get("with_")
        if isinstance(around, sql.With) and around is not below and wanted in _names(around.expressions):
            return True
        if isinstance(parent, sql.With):
            before = parent.expressions if parent.args.get("recursive") else parent.expressions[: below.index]
            if wanted in _names(before):
                return True
        below = parent
    return False


def _names(named: Sequence[sql.CTE]) -> set[tuple[str, bool]]:
    return {_spelling(one.args["alias"].this) for one in named}


def _spelling(identifier: sql.Expr) -> tuple[str, bool]:
    """How a name is written, and whether in quotes; case tells nothing where there are none."""
    is_quoted = bool(identifier.args.get("quoted"))
    return (identifier.name if is_quoted else identifier.name.lower(), is_quoted)


def _table_functions(tree: Any) -> Iterator[str]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            if node.get("type") == "TABLE_FUNCTION":
                yield str(node["function"]["function_name"]).lower()
            waiting.extend(node.values())


def _not_one_select(text: str) -> InputError:
    hint = "the database is open for reading only; give one statement"
    if text.lstrip().lower().startswith("pivot"):
        hint = "name the values of the PIVOT: ON column IN ('a', 'b')"
    return InputError("only one SELECT can be run here", hint=hint, code="FL243")


def _leaves(what: str) -> InputError:
    return InputError(
        f"{what} can't be used here: it may leave the database or change it",
        hint="select from tables; for anything else open the database with its own client",
        code="FL243",
    )
