"""A stage for tests of Gainsight PX: an emulator with its twin, a clock, and an empty folder to sync into.

feedloom reads the emulator, with whatever quirks and faults a test gives it. The comparison reads the twin, which was
made of the same rows and has neither, nor limits; every change to the data is made to both.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from dlt.pipeline.exceptions import PipelineStepFailed

from feedloom.config import Setting
from feedloom.emulator import Emulator, create_emulator, serve
from feedloom.errors import FeedloomError
from feedloom.sync.failures import explain
from feedloom.sync.jobs import Job, make_job
from feedloom.sync.report import Report, TableReport
from feedloom.sync.run import run
from feedloom.sync.tally import Progress, Quiet
from feedloom.vendors import VENDORS
from support.compare_aptrinsic import KEYS, SUMS, Span, compare, end_of_load, first_span, reading
from support.outcome import Outcome

COMMAND = Path(sys.executable).with_name("feedloom")
LATEST = datetime(2026, 11, 1, tzinfo=UTC)
"""The end of the emulator's base data, which lie in the 730 days before it."""

DEFAULT_TABLES = tuple(table for table in KEYS if table != "user_preferences")
"""The tables that are loaded when none is named."""

SHAPES_OF_DATA = frozenset({"global_context"})
"""Quirks that change what rows hold, which the twin shares."""

_TWIN_QUIRKS = {"limit_per_second": "0", "limit_per_day": "0"}

_POLL_S = 0.005
_stages = count(1)


@dataclass(slots=True)
class Clock:
    """A clock that stands still until it is moved or runs; it starts at the end of the base data."""

    moment: datetime = LATEST
    speed: float = 0.0
    _since_s: float = field(default_factory=time.monotonic)

    def __call__(self) -> datetime:
        """The time."""
        return self.moment + timedelta(seconds=(time.monotonic() - self._since_s) * self.speed)

    def forward(self, **by: float) -> datetime:
        """Move the clock by a ``timedelta``; returns the time."""
        self.moment += timedelta(**by)
        return self()


@dataclass(slots=True, kw_only=True)
class Stage:
    """An emulator that is being served beside its twin, and a folder to sync into.

    ``spans`` are the ranges in which tables were read so far, by the syncs in this process and as a test says.
    """

    emulator: Emulator
    url: str
    twin: Emulator
    twin_url: str
    folder: Path
    clock: Clock
    spans: dict[str, list[Span]] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        """The database that a sync in the folder writes."""
        return self.folder / "feedloom.duckdb"

    @property
    def settings(self) -> dict[str, str]:
        """The environment in which a user's program knows the address and the key, and nothing else of this machine."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "DLT_DATA_DIR": str(self.folder / "dlt"),
            "FEEDLOOM_STATE": str(self.folder / "state"),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "SOURCES__APTRINSIC_SOURCE__BASE_URL": self.url,
            "SOURCES__APTRINSIC_SOURCE__API_KEY": self.emulator.key,
            **self.environment,
        }

    def start(self, *arguments: str | Path, knows_key: bool = True) -> subprocess.Popen[str]:
        """Start a program in the folder, with the settings as its environment; *knows_key* or nothing of the source."""
        settings = {name: value for name, value in self.settings.items() if knows_key or "SOURCE__" not in name}
        return subprocess.Popen(  # noqa: S603 - the programs under test
            arguments,
            cwd=self.folder,
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, program: subprocess.Popen[str], *, timeout_s: float = 60) -> Outcome:
        """Wait for the end of a program; one that takes longer is killed."""
        with program:
            try:
                out, errors = program.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                program.kill()
                raise
        return Outcome(code=program.returncode, out=out, errors=errors)

    def wait_for_requests(self, program: subprocess.Popen[str], requests: int) -> None:
        """Wait until the emulator was asked so often, or *program* has ended."""
        while self.emulator.requests.total < requests and program.poll() is None:
            wait_for(program, _POLL_S)

    def command(self, *arguments: str, timeout_s: float = 60) -> Outcome:
        """Run ``feedloom sync aptrinsic --json`` with further *arguments* in the folder."""
        return self.finish(self.start(COMMAND, "sync", "aptrinsic", "--json", *arguments), timeout_s=timeout_s)

    def _job(self, *, only: Collection[str], start: datetime | None, full: bool) -> Job:
        job = make_job(
            VENDORS["aptrinsic"],
            only=",".join(only),
            start=start.isoformat() if start is not None else None,
            full=full,
            base_url=self.url,
            key=Setting(self.emulator.key, "the test"),
        )
        job.session.now = self.clock()
        return job

    def sync(
        self,
        *,
        only: Collection[str] = (),
        start: datetime | None = None,
        full: bool = False,
        progress: Progress | None = None,
    ) -> Report:
        """Run a sync in this process, which is quicker than the command and can be told the time.

        Raises the error of the first table that could not be brought up to date.
        """
        report = self.try_sync(only=only, start=start, full=full, progress=progress)
        if report.failure is not None:
            raise report.failure
        return report

    def try_sync(
        self,
        *,
        only: Collection[str] = (),
        start: datetime | None = None,
        full: bool = False,
        progress: Progress | None = None,
    ) -> Report:
        """The same, with the errors of single tables in the report."""
        with chdir(self.folder):
            job = self._job(only=only, start=start, full=full)
            job.tally.progress = progress or Quiet()
            return self._run(job)

    def _run(self, job: Job) -> Report:
        """Run a job and remember what it loaded."""

        def remember(table: TableReport) -> None:
            if table.verdict not in ("failed", "incomplete"):
                self.has_loaded([table.table], now=job.session.now, start=job.wanted.start)

        return run(job, on_table=remember)

    def has_loaded(self, tables: Collection[str], *, now: datetime, start: datetime | None = None) -> None:
        """Remember that *tables* were loaded *now*: from *start*, or from where the last load ended."""
        for table in tables:
            loads = self.spans.setdefault(table, [])
            goes_on = bool(loads) and (start is None or table in SUMS)
            since = loads[-1][1] if goes_on else start or first_span(table, now)[0]
            until = end_of_load(table, now)
            if since < until:
                loads.append((since, until))

    def differences(self, tables: Collection[str] = DEFAULT_TABLES) -> list[str]:
        """What differs between the twin and the database, in *tables*."""
        return compare(
            self.twin_url,
            self.twin.key,
            self.database,
            tables=tables,
            spans=self.spans,
            now=self.clock(),
        )

    def rows_there(self, table: str) -> list[dict[str, Any]]:
        """The rows that *table* should hold, as the twin gives them."""
        with reading(self.twin_url, self.twin.key, spans=self.spans, now=self.clock()) as vendor:
            return list(vendor.rows(table))

    def change(self, change: Callable[[Any], object]) -> None:
        """Make the same change through the control of the emulator and of its twin."""
        for emulator in (self.emulator, self.twin):
            change(emulator.control)


@contextmanager
def playing(
    folder: Path,
    *,
    rows: int,
    seed: int = 1,
    faults: Sequence[str] = (),
    quirks: Mapping[str, str] | None = None,
    latency_ms: float = 0,
    clock: Clock | None = None,
) -> Iterator[Stage]:
    """A stage below *folder* with *rows* users and ten times as many events."""
    number = next(_stages)
    clock = clock or Clock()
    quirks = dict(quirks or {})
    shared = {name: value for name, value in quirks.items() if name in SHAPES_OF_DATA}
    key = f"emulator-key-of-px-stage-{number:06d}"
    emulator = create_emulator(
        "aptrinsic",
        rows=rows,
        seed=seed,
        faults=faults,
        quirks=quirks,
        latency_ms=latency_ms,
        key=key,
        now=clock,
    )
    twin = create_emulator("aptrinsic", rows=rows, seed=seed, quirks={**_TWIN_QUIRKS, **shared}, key=key, now=clock)
    home = folder / f"px-{number}"
    home.mkdir()
    with ExitStack() as stack:
        for one in (emulator, twin):
            stack.callback(one.close)
        url, twin_url = (stack.enter_context(serve(one)) for one in (emulator, twin))
        yield Stage(emulator=emulator, url=url, twin=twin, twin_url=twin_url, folder=home, clock=clock)


class AsTimePasses(Quiet):
    """A progress that does something whenever a page has come or a wait begins: what happens meanwhile."""

    def __init__(self, *, on_page: Callable[[], object] = int, on_wait: Callable[[], object] = int) -> None:
        self._on_page = on_page
        self._on_wait = on_wait

    def rows(self, table: str, count: int, total: int | None) -> None:  # noqa: ARG002 - any page will do
        """A page came."""
        self._on_page()

    def wait(self, reason: str, seconds: float) -> None:  # noqa: ARG002 - any wait will do
        """A wait begins."""
        self._on_wait()


def in_turn(*deeds: Callable[[], object] | None) -> Callable[[], None]:
    """Does the first of *deeds* the first time it is called, then the second, and in the end nothing any more."""
    left = iter(deeds)

    def do() -> None:
        if (deed := next(left, None)) is not None:
            deed()

    return do


def crowd_the_last_day(stage: Stage) -> None:
    """Add 1,300 page views, three at each moment, so that one window of events has more than a page of them."""
    first_ms = int((LATEST - timedelta(days=1)).timestamp() * 1000)
    for number in range(1_300):
        stage.change(partial(look_at_a_page, date_ms=first_ms + number // 3))


def look_at_a_page(control: Any, *, date_ms: int) -> None:
    """Let somebody look at a page at that time; for ``Stage.change``."""
    control.add_event("page_view", "u-000003", date_ms)


def error_of(sync: Callable[[], object]) -> FeedloomError | None:
    """The error that *sync* ends with, as the command would tell it; None when it ends well."""
    try:
        sync()
    except (FeedloomError, PipelineStepFailed) as error:
        known = explain(error)
        if known is None:
            raise
        return known
    return None


def wait_for(program: subprocess.Popen[str], seconds: float) -> None:
    """Wait for the end of *program*, but not longer than so many seconds."""
    try:
        program.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return


def table_of(report: Report, name: str) -> TableReport:
    """What *report* says of one table."""
    return next(table for table in report.tables if table.table == name)
