"""What the acceptance tests share: an emulator on a port, a folder to sync in, and the comparison of the two."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, chdir
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pytest

from feedloom.config import Setting
from feedloom.emulator import Emulator, create_emulator, serve
from feedloom.sync.jobs import make_job
from feedloom.sync.report import Report
from feedloom.sync.run import run
from feedloom.vendors import VENDORS
from support.compare_refiner import LISTS, SCHEMA, compare

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


class Play(Protocol):
    """Starts emulators of Refiner."""

    def __call__(
        self,
        *,
        rows: int,
        seed: int = 1,
        faults: Collection[str] = (),
        quirks: Mapping[str, str] | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> Stage:
        """One emulator with a folder of its own; what is left out has the emulator's default."""


KEPT_CASES = {
    "test_a_fault_that_stays_ends_in_one_named_error_and_no_half_truth": 3,
    "test_a_sync_gets_over_a_fault_that_passes": 3,
    "test_what_passes_by_itself_leaves_no_trace": 2,
    "test_what_does_not_pass_is_one_named_error_and_the_next_sync_makes_all_equal": 2,
    "test_tables_that_were_loaded_stay_as_they_were_when_everything_fails": 1,
    "test_rows_that_are_added_while_lists_are_read_come_with_the_next_sync": 1,
    "test_all_tables_come_whole_with_all_quirks_together": 1,
    "test_every_table_comes_whole_with_the_preferences_of_every_user": 0,
    "test_quirks_in_pairs": 1,
    "test_lists_that_scroll_come_whole": 4,
    "test_nobody_is_passed_over_when_somebody_changes_while_changes_are_read": 2,
    "test_nobody_is_passed_over_when_somebody_changes_while_all_are_read": 1,
    "test_events_come_whole": 1,
    "test_every_row_and_value_comes_from_120_responses": 1,
    "test_every_row_and_value_comes_from_1500_responses": 1,
    "test_the_command_loads_every_row_and_value_of_every_table": 1,
    "test_an_environment_with_one_response_comes_whole": 1,
    "test_any_behaviour_that_sources_disagree_on_gives_an_equal_database": 1,
    "test_many_short_syncs_come_to_the_same_as_one": 1,
    "test_an_import_with_a_date_long_past_is_found": 1,
    "test_values_that_change_their_kind_between_syncs_keep_both_kinds": 1,
    "test_a_run_that_is_interrupted_keeps_what_came_and_the_next_goes_on": 1,
    "test_a_sync_that_is_killed_goes_on_and_ends_equal": 2,
    "test_every_engine_leaves_the_same_database": 1,
    "test_refiner_goes_on_after_a_kill": 2,
    "test_gainsight_px_goes_on_after_a_kill": 2,
}
"""How many cases of the slowest tests ``make test`` runs; ``make nightly`` runs them all."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "big: takes several seconds; leave out with -m 'not big'")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    seen: Counter[str] = Counter()
    for item in items:
        name = item.name.partition("[")[0]
        seen[name] += 1
        if seen[name] > KEPT_CASES.get(name, seen[name]):
            item.add_marker(pytest.mark.nightly)


@pytest.fixture(autouse=True, scope="module")
def _dlt_by_itself(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep dlt away from the network and from the home folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        patch.setenv("RUNTIME__LOG_LEVEL", "ERROR")
        patch.setenv("DLT_DATA_DIR", str(tmp_path_factory.mktemp("dlt")))
        yield


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _playing(folder: Path) -> Iterator[Play]:
    with ExitStack() as stack:

        def start(
            *,
            rows: int,
            seed: int = 1,
            faults: Collection[str] = (),
            quirks: Mapping[str, str] | None = None,
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
            home = folder / f"stage-{number}"
            home.mkdir()
            return Stage(emulator=emulator, url=stack.enter_context(serve(emulator)), folder=home)

        yield start


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    yield from _playing(tmp_path)


@pytest.fixture(scope="module")
def play_for_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    yield from _playing(tmp_path_factory.mktemp("stages"))
