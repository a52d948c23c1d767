"""Makes the dlt resources of a vendor from its catalogue: what a user selects, limits and gives hints to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import dlt
from dlt.extract import DltResource

from feedloom.catalogue import Vendor
from feedloom.columnar import DELETED_AT, column_hints, column_name
from feedloom.errors import InputError
from feedloom.sources.naming import UnderWay, names_resource
from feedloom.sources.session import current_session
from feedloom.sources.shaping import rows_of
from feedloom.sources.table_plan import Connection, Options, TablePlan

Given = TypeVar("Given")


def make_resources(vendor: Vendor, connection: Connection, options: Options) -> list[DltResource]:
    """One resource for each table of *vendor*, in loading order, bound to the session under way.

    Raises InputError when *options* speak of a table that *vendor* does not have.
    """
    session = current_session()
    options = replace(options, params=_by_table(vendor, options.params), lookups=_by_table(vendor, options.lookups))
    # A text that looks like a date is a text: what is a moment, the catalogue says.
    dlt.current.source_schema().remove_type_detection("iso_timestamp")
    plans = [
        TablePlan(vendor, options.tables.get(table.name, table), connection, options, session)
        for table in vendor.tables
    ]
    under_way = UnderWay()
    return [*(_resource(plan, under_way) for plan in plans), names_resource(under_way)]


def _by_table(vendor: Vendor, given: Mapping[str, Given]) -> dict[str, Given]:
    """*given* under the tables' own names, where an alias may stand in it."""
    try:
        return {vendor.table(name).name: value for name, value in given.items()}
    except KeyError as missing:
        raise InputError(
            f"{vendor.title} has no table {missing.args[0]!r}",
            hint=f"choose from {', '.join(table.name for table in vendor.tables)}",
            code="FL230",
        ) from None


def _resource(plan: TablePlan, under_way: UnderWay) -> DltResource:
    table = plan.table
    nested: dict[str, Any] = {}
    if table.long_answers is not None:
        nested[table.long_answers.name] = {"columns": _LONG_COLUMNS}
    made: DltResource = dlt.resource(  # type: ignore[call-overload]  # a plain function is no overload of dlt's
        under_way.watched(rows_of(plan)),
        name=table.name,
        primary_key=tuple(column_name(name) for name in table.primary_key) or None,
        write_disposition=plan.write,
        columns={**column_hints(table, plan.endpoint), **(_MARK if _can_be_marked(plan) else {})},
        file_format="parquet",
        nested_hints=nested or None,
        selected=table.selected or table.name in plan.options.lookups,
    )()
    return made


def _can_be_marked(plan: TablePlan) -> bool:
    return plan.session.keeps_vanished and plan.table.is_countable


_MARK = {DELETED_AT: {"name": DELETED_AT, "data_type": "timestamp"}}

_LONG_COLUMNS = {
    name: {"name": name, "data_type": data_type}
    for name, data_type in (
        ("position", "bigint"),
        ("value_text", "text"),
        ("value_number", "double"),
        ("value_json", "text"),
    )
}
