"""Runs a sync until it is done or somebody stops it: once to finish the page at hand, twice to stop at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from feedloom.cli.failures import InterruptedRunError
from feedloom.cli.progress import Shown
from feedloom.sync.failures import causes_of
from feedloom.sync.jobs import Job
from feedloom.sync.report import Report, TableReport
from feedloom.sync.run import run

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

KEPT = "interrupted: the pages that came are kept, and the next run goes on from there"


def run_until_stopped(job: Job, progress: Shown) -> Report:
    """The report of *job*; ``interrupted`` where Ctrl-C or SIGTERM ended it after the page at hand.

    While rows are being written, dlt takes the signal in place of the handler here and gives up; what it left is then
    written to its end. Raises InterruptedRunError for a second signal.
    """
    done: list[TableReport] = []
    job.tally.progress = progress
    try:
        with _stopped_by_signals(job.session.stop):
            try:
                return run(job, on_table=done.append)
            except BaseException as error:
                if job.session.stop.is_set() or not _is_interrupt(error):
                    raise
            _say_stopping()
            job.session.stop.set()
            _write_what_is_pending(job)
    except BaseException as error:
        if _is_interrupt(error):
            raise InterruptedRunError(
                "stopped at once: finished tables are loaded, and the pages that came are kept",
                hint="run the command again to go on from there",
            ) from error
        raise
    finally:
        progress.close()
    return Report(
        source=job.vendor.slug,
        destination=job.target.to,
        dataset=job.target.dataset,
        tables=done,
        requests=job.tally.requests,
        interrupted=True,
    )


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """The first signal sets *stop*, the second raises KeyboardInterrupt; the handlers before come back at the end."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        _say_stopping()

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say_stopping() -> None:
    click.echo("stopping after the page at hand; press Ctrl-C again to stop at once", err=True)


def _is_interrupt(error: BaseException) -> bool:
    return any(isinstance(cause, KeyboardInterrupt) for cause in causes_of(error))


def _write_what_is_pending(job: Job) -> None:
    if job.pipeline.has_pending_data:
        job.pipeline.normalize()
        job.pipeline.load(raise_on_failed_jobs=True)
