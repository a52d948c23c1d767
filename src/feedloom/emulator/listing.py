"""Lists of any length, cut into pages: a base that is computed by position, with a few changed rows laid over it.

A base row has a position and a key; keys rise with the position. Changed rows stand beside the base under keys of their
own, and the base rows they replace are hidden. Nothing here holds more than the changed rows and some counts.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Generic, TypeAlias, TypeVar

RowT = TypeVar("RowT")

Key: TypeAlias = tuple[Any, int]
"""A sort value and a number that tells rows of the same value apart."""

_TOTALS_KEPT = 1_024
_COUNTS_KEPT = 200_000
_STRETCHES_KEPT = 16
_WORTH_KEEPING = 1_024
"""Blocks of at least this size are cut into several pages, which then share one look at their rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Generic[RowT]):
    """Which rows of a listing are meant.

    Attributes:
        name: Two queries of one listing with the same name take the same rows, their bounds apart.
        takes_base: Whether the base row at a position belongs to it; None when all do.
        takes_extra: Whether a changed row belongs to it.
        count_block: How many base rows of a block it takes, where that is known without a look at them.
        low: Smallest key, inclusive; None for no bound.
        high: Largest key, exclusive; None for no bound.
    """

    name: Hashable
    takes_base: Callable[[int], bool] | None
    takes_extra: Callable[[RowT], bool]
    count_block: Callable[[int], int] | None = None
    low: Key | None = None
    high: Key | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[RowT]):
    """A piece of a list: positions of base rows and changed rows, in order, and the key of the last."""

    rows: list[int | RowT]
    last_key: Key | None
    has_more: bool


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Base positions and places among the changed rows that lie between the same two keys."""

    start: int
    end: int
    extra_start: int
    extra_end: int


class Listing(Generic[RowT]):
    """One list in one order.

    Args:
        size: Length of the base.
        key: Key of the base row at a position; rises with it.
        block: Base rows that are counted together.
        descending: The largest key comes first.
    """

    def __init__(self, *, size: int, key: Callable[[int], Key], block: int, descending: bool) -> None:
        self._size = size
        self._key = key
        self._block = block
        self._descending = descending
        self._hidden: set[int] = set()
        self._hidden_in: Counter[int] = Counter()
        self._extras: list[tuple[Key, RowT]] = []
        self._totals: OrderedDict[Hashable, int] = OrderedDict()
        self._counts: dict[Hashable, int] = {}
        self._stretches: OrderedDict[Hashable, list[int | RowT]] = OrderedDict()

    def hide(self, position: int) -> None:
        """Take the base row at *position* out of the list."""
        if position not in self._hidden:
            self._hidden.add(position)
            self._hidden_in[position // self._block] += 1
        self.forget()

    def put(self, *, key: Key, row: RowT) -> None:
        """Lay *row* into the list; no other row may have its key."""
        insort(self._extras, (key, row), key=itemgetter(0))
        self.forget()

    def drop(self, key: Key) -> None:
        """Take the changed row under *key* out again; without effect when there is none."""
        place = bisect_left(self._extras, key, key=itemgetter(0))
        if place < len(self._extras) and self._extras[place][0] == key:
            del self._extras[place]
        self.forget()

    def forget(self) -> None:
        """Forget every count, because rows may now answer queries differently."""
        self._totals.clear()
        self._counts.clear()
        self._stretches.clear()

    def count(self, query: Query[RowT]) -> int:
        """How many rows *query* takes."""
        name = (query.name, query.low, query.high)
        if name not in self._totals:
            whole = self._within(query=query, after=None)
            self._totals[name] = sum(self._count(query=query, stretch=stretch) for stretch in self._walk(whole))
            if len(self._totals) > _TOTALS_KEPT:
                self._totals.popitem(last=False)
        return self._totals[name]

    def page(self, query: Query[RowT], *, after: Key | None = None, skip: int = 0, length: int) -> Page[RowT]:
        """The next *length* rows beyond the key *after*, leaving out the first *skip* of them."""
        rows: list[int | RowT] = []
        for stretch in self._walk(self._within(query=query, after=after)):
            if skip or query.count_block is not None:
                count = self._count(query=query, stretch=stretch)
                if count <= skip:
                    skip -= count
                    continue
            rows.extend(self._taken(query=query, stretch=stretch)[skip:])
            skip = 0
            if len(rows) > length:
                break
        page = rows[:length]
        return Page(rows=page, last_key=self._key_of(page[-1]) if page else None, has_more=len(rows) > length)

    def _key_of(self, row: int | RowT) -> Key:
        if isinstance(row, int):
            return self._key(row)
        return next(key for key, extra in self._extras if extra is row)

    def _within(self, *, query: Query[RowT], after: Key | None) -> _Stretch:
        """The part of the list between the bounds of *query* and on the far side of *after*."""
        low = self._places(query.low) if query.low is not None else (0, 0)
        high = self._places(query.high) if query.high is not None else (self._size, len(self._extras))
        if after is not None and self._descending:
            high = min(high, self._places(after))
        elif after is not None:
            low = max(low, self._places(after, beyond=True))
        return _Stretch(low[0], max(low[0], high[0]), low[1], max(low[1], high[1]))

    def _places(self, key: Key, *, beyond: bool = False) -> tuple[int, int]:
        """The first base position and the first place among the changed rows whose key is *key* or more."""
        find = bisect_right if beyond else bisect_left
        return (
            find(range(self._size), key, key=self._key),
            find(self._extras, key, key=itemgetter(0)),
        )

    def _walk(self, whole: _Stretch) -> Iterator[_Stretch]:
        """*whole* cut at the borders of blocks, in the order of the list."""
        borders = range((whole.start // self._block + 1) * self._block, whole.end, self._block)
        if not self._descending:
            start, extra_start = whole.start, whole.extra_start
            for border in borders:
                extra_end = self._extra_place(border, whole)
                yield _Stretch(start, border, extra_start, extra_end)
                start, extra_start = border, extra_end
            yield _Stretch(start, whole.end, extra_start, whole.extra_end)
            return
        end, extra_end = whole.end, whole.extra_end
        for border in reversed(borders):
            extra_start = self._extra_place(border, whole)
            yield _Stretch(border, end, extra_start, extra_end)
            end, extra_end = border, extra_start
        yield _Stretch(whole.start, end, whole.extra_start, extra_end)

    def _extra_place(self, border: int, whole: _Stretch) -> int:
        if whole.extra_start == whole.extra_end:
            return whole.extra_start
        return bisect_left(self._extras, self._key(border), lo=whole.extra_start, hi=whole.extra_end, key=itemgetter(0))

    def _count(self, *, query: Query[RowT], stretch: _Stretch) -> int:
        extras = sum(query.takes_extra(row) for _, row in self._extras[stretch.extra_start : stretch.extra_end])
        if stretch.start == stretch.end:
            return extras
        block = stretch.start // self._block
        is_whole = stretch.start % self._block == 0 and stretch.end == min(self._size, stretch.start + self._block)
        if not is_whole:
            return extras + sum(1 for _ in self._taken_positions(query=query, stretch=stretch))
        if query.count_block is not None and not self._hidden_in[block]:
            return extras + query.count_block(block)
        name = (query.name, block)
        count = self._counts.get(name)
        if count is None:
            if len(self._counts) >= _COUNTS_KEPT:
                self._counts.clear()
            count = self._counts[name] = sum(1 for _ in self._taken_positions(query=query, stretch=stretch))
        return extras + count

    def _taken_positions(self, *, query: Query[RowT], stretch: _Stretch) -> Iterator[int]:
        positions: Iterator[int] = iter(range(stretch.start, stretch.end))
        if self._hidden_in and self._hidden:
            positions = (position for position in positions if position not in self._hidden)
        return positions if query.takes_base is None else filter(query.takes_base, positions)

    def _taken(self, *, query: Query[RowT], stretch: _Stretch) -> list[int | RowT]:
        """The rows of *stretch* that *query* takes, in the order of the list."""
        if self._block < _WORTH_KEEPING:
            return self._collected(query=query, stretch=stretch)
        name = (query.name, stretch)
        rows = self._stretches.get(name)
        if rows is None:
            rows = self._stretches[name] = self._collected(query=query, stretch=stretch)
            if len(self._stretches) > _STRETCHES_KEPT:
                self._stretches.popitem(last=False)
        return rows

    def _collected(self, *, query: Query[RowT], stretch: _Stretch) -> list[int | RowT]:
        positions = list(self._taken_positions(query=query, stretch=stretch))
        rows: list[int | RowT] = [*positions]
        extras = [
            extra for extra in self._extras[stretch.extra_start : stretch.extra_end] if query.takes_extra(extra[1])
        ]
        if extras:
            keyed: list[tuple[Key, int | RowT]] = [(self._key(row), row) for row in positions]
            keyed.extend(extras)
            keyed.sort(key=itemgetter(0))
            rows = [row for _, row in keyed]
        if self._descending:
            rows.reverse()
        return rows
