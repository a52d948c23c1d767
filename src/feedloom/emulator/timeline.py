"""Rows spread evenly over a fixed stretch of time, so that a time tells its row and a row its time by arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

END = datetime(2026, 11, 1, tzinfo=UTC)
"""Where the made-up history of every emulator ends, whatever the clock says, so that runs can be repeated."""

DAYS = 730
START = END - timedelta(days=DAYS)
END_S = int(END.timestamp())
START_S = int(START.timestamp())


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """``rows`` moments from ``start`` on, all before ``end``, in whole units of any kind."""

    rows: int
    start: int = START_S
    end: int = END_S

    @property
    def step(self) -> int:
        """The whole units that lie at least between one row and the next."""
        return (self.end - self.start) // max(1, self.rows)

    def at(self, row: int) -> int:
        """When *row* happens; never less than for the row before."""
        return self.start + row * (self.end - self.start) // self.rows

    def first_from(self, moment: int) -> int:
        """The first row that happens at or after *moment*; ``rows`` when none does."""
        row = -(-(moment - self.start) * self.rows // (self.end - self.start))
        return min(max(row, 0), self.rows)
