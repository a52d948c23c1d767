"""Shows how far a sync is, on stderr: live bars at a terminal, one line a table elsewhere."""

from __future__ import annotations

import os
import sys
import time
from typing import Protocol

import click

from feedloom.sync.tally import Progress, Quiet

_LONG_WAIT_S = 1.0


class Shown(Progress, Protocol):
    """A progress that is closed when the run ends."""

    def close(self) -> None:
        """Take it off the screen."""


def make_progress(*, quiet: bool) -> Shown:
    """Bars at a terminal, plain lines elsewhere, nothing when *quiet*."""
    if quiet:
        return _Silent()
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and "CI" not in os.environ:
        return _Bars()
    return _Lines()


class _Silent(Quiet):
    def close(self) -> None:
        """Nothing is shown."""


class _Lines(Quiet):
    """Says when something takes long, and nothing else: the report follows on stdout."""

    def wait(self, reason: str, seconds: float) -> None:
        """Say that a limit makes the run wait."""
        if seconds >= _LONG_WAIT_S:
            click.echo(f"waiting {seconds:.0f} s: {reason}", err=True)

    def close(self) -> None:
        """Nothing to take away."""


class _Bars:
    """A bar for each table: rows, rate and, where the vendor gives a total, the time left."""

    def __init__(self) -> None:
        from rich.console import Console  # noqa: PLC0415 - rich is imported only where bars are shown
        from rich.progress import (  # noqa: PLC0415 - the same
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeRemainingColumn,
        )
        from rich.progress import (
            Progress as Bars,
        )

        self._bars = Bars(
            TextColumn("{task.description:<18}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=Console(stderr=True),
        )
        self._tasks: dict[str, tuple[int, float]] = {}
        self._tables: dict[str, object] = {}
        self._bars.start()

    def begin(self, table: str) -> None:
        """Show the table's bar."""
        self._tables[table] = self._bars.add_task(table, total=None, rate="")
        self._tasks[table] = (0, time.monotonic())

    def rows(self, table: str, count: int, total: int | None) -> None:
        """Move the bar."""
        so_far, started = self._tasks[table]
        so_far += count
        self._tasks[table] = (so_far, started)
        rate = so_far / max(time.monotonic() - started, 0.001)
        self._bars.update(self._tables[table], completed=so_far, total=total, rate=f"{rate:,.0f} rows/s")  # type: ignore[arg-type]  # rich's own id type is private

    def wait(self, reason: str, seconds: float) -> None:
        """Say that a limit makes the run wait."""
        if seconds >= _LONG_WAIT_S:
            self._bars.console.print(f"waiting {seconds:.0f} s: {reason}")

    def end(self, table: str) -> None:
        """Fill the bar."""
        so_far, _ = self._tasks[table]
        self._bars.update(self._tables[table], completed=so_far, total=max(so_far, 1))  # type: ignore[arg-type]  # the same

    def close(self) -> None:
        """Stop drawing."""
        self._bars.stop()
