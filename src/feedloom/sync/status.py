"""What the database holds of each vendor: rows, the last load, the newest row."""

from __future__ import annotations

from typing import Any

from dlt.common.normalizers.naming.snake_case import NamingConvention

from feedloom.catalogue import Table
from feedloom.sync.queries import live_text
from feedloom.sync.reading import Database, read_only
from feedloom.sync.warehouse import choose_target
from feedloom.vendors import VENDORS

_NAMING = NamingConvention()


def table_states(to: str | None) -> list[dict[str, Any]]:
    """A row for each table that exists: ``dataset``, ``table``, ``rows``, ``loaded_at`` and ``newest``, aware UTC.

    Rows that are marked as gone at the source do not count. ``newest`` is the latest moment in the column by which the
    vendor's windows are cut; None for whole lists. Raises DestinationError when there is no database yet.
    """
    with read_only(to) as database:
        return [
            _state(database, dataset, table)
            for vendor in VENDORS.values()
            for dataset in [choose_target(vendor, to, None).dataset]
            for table in vendor.tables
            if table.name in database.tables.get(dataset, ())
        ]


def _state(database: Database, dataset: str, table: Table) -> dict[str, Any]:
    column = _window_column(table)
    newest = f"max({column})" if column in database.tables[dataset][table.name] else "null"
    [found] = database.ask(
        f"select count(*) as row_count, {newest} as newest, "  # noqa: S608 - names of the catalogue
        f"(select max(inserted_at) from {dataset}._dlt_loads "
        f"where load_id = (select max(_dlt_load_id) from {dataset}.{table.name})) as loaded_at "
        f"from {dataset}.{table.name}{live_text(database.tables[dataset][table.name])}"
    ).records()
    return {
        "dataset": dataset,
        "table": table.name,
        "rows": found["row_count"],
        "loaded_at": found["loaded_at"],
        "newest": found["newest"],
    }


def _window_column(table: Table) -> str:
    """The column by which the table's windows are cut, as dlt names it; empty where there is none."""
    if table.window is None:
        return ""
    return _NAMING.make_path(*(_NAMING.normalize_identifier(part) for part in table.window.passes[0].column.split(".")))
