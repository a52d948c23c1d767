"""Cuts a loaded range into the days or months that are counted one by one: pure functions on UTC."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from feedloom.sources.planning import next_month

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A range of time, start inclusive (None for the beginning), end exclusive, and how many rows lie in it here."""

    start: datetime | None
    end: datetime
    here: int


def cut(
    span: tuple[datetime | None, datetime], rows_by_day: Mapping[int, int], *, period: Literal["day", "month"]
) -> list[Piece]:
    """The days or months of *span* that hold rows, in order, cut off where the span begins and ends.

    *rows_by_day* counts the rows inside the span by days since 1970. Together with one count of the whole span, these
    pieces leave no row uncounted: what agrees in both has nothing in between.
    """
    since, through = span
    counts: defaultdict[date, int] = defaultdict(int)
    for number, rows in rows_by_day.items():
        day = _EPOCH + timedelta(days=number)
        counts[day.replace(day=1) if period == "month" else day] += rows
    found = []
    for first in sorted(counts):
        start = _midnight(first)
        end = _midnight(next_month(first) if period == "month" else first + timedelta(days=1))
        inside = start if since is None else max(start, since)
        found.append(Piece(start=inside, end=min(end, through), here=counts[first]))
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
