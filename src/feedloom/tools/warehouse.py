"""The tools that look into the database here: which tables there are, what a table holds, and one SELECT."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from feedloom.catalogue import Argument, Table, Vendor
from feedloom.columnar import DELETED_AT
from feedloom.tools.failures import refused_input
from feedloom.tools.outputs import output
from feedloom.tools.privacy import is_personal, shows_personal
from feedloom.tools.selecting import MAX_CHARS
from feedloom.tools.spec import Result, ToolSpec
from feedloom.tools.verification import Verification
from feedloom.tools.workspace import Workspace
from feedloom.vendors import VENDORS

if TYPE_CHECKING:
    from feedloom.tools.database import Place

_ITEMS: Final = {"type": "array", "items": {"type": "object"}}
_TEXT: Final = {"type": "string"}
_FLAG: Final = {"type": "boolean"}
_WITHOUT_WORDS: Final = (
    *("bigint", "hugeint", "integer", "smallint", "tinyint", "ubigint", "uhugeint", "uinteger", "usmallint"),
    *("utinyint", "boolean", "decimal", "double", "float", "numeric", "real", "date", "interval", "time", "uuid"),
    '"null"',
)
"""How types begin whose values nobody can write a sentence in."""

_SAMPLE_CHARS: Final = 8_000


def warehouse_tools() -> Iterator[ToolSpec]:
    """The tools of the toolset ``warehouse``."""
    yield ToolSpec(
        name="warehouse_list_tables",
        toolset="warehouse",
        effect="local",
        title="Warehouse tables",
        description="Tables of the database here with rows, last load and newest row. Child tables are named "
        "parent__list, such as responses__answers with a row for each answer.",
        arguments=(),
        output=output({"tables": _ITEMS, "as_of": _TEXT, "truncated": _FLAG}),
        handler=_list_tables,
    )
    yield ToolSpec(
        name="warehouse_describe",
        toolset="warehouse",
        effect="local",
        title="Warehouse table",
        description="Columns of one table with type, meaning and whether they are personal, and up to five sample "
        "rows.",
        arguments=(
            Argument(name="table", required=True, summary="dataset.table, or the table alone"),
            Argument(name="sample", type="integer", default=0, minimum=0, maximum=5),
        ),
        output=output(
            {"table": _TEXT, "columns": _ITEMS, "sample": _ITEMS, "truncated": _FLAG}, required=("table", "columns")
        ),
        handler=_describe,
    )
    yield ToolSpec(
        name="warehouse_query",
        toolset="warehouse",
        effect="local",
        title="Warehouse query",
        description="Runs one SELECT (DuckDB's SQL on a copy of a DuckDB file, else PostgreSQL's), at most 10 s. It "
        "can reach no file, network, setting or secret, and change nothing. Dataset names can be left out; personal "
        "columns are masked unless the policy here shows them.",
        arguments=(
            Argument(name="sql", required=True),
            Argument(name="limit", type="integer", default=100, minimum=1, maximum=1000),
        ),
        output=output(
            {
                "columns": _ITEMS,
                "rows": {"type": "array", "items": {"type": "array"}},
                "truncated": _FLAG,
                "hint": _TEXT,
                "elapsed_s": {"type": "number"},
                "as_of": _TEXT,
            },
            required=("columns", "rows", "truncated"),
        ),
        handler=_query,
    )


async def _list_tables(workspace: Workspace, _given: Mapping[str, Any], verification: Verification) -> Result:
    return await asyncio.to_thread(_tables_of, workspace.to, verification)


async def _describe(workspace: Workspace, given: Mapping[str, Any], verification: Verification) -> Result:
    place, body, name = await asyncio.to_thread(_described, workspace.to, given["table"])
    if given["sample"]:
        sample = f"select * from {name} limit {given['sample']}"  # noqa: S608 - a table that is there
        found = await _answered(place, sample, workspace, limit=given["sample"], max_chars=_SAMPLE_CHARS)
        names = [column["name"] for column in found["columns"]]
        body["sample"] = [dict(zip(names, row, strict=True)) for row in found["rows"]]
    verification.checks.append("snapshot")
    return Result(body=body, items="columns", is_masked=True, verification=verification)


async def _query(workspace: Workspace, given: Mapping[str, Any], verification: Verification) -> Result:
    from feedloom.tools.database import open_place  # noqa: PLC0415 - dlt and duckdb are imported on use

    place = await asyncio.to_thread(open_place, workspace.to)
    found = await _answered(place, given["sql"], workspace, limit=given["limit"], max_chars=MAX_CHARS - 4_000)
    verification.checks.append("snapshot")
    body = found | {"as_of": place.as_of, "columns": [_marked(column) for column in found["columns"]]}
    if found["truncated"]:
        body["hint"] = f"the first {len(found['rows'])} rows; aggregate, filter, or choose fewer columns"
    return Result(
        body=body,
        items="rows",
        cut_hint="aggregate, filter, or choose fewer columns",
        is_masked=True,
        verification=verification,
    )


async def _answered(place: Place, sql: str, workspace: Workspace, *, limit: int, max_chars: int) -> dict[str, Any]:
    """The rows of *sql*, which may want anything, as far as it may have them."""
    from feedloom.tools import database  # noqa: PLC0415 - dlt and duckdb are imported on use

    shows = shows_personal()
    safe = await asyncio.to_thread(database.safe_sql, place, sql, shows_personal=shows)
    async with workspace.queries:
        return await database.ask(
            place, safe, limit=limit, max_chars=max_chars, shows_personal=shows, longest_s=workspace.query_s
        )


def _tables_of(to: str | None, verification: Verification) -> Result:
    from feedloom.sync.status import table_states  # noqa: PLC0415 - dlt and duckdb are imported on use
    from feedloom.tools.database import ALONE, name_of, open_place  # noqa: PLC0415 - the same

    place = open_place(to)
    here = name_of(place)
    with ALONE:
        states = {(row["dataset"], row["table"]): row for row in table_states(here)}
        names, counts = _counted(here)
    summaries = _summaries(to)
    tables = [
        {
            "table": f"{dataset}.{table}",
            **({"holds": summaries[dataset, table]} if (dataset, table) in summaries else {}),
            "rows": counts[index],
            **_state(states.get((dataset, table))),
        }
        for index, (dataset, table) in enumerate(names)
        if not table.startswith("_dlt")
    ]
    verification.checks.append("snapshot")
    body = {"tables": tables, "as_of": place.as_of}
    return Result(
        body=body, items="tables", cut_hint="query information_schema.tables", is_masked=True, verification=verification
    )


def _counted(here: str) -> tuple[list[tuple[str, str]], dict[Any, Any]]:
    """Datasets and tables, and by their place in this list how many rows they have that are not marked as gone."""
    from feedloom.sync.queries import live_text  # noqa: PLC0415 - dlt and duckdb are imported on use
    from feedloom.sync.reading import read_only  # noqa: PLC0415 - the same

    with read_only(here) as database:
        names = [(dataset, table) for dataset, tables in database.tables.items() for table in tables]
        counted = " union all ".join(
            f"select {index} as place, count(*) as row_count "  # noqa: S608 - tables that are there
            f"from {dataset}.{table}{live_text(database.tables[dataset][table])}"
            for index, (dataset, table) in enumerate(names)
        )
        rows = database.ask(counted).records() if names else []
    return names, {row["place"]: row["row_count"] for row in rows}


def _state(row: Mapping[str, Any] | None) -> dict[str, Any]:
    return {} if row is None else {name: row[name] for name in ("loaded_at", "newest") if row[name] is not None}


def _described(to: str | None, wanted: str) -> tuple[Place, dict[str, Any], str]:
    from feedloom.tools.database import open_place, tables_of  # noqa: PLC0415 - dlt and duckdb are imported on use

    place = open_place(to)
    tables = tables_of(place)
    names = {
        spelling: (dataset, table)
        for dataset in reversed(list(tables))
        for table in tables[dataset]
        for spelling in (table, f"{dataset}.{table}")
    }
    if wanted not in names:
        raise refused_input(f"there is no table {wanted[:80]!r}", "warehouse_list_tables names them")
    dataset, table = names[wanted]
    meanings = _meanings(to, dataset, table)
    columns = [
        {
            **_marked({"name": name, "type": kind}),
            **({"meaning": meanings[name]} if meanings.get(name) else {}),
            **({"personal": True} if is_personal(name) else {}),
        }
        for name, kind in tables[dataset][table].items()
    ]
    return place, {"table": f"{dataset}.{table}", "columns": columns}, f'"{dataset}"."{table}"'


def _meanings(to: str | None, dataset: str, table: str) -> Mapping[str, str]:
    """What the description says of a table's columns, as dlt names them."""
    from dlt.common.normalizers.naming.snake_case import NamingConvention  # noqa: PLC0415 - dlt is imported on use

    from feedloom.sync.warehouse import choose_target  # noqa: PLC0415 - the same

    naming = NamingConvention()
    for vendor in VENDORS.values():
        if choose_target(vendor, to, None).dataset == dataset and (known := _table(vendor, table)) is not None:
            fields = {
                naming.make_path(*(naming.normalize_identifier(part) for part in field.name.split("."))): field.summary
                for field in vendor.endpoint(known.endpoint).fields
            }
            return {DELETED_AT: "when the row was found to be gone at the source; null while it is there", **fields}
    return {}


def _summaries(to: str | None) -> Mapping[tuple[str, str], str]:
    """What each table of the vendors holds, by dataset and name."""
    from feedloom.sync.warehouse import choose_target  # noqa: PLC0415 - dlt is imported on use

    return {
        (choose_target(vendor, to, None).dataset, table.name): table.summary
        for vendor in VENDORS.values()
        for table in vendor.tables
    }


def _table(vendor: Vendor, name: str) -> Table | None:
    return next((table for table in vendor.tables if table.name == name), None)


def _marked(column: dict[str, Any]) -> dict[str, Any]:
    """*column*, untrusted where it can hold text: who wrote it is not known here."""
    kind = str(column["type"]).lower()
    holds_words = not kind.startswith(_WITHOUT_WORDS) or kind.endswith("[]")
    return column | ({"untrusted": True} if holds_words else {})
