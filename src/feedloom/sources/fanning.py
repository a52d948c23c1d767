"""Plans the calls of tables that ask once for each row of another table, and once for each month of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, MutableMapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Any

from feedloom.catalogue import Endpoint, Slices, Table, Vendor
from feedloom.errors import VendorError
from feedloom.http import Client, legible_rows
from feedloom.sources.journal import Journal
from feedloom.sources.planning import (
    Cursor,
    Range,
    Read,
    back_months,
    months,
    next_month,
    plan_windows,
    span_to_read,
)
from feedloom.sources.reading import Reader
from feedloom.sources.session import ScrollCounts


@dataclass(slots=True)
class SliceState:
    """Up to which month the slices of each row of the fanned-out table were read.

    ``kept`` outlives the run; ``read`` is what this one planned, and is kept once all of it was read.
    """

    kept: MutableMapping[str, str]
    read: dict[str, str] = field(default_factory=dict)

    def months_to_read(self, parent: str, since: date, until: date, trailing: int) -> list[date]:
        """The months to read for *parent*: all from *since* when it is new, else *trailing* ones of those kept on."""
        through = self.kept.get(parent)
        first = since if through is None else max(since, back_months(date.fromisoformat(through), trailing))
        found = months(datetime.combine(first, time(), UTC), datetime.combine(until, time(), UTC))
        self.read[parent] = max([through or "", *(month.isoformat() for month in found)])
        return found

    def commit(self) -> None:
        """Keep what was read."""
        self.kept.update({parent: month for parent, month in self.read.items() if month})


def slice_state(state: MutableMapping[str, Any], *, full: bool = False) -> SliceState:
    """The slices kept in a resource's *state*; none of them where all are to be read again in *full*."""
    kept = state.setdefault("slices", {})
    if full:
        kept.clear()
    return SliceState(kept)


@dataclass(frozen=True, slots=True)
class FanOutReads:
    """Makes the reads of a table that asks once for each row of another table; that table is read from the vendor.

    Its pages are kept in *journal* as well, so that a run that goes on does so with the same rows.
    """

    vendor: Vendor
    table: Table
    known: SliceState
    now: datetime
    journal: Journal | None = None
    counts: ScrollCounts = field(default_factory=ScrollCounts)

    async def for_each_row(self, client: Client, windows: Sequence[Read] | None = None) -> AsyncIterator[Read]:
        """A read for each row of the other table, for each of its slices, or for each of *windows*.

        A row that lacks a value without which the vendor refuses the call is passed over. Raises VendorError at the end
        when the other table's list was not whole.
        """
        fan_out = self.table.fan_out
        if fan_out is None:
            raise ValueError(f"table {self.table.name} does not fan out")
        endpoint = self.vendor.endpoint(self.table.endpoint)
        async for row in self._rows(client, self.vendor.table(fan_out.table)):
            params = {
                name: [row[field]] if endpoint.param(name).encoding == "list" else row[field]
                for name, field in fan_out.params.items()
                if row.get(field) not in (None, "")
            }
            if any(endpoint.param(name).required and name not in params for name in fan_out.params):
                continue
            extra = {name: row[field] for name, field in fan_out.carry.items()}
            for read in windows if windows is not None else [Read(params=self.table.params)]:
                whole = Read(params={**read.params, **params}, extra=extra, may_be_gone=True)
                if self.table.slices is None:
                    yield whole
                else:
                    for piece in _slices(self.table.slices, endpoint, whole, row, self.known, self.now):
                        yield piece

    async def _rows(self, client: Client, parent: Table) -> AsyncIterator[Mapping[str, Any]]:
        endpoint = self.vendor.endpoint(parent.endpoint)
        reads = [Read(params=parent.params)]
        if parent.window is not None and not parent.window.optional:
            span = span_to_read(parent.window, Cursor(), Range(), self.now)
            reads = plan_windows(parent.window, endpoint, span, parent.params, first=True)
        reader = Reader(client, endpoint, self.journal, counts=self.counts)
        for read in reads:
            async with aclosing(reader.read_list(read)) as pages:
                async for page in pages:
                    seen = legible_rows(page.cut)
                    for row in seen if len(seen) == len(page) else page.rows:  # the latter tells what cannot be read
                        yield row
        for verdict in reader.verdicts():
            if verdict.is_short:
                raise VendorError(
                    f"the list of {parent.name} is not whole: {verdict.note[:1].lower()}{verdict.note[1:]}",
                    hint="run the command again: each of its rows is asked about",
                    where=self.table.name,
                )


def _slices(
    slices: Slices, endpoint: Endpoint, read: Read, row: Mapping[str, Any], known: SliceState, now: datetime
) -> Iterator[Read]:
    since, until = _moment(row.get(slices.since)), _moment(row.get(slices.until))
    if since is None or endpoint.window is None:
        return
    parent = "/".join(str(value) for value in read.extra.values())
    last = min(next_month((until or now).date()), now.date())
    start_param, end_param = endpoint.window
    for month in known.months_to_read(parent, since.date().replace(day=1), last, slices.trailing_months):
        bounds = {
            start_param: datetime.combine(month, time(), UTC),
            end_param: datetime.combine(next_month(month), time(), UTC),
        }
        for value in slices.values:
            yield replace(
                read,
                params={**read.params, **bounds, slices.param: value},
                extra={**read.extra, slices.column: value, "month": month},
            )


def _moment(text: Any) -> datetime | None:
    if not isinstance(text, str) or not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
