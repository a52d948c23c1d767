"""Says what a sync would ask and bring, before it runs: a few small requests, and nothing written to the database.

Rows come from the counts that vendors give with a page of one row, calls from walking the lists that others hang on.
What can be known in neither way is as much as is held here; else it is not known, and told so.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias

import orjson
from dlt.pipeline.pipeline import Pipeline

from feedloom.catalogue import FanOut, Limit, NoPaging, Table, Window
from feedloom.errors import RefusedError
from feedloom.sources.extent import LONG_LIST
from feedloom.sources.fanning import FanOutReads, slice_state
from feedloom.sources.journal import unloaded
from feedloom.sources.planning import Cursor, Range, Read, Span, plan_windows, span_to_read
from feedloom.sync import revisits
from feedloom.sync.counts import ask_total, has_total, loaded_range
from feedloom.sync.jobs import Job
from feedloom.sync.queries import count_live
from feedloom.sync.warehouse import journal_folder

Basis: TypeAlias = Literal["counted", "listed", "one answer", "as held here", "nothing new", "refused", "not known"]

_MOST_WALKED = 2_000
"""Rows of a fanned-out table beyond which they are counted rather than walked."""

_FRESH = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What one table would ask and bring.

    Attributes:
        table: Its name.
        since, through: The range of a windowed table, [since, through); since None stands for the beginning.
        windows: The windows or lists that it begins; of a table that hangs on another, its calls.
        requests: Requests, the count after the load included; None where nobody can know.
        rows: Rows that would come; None where nobody can know.
        again_from: From when on what is loaded is read again, as is due from time to time; None where it is not due.
        basis: How that is known.
        journalled_bytes: Pages of an interrupted run that are here already; they are not asked for again.
    """

    table: str
    since: datetime | None = None
    through: datetime | None = None
    windows: int = 1
    requests: int | None = None
    rows: int | None = None
    again_from: datetime | None = None
    basis: Basis = "not known"
    journalled_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a sync would ask and bring.

    Attributes:
        source: The vendor's slug.
        tables: Each table, in loading order.
        requests, rows: The sums of what is known.
        unknown: Tables whose requests are not known, so that the sums are the least.
        least_s: The shortest time in which the vendor's limits let that many requests through.
        quota: Name, requests and share of the vendor's limit for the longest time; a share of 1 is all of it.
        asked: Requests that making the plan took.
    """

    source: str
    tables: Sequence[Expected]
    requests: int
    rows: int
    unknown: Sequence[str]
    least_s: float
    quota: Mapping[str, Any]
    asked: int


def make_plan(job: Job) -> Plan:
    """The plan of *job*; it is kept for a day, so that the next run can tell expected from actual.

    Raises what a client raises; a table that the key may not read is told in the plan.
    """
    if job.target.file is None or job.target.file.exists():
        job.pipeline.sync_destination()
    tables = [_expected(job, table) for table in job.tables]
    requests = sum(table.requests or 0 for table in tables)
    limits = [limit for limit in job.vendor.limits if limit.per == "key"]
    plan = Plan(
        source=job.vendor.slug,
        tables=tables,
        requests=requests,
        rows=sum(table.rows or 0 for table in tables),
        unknown=[table.table for table in tables if table.requests is None],
        least_s=max((_least_s(limit, requests) for limit in limits), default=0.0),
        quota=_quota(limits, requests),
        asked=job.tally.requests,
    )
    _keep(job.pipeline, plan)
    return plan


def take_expected(pipeline: Pipeline, tables: Sequence[Table]) -> tuple[int | None, int | None]:
    """The requests and rows that a plan of the last day expects of *tables*, which is then forgotten.

    None and None where there is no such plan, or it leaves one of them open.
    """
    file = _file(pipeline)
    if not file.exists():
        return None, None
    kept = orjson.loads(file.read_bytes())
    file.unlink()
    found = [kept["tables"].get(table.name) for table in tables]
    is_fresh = datetime.now(UTC) - datetime.fromisoformat(kept["at"]) < _FRESH
    if not is_fresh or not all(one is not None and one["requests"] is not None for one in found):
        return None, None
    return sum(one["requests"] for one in found), sum(one["rows"] or 0 for one in found)


def _file(pipeline: Pipeline) -> Path:
    return Path(pipeline.pipelines_dir) / f"{pipeline.pipeline_name}.plan.json"


def _keep(pipeline: Pipeline, plan: Plan) -> None:
    tables = {table.table: asdict(table) for table in plan.tables}
    _file(pipeline).write_bytes(orjson.dumps({"at": datetime.now(UTC), "tables": tables}))


def _least_s(limit: Limit, requests: int) -> float:
    return float(max(0, math.ceil(requests / limit.requests) - 1) * limit.seconds)


def _quota(limits: Sequence[Limit], requests: int) -> Mapping[str, Any]:
    longest = max(limits, key=lambda limit: limit.seconds, default=None)
    if longest is None:
        return {}
    return {
        "limit": longest.name,
        "requests": longest.requests,
        "seconds": longest.seconds,
        "share": requests / longest.requests,
    }


def _expected(job: Job, table: Table) -> Expected:
    kept = unloaded(journal_folder(job.pipeline), table.name)
    found = Expected(table=table.name, journalled_bytes=sum(reading.size_bytes for reading in kept))
    try:
        return _planned(job, table, found)
    except RefusedError:
        return replace(found, basis="refused")


def _planned(job: Job, table: Table, found: Expected) -> Expected:
    if table.arguments:
        return found
    if table.window is not None:
        return _with_revisit(job, table, _windowed(job, table, table.window, found))
    if table.fan_out is not None:
        return _fanned_out(job, table, table.fan_out, None, found)
    return _whole(job, table, found)


def _whole(job: Job, table: Table, found: Expected) -> Expected:
    endpoint = job.vendor.endpoint(table.endpoint)
    if isinstance(endpoint.paging, NoPaging):
        rows = 1 if not endpoint.is_list else count_live(job.pipeline, table.name) or None
        return replace(
            found, requests=1, rows=rows, basis="as held here" if endpoint.is_list and rows else "one answer"
        )
    rows = _total(job, table, table.params)
    if rows is not None:
        return replace(
            found, rows=rows, requests=_pages(job, table, rows) + has_total(job.vendor, table), basis="counted"
        )
    held = count_live(job.pipeline, table.name)
    if not held:
        return found
    return replace(found, rows=held, requests=_pages(job, table, held), basis="as held here")


def _windowed(job: Job, table: Table, window: Window, found: Expected) -> Expected:
    endpoint = job.vendor.endpoint(table.endpoint)
    loaded = loaded_range(job.vendor, table, job.pipeline)
    cursor = Cursor() if job.full or revisits.is_whole_due(job, table, loaded) else loaded
    span = since, through = span_to_read(window, cursor, job.wanted, job.session.now)
    found = replace(found, since=since, through=through)

    def reads(cut: Window) -> list[Read]:
        return plan_windows(cut, endpoint, span, table.params, first=cursor.through is None)

    whole = reads(replace(window, parts=1))
    if table.fan_out is not None:
        return _fanned_out(job, table, table.fan_out, whole, found)
    if not whole:
        return replace(found, windows=0, requests=0, rows=0, basis="nothing new")
    totals = [_total(job, table, read.params) for read in whole]
    rows = sum(total or 0 for total in totals)
    is_cut = since is None and window.parts > 1 and rows >= LONG_LIST
    windows = window.parts if is_cut else len(reads(window))
    if any(total is None for total in totals):
        return replace(found, windows=windows)
    # A window ends in the middle of a page, on the average.
    pages = max(windows, math.ceil(_pages(job, table, rows) + (windows - 1) / 2))
    further = has_total(job.vendor, table) + _to_find_the_beginning(window, span, is_cut=is_cut)
    further += table.map_types is not None
    return replace(found, windows=windows, rows=rows, requests=pages + further, basis="counted")


def _with_revisit(job: Job, table: Table, found: Expected) -> Expected:
    """*found*, with what is read again of the table's last part where that is due."""
    loaded = loaded_range(job.vendor, table, job.pipeline)
    if loaded.through is None or found.through is None:
        return found
    window = revisits.due(job, table, replace(loaded, through=found.through))
    if window is None:
        return found
    again = revisits.calls(job, table, window)
    totals = [_total(job, table, params) for params in again]
    rows = sum(total or 0 for total in totals)
    is_known = None not in totals and found.rows is not None and found.requests is not None
    return replace(
        found,
        again_from=window.since,
        windows=found.windows + len(again),
        rows=(found.rows or 0) + rows if is_known else None,
        requests=(found.requests or 0) + max(len(again), _pages(job, table, rows)) if is_known else None,
    )


def _to_find_the_beginning(window: Window, span: Span, *, is_cut: bool) -> int:
    """Requests that tell where a list begins, so that it can be cut."""
    return 0 if span[0] is not None or window.parts == 1 else 1 + is_cut


def _fanned_out(job: Job, table: Table, fan_out: FanOut, windows: Sequence[Read] | None, found: Expected) -> Expected:
    parent = job.vendor.table(fan_out.table)
    parents = _parents(job, parent)
    is_single = not job.vendor.endpoint(table.endpoint).is_list
    if parents is not None and parents > _MOST_WALKED and table.slices is None:
        calls = parents * len(windows if windows is not None else (None,))
        requests = calls + _pages(job, parent, parents)
        return replace(found, windows=calls, requests=requests, rows=calls if is_single else None, basis="counted")
    before = job.tally.requests
    calls = asyncio.run(_walk(job, table, windows))
    requests = calls + job.tally.requests - before
    return replace(found, windows=calls, requests=requests, rows=calls if is_single else None, basis="listed")


def _parents(job: Job, parent: Table) -> int | None:
    if parent.window is not None and not parent.window.optional:
        span = span_to_read(parent.window, Cursor(), Range(), job.session.now)
        endpoint = job.vendor.endpoint(parent.endpoint)
        reads = plan_windows(parent.window, endpoint, span, parent.params, first=True)
        totals = [_total(job, parent, read.params) for read in reads]
        return None if any(total is None for total in totals) else sum(total or 0 for total in totals)
    return _total(job, parent, parent.params)


async def _walk(job: Job, table: Table, windows: Sequence[Read] | None) -> int:
    """How many calls *table* would make; the table that it hangs on is read for it."""
    sources: Mapping[str, Any] = job.pipeline.state.get("sources", {})
    kept = sources.get(job.vendor.source_name, {}).get("resources", {}).get(table.name, {})
    known = slice_state(deepcopy(dict(kept)), full=job.full)
    async with job.client() as client:
        reads = FanOutReads(job.vendor, table, known, job.session.now).for_each_row(client, windows)
        return sum([1 async for _ in reads])


def _total(job: Job, table: Table, params: Mapping[str, Any]) -> int | None:
    """How many rows the vendor counts; None where it does not."""
    if not getattr(job.vendor.endpoint(table.endpoint).paging, "total", ""):
        return None
    return asyncio.run(ask_total(job.client(), job.vendor, table, params))


def _pages(job: Job, table: Table, rows: int) -> int:
    paging = job.vendor.endpoint(table.endpoint).paging
    return 1 if isinstance(paging, NoPaging) else max(1, math.ceil(rows / paging.size_max))
