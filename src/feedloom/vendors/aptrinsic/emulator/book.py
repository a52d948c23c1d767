"""The rows of a list under numbers of their own: a base that is computed by position, and the rows that were written.

A row's number names one state of it for good: a base row has its position, a written row the next number beyond the
base. Changing a row retires its number and gives the new state another one in the same place. So the list as it was at
any version can be told again, without a copy of it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right, insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import accumulate, chain
from operator import itemgetter
from typing import Any, Protocol, TypeAlias, overload

Row: TypeAlias = dict[str, Any]


class Base(Protocol):
    """Rows that are made from their position: ``count`` of them, some fields of which ``columns`` tells alone."""

    @property
    def count(self) -> int:
        """How many."""

    @property
    def columns(self) -> Mapping[str, Callable[[int], Any]]:
        """Field -> its value at a position."""

    def row(self, position: int) -> Row:
        """The row at *position*."""


class Numbers(Sequence[int]):
    """Numbers of rows in the order of a list, kept as the few stretches in which they follow each other."""

    def __init__(self, stretches: Iterable[range]) -> None:
        self._stretches = [stretch for stretch in stretches if stretch]
        self._ends = list(accumulate(map(len, self._stretches)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(self._stretches)

    @overload
    def __getitem__(self, place: int) -> int: ...

    @overload
    def __getitem__(self, place: slice) -> array[int]: ...

    def __getitem__(self, place: int | slice) -> int | array[int]:
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            return self._cut(start, stop) if step == 1 else array("q", self)[place]
        at = range(len(self))[place]
        return self._cut(at, at + 1)[0]

    @property
    def weight(self) -> int:
        """How much is kept: the number of stretches."""
        return len(self._stretches)

    def reversed(self) -> Numbers:
        """The same numbers, last first."""
        return Numbers(stretch[::-1] for stretch in reversed(self._stretches))

    def _cut(self, start: int, stop: int) -> array[int]:
        found = array("q")
        at = bisect_right(self._ends, start)
        while start < stop:
            stretch, end = self._stretches[at], self._ends[at]
            begin = end - len(stretch)
            found.extend(stretch[start - begin : min(stop, end) - begin])
            start, at = min(stop, end), at + 1
        return found


@dataclass(slots=True, kw_only=True)
class _Written:
    """One state of a row: the place in the base before which it stands, and the versions at which it came and went."""

    row: Row
    place: int
    born: int
    died: int | None = None

    def lives(self, version: int) -> bool:
        return self.born <= version and (self.died is None or self.died > version)


class Book:
    """The rows of one list at every version that somebody still reads."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self._written: list[_Written] = []
        self._retired: dict[int, int] = {}
        self._retired_order: list[int] = []
        self._dead: deque[tuple[int, int]] = deque()
        self._latest: tuple[int, Row] = (-1, {})

    def row(self, number: int) -> Row:
        """The row with that number, not to be changed."""
        latest, row = self._latest
        if latest == number:
            return row
        count = self.base.count
        row = self.base.row(number) if number < count else self._written[number - count].row
        self._latest = (number, row)
        return row

    def place(self, number: int) -> int:
        """The place in the base where the row with that number stands."""
        return number if number < self.base.count else self._written[number - self.base.count].place

    def write(self, *, row: Row, version: int, place: int | None = None) -> int:
        """Add *row* at the end, or before the base row at *place*; returns its number."""
        self._written.append(_Written(row=row, place=self.base.count if place is None else place, born=version))
        return self.base.count + len(self._written) - 1

    def retire(self, number: int, *, version: int) -> None:
        """Take the row with that number out, from *version* on."""
        if number < self.base.count:
            self._retired[number] = version
            insort(self._retired_order, number)
        else:
            self._written[number - self.base.count].died = version
            self._dead.append((version, number - self.base.count))

    @property
    def gone(self) -> int:
        """How many written rows are gone and still held."""
        return len(self._dead)

    def is_base(self, position: int) -> bool:
        """Whether the base row at *position* still stands as it was."""
        return position < self.base.count and position not in self._retired

    def forget_before(self, version: int) -> None:
        """Let go of the rows that were gone at *version* already."""
        while self._dead and self._dead[0][0] <= version:
            _, place = self._dead.popleft()
            self._written[place].row = {}

    def written(self, *, version: int) -> list[int]:
        """The numbers of the written rows that there are at *version*, in the order of their writing."""
        first = self.base.count
        return [first + at for at, written in enumerate(self._written) if written.lives(version)]

    def numbers(
        self, *, version: int, start: int = 0, stop: int | None = None, among: Iterable[tuple[int, int]] | None = None
    ) -> Numbers:
        """The numbers of the list at *version*, in the order in which its rows were made.

        Args:
            version: Which version.
            start: First position of the base.
            stop: First position of the base no longer wanted.
            among: The written rows wanted, each the position before which it stands and its number, in order; all of
                them when left out.
        """
        stop = self.base.count if stop is None else stop
        if among is None:
            among = sorted((self.place(number), number) for number in self.written(version=version))
        first, last = (bisect_right(self._retired_order, edge - 1) for edge in (start, stop))
        gone = [(place, None) for place in self._retired_order[first:last] if self._retired[place] <= version]
        marks = merge(among, gone, key=itemgetter(0))
        return Numbers(_stretches(start=start, stop=stop, marks=marks))

    def reader(self, path: tuple[str, ...]) -> Callable[[int], list[Any]]:
        """A function that gives the values at *path* in the row with a number: none, one, or the items of lists."""
        column = self.base.columns.get(path[0]) if len(path) == 1 else None
        count, row = self.base.count, self.row
        if column is None:
            return lambda number: leaves(row(number), path)
        return lambda number: [column(number)] if number < count else leaves(row(number), path)


def leaves(value: Any, path: tuple[str, ...]) -> list[Any]:
    """The values at *path* below *value*, through lists; null ones and those that are objects are none."""
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in leaves(item, path)]
    if not path:
        return [] if value is None or isinstance(value, dict) else [value]
    return leaves(value.get(path[0]), path[1:]) if isinstance(value, dict) else []


def _stretches(*, start: int, stop: int, marks: Iterable[tuple[int, int | None]]) -> Iterator[range]:
    """The base from *start* to *stop* with its marks: (place, number) adds a row, (place, None) leaves one out."""
    at = start
    for place, number in marks:
        yield range(at, place)
        at = max(at, place)
        if number is None:
            at = place + 1
        else:
            yield range(number, number + 1)
    yield range(at, stop)
