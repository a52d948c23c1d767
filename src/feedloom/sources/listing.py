"""Reads what a table needs now: its windows, lists or calls, from the journal or the vendor, and moves its cursor."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from feedloom.catalogue import Table, Vendor, Window
from feedloom.errors import InputError
from feedloom.http import Client
from feedloom.sources import cursors
from feedloom.sources.bridge import iterate
from feedloom.sources.extent import oldest_moment
from feedloom.sources.fanning import FanOutReads, slice_state
from feedloom.sources.journal import Journal
from feedloom.sources.planning import Cursor, Read, Span, advance, plan_windows, span_to_read
from feedloom.sources.reading import Reader, Rows
from feedloom.sources.replaying import replay, span_of
from feedloom.sources.session import Reading
from feedloom.sources.table_plan import TablePlan

SIDE_BY_SIDE = 24
"""Lists of one table that are read at once."""


def read_table(
    plan: TablePlan, state: dict[str, Any], reading: Reading, journal: Journal | None = None
) -> Iterator[Rows]:
    """The pages of everything *plan* has to read now; moves the table's cursor once the last one was handed on.

    They are kept in *journal*, and what it holds already is not asked for. Where the session replays a journal, they
    come from there, and nothing is asked for.
    """
    table = plan.table
    if plan.session.kept is not None:
        yield from replay(plan, plan.session.kept, state, reading)
    elif plan.is_lookup:
        calls = plan.options.lookups.get(table.name, ())
        if table.arguments and not calls:
            raise _nothing_named(plan.vendor, table)
        reading.complete = yield from _pages(
            plan, lambda _: _each([Read(params={**plan.params, **call}) for call in calls]), journal
        )
    elif table.window is not None:
        yield from _windowed(plan, table.window, state, reading, journal)
    elif table.fan_out is not None:
        known = slice_state(state, full=plan.options.full)
        reads = FanOutReads(plan.vendor, table, known, plan.session.now, journal, plan.session.counts)
        reading.complete = yield from _pages(plan, reads.for_each_row, journal)
        if reading.complete:
            known.commit()
            if journal is not None:
                journal.keep_slices(known.read)
    else:
        reading.complete = yield from _pages(plan, lambda _: _each([Read(params=plan.params)]), journal)


def _nothing_named(vendor: Vendor, table: Table) -> InputError:
    argument = table.arguments[0]
    return InputError(
        f"{table.name} holds only rows that are looked up by {' or '.join(table.arguments)}, and none was named",
        hint=f'pass lookups={{"{table.name}": [{{"{argument}": "..."}}]}} to the source, or put '
        f'{table.name} = [{{{argument} = "..."}}] under [sources.{vendor.source_name}.lookups] in .dlt/config.toml',
        where=table.name,
        code="FL219",
    )


def _windowed(
    plan: TablePlan, window: Window, state: dict[str, Any], reading: Reading, journal: Journal | None
) -> Iterator[Rows]:
    place = cursors.place(state, plan.options.params.get(plan.table.name, {}))
    cursor = Cursor() if plan.options.full else cursors.load(place)
    span, oldest = _span(plan, window, cursor, journal)
    reading.span = span
    reads = plan_windows(window, plan.endpoint, span, plan.params, first=cursor.through is None, oldest=oldest)
    if plan.table.fan_out is None:
        reading.complete = yield from _pages(plan, lambda _: _each(reads), journal)
        if reading.complete and plan.replaces and window.moves:
            moved = plan_windows(replace(window, parts=1), plan.endpoint, _after(span), plan.params, first=True)
            reading.complete = yield from _pages(plan, lambda _: _each(moved), journal)
    else:
        rows = FanOutReads(plan.vendor, plan.table, slice_state(state), plan.session.now, journal, plan.session.counts)
        reading.complete = yield from _pages(plan, lambda client: rows.for_each_row(client, reads), journal)
    if reading.complete:
        cursors.save(place, advance(cursor, span))


def _after(span: Span) -> Span:
    """The range after *span*, up to a day from now, as clocks differ.

    Rows that move on while a list is read leave the part of it that is still to come, and are in none that was read.
    """
    return span[1], datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


def _span(plan: TablePlan, window: Window, cursor: Cursor, journal: Journal | None) -> tuple[Span, datetime | None]:
    """The span to read and about when its rows begin; those of a run that was cut off, so that its windows return."""
    after = _text(cursor.through)
    if journal is not None and (kept := journal.plan) is not None and kept["after"] == after:
        return span_of(kept), cursors.moment_in(kept["oldest"])
    since, through = span = span_to_read(window, cursor, plan.options.wanted, plan.session.now)
    oldest = None
    if since is None and window.parts > 1 and plan.table.fan_out is None:
        whole = plan_windows(window, plan.endpoint, span, plan.params, first=cursor.through is None)
        oldest = oldest_moment(plan, window, whole[0]) if whole else None
    if journal is not None:
        journal.keep_plan(
            {"after": after, "since": _text(since), "through": through.isoformat(), "oldest": _text(oldest)}
        )
    return span, oldest


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def _pages(
    plan: TablePlan, reads: Callable[[Client], AsyncIterator[Read]], journal: Journal | None = None
) -> Generator[Rows, None, bool]:
    """Yields pages; returns whether all of them came, and none of their lists was short."""
    is_whole = True

    async def events() -> AsyncGenerator[Rows, None]:
        async with plan.client() as client:
            reader = Reader(client, plan.endpoint, journal, counts=plan.session.counts)
            async for rows in reader.read_many(reads(client), side_by_side=SIDE_BY_SIDE):
                yield rows

    for rows in iterate(events, stop=plan.session.stop):
        is_whole = is_whole and not rows.is_short
        yield rows
        if plan.session.stop.is_set():
            return False
    return is_whole and not plan.session.stop.is_set()


async def _each(reads: Sequence[Read]) -> AsyncIterator[Read]:
    for read in reads:
        yield read
