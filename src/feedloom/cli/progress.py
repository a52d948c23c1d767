"""Shows how far a sync is, on stderr: live bars at a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import click

from feedloom.catalogue import Endpoint
from feedloom.cli.terminal import shows_bars, shows_colours
from feedloom.http.observe import Silent
from feedloom.sync.tally import Progress, Quiet

_LONG_WAIT_S = 1.0
_LINE_EVERY_S = 5.0


class Shown(Progress, Protocol):
    """A progress that is closed when the run ends."""

    def close(self) -> None:
        """Take it off the screen."""


def make_progress(*, quiet: bool) -> Shown:
    """Bars at a terminal, plain lines elsewhere, nothing when *quiet*."""
    if quiet:
        return Hidden()
    return _Bars() if shows_bars(sys.stderr) else Lines()


class Waits(Silent):
    """An observer of the HTTP client that tells of long waits, where no table is read yet."""

    def on_wait(self, reason: str, seconds: float) -> None:
        """Say that the client waits, and why."""
        _say_wait(reason, seconds)

    def on_retry(self, endpoint: Endpoint, reason: str, attempt: int) -> None:
        """Nothing: the wait before it was told."""


class Hidden(Quiet):
    """Shows nothing."""

    def close(self) -> None:
        """Nothing to take away."""


@dataclass(slots=True)
class Pace:
    """How far one table is.

    Attributes:
        started_s: When its reading began, on the clock of whoever counts.
        rows: Rows that came.
        total: Rows of the list at hand, where the vendor says so and it is not passed yet.
    """

    started_s: float
    rows: int = 0
    total: int | None = None

    def add(self, count: int, total: int | None) -> None:
        """*count* more rows came, of *total* in the list they belong to."""
        self.rows += count
        self.total = total if total is not None and total >= self.rows else None

    def rate(self, now_s: float) -> float:
        """Rows a second so far."""
        return self.rows / max(now_s - self.started_s, 0.001)

    def left_s(self, now_s: float) -> float | None:
        """Seconds until the total at this rate; None where there is no total."""
        if self.total is None or not self.rows:
            return None
        return (self.total - self.rows) / self.rate(now_s)


class Lines:
    """Says every five seconds how far a table is, and when it is done.

    Args:
        say: Takes each line.
        clock_s: Seconds, never running backwards.
    """

    def __init__(
        self, *, say: Callable[[str], None] | None = None, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say or (lambda line: click.echo(line, err=True))
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._paces: dict[str, Pace] = {}
        self._said_s = clock_s()

    def begin(self, table: str) -> None:
        """Start counting the table."""
        with self._lock:
            self._paces[table] = Pace(self._clock_s())

    def rows(self, table: str, count: int, total: int | None) -> None:
        """Count rows, and say so when nothing was said for a while."""
        with self._lock:
            now_s = self._clock_s()
            pace = self._paces.setdefault(table, Pace(now_s))
            pace.add(count, total)
            if now_s - self._said_s >= _LINE_EVERY_S:
                self._said_s = now_s
                self._say(_line(table, pace, now_s))

    def wait(self, reason: str, seconds: float) -> None:
        """Say that the client waits, and why."""
        _say_wait(reason, seconds, say=self._say)

    def end(self, table: str) -> None:
        """Say that the table is done."""
        with self._lock:
            self._said_s = now_s = self._clock_s()
            pace = self._paces.pop(table, Pace(now_s))
            self._say(f"{table}: done, {pace.rows:,} rows read in {now_s - pace.started_s:.1f} s")

    def close(self) -> None:
        """Nothing to take away."""


def _line(table: str, pace: Pace, now_s: float) -> str:
    left_s = pace.left_s(now_s)
    if left_s is None:
        return f"{table}: {pace.rows:,} rows, {pace.rate(now_s):,.0f} rows/s"
    return (
        f"{table}: {pace.rows:,} of {pace.total:,} rows, {pace.rate(now_s):,.0f} rows/s, about {_duration(left_s)} left"
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _say_wait(reason: str, seconds: float, *, say: Callable[[str], None] | None = None) -> None:
    if seconds >= _LONG_WAIT_S:
        text = f"waiting {_duration(seconds)}: {reason}"
        (say or (lambda line: click.echo(line, err=True)))(text)


class _Bars:
    """A bar for each table: rows, rate and, where the vendor gives a total, the time left."""

    def __init__(self) -> None:
        from rich import progress as rich  # noqa: PLC0415 - imported only where bars are shown
        from rich.console import Console  # noqa: PLC0415 - the same

        console = Console(stderr=True, no_color=not shows_colours(sys.stderr), highlight=False)
        self._bars = rich.Progress(
            rich.TextColumn("{task.description:<18}"),
            rich.BarColumn(bar_width=24),
            rich.MofNCompleteColumn(),
            rich.TextColumn("{task.fields[rate]}"),
            rich.TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
        )
        self._tasks: dict[str, tuple[rich.TaskID, Pace]] = {}
        self._with_total: set[str] = set()
        self._bars.start()

    def begin(self, table: str) -> None:
        """Show the table's bar."""
        self._tasks[table] = (self._bars.add_task(table, total=None, rate=""), Pace(time.monotonic()))

    def rows(self, table: str, count: int, total: int | None) -> None:
        """Move the bar; it only pulses while there is no total."""
        if table not in self._tasks:
            return
        task, pace = self._tasks[table]
        pace.add(count, total)
        if pace.total is not None:
            self._with_total.add(table)
        end = pace.rows if pace.total is None and table in self._with_total else pace.total
        self._bars.update(task, completed=pace.rows, total=end, rate=f"{pace.rate(time.monotonic()):,.0f} rows/s")

    def wait(self, reason: str, seconds: float) -> None:
        """Say that the client waits, and why."""
        _say_wait(reason, seconds, say=self._bars.console.print)

    def end(self, table: str) -> None:
        """Fill the bar."""
        task, pace = self._tasks[table]
        self._bars.update(task, completed=max(pace.rows, 1), total=max(pace.rows, 1))

    def close(self) -> None:
        """Stop drawing; the bars stay."""
        self._bars.stop()
