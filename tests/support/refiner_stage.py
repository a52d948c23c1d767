"""A stage for tests of Refiner: an emulator that is served, a clock, and an empty folder to sync into."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import duckdb

from feedloom.config import Setting
from feedloom.emulator import Emulator, create_emulator, serve
from feedloom.sync.jobs import make_job
from feedloom.sync.report import Report
from feedloom.sync.run import run
from feedloom.vendors import VENDORS
from support.compare_refiner import LISTS, SCHEMA, compare
from support.outcome import Outcome

COMMAND = Path(sys.executable).with_name("feedloom")
_stages = count(1)


@dataclass(slots=True)
class Clock:
    """A clock that stands still until it is moved; it starts after the last base row of the emulator."""

    moment: datetime = datetime(2026, 11, 2, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.moment

    def forward(self, **by: float) -> None:
        """Move the clock by a ``timedelta``."""
        self.moment += timedelta(**by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """An emulator that is being served, and an empty folder to sync into."""

    emulator: Emulator
    url: str
    folder: Path

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
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "SOURCES__REFINER_SOURCE__BASE_URL": self.url,
            "SOURCES__REFINER_SOURCE__API_KEY": self.emulator.key,
        }

    def command(self, *arguments: str, timeout_s: float = 60) -> Outcome:
        """Run ``feedloom sync refiner --json`` with further *arguments* in the folder."""
        done = subprocess.run(  # noqa: S603 - the command under test
            [COMMAND, "sync", "refiner", "--json", *arguments],
            cwd=self.folder,
            env=self.settings,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        return Outcome(code=done.returncode, out=done.stdout, errors=done.stderr)

    def sync(self, *, only: Collection[str] = (), full: bool = False, now: datetime | None = None) -> Report:
        """The same in this process, which is quicker and can be told the time."""
        with chdir(self.folder):
            key = Setting(self.emulator.key, "the test")
            job = make_job(VENDORS["refiner"], only=",".join(only), full=full, base_url=self.url, key=key)
            if now is not None:
                job.session.now = now
            return run(job)

    def tables(self) -> list[str]:
        """The tables that the database holds; none before there is a database."""
        if not self.database.exists():
            return []
        with duckdb.connect(str(self.database), read_only=True) as connection:
            query = "select table_name from information_schema.tables where table_schema = ?"
            return [name for (name,) in connection.execute(query, [SCHEMA]).fetchall()]

    def differences(self, tables: Collection[str] = LISTS, *, now: datetime | None = None) -> list[str]:
        """What differs between the emulator and the database."""
        return compare(self.url, self.emulator.key, self.database, tables=tables, now=now)


@contextmanager
def playing(
    folder: Path,
    *,
    rows: int,
    seed: int = 1,
    faults: Collection[str] = (),
    quirks: Mapping[str, str] | None = None,
    now: Callable[[], datetime] | None = None,
) -> Iterator[Stage]:
    """A stage below *folder* whose emulator has *rows* responses and no limit on calls."""
    number = next(_stages)
    emulator = create_emulator(
        "refiner",
        rows=rows,
        seed=seed,
        faults=faults,
        quirks={"limit_key": "0", **(quirks or {})},
        key=f"emulator-key-of-stage-{number:06d}",
        now=now,
    )
    home = folder / f"stage-{number}"
    home.mkdir()
    try:
        with serve(emulator) as url:
            yield Stage(emulator=emulator, url=url, folder=home)
    finally:
        emulator.close()
