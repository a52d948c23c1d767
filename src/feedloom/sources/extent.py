"""How far back a list goes, so that a first load can be cut into windows that are read side by side."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from typing import Any

from feedloom.catalogue import CursorPaging, NumberPaging, Window
from feedloom.columnar import parse_time
from feedloom.sources.bridge import iterate
from feedloom.sources.planning import Read
from feedloom.sources.table_plan import TablePlan

LONG_LIST = 10_000
"""Rows from which a list is worth cutting."""


def oldest_moment(plan: TablePlan, window: Window, read: Read) -> datetime | None:
    """About when the list of *read* begins: the moment of its last row, as such lists come newest first.

    None for a short list, and where it cannot be known. It costs one small request, two for a long list. A wrong answer
    does no harm: windows are cut in other places, and the first of them reaches back without end.
    """
    column = window.passes[0].column
    field = next((field for field in plan.endpoint.fields if field.name == column), None)
    for row in iterate(lambda: _last_row(plan, read)):
        found = parse_time(row.get(column), field) if field is not None else None
        return found if isinstance(found, datetime) else None
    return None


async def _last_row(plan: TablePlan, read: Read) -> AsyncGenerator[Mapping[str, Any], None]:
    paging = plan.endpoint.paging
    if not isinstance(paging, NumberPaging | CursorPaging) or not (paging.total and paging.number_param):
        return
    first = paging.first_number if isinstance(paging, NumberPaging) else 1
    params = {**read.params, paging.size_param: 1}
    async with plan.client() as client:
        total = (await client.call(plan.endpoint, params)).total
        if total is not None and total >= LONG_LIST:
            for row in (await client.call(plan.endpoint, {**params, paging.number_param: first + total - 1})).rows:
                yield row
