"""Compares how many rows a table holds with how many the vendor says there are."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlglot
from dlt.pipeline.pipeline import Pipeline
from sqlglot import expressions as sql

from feedloom.catalogue import CursorPaging, Embedded, NumberPaging, Table, Vendor
from feedloom.http import Client
from feedloom.sources import cursors
from feedloom.sources.planning import Cursor
from feedloom.sources.quarantine import QUARANTINE_TABLE, last_whole_reading
from feedloom.sync.queries import ask, at, column, count_live, has_column, live, relation
from feedloom.sync.stopping import until_stopped


def has_total(vendor: Vendor, table: Table) -> bool:
    """Whether the vendor counts the whole list that *table* holds."""
    paging = vendor.endpoint(table.endpoint).paging
    return table.fan_out is None and isinstance(paging, CursorPaging | NumberPaging) and bool(paging.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Rows of one table in one range.

    Attributes:
        there: Those that the vendor counts.
        here: Those that are loaded, and not marked as gone.
        ownerless: Those of them whose owner (the contact of a response) is gone at the vendor, as deletions leave them.
        quarantined: Rows of the range, or of a moment unknown, that were put aside in place of being loaded.
    """

    there: int
    here: int
    ownerless: int = 0
    quarantined: int = 0

    @property
    def is_settled(self) -> bool:
        """Each row here that is not marked has its owner, and the vendor counts as many as are here or put aside."""
        return self.there == self.here + self.quarantined and not self.ownerless

    @property
    def agree(self) -> bool:
        """Nothing is missing here: the vendor has each row that still has its owner, and those put aside."""
        return self.there == self.here - self.ownerless + self.quarantined


def compare_counts(
    vendor: Vendor,
    table: Table,
    pipeline: Pipeline,
    client: Client,
    *,
    fresh: Collection[str] = (),
    stop: threading.Event | None = None,
) -> Counts | None:
    """Both counts of *table*, in the range that its state says is loaded; None where the vendor gives no count.

    *fresh* names the tables that were just read whole, which tell whose rows have lost their owner. Raises StoppedError
    where *stop* is set and the vendor's answer does not come at once.
    """
    cursor = loaded_range(vendor, table, pipeline)
    if not has_total(vendor, table) or (table.window is not None and cursor.through is None):
        return None
    return counts_in(vendor, table, pipeline, client, cursor, fresh=fresh, stop=stop)


def counts_in(
    vendor: Vendor,
    table: Table,
    pipeline: Pipeline,
    client: Client,
    cursor: Cursor,
    *,
    fresh: Collection[str] = (),
    stop: threading.Event | None = None,
) -> Counts | None:
    """Both counts of *table* in the range of *cursor*; None where the vendor leaves its out. Costs one request.

    Raises StoppedError as :func:`compare_counts` does.
    """
    asking = ask_total(client, vendor, table, bounds(vendor, table, cursor))
    there = until_stopped(asking, stop=stop or threading.Event(), what=f"the count of {table.name}")
    if there is None:
        return None
    inside = _inside(pipeline, table, cursor)
    lost = [
        _without_owner(pipeline, embedded)
        for embedded in table.embedded
        if embedded.is_owner and embedded.table in fresh and has_column(pipeline, table.name, _key(embedded))
    ]
    ownerless = count_live(pipeline, table.name, *inside, sql.or_(*lost)) if lost else 0
    return Counts(
        there=there,
        here=count_live(pipeline, table.name, *inside),
        ownerless=ownerless,
        quarantined=_quarantined(vendor, table, pipeline, cursor),
    )


def _quarantined(vendor: Vendor, table: Table, pipeline: Pipeline, cursor: Cursor) -> int:
    """The rows put aside whose key is not loaded, since the table was last read whole; each row of the source once."""
    if not has_column(pipeline, QUARANTINE_TABLE, "row_digest"):
        return 0
    key, digest, load_id = (column(pipeline, name, "aside") for name in ("row_key", "row_digest", "_dlt_load_id"))
    conditions: list[sql.Expression | sql.Condition] = [column(pipeline, "table_name", "aside").eq(table.name)]
    since = last_whole_reading(pipeline.state, vendor.source_name, table.name)
    if since is not None:
        conditions.append(load_id >= since)
    if len(table.primary_key) == 1 and has_column(pipeline, table.name, table.primary_key[0]):
        own_key = sql.cast(column(pipeline, table.primary_key[0]), sql.DataType.Type.TEXT)
        loaded = sqlglot.select(own_key).from_(relation(pipeline, table.name)).where(*live(pipeline, table.name))
        conditions.append(sql.or_(key.is_(sql.Null()), sql.not_(key.isin(query=loaded))))
    if table.window is not None:
        moment = column(pipeline, "row_moment", "aside")
        inside = sql.and_(*between(moment, cursor))
        conditions.append(sql.or_(moment.is_(sql.Null()), inside))
    rows = sql.Count(this=sql.Distinct(expressions=[sql.Coalesce(this=key, expressions=[digest])]))
    found = ask(pipeline, sqlglot.select(rows).from_(relation(pipeline, QUARANTINE_TABLE, "aside")).where(*conditions))
    return int(found[0][0]) if found else 0


def _without_owner(pipeline: Pipeline, embedded: Embedded) -> sql.Condition:
    owners = sqlglot.select(column(pipeline, embedded.key)).from_(relation(pipeline, embedded.table))
    owners = owners.where(*live(pipeline, embedded.table))
    owner = column(pipeline, _key(embedded))
    return sql.and_(sql.Not(this=sql.Is(this=owner, expression=sql.Null())), sql.Not(this=owner.isin(query=owners)))


def _key(embedded: Embedded) -> str:
    return f"{embedded.path}.{embedded.key}"


def _inside(pipeline: Pipeline, table: Table, cursor: Cursor) -> list[sql.Expression]:
    """The conditions under which a row lies in the range of *cursor*, by the column of the table's first pass."""
    if table.window is None or cursor.through is None:
        return []
    return between(column(pipeline, table.window.passes[0].column), cursor)


def between(moment: sql.Column, cursor: Cursor) -> list[sql.Expression]:
    """The conditions under which *moment* lies in the range of *cursor*."""
    since = [] if cursor.since is None else [moment >= at(cursor.since)]
    through = [] if cursor.through is None else [moment < at(cursor.through)]
    return [*through, *since]


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


async def ask_total(client: Client, vendor: Vendor, table: Table, params: Mapping[str, Any]) -> int | None:
    """How many rows the vendor counts, None where the answer does not say; costs one request for one row."""
    async with client:
        async for page in client.pages(vendor.endpoint(table.endpoint), params, page_size=1):
            return page.total
    return None
