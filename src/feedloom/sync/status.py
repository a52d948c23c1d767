"""What the database holds of each vendor: rows, the last load, the newest row."""

from __future__ import annotations

from typing import Any

from feedloom.catalogue import Table, Vendor
from feedloom.sync.reading import Ask, read_only
from feedloom.vendors import VENDORS


def table_states(to: str | None) -> list[dict[str, Any]]:
    """A row for each table that exists: ``dataset``, ``table``, ``rows``, ``loaded_at`` and ``newest``, aware UTC.

    ``newest`` is the latest moment in the column by which the vendor's windows are cut; None for whole lists.
    Raises DestinationError when there is no database yet.
    """
    with read_only(to) as ask:
        return [
            _state(ask, vendor, table)
            for vendor in VENDORS.values()
            for table in vendor.tables
            if _exists(ask, vendor, table)
        ]


def _exists(ask: Ask, vendor: Vendor, table: Table) -> bool:
    rows = ask(
        "select 1 from information_schema.tables "
        f"where table_schema = '{vendor.dataset}' and table_name = '{table.name}'"
    ).read_all()
    return bool(rows.num_rows)


def _state(ask: Ask, vendor: Vendor, table: Table) -> dict[str, Any]:
    newest = "null" if table.window is None else f"max({table.window.passes[0].column})"
    row = ask(
        f"select count(*) as rows, {newest} as newest, "  # noqa: S608 - names of the catalogue
        f"(select max(inserted_at) from {vendor.dataset}._dlt_loads "
        f"where load_id = (select max(_dlt_load_id) from {vendor.dataset}.{table.name})) as loaded_at "
        f"from {vendor.dataset}.{table.name}"
    ).read_all()
    found: dict[str, Any] = row.to_pylist()[0]
    return {"dataset": vendor.dataset, "table": table.name, **found}
