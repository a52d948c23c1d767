"""The count of changes to an environment, and the clock by which they are dated."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime


class Ledger:
    """``version`` is the number of changes so far; it names a state of all data for good."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self.version = 0
        self._now = now

    def now_s(self) -> float:
        """The time, in seconds since 1970."""
        return self._now().timestamp()

    def now_ms(self) -> int:
        """The time, in epoch milliseconds."""
        return int(self._now().timestamp() * 1000)

    def advance(self) -> int:
        """Count one change; returns the version that it makes."""
        self.version += 1
        return self.version
