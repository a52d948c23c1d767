"""Which calls a table needs now: windows, months and their passes. Pure; what it knows comes from the catalogue."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, TypeAlias

from feedloom.catalogue import Endpoint, Pass, Table, Window
from feedloom.errors import InputError

_SHORTEST = timedelta(minutes=1)
_SHORTEST_PART = timedelta(days=7)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What pages must show before a filter of the vendor, and its order newest first, are trusted.

    Attributes:
        column: The rows' column that the filter compares and the order follows, in epoch milliseconds.
        least: No row of any page may lie before it.
        otherwise: Parameters of the call that is made when one does, or when the first page is in another order.
    """

    column: str
    least: int
    otherwise: Mapping[str, Any]

    def ignored(self, rows: Sequence[Mapping[str, Any]], *, is_first: bool) -> Literal["", "filter", "sort"]:
        """What the vendor ignored, as the *rows* of a page show; empty when they show nothing of the kind.

        The order is looked at on the first page alone: rows that change while a list is read may stand in later pages
        with values that are newer than their places.
        """
        values = [row.get(self.column) for row in rows]
        numbers = [value for value in values if isinstance(value, int) and value >= self.least]
        if len(numbers) < len(values):
            return "filter"
        return "sort" if is_first and numbers != sorted(numbers, reverse=True) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One list (or single answer) to read.

    Attributes:
        params: Parameters of the call.
        extra: Columns added to each of its rows.
        bounds: The window it reads, [start, end); None when it reads no window.
        bounded: Makes the same read for another window.
        proof: What its pages must show.
        may_be_gone: It asks about a row that was listed before, and may be deleted since.
    """

    params: Mapping[str, Any]
    extra: Mapping[str, Any] = field(default_factory=dict)
    bounds: tuple[datetime, datetime] | None = None
    bounded: Callable[[datetime, datetime], Read] | None = None
    proof: Proof | None = None
    may_be_gone: bool = field(default=False, compare=False)

    def halves(self) -> tuple[Read, Read] | None:
        """Two reads that together see what this one does; None when its window cannot be cut."""
        if self.bounds is None or self.bounded is None:
            return None
        start, end = self.bounds
        middle = start + (end - start) / 2
        if end - start < _SHORTEST:
            return None
        return self.bounded(start, middle), self.bounded(middle, end)


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
        through: First moment not yet loaded; None before the first complete load.
    """

    since: datetime | None = None
    through: datetime | None = None


Span: TypeAlias = tuple[datetime | None, datetime]


def with_look_back(table: Table, look_back: timedelta) -> Table:
    """*table*, whose later loads start *look_back* before the end of the last; as it was, if it has no look-back."""
    if table.window is None or not table.window.look_back:
        return table
    return replace(table, window=replace(table.window, look_back=look_back))


def span_to_read(window: Window, cursor: Cursor, wanted: Range, now: datetime) -> Span:
    """The range to read now, [since, through); since None stands for the beginning.

    A first load goes from ``wanted.start``, else from the table's history, else from the beginning; a later one from a
    look-back before the last complete load. The end is ``wanted.end``, else *now*; it never lies in the future, where
    rows still to come would be passed over. What the user or the clock says is cut to the second, as vendors read it.

    The first load of records that are read by their last change takes all of them, whatever the start: one that has not
    changed since belongs to the list no less. A later load of sums goes on where the last one ended, whatever the
    start: ranges that overlap would count twice.
    """
    end = min(wanted.end or now, now).astimezone(UTC).replace(microsecond=0)
    if window.whole_days:
        end = end.replace(hour=0, minute=0, second=0)
    ignores_start = window.disputed if cursor.through is None else window.whole_days
    if wanted.start is not None and not ignores_start:
        return wanted.start.astimezone(UTC).replace(microsecond=0), end
    if cursor.through is not None:
        return cursor.through - window.look_back, end
    return (end - window.history if window.history is not None else None), end


def plan_windows(
    window: Window,
    endpoint: Endpoint,
    span: Span,
    params: Mapping[str, Any],
    *,
    first: bool,
    oldest: datetime | None = None,
) -> list[Read]:
    """The calls that read *span*, oldest window first, each with *params*; *first* says that nothing is loaded yet.

    *oldest* says about when the rows of a span without beginning begin, so that it too is cut into parts.
    """
    since, end = span
    if since is not None and since >= end:
        return []
    passes = [step for step in window.passes if (step.first if first else step.later)]
    return [
        _read(window, endpoint, step, piece, params)
        for piece in _pieces_of(window, since, end, oldest)
        for step in passes
    ]


def _pieces_of(window: Window, since: datetime | None, end: datetime, oldest: datetime | None) -> Iterator[Span]:
    if since is not None or oldest is None or oldest >= end:
        yield from pieces(since, end, _piece_length(window, since, end))
        return
    length = _piece_length(window, oldest, end)
    if length is None:
        yield None, end
        return
    edge = min(oldest.replace(microsecond=0) + length, end)
    yield None, edge
    yield from pieces(edge, end, length)


def _piece_length(window: Window, since: datetime | None, end: datetime) -> timedelta | None:
    """How long a piece of [since, end) may be: short enough for the window's parts, and no part under a week."""
    if since is None or window.parts == 1:
        return window.longest
    part = max((end - since) / window.parts, _SHORTEST_PART)
    part = timedelta(seconds=math.ceil(part.total_seconds()))
    return part if window.longest is None else min(part, window.longest)


def advance(cursor: Cursor, span: Span) -> Cursor:
    """The cursor after all of *span* was loaded: it never moves back, never over a gap, and not for an empty span."""
    since, through = span
    if since is not None and since >= through:
        return cursor
    if cursor.through is None:
        return Cursor(since=since, through=through)
    touches = (since is None or since <= cursor.through) and (cursor.since is None or through >= cursor.since)
    if not touches:
        return cursor
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


def _read(window: Window, endpoint: Endpoint, step: Pass, piece: Span, params: Mapping[str, Any]) -> Read:
    start, end = piece

    def bounded(start: datetime, end: datetime) -> Read:
        return _read(window, endpoint, step, (start, end), params)

    common = {**step.params, **params}
    if window.style == "filter":
        return _filtered(window, endpoint, step, piece, common, bounded)
    if endpoint.window is None:
        raise ValueError(f"endpoint {endpoint.name} has no window parameters")
    start_param, end_param = endpoint.window
    bounds: dict[str, Any] = {end_param: _bound(window, end)}
    if start is None:
        return Read(params={**common, **bounds})
    return Read(params={**common, start_param: _bound(window, start), **bounds}, bounds=(start, end), bounded=bounded)


def _filtered(
    window: Window,
    endpoint: Endpoint,
    step: Pass,
    piece: Span,
    params: Mapping[str, Any],
    bounded: Callable[[datetime, datetime], Read],
) -> Read:
    start, end = piece
    if start is None and window.optional:
        return Read(params=params)
    if start is not None and window.disputed:
        return _changed_since(endpoint, step, start, params)
    until = f"{step.column}<{_epoch_ms(end)}"
    window_terms = until if start is None else f"{step.column}>={_epoch_ms(start)};{until}"
    filtered = _with_filter(endpoint, params, window_terms, sort=step.column)
    return Read(params=filtered) if start is None else Read(params=filtered, bounds=(start, end), bounded=bounded)


def _changed_since(endpoint: Endpoint, step: Pass, start: datetime, params: Mapping[str, Any]) -> Read:
    """The read of the rows that changed from *start* on, newest first.

    A row that changes while they are read moves to the front: rows that it passes may come twice, and it comes itself
    with the next run, which begins before this one did. Oldest first, it would move to the end and draw the rows behind
    it one place forward, one of them past the edge of a page. There is no upper bound, as what changes after the
    window's end is welcome too.
    """
    least = _epoch_ms(start)
    newest_first = _with_filter(endpoint, params, f"{step.column}>={least}", sort=f"-{step.column}")
    return Read(params=newest_first, proof=Proof(column=step.column, least=least, otherwise=params))


def _with_filter(endpoint: Endpoint, params: Mapping[str, Any], terms: str, *, sort: str) -> dict[str, Any]:
    """*params* with *terms* joined to each group of the user's filter, and with *sort*."""
    own = [group for group in params.get(endpoint.filter_param, ()) if group]
    groups = [f"{group.rstrip(';')};{terms}" for group in own] or [terms]
    return {**params, endpoint.filter_param: groups, endpoint.sort_param: sort}


def _bound(window: Window, moment: datetime) -> datetime | int:
    return _epoch_ms(moment) if window.time == "epoch_ms" else moment


def _epoch_ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
