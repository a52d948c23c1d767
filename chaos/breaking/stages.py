"""Both vendors' stages in the same words: what is synced, by which command, and what has to come of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from breaking.places import python_path
from feedloom.emulator import Emulator
from feedloom.vendors import VENDORS
from support import aptrinsic_stage, compare_aptrinsic, compare_refiner, refiner_stage
from support.aptrinsic_stage import LATEST

LONGEST_S = 300.0
_HISTORY = "2024-11-01T00:00:00Z"
_TABLES = {
    "refiner": compare_refiner.LISTS,
    "aptrinsic": ("users", "accounts", "events_custom", "events_page_view", "survey_responses", "feature_flags"),
}
VENDOR_SLUGS = tuple(_TABLES)
_LISTED = {"list_accounts"}
"""The list that the key is tried with too, with one row."""

_ROWS = {"refiner": 150, "aptrinsic": 60}
_BASE_URL = {
    "refiner": "SOURCES__REFINER_SOURCE__BASE_URL",
    "aptrinsic": "SOURCES__APTRINSIC_SOURCE__BASE_URL",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One stage on which a sync is broken.

    Attributes:
        vendor: Slug of the vendor.
        emulator: What is asked.
        folder: What is synced into.
        settings: The environment of commands there.
        differences: What differs between the emulator and a database.
    """

    vendor: str
    emulator: Emulator
    folder: Path
    settings: Mapping[str, str]
    differences: Callable[[Path], list[str]]

    @property
    def database(self) -> Path:
        """Where the command keeps its rows."""
        return self.folder / "feedloom.duckdb"

    @property
    def sync(self) -> list[str]:
        """The arguments of a sync of all that is compared, over one range of time however long it takes."""
        span = ["--start", _HISTORY, "--end", LATEST.isoformat()] if self.vendor == "aptrinsic" else []
        return ["sync", self.vendor, "--json", "--only", ",".join(_TABLES[self.vendor]), *span]

    def start(self, *options: str, url: str = "", arguments: Sequence[str] = ()) -> subprocess.Popen[str]:
        """Start ``breaking.child`` with *options* in the folder; *url* is where the API is, if not as usual."""
        elsewhere = {_BASE_URL[self.vendor]: url} if url else {}
        return subprocess.Popen(  # noqa: S603 - this repository's own program
            [sys.executable, "-m", "breaking.child", *options, "--", *(arguments or self.sync)],
            cwd=self.folder,
            env={**self.settings, **elsewhere},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def asked_beside(self) -> set[str]:
        """Endpoints that every run asks beside the lists: to try the key, and to learn what people's attributes are."""
        return {VENDORS[self.vendor].probe, "list_attributes"} - _LISTED


@contextmanager
def trial(vendor: str, folder: Path, *, seed: int = 1) -> Iterator[Trial]:
    """A fresh emulator of *vendor* and an empty folder below *folder*."""
    rows, path = _ROWS[vendor], {"PYTHONPATH": python_path()}
    tables = _TABLES[vendor]
    if vendor == "refiner":
        with refiner_stage.playing(folder, rows=rows, seed=seed) as refiner:
            yield Trial(
                vendor=vendor,
                emulator=refiner.emulator,
                folder=refiner.folder,
                settings={**refiner.settings, **path, "FEEDLOOM_STATE": str(refiner.folder / "state")},
                differences=lambda file: compare_refiner.compare(
                    refiner.url, refiner.emulator.key, file, tables=tables
                ),
            )
        return
    with aptrinsic_stage.playing(folder, rows=rows, seed=seed) as px:
        span = (compare_aptrinsic.first_span("users", LATEST)[0], LATEST)
        yield Trial(
            vendor=vendor,
            emulator=px.emulator,
            folder=px.folder,
            settings={**px.settings, **path},
            differences=lambda file: compare_aptrinsic.compare(
                px.twin_url, px.twin.key, file, tables=tables, spans={table: [span] for table in tables}, now=LATEST
            ),
        )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """How *process* ends: its exit code, and what it wrote to its two streams; killed when it takes too long."""
    with process:
        try:
            output, errors = process.communicate(timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
            return -1, output, f"killed after {LONGEST_S:g} s; {errors}"
    return process.returncode, output, errors
