"""Plans the calls of tables that ask once for each row of another table, and once for each month of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from feedloom.catalogue import Endpoint, Slices, Table, Vendor
from feedloom.http import Client
from feedloom.sources.planning import Read, back_months, months, next_month


@dataclass(slots=True)
class SliceState:
    """Which rows of the fanned-out table were read in all their months, and in which month that was."""

    kept: MutableMapping[str, Any]
    seen: set[str] = field(default_factory=set)

    def first_month(self, parent: str, since: date, now: datetime, trailing: int) -> date:
        """The first month to read for *parent*: all from *since* when it is new, else the trailing ones."""
        self.seen.add(parent)
        if parent not in self.kept.get("parents", ()):
            return since
        through = date.fromisoformat(self.kept["through"])
        return max(since, back_months(min(through, now.date()), trailing))

    def commit(self, now: datetime) -> None:
        """Keep that every row seen is complete up to the month of *now*."""
        if self.seen:
            self.kept["parents"] = sorted(self.seen | set(self.kept.get("parents", ())))
            self.kept["through"] = now.date().replace(day=1).isoformat()


def slice_state(state: MutableMapping[str, Any]) -> SliceState:
    """The slices kept in a resource's *state*."""
    return SliceState(state.setdefault("slices", {}))


async def plan_fan_out(
    client: Client, vendor: Vendor, table: Table, known: SliceState, now: datetime
) -> AsyncIterator[Read]:
    """A read for each row of the other table, or for each of its slices; that table is read from the vendor."""
    fan_out = table.fan_out
    if fan_out is None:
        raise ValueError(f"table {table.name} does not fan out")
    parent = vendor.table(fan_out.table)
    endpoint = vendor.endpoint(table.endpoint)
    async for page in client.pages(vendor.endpoint(parent.endpoint), parent.params):
        for row in page.rows:
            params = {
                name: [row[field]] if endpoint.param(name).encoding == "list" else row[field]
                for name, field in fan_out.params.items()
            }
            read = Read(
                params={**table.params, **params}, extra={name: row[field] for name, field in fan_out.carry.items()}
            )
            if table.slices is None:
                yield read
            else:
                for piece in _slices(table.slices, endpoint, read, row, known, now):
                    yield piece


def _slices(
    slices: Slices, endpoint: Endpoint, read: Read, row: Mapping[str, Any], known: SliceState, now: datetime
) -> Iterator[Read]:
    since, until = _moment(row.get(slices.since)), _moment(row.get(slices.until))
    if since is None or endpoint.window is None:
        return
    parent = "/".join(str(value) for value in read.extra.values())
    first = known.first_month(parent, since.date().replace(day=1), now, slices.trailing_months)
    last = min(next_month((until or now).date()), now.date())
    start_param, end_param = endpoint.window
    for month in months(datetime.combine(first, time(), UTC), datetime.combine(last, time(), UTC)):
        bounds = {
            start_param: datetime.combine(month, time(), UTC),
            end_param: datetime.combine(next_month(month), time(), UTC),
        }
        for value in slices.values:
            yield Read(
                params={**read.params, **bounds, slices.param: value},
                extra={**read.extra, slices.column: value, "month": month},
            )


def _moment(text: Any) -> datetime | None:
    if not isinstance(text, str) or not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
