"""How large the pages are that a client asks for: smaller where the vendor fails at large ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

import orjson

from feedloom.catalogue import Endpoint, NoPaging
from feedloom.http.encode import Value

SMALLEST: Final = 25
TRIES: Final = 2
"""Failures in a row of one page after which its size is blamed."""

GROWING: Final = 100
"""Pages in a row that arrive at a size before the next list is asked for with a larger one."""


def smaller_size(size: int) -> int | None:
    """The largest size that is at most half of *size*, at least 25 and divides it; None when there is none.

    Since it divides *size*, each place where a page of *size* starts is one where a page of the smaller size does.
    """
    return next((half for half in range(size // 2, SMALLEST - 1, -1) if size % half == 0), None)


@dataclass(slots=True)
class _Learned:
    size: int
    arrived: int = 0


class PageSizes:
    """The sizes that one client has learned, by endpoint. A size that failed is tried again after 100 good pages."""

    def __init__(self) -> None:
        self._learned: dict[str, _Learned] = {}
        self._lost: set[tuple[str, bytes, int]] = set()

    def size_for(self, endpoint: str, wanted: int) -> int:
        """The size to start a list of *endpoint* with, where *wanted* is the most."""
        learned = self._learned.get(endpoint)
        return wanted if learned is None else min(wanted, learned.size)

    def shrink(self, endpoint: str, size: int) -> int | None:
        """A page of *size* kept failing: the size to go on with, None where there is no smaller one."""
        smaller = smaller_size(size)
        if smaller is not None:
            self._learned[endpoint] = _Learned(min(smaller, self.size_for(endpoint, smaller)))
        return smaller

    def arrived(self, endpoint: str, size: int) -> None:
        """A page of *size* arrived."""
        learned = self._learned.get(endpoint)
        if learned is None or size < learned.size:
            return
        learned.arrived += 1
        if learned.arrived >= GROWING:
            self._learned[endpoint] = _Learned(learned.size * 2)

    def is_lost_again(self, endpoint: str, params: Mapping[str, Value], *, number: int) -> bool:
        """Whether page *number* of the list with *params*, its size among them, was lost before; remembers it."""
        text = orjson.dumps(dict(params), default=str, option=orjson.OPT_SORT_KEYS)
        place = (endpoint, text, number)
        was_lost = place in self._lost
        self._lost.add(place)
        return was_lost


class Sizing:
    """The size of the pages of one list that is being read.

    Args:
        endpoint: The list.
        params: Its parameters with the largest size wanted.
        learned: What the client knows of sizes.

    Attributes:
        params: The parameters with the size to ask for now.
    """

    def __init__(self, endpoint: Endpoint, params: Mapping[str, Value], *, learned: PageSizes) -> None:
        self.endpoint = endpoint
        self.params = dict(params)
        self._learned = learned
        self._param = "" if isinstance(endpoint.paging, NoPaging) else endpoint.paging.size_param
        if self._param:
            self._set(learned.size_for(endpoint.name, self._size))

    @property
    def size(self) -> int | None:
        """Rows a page to ask for now; None where the list comes whole."""
        return self._size if self._param else None

    @property
    def may_shrink(self) -> bool:
        """Whether there is a smaller size to ask for."""
        return bool(self._param) and smaller_size(self._size) is not None

    def shrink(self) -> int:
        """Ask for less from now on, in this list and those that follow it; the new size."""
        smaller = self._learned.shrink(self.endpoint.name, self._size)
        if smaller is None:
            raise ValueError(f"{self.endpoint.name} has no smaller page than {self._size}")
        self._set(smaller)
        return smaller

    def shrinks_after_loss(self, number: int) -> bool:
        """Page *number* of a scroll was lost: whether the list is asked for in smaller pages when it starts over.

        It is once the same page was lost twice, which is no accident.
        """
        if not self._learned.is_lost_again(self.endpoint.name, self.params, number=number) or not self.may_shrink:
            return False
        self.shrink()
        return True

    def note_arrival(self) -> None:
        """A page arrived."""
        if self._param:
            self._learned.arrived(self.endpoint.name, self._size)

    @property
    def _size(self) -> int:
        return cast("int", self.params[self._param])

    def _set(self, size: int) -> None:
        self.params[self._param] = size
