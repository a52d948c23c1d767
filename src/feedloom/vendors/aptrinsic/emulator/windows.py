"""The date range of a list of events: what a filter bounds, what is assumed when it does not, and how long it may be.

Source: openapi.yaml, "Date windows"; aptrinsic-notes, sections 4 and 10.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from feedloom.vendors.aptrinsic.emulator.conditions import Term
from feedloom.vendors.aptrinsic.emulator.refusal import bad_request
from feedloom.vendors.aptrinsic.emulator.values import checked_moment_ms, read_moment_ms
from feedloom.vendors.aptrinsic.emulator.visits import DAY_MS

MOST_DAYS = 190
MONITORING_DAYS = 180
ADOPTION_DAYS = 7

_DATE = "date"
_RANGE_START, _RANGE_END = "dateRangeStart", "dateRangeEnd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The moments from ``start_ms`` on, before ``end_ms``; None for no bound."""

    start_ms: int | None = None
    end_ms: int | None = None

    def holds(self, moment_ms: int) -> bool:
        """Whether *moment_ms* lies in it."""
        return (self.start_ms is None or self.start_ms <= moment_ms) and (
            self.end_ms is None or moment_ms < self.end_ms
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Terms that must all hold of a row, and the span in which its date must lie."""

    span: Span
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRule:
    """How bare ranges are completed; ``has_default`` lists show the last day when no date is given, others all."""

    now_ms: int
    has_default: bool

    def completed(self, span: Span) -> Span:
        """*span* with both ends, refused when it is too long.

        An open end is now, an open start a day before the end.
        """
        if span == Span() and not self.has_default:
            return span
        end_ms = self.now_ms if span.end_ms is None else span.end_ms
        start_ms = end_ms - DAY_MS if span.start_ms is None else span.start_ms
        check_length(start_ms=start_ms, end_ms=end_ms, most_days=MOST_DAYS)
        # What happens in this very moment has happened.
        return Span(start_ms=start_ms, end_ms=end_ms + 1 if span.end_ms is None else end_ms)


def check_length(*, start_ms: int, end_ms: int, most_days: int) -> None:
    """Refuse a range that is too long, in the vendor's words, in which a space is missing."""
    if end_ms - start_ms > most_days * DAY_MS:
        raise bad_request(f"Exceeded date range{most_days}days")


def ranged(*, arguments: Mapping[str, Any], now_ms: int, most_days: int) -> Span:
    """The range that *arguments* give in dateRangeStart and dateRangeEnd; refused when it is too long.

    An open end is now, an open start lies as far before the end as a range may be long.
    """
    end_ms = checked_moment_ms(arguments.get(_RANGE_END, now_ms), field=_RANGE_END)
    start_ms = checked_moment_ms(arguments.get(_RANGE_START, end_ms - most_days * DAY_MS), field=_RANGE_START)
    check_length(start_ms=start_ms, end_ms=end_ms, most_days=most_days)
    return Span(start_ms=start_ms, end_ms=end_ms)


def given_range(arguments: Mapping[str, Any]) -> Span:
    """The range that *arguments* give in dateRangeStart and dateRangeEnd, open where they give nothing."""
    start, end = (arguments.get(name) or None for name in (_RANGE_START, _RANGE_END))
    return Span(
        start_ms=None if start is None else checked_moment_ms(start, field=_RANGE_START),
        end_ms=None if end is None else checked_moment_ms(end, field=_RANGE_END),
    )


def dated_group(*, terms: Iterable[Term], also: Span, rule: WindowRule) -> Group:
    """The group of *terms*, those on the date taken into its span together with the bounds that *also* gives."""
    starts = [] if also.start_ms is None else [also.start_ms]
    ends = [] if also.end_ms is None else [also.end_ms]
    others = []
    for term in terms:
        if term.column.name != _DATE or term.operator in {"!=", "~", "!~"}:
            others.append(term)
            continue
        moment_ms = read_moment_ms(term.value)
        if term.operator in {">", ">=", "=="}:
            starts.append(moment_ms + (term.operator == ">"))
        if term.operator in {"<", "<=", "=="}:
            ends.append(moment_ms + (term.operator != "<"))
    span = Span(start_ms=max(starts, default=None), end_ms=min(ends, default=None))
    return Group(span=rule.completed(span), terms=tuple(others))


def hull(spans: Iterable[Span]) -> Span:
    """The shortest span that holds all *spans*."""
    spans = list(spans)
    starts = [span.start_ms for span in spans if span.start_ms is not None]
    ends = [span.end_ms for span in spans if span.end_ms is not None]
    return Span(
        start_ms=min(starts) if spans and len(starts) == len(spans) else None,
        end_ms=max(ends) if spans and len(ends) == len(spans) else None,
    )
