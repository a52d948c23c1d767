"""Which calls a table needs now: windows, months and their passes. Pure; what it knows comes from the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from feedloom.catalogue import Endpoint, Pass, Window
from feedloom.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One list (or single answer) to read.

    Attributes:
        params: Parameters of the call.
        extra: Columns added to each of its rows.
        window: Identity of the window it reads, for the ledger of finished ones; None when it reads no window.
    """

    params: Mapping[str, Any]
    extra: Mapping[str, Any] = field(default_factory=dict)
    window: tuple[str, str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """What the user asked for.

    Attributes:
        start: First moment wanted, aware; None for as far back as the table goes.
        end: First moment no longer wanted, aware; None for now.
    """

    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        for name, moment in (("start", self.start), ("end", self.end)):
            if moment is not None and moment.tzinfo is None:
                raise InputError(
                    f"{name} has no time zone: {moment.isoformat()}",
                    hint=f"add the zone, for example {moment.isoformat()}+00:00",
                    code="FL210",
                )
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise InputError(
                f"start {self.start.isoformat()} is not before end {self.end.isoformat()}",
                hint="swap them, or leave one out",
                code="FL211",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a windowed table is complete.

    Attributes:
        since: First moment loaded; None when the whole history is.
        through: First moment not yet loaded.
        pending: Windows that were planned together and are not all done: ``(since, through)`` of the plan under way.
        done: Windows of that plan that are loaded, as ``(pass, start, end)``.
    """

    since: datetime | None = None
    through: datetime | None = None
    pending: tuple[datetime | None, datetime] | None = None
    done: frozenset[tuple[str, str, str]] = frozenset()


def plan_windows(
    window: Window, endpoint: Endpoint, cursor: Cursor, wanted: Range, now: datetime
) -> tuple[tuple[datetime | None, datetime], list[Read]]:
    """The range to read now and the calls that read it, oldest first, without the windows already done.

    A first load goes from ``wanted.start``, else from the table's history, else from the beginning; a later one from a
    look-back before the last complete load. The end is ``wanted.end``, else *now* cut to the second; it never lies in
    the future, where rows still to come would be passed over.
    """
    end = min(wanted.end or now, now).astimezone(UTC).replace(microsecond=0)
    if cursor.pending is not None and wanted.start is None and wanted.end is None:
        since, end = cursor.pending
        first = cursor.through is None
    elif wanted.start is not None:
        since, first = wanted.start.astimezone(UTC), cursor.through is None
    elif cursor.through is not None:
        since, first = cursor.through - window.look_back, False
    else:
        since, first = (end - window.history if window.history is not None else None), True
    if since is not None and since >= end:
        return (since, end), []
    passes = [step for step in window.passes if (step.first if first else step.later)]
    reads = [
        read
        for piece in pieces(since, end, window.longest)
        for step in passes
        if (read := _read(window, endpoint, step, piece)).window not in cursor.done
    ]
    return (since, end), reads


def advance(cursor: Cursor, read: tuple[datetime | None, datetime]) -> Cursor:
    """The cursor after the whole range *read* was loaded: it never moves back, and never over a gap."""
    since, through = read
    if cursor.through is None:
        return Cursor(since=since, through=through)
    touches = (since is None or since <= cursor.through) and (cursor.since is None or through >= cursor.since)
    if not touches:
        return Cursor(since=cursor.since, through=cursor.through)
    start = None if since is None or cursor.since is None else min(since, cursor.since)
    return Cursor(since=start, through=max(through, cursor.through))


def pieces(
    since: datetime | None, end: datetime, longest: timedelta | None
) -> Iterator[tuple[datetime | None, datetime]]:
    """Cut [since, end) into pieces of at most *longest*, in order, without gap or overlap."""
    if since is None or longest is None:
        yield since, end
        return
    while since < end:
        until = min(since + longest, end)
        yield since, until
        since = until


def months(since: datetime, until: datetime) -> list[date]:
    """The first days of the months that the closed range touches, in UTC, in order."""
    first, last = since.astimezone(UTC).date().replace(day=1), until.astimezone(UTC).date()
    found = []
    while first <= last:
        found.append(first)
        first = next_month(first)
    return found


def next_month(day: date) -> date:
    """The first day of the month after that of *day*."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def back_months(day: date, count: int) -> date:
    """The first day of the month *count* months before that of *day*."""
    for _ in range(count):
        day = day.replace(day=1) - timedelta(days=1)
    return day.replace(day=1)


def _read(window: Window, endpoint: Endpoint, step: Pass, piece: tuple[datetime | None, datetime]) -> Read:
    start, end = piece
    identity = (step.name, "" if start is None else start.isoformat(), end.isoformat())
    if window.style == "filter":
        bounds = [f"{step.column}<{_epoch_ms(end)}"]
        if start is not None:
            bounds.insert(0, f"{step.column}>={_epoch_ms(start)}")
        params: dict[str, Any] = {endpoint.filter_param: [";".join(bounds)], endpoint.sort_param: step.column}
        return Read(params={**step.params, **params}, window=identity)
    if endpoint.window is None:
        raise ValueError(f"endpoint {endpoint.name} has no window parameters")
    start_param, end_param = endpoint.window
    bounds_params: dict[str, Any] = {end_param: end}
    if start is not None:
        bounds_params[start_param] = start
    return Read(params={**step.params, **bounds_params}, window=identity)


def _epoch_ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000
