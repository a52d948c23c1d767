"""What a list holds for a query: the numbers of its rows, filtered and sorted.

Where a query bounds nothing but the date, and sorts by nothing else, the numbers are told by arithmetic; else the rows
in question are looked at one by one, and their numbers kept.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Protocol, TypeAlias

from feedloom.vendors.aptrinsic.emulator.book import Base, Book, Numbers, Row
from feedloom.vendors.aptrinsic.emulator.conditions import Column, test_of
from feedloom.vendors.aptrinsic.emulator.windows import Group, Span, hull

_Takes: TypeAlias = Callable[[int], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class SortKey:
    """A field to sort by."""

    column: Column
    descending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which rows are wanted: those that fit one of ``groups``, all when there is none; and their order."""

    groups: tuple[Group, ...] = ()
    sort: tuple[SortKey, ...] = ()

    @property
    def span(self) -> Span:
        """The moments outside of which no row fits."""
        return hull(group.span for group in self.groups)

    @property
    def is_plain(self) -> bool:
        """Whether every row within the span fits."""
        return not self.groups or (len(self.groups) == 1 and not self.groups[0].terms)


class Shelf(Protocol):
    """A list that scrolls read."""

    def select(self, query: Query, *, version: int) -> Sequence[int]:
        """The numbers of the rows that *query* means at *version*, in order."""

    def rows(self, query: Query, numbers: Iterable[int]) -> list[Row]:
        """The rows with those numbers."""


class BookShelf:
    """The rows of a book, in the order in which they were made unless a query sorts them; ties by ``id_field``."""

    def __init__(self, *, book: Book, id_field: str) -> None:
        self._book = book
        self._id_field = id_field

    def select(self, query: Query, *, version: int) -> Sequence[int]:
        """The numbers of the rows that *query* means at *version*, in order."""
        numbers: Sequence[int] = self._book.numbers(version=version)
        if not query.is_plain:
            numbers = array("q", filter(_taker(query=query, book=self._book, date_field=None), numbers))
        return _sorted(numbers, keys=query.sort, book=self._book, id_field=self._id_field) if query.sort else numbers

    def rows(self, query: Query, numbers: Iterable[int]) -> list[Row]:  # noqa: ARG002 - rows are the same for every query
        """The rows with those numbers."""
        return list(map(self._book.row, numbers))


class DatedBase(Base, Protocol):
    """A base whose moments rise with the position; ``event_id`` tells rows of the same moment apart."""

    def date_ms(self, position: int) -> int:
        """When the row at *position* happened."""

    def event_id(self, position: int) -> str:
        """The id of the row at *position*."""


class DatedShelf:
    """The rows of a book of things that happen, which are written later in any order and never change.

    ``date_field`` and ``id_field`` say where a written row has its moment and its id.
    """

    def __init__(self, *, base: DatedBase, date_field: str, id_field: str) -> None:
        self.book = Book(base)
        self._base = base
        self._date_field = date_field
        self._id_field = id_field

    def select(self, query: Query, *, version: int) -> Sequence[int]:
        """The numbers of the rows that *query* means at *version*, in order."""
        span = query.span
        by_date = len(query.sort) == 1 and query.sort[0].column.name == self._date_field
        numbers: Sequence[int] = self._within(span, version=version, by_date=by_date)
        if not query.is_plain:
            takes = _taker(query=query, book=self.book, date_field=self._date_field)
            numbers = array("q", filter(takes, numbers))
        if not by_date:
            keys = query.sort
            return _sorted(numbers, keys=keys, book=self.book, id_field=self._id_field) if keys else numbers
        if not query.sort[0].descending:
            return numbers
        return numbers.reversed() if isinstance(numbers, Numbers) else numbers[::-1]

    def rows(self, query: Query, numbers: Iterable[int]) -> list[Row]:  # noqa: ARG002 - rows are the same for every query
        """The rows with those numbers."""
        return list(map(self.book.row, numbers))

    def _within(self, span: Span, *, version: int, by_date: bool) -> Numbers:
        positions = range(self._base.count)
        start = 0 if span.start_ms is None else bisect_left(positions, span.start_ms, key=self._base.date_ms)
        stop = self._base.count if span.end_ms is None else bisect_left(positions, span.end_ms, key=self._base.date_ms)
        rows = ((self.book.row(number), number) for number in self.book.written(version=version))
        keyed = [
            ((row[self._date_field], row.get(self._id_field, "")), number)
            for row, number in rows
            if span.holds(row[self._date_field])
        ]
        if by_date:
            among = [
                (bisect_left(positions, key, key=lambda at: (self._base.date_ms(at), self._base.event_id(at))), number)
                for key, number in sorted(keyed)
            ]
        else:
            among = [(stop, number) for _, number in keyed]
        return self.book.numbers(version=version, start=start, stop=max(start, stop), among=among)


class Selections:
    """The numbers selected lately, kept up to ``most`` of them so that the further pages of a scroll are found fast."""

    def __init__(self, *, most: int = 4_000_000) -> None:
        self._most = most
        self._held = 0
        self._kept: dict[Hashable, Sequence[int]] = {}

    def get(self, name: Hashable, *, make: Callable[[], Sequence[int]]) -> Sequence[int]:
        """The numbers kept under *name*, made when there are none."""
        numbers = self._kept.pop(name, None)
        if numbers is None:
            numbers = make()
            self._held += _weight(numbers)
        self._kept[name] = numbers
        while self._held > self._most and len(self._kept) > 1:
            oldest = next(iter(self._kept))
            self._held -= _weight(self._kept.pop(oldest))
        return numbers


def _weight(numbers: Sequence[int]) -> int:
    return numbers.weight if isinstance(numbers, Numbers) else len(numbers)


def _taker(*, query: Query, book: Book, date_field: str | None) -> _Takes:
    """Whether the row with a number, which lies within the span of *query*, fits one of its groups."""
    if len(query.groups) == 1:
        return _group_taker(group=query.groups[0], book=book, date_field=None)
    groups = [_group_taker(group=group, book=book, date_field=date_field) for group in query.groups]
    return lambda number: any(takes(number) for takes in groups)


def _group_taker(*, group: Group, book: Book, date_field: str | None) -> _Takes:
    checks = [(book.reader(term.column.path), test_of(term)) for term in group.terms]
    if date_field is not None:
        checks.insert(0, (book.reader((date_field,)), lambda values: group.span.holds(values[0])))
    if len(checks) == 1:
        read, test = checks[0]
        return lambda number: test(read(number))
    return lambda number: all(test(read(number)) for read, test in checks)


def _sorted(numbers: Iterable[int], *, keys: tuple[SortKey, ...], book: Book, id_field: str) -> array[int]:
    """*numbers* in the order of *keys*; ties by id, in the direction of the first key."""
    columns = [(id_field,), *(key.column.path for key in keys)]
    readers = [book.reader(path) for path in columns]
    keyed = [(number, *(_rank(read(number)) for read in readers)) for number in numbers]
    keyed.sort(key=itemgetter(1), reverse=keys[0].descending)
    for place in range(len(keys), 0, -1):
        keyed.sort(key=itemgetter(place + 1), reverse=keys[place - 1].descending)
    return array("q", map(itemgetter(0), keyed))


def _rank(values: list[Any]) -> tuple[int, Any]:
    """Missing values come first, then numbers and truth values, then texts without case."""
    if not values:
        return 0, 0
    value = values[0]
    return (1, value) if isinstance(value, (int, float)) else (2, str(value).casefold())
