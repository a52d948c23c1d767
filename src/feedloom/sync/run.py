"""Runs a sync: table after table, each extracted, loaded and checked before the next is begun.

What an earlier run left half loaded is loaded first.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from dlt.pipeline.pipeline import Pipeline

from feedloom.errors import DestinationError, FeedloomError, VendorError
from feedloom.sources.session import active
from feedloom.sync import ledger, packages
from feedloom.sync.carrying import can_keep
from feedloom.sync.changes import ChangeCounter
from feedloom.sync.drift import SchemaWatch
from feedloom.sync.failures import explain
from feedloom.sync.jobs import Job
from feedloom.sync.journals import forget_old_runs, settle
from feedloom.sync.loading import load
from feedloom.sync.lock import locked
from feedloom.sync.memory import configured_memory
from feedloom.sync.one_table import TableLoader
from feedloom.sync.plan import take_expected
from feedloom.sync.report import Report, TableReport
from feedloom.sync.unfinished import clear_away_normalised, take_back_unsure_appends
from feedloom.sync.warehouse import make_file


def run(job: Job, *, on_table: Callable[[TableReport], None] = lambda _report: None) -> Report:
    """Run *job*; *on_table* hears of each table as it is done.

    The session's ``stop`` ends the run after the page at hand. A table that the vendor answers wrongly, or whose rows
    the database refuses, fails alone: its error stands in the report, and the others go on. An error that would befall
    every table (the key, the network, a limit, the database, another run of the same pipeline) is raised; tables
    finished before are loaded and stay so.
    """
    started = time.monotonic()
    report = Report(
        run_id=job.session.run,
        source=job.vendor.slug,
        destination=job.target.to,
        dataset=job.target.dataset,
    )
    with locked(job.pipeline):
        watch = SchemaWatch(job.pipeline, job.vendor)
        try:
            _run_tables(job, report, watch, on_table)
        except BaseException as error:
            _sum_up(job, report, started)
            with suppress(OSError):
                ledger.keep(job.pipeline, report.run_id, ledger.entry_of(job, report, _named(error)))
                watch.keep([table.table for table in report.tables])
            raise
        _sum_up(job, report, started)
        ledger.keep(job.pipeline, report.run_id, ledger.entry_of(job, report))
        watch.keep([table.table for table in report.tables])
        _send_ledger(job, report)
    return report


def _send_ledger(job: Job, report: Report) -> None:
    try:
        ledger.send(job.pipeline, report.run_id)
    except DestinationError as error:
        if error.code != ledger.REFUSED:
            raise
        report.problems.append(f"{error.message}; {error.hint}")


def _run_tables(job: Job, report: Report, watch: SchemaWatch, on_table: Callable[[TableReport], None]) -> None:
    with ExitStack() as stack:
        memory = configured_memory()
        job.session.batch_bytes = memory.batch_bytes
        folder = stack.enter_context(_scratch(job.pipeline))
        counter = stack.enter_context(ChangeCounter(folder, memory_mb=memory.comparison_mb))
        stack.enter_context(active(job.session))
        job.session.on_keys = counter.add
        if job.replayed is None:
            report.expected_requests, report.expected_rows = take_expected(job.pipeline, job.tables)
        if job.target.file is not None:
            make_file(job.target.file)
        job.pipeline.sync_destination()
        job.session.keeps_vanished = job.deletes == "soft" and can_keep(job.pipeline.destination)
        clear_away_normalised(job.pipeline)
        take_back_unsure_appends(job.pipeline, job.vendor)
        _load_what_is_pending(job, report)
        settle(job.pipeline, job.vendor, job.session)
        for table in job.tables:
            if job.session.stop.is_set():
                break
            result = TableLoader(job, table, counter, watch.table(table)).sync()
            report.tables.append(result)
            on_table(result)
        forget_old_runs(job.session)
        packages.drop_loaded(job.pipeline)


@contextmanager
def _scratch(pipeline: Pipeline) -> Iterator[Path]:
    """A folder for the run alone; what a killed run of the pipeline left in it goes first.

    It lies beside the pipeline's own folder, which dlt empties when it finds the database gone.
    """
    folder = Path(pipeline.pipelines_dir) / "scratch" / pipeline.pipeline_name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sum_up(job: Job, report: Report, started: float) -> None:
    report.interrupted = job.session.stop.is_set()
    report.seconds = time.monotonic() - started
    report.requests = job.tally.requests


def _named(error: BaseException) -> FeedloomError:
    """What the ledger says of an error that ended the run; of one that nobody foresaw, only its kind."""
    return explain(error) or FeedloomError(f"the run was ended by {type(error).__name__}", hint="run it again")


def _load_what_is_pending(job: Job, report: Report) -> None:
    """Load what an earlier run left half loaded; what the database refuses is put aside, and read again by this run.

    What cannot be normalised is taken back, and read again too, as far as it can from the journal.
    """
    try:
        load(job)
    except VendorError as error:
        report.notes.append(f"of an earlier run: {error.message}; they are read again")
    except DestinationError as error:
        if error.code != packages.REFUSED:
            raise
        report.notes.append(f"of an earlier run: {error.message}")
