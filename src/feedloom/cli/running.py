"""Runs a sync until it is done or somebody stops it: once to finish the page at hand, twice to stop at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from feedloom.cli.failures import InterruptedRunError
from feedloom.cli.progress import Shown
from feedloom.sync.failures import causes_of
from feedloom.sync.jobs import Job
from feedloom.sync.report import Report
from feedloom.sync.run import run

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_STOPPING = b"stopping after the page at hand; press Ctrl-C again to stop at once\n"

KEPT = "interrupted: the pages that came are kept, and the next run goes on from there"


def run_until_stopped(job: Job, progress: Shown) -> Report:
    """The report of *job*; ``interrupted`` where Ctrl-C or SIGTERM ended it after the page at hand.

    Raises InterruptedRunError for a second signal.
    """
    job.tally.progress = progress
    try:
        with _stopped_by_signals(job.session.stop):
            return run(job)
    except BaseException as error:
        if not any(isinstance(cause, KeyboardInterrupt) for cause in causes_of(error)):
            raise
        raise InterruptedRunError(
            "stopped at once: finished tables are loaded, and the pages that came are kept",
            hint="run the command again to go on from there",
        ) from error
    finally:
        progress.close()


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """The first signal sets *stop*, the second raises KeyboardInterrupt; the handlers before come back at the end."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        os.write(sys.stderr.fileno(), _STOPPING)  # a signal may come in the middle of another write to the stream

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
