"""Keeps the count of a day-long limit across runs and processes, in a small database of the user's.

The file is ``limits.sqlite`` in ``$FEEDLOOM_STATE``, else in ``$XDG_STATE_HOME/feedloom``, else in
``~/.local/state/feedloom``. It holds counts by minute under a fingerprint of the key, never the key.
"""

from __future__ import annotations

import atexit
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from feedloom.catalogue import Limit

FLUSH_S: Final = 1.0
FLUSH_COUNT: Final = 200

_SLICE_MS: Final = 60_000
_BUSY_S: Final = 5.0
_SCHEMA: Final = """
create table if not exists requests (
    budget text not null, slice integer not null, count integer not null, primary key (budget, slice)
) without rowid
"""


def state_folder() -> Path:
    """Where counts are kept; made when missing."""
    chosen = os.environ.get("FEEDLOOM_STATE")
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    folder = Path(chosen) if chosen else Path(home) / "feedloom"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class StoredMeter:
    """Counts the requests of one long limit by the minute, together with all other processes that use the key.

    Counts are written once a second or every 200 requests, and when the process ends, so that a kill forgets at most
    that many. A request leaves the window together with its whole minute, up to a minute late and never early.

    Args:
        limit: What the vendor allows.
        budget: Names the key and the limit without giving the key away.
        folder: Where the database is.
        wall_s: Seconds since 1970.
    """

    def __init__(self, limit: Limit, *, budget: str, folder: Path, wall_s: Callable[[], float] = time.time) -> None:
        self._limit = limit
        self._budget = budget
        self._file = folder / "limits.sqlite"
        self._wall_s = wall_s
        self._slices: dict[int, int] = {}
        self._unwritten: dict[int, int] = {}
        self._written_at_s = 0.0
        self.write()
        atexit.register(self.write)

    def wait_ms(self, now_ms: int) -> int:  # noqa: ARG002 - a day is counted by the wall clock, which outlives a process
        """Milliseconds until the oldest minute has left the window; 0 when there is room."""
        wall_ms = int(self._wall_s() * 1000)
        first = (wall_ms - self._limit.seconds * 1000) // _SLICE_MS
        for number in [number for number in self._slices if number <= first - 1]:
            del self._slices[number]
        if sum(self._slices.values()) < self._limit.requests:
            return 0
        return (min(self._slices) + 1) * _SLICE_MS + self._limit.seconds * 1000 - wall_ms

    def count(self, now_ms: int) -> None:  # noqa: ARG002 - the same
        """Record a request."""
        wall_s = self._wall_s()
        number = int(wall_s * 1000) // _SLICE_MS
        self._slices[number] = self._slices.get(number, 0) + 1
        self._unwritten[number] = self._unwritten.get(number, 0) + 1
        if wall_s - self._written_at_s >= FLUSH_S or sum(self._unwritten.values()) >= FLUSH_COUNT:
            with suppress(sqlite3.Error):  # a file that is locked or full now is written to the next time
                self.write()

    def write(self) -> None:
        """Add what is new here to the database, and take over what others have added."""
        self._written_at_s = self._wall_s()
        first = (int(self._written_at_s * 1000) - self._limit.seconds * 1000) // _SLICE_MS
        with closing(sqlite3.connect(self._file, timeout=_BUSY_S)) as database:
            with database:
                database.execute(_SCHEMA)
                database.executemany(
                    "insert into requests values (?, ?, ?) on conflict do update set count = count + excluded.count",
                    [(self._budget, number, count) for number, count in self._unwritten.items()],
                )
                database.execute("delete from requests where budget = ? and slice < ?", (self._budget, first))
            self._unwritten.clear()
            self._slices = dict(
                database.execute("select slice, count from requests where budget = ?", (self._budget,)).fetchall()
            )
