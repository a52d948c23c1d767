"""Both engines, and one after the other, leave the same database of each vendor: types, columns, values, children."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import chdir, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from feedloom.config import Setting
from feedloom.emulator import Emulator, create_emulator, serve
from feedloom.sync.jobs import make_job
from feedloom.sync.report import Report
from feedloom.sync.run import run
from feedloom.vendors import VENDORS
from support.loaded import Database, Row

LATEST = datetime(2026, 11, 1, tzinfo=UTC)
ENGINES: Mapping[str, tuple[str, str, str]] = {
    "arrow": ("arrow", "arrow", "arrow"),
    "json": ("json", "json", "json"),
    "arrow first": ("arrow", "json", "arrow"),
    "json first": ("json", "arrow", "json"),
}
"""Database -> the engine of each of its three syncs."""

QUIRKS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "refiner": {
        "one side": {
            "numbers": "number",
            "empty_map": "list",
            "tags_on_read": "present",
            "ungrouped_account": "object",
            "unverified_fields": "present",
            "folder": "text",
        },
        "the other side": {"several_choices": "text", "folder": "null"},
    },
    "aptrinsic": {"one side": {"global_context": "array"}, "the other side": {"global_context": "null"}},
}
_NO_LIMITS = {"refiner": {"limit_key": "0"}, "aptrinsic": {"limit_per_second": "0", "limit_per_day": "0"}}
READ_AT = "read_at"
"""A column that holds the moment of each reading, which no two have in common."""


@dataclass(slots=True)
class World:
    """An emulator, and databases that are loaded from it at the same moments."""

    emulator: Emulator
    vendor: str
    url: str
    folder: Path
    patch: pytest.MonkeyPatch
    moment: list[datetime]
    only: str | None = None
    reports: dict[str, list[Report]] = field(default_factory=dict)

    def sync(self, name: str, engine: str) -> None:
        """Sync the database *name* with *engine*."""
        home = self.folder / name
        home.mkdir(exist_ok=True)
        self.patch.setenv(f"SOURCES__{self.vendor.upper()}_SOURCE__ENGINE", engine)
        with chdir(home):
            key = Setting(self.emulator.key, "the test")
            job = make_job(VENDORS[self.vendor], only=self.only, base_url=self.url, key=key)
            job.session.now = self.moment[0]
            report = run(job)
        assert report.failure is None, report.failure
        self.reports.setdefault(name, []).append(report)

    def change(self, seed: int) -> None:
        """Make many random changes at the vendor, and let a day pass."""
        self.emulator.control.random_writes(60, seed=seed, deletes=True)
        self.moment[0] += timedelta(days=1)

    def columns(self, name: str) -> set[tuple[Any, ...]]:
        """Table, name, type and nullability of every column."""
        with duckdb.connect(str(self.folder / name / "feedloom.duckdb"), read_only=True) as connection:
            query = (
                "select table_name, column_name, data_type, is_nullable from information_schema.columns "
                "where table_schema = ? and not starts_with(table_name, '_dlt')"
            )
            return set(connection.execute(query, [f"{self.vendor}_data"]).fetchall())

    def rows(self, name: str) -> dict[str, Counter[str]]:
        """The rows of each table with all below them, in no order."""
        database = Database(self.folder / name / "feedloom.duckdb", f"{self.vendor}_data")
        assert database.problems == []
        return {table: Counter(map(_written, rows)) for table, rows in database.roots.items()}


def _written(row: Row) -> str:
    cells = {name: repr(value) for name, value in sorted(row.cells.items()) if name != READ_AT}
    return f"{cells} {[(table, list(map(_written, rows))) for table, rows in sorted(row.children.items())]}"


@contextmanager
def playing(vendor: str, quirks: str, *, rows: int, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[World]:
    """An emulator that is being served, at a moment that stands still until :meth:`World.change`."""
    moment = [LATEST]
    emulator = create_emulator(
        vendor,
        rows=rows,
        seed=5,
        quirks={**_NO_LIMITS[vendor], **QUIRKS[vendor][quirks]},
        key=f"emulator-key-of-the-engines-of-{vendor}",
        now=lambda: moment[0],
    )
    with closing(emulator), serve(emulator) as url:
        yield World(emulator=emulator, vendor=vendor, url=url, folder=folder, patch=patch, moment=moment)


LISTS = "contacts,forms,responses,segments"
FEW = "contacts,responses"
CASES = [
    pytest.param("refiner", 30, "one side", FEW),
    pytest.param("refiner", 40, "one side", None, marks=pytest.mark.nightly),
    pytest.param("refiner", 120, "the other side", LISTS, marks=pytest.mark.nightly),
    pytest.param("aptrinsic", 15, "one side", None, marks=pytest.mark.nightly),
    pytest.param("aptrinsic", 40, "the other side", None, marks=pytest.mark.nightly),
]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("vendor", "rows", "quirks", "only"), CASES)
def test_every_engine_leaves_the_same_database(
    vendor: str, rows: int, quirks: str, only: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with playing(vendor, quirks, rows=rows, folder=tmp_path, patch=monkeypatch) as there:
        there.only = only
        names = [name for name in ENGINES if name != "arrow" or only != FEW]
        for step in range(3):
            for name in names:
                there.sync(name, ENGINES[name][step])
            wanted = there.columns("json"), there.rows("json")
            for name in names:
                assert (there.columns(name), there.rows(name)) == wanted, f"{name}, sync {step}"
            there.change(seed=step)
    switched = [note for table in there.reports["json first"][1].tables for note in table.notes]
    assert any("the other engine loaded them before" in note for note in switched)
