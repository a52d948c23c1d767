"""Compares how many rows a table holds with how many the vendor says there are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dlt.pipeline.pipeline import Pipeline
from sqlglot import expressions as sql

from feedloom.catalogue import CursorPaging, NumberPaging, Table, Vendor
from feedloom.http import Client
from feedloom.sources import cursors
from feedloom.sources.planning import Cursor
from feedloom.sync.queries import at, column, count


def has_total(vendor: Vendor, table: Table) -> bool:
    """Whether the vendor counts the whole list that *table* holds."""
    paging = vendor.endpoint(table.endpoint).paging
    return table.fan_out is None and isinstance(paging, CursorPaging | NumberPaging) and bool(paging.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Rows of one table in one range: those that the vendor counts and those that are loaded."""

    there: int
    here: int


def compare_counts(vendor: Vendor, table: Table, pipeline: Pipeline, client: Client) -> Counts | None:
    """Both counts of *table*, in the range that its state says is loaded; None where the vendor gives no count."""
    cursor = loaded_range(vendor, table, pipeline)
    if not has_total(vendor, table) or (table.window is not None and cursor.through is None):
        return None
    return counts_in(vendor, table, pipeline, client, cursor)


def counts_in(vendor: Vendor, table: Table, pipeline: Pipeline, client: Client, cursor: Cursor) -> Counts | None:
    """Both counts of *table* in the range of *cursor*; None where the vendor leaves its out. Costs one request."""
    there = asyncio.run(ask_total(client, vendor, table, bounds(vendor, table, cursor)))
    if there is None:
        return None
    if table.window is None or cursor.through is None:
        return Counts(there=there, here=count(pipeline, table.name))
    return Counts(there=there, here=count_between(pipeline, table, cursor.since, cursor.through))


def loaded_range(vendor: Vendor, table: Table, pipeline: Pipeline) -> Cursor:
    """The range of *table* that is loaded, as its state says."""
    sources: Mapping[str, Any] = pipeline.state.get("sources", {})
    kept = sources.get(vendor.source_name, {}).get("resources", {}).get(table.name, {}).get("cursors", {})
    return cursors.load(kept.get("all", {}))


def bounds(vendor: Vendor, table: Table, cursor: Cursor) -> dict[str, Any]:
    """The parameters that ask the vendor for the rows of *cursor*'s range, all kinds of them."""
    endpoint = vendor.endpoint(table.endpoint)
    params: dict[str, Any] = dict(table.params)
    if table.window is not None and endpoint.window is not None and cursor.through is not None:
        start, end = endpoint.window
        params |= table.window.passes[0].params
        params[end] = cursor.through
        if cursor.since is not None:
            params[start] = cursor.since
    return params


def count_between(pipeline: Pipeline, table: Table, since: datetime | None, through: datetime) -> int:
    """Rows of a windowed table that its first pass sees in [since, through)."""
    if table.window is None:
        raise ValueError(f"table {table.name} has no window")
    moment = column(pipeline, table.window.passes[0].column)
    conditions: list[sql.Expression] = [moment < at(through)]
    if since is not None:
        conditions.append(moment >= at(since))
    return count(pipeline, table.name, *conditions)


async def ask_total(client: Client, vendor: Vendor, table: Table, params: Mapping[str, Any]) -> int | None:
    """How many rows the vendor counts, None where the answer does not say; costs one request for one row."""
    async with client:
        async for page in client.pages(vendor.endpoint(table.endpoint), params, page_size=1):
            return page.total
    return None
