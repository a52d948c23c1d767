"""Where a sync can be struck, and how often a list was asked for again after it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from dlt.pipeline.pipeline import Pipeline

from feedloom.emulator import Emulator
from feedloom.http import paging
from feedloom.sources.journal import Journal, Walk
from feedloom.sync import one_table
from feedloom.sync.journals import shelves

Put = Callable[[Any, str, Any], object]
"""Puts a function in the place of another: ``setattr``, or what undoes it at the end of a test."""

Asked = tuple[str, str]
"""A request: the name of its endpoint, and its query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A boundary between two phases of a sync: before or after that call of a function."""

    owner: Any
    function: str
    call: int
    after: bool


PHASES = {
    "after a page was kept": Phase(owner=Journal, function="add", call=5, after=True),
    "after a load was normalised": Phase(owner=Pipeline, function="normalize", call=3, after=True),
    "after it was loaded": Phase(owner=Pipeline, function="load", call=2, after=True),
    "before a page is kept": Phase(owner=Journal, function="add", call=4, after=False),
    "after the windows were kept": Phase(owner=Journal, function="keep_plan", call=1, after=True),
    "after all was read": Phase(owner=Journal, function="finish", call=3, after=True),
    "before a load is normalised": Phase(owner=Pipeline, function="normalize", call=2, after=False),
    "before it is loaded": Phase(owner=Pipeline, function="load", call=3, after=False),
    "after that was noted": Phase(owner=one_table, function="note_loaded", call=2, after=True),
}


def strike_at(name: str, strike: Callable[[], None], put: Put) -> None:
    """Let *strike* be called at the phase called *name*, before or after the function there has done its work."""
    phase = PHASES[name]
    real = getattr(phase.owner, phase.function)
    calls = Counter[str]()

    def hooked(*arguments: Any, **more: Any) -> Any:
        calls[name] += 1
        is_due = calls[name] == phase.call
        if is_due and not phase.after:
            strike()
        result = real(*arguments, **more)
        if is_due:
            strike()
        return result

    put(phase.owner, phase.function, hooked)


def small_pages(rows: int, put: Put) -> None:
    """Let every list be asked for in pages of *rows*, so that lists of some hundred rows have many pages."""
    real = paging.with_page_size

    def small(endpoint: Any, params: Any, page_size: int | None = None) -> Any:
        return real(endpoint, params, page_size or rows)

    put(paging, "with_page_size", small)


def pages_asked(emulator: Emulator) -> list[Asked]:
    """The requests for pages, without those for one row, which count."""
    return [(one.endpoint, one.query) for one in emulator.requests if not _ONE_ROW & {*one.query.split("&")}]


def most_repeated(before: Sequence[Asked], after: Sequence[Asked]) -> int:
    """How many requests of one list at most were sent again by the run after the kill."""
    again = Counter(before) & Counter(after)
    return max(Counter(_list_of(request) for request in again.elements()).values(), default=0)


def loaded_endpoints(folder: Path) -> set[str]:
    """The endpoints of tables that were loaded before the kill, which are brought up to date like any other day's."""
    with chdir(folder):  # the folders of readings are relative to it
        readings = [reading for shelf in shelves() for one in shelf.runs for reading in one.readings]
        return {
            asked.endpoint
            for reading in readings
            if reading.note.pages is not None
            for asked in _walked(reading.folder).lists.values()
        }


class Restarts:
    """Watches what is asked again of *emulator* after each kill of a sync in *folder*.

    What is asked *beside* the lists, by every run, is left out.
    """

    def __init__(self, emulator: Emulator, folder: Path, *, beside: Collection[str]) -> None:
        self.most = 0
        self._emulator = emulator
        self._folder = folder
        self._beside = beside
        self._before: list[Asked] = []
        self._loaded: set[str] = set()

    def note(self) -> None:
        """The run that has just ended is one of those before the next; ``most`` is how often it repeated itself."""
        asked = [one for one in pages_asked(self._emulator) if one[0] not in self._beside]
        again = [one for one in asked if one[0] not in self._loaded]
        self.most = max(self.most, most_repeated(self._before, again))
        self._before += asked
        self._loaded = loaded_endpoints(self._folder)
        self._emulator.requests.clear()


def _list_of(request: Asked) -> Asked:
    """The list that a request is about: all it says but which page."""
    said = parse_qs(request[1])
    return request[0], str(sorted((name, value) for name, value in said.items() if name not in _PLACES))


_ONE_ROW = {"page_length=1", "pageSize=1"}
_PLACES = ("page", "page_cursor", "scrollId", "pageNumber")


def _walked(folder: Path) -> Walk:
    walk = Walk(folder)
    list(walk.every_page())
    return walk
