"""What the acceptance tests share: an emulator on a port, a folder to sync in, and the comparison of the two."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, chdir
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import pytest

from feedloom.config import Setting
from feedloom.emulator import Emulator, create_emulator, serve
from feedloom.sync.jobs import make_job
from feedloom.sync.report import Report
from feedloom.sync.run import run
from feedloom.vendors import VENDORS
from support.compare_refiner import KEYS, compare

COMMAND = Path(sys.executable).with_name("feedloom")
NO_REPORTS = tuple(table for table in KEYS if table != "reporting")
"""Every table but the one that takes a request for each form, month and kind of report."""

_stages = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    errors: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON that it printed."""
        read: dict[str, Any] = json.loads(self.out)
        return read

    def table(self, name: str) -> dict[str, Any]:
        """What its report says of one table."""
        found: dict[str, Any] = next(table for table in self.document["tables"] if table["table"] == name)
        return found


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

    def differences(self, tables: Collection[str] = NO_REPORTS, *, now: datetime | None = None) -> list[str]:
        """What differs between the emulator and the database."""
        return compare(self.url, self.emulator.key, self.database, tables=tables, now=now)


class Play(Protocol):
    """Starts emulators of Refiner."""

    def __call__(
        self,
        *,
        rows: int,
        seed: int = 1,
        faults: Collection[str] = (),
        quirks: dict[str, str] | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> Stage:
        """One emulator with a folder of its own; what is left out has the emulator's default."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "big: takes several seconds; leave out with -m 'not big'")


@pytest.fixture(autouse=True)
def _quiet_dlt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.setenv("RUNTIME__LOG_LEVEL", "ERROR")
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with ExitStack() as stack:

        def start(
            *,
            rows: int,
            seed: int = 1,
            faults: Collection[str] = (),
            quirks: dict[str, str] | None = None,
            now: Callable[[], datetime] | None = None,
        ) -> Stage:
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
            stack.callback(emulator.close)
            folder = tmp_path / f"stage-{number}"
            folder.mkdir()
            return Stage(emulator=emulator, url=stack.enter_context(serve(emulator)), folder=folder)

        yield start


@pytest.fixture
def equal() -> Callable[[list[str]], None]:
    """Fails with the first differences when there are any."""

    def check(differences: list[str]) -> None:
        shown = "\n".join(differences[:20])
        assert not differences, f"{len(differences)} differences, the first of them:\n{shown}"

    return check
