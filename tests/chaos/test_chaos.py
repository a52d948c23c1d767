"""The programs that break syncs: what they try is complete, they work, and their page says what was found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from breaking import lines
from breaking.faulty import fault_cases, quirk_cases
from breaking.page import page
from breaking.soaking import FAULTS
from feedloom.catalogue import NoPaging
from feedloom.emulator import describe
from feedloom.vendors import VENDORS

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kills and mounts are Linux's")


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own script
        [sys.executable, ROOT / "chaos" / "matrices.py", *map(str, arguments)],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def test_every_fault_meets_every_endpoint_and_every_quirk_has_its_case() -> None:
    cases = fault_cases()
    for slug, vendor in VENDORS.items():
        names = {name for name, _ in describe(slug).faults}
        endpoints = {case.fault.partition("@")[2] for case in cases if case.vendor == slug}
        for endpoint in endpoints:
            tried = {case.fault.partition("=")[0] for case in cases if case.fault.endswith(f"@{endpoint}")}
            assert tried == names or isinstance(vendor.endpoint(endpoint).paging, NoPaging), endpoint
        assert {table.endpoint for table in vendor.tables if table.selected} - endpoints <= {"get_reporting"}
        quirks = {name for name, _ in describe(slug).quirks if not name.startswith(("limit_", "lenient"))}
        assert {case.quirk for case in quirk_cases() if case.vendor == slug} == quirks
    assert {fault.partition("=")[0] for fault in FAULTS} == {name for name, _ in describe("refiner").faults}


def test_a_part_that_does_not_exist_is_refused_before_anything_is_tried(tmp_path: Path) -> None:
    done = _run("--only", "phrases", "--results", tmp_path / "results.jsonl")
    assert done.returncode == 1
    assert "there is no part 'phrases'" in done.stderr


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_a_little_of_every_part_ends_well_and_makes_a_page(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    done = _run("--quick", "--only", "random,disk,network,faults", "--results", results)
    assert done.returncode == 0, done.stdout + done.stderr
    written = page(lines.read(results), [], promises="# Reliability")
    assert {"### Killed", "### The network is cut", "### Faults of the vendor"} <= set(written.splitlines())


def _cycle(number: int, **more: Any) -> dict[str, Any]:
    return {
        "kind": "soak",
        "vendor": "refiner",
        "cycle": number,
        "codes": [number % 2, 0, 0],
        "problem": "",
        "verdicts": {"matches": 10},
        "seconds": 60.0,
        **dict.fromkeys(("peak_mb", "audit_mb", "handles", "journal_mb", "work_mb", "state_mb"), 100 + number),
        **dict.fromkeys(("database_mb", "left_over", "emulator_mb", "emulator_handles"), 7),
        **more,
    }


def test_the_page_says_what_was_tried_and_does_not_hide_what_ended_wrong() -> None:
    kill = {"kind": "kill", "moment": "random", "kills": 4, "outcome": "equal", "most_repeated": 1}
    fault = {"kind": "fault", "vendor": "refiner", "table": "contacts", "cases": 9, "message": ""}
    results = [
        {**kill, "vendor": "refiner"},
        {**kill, "vendor": "refiner", "outcome": "WRONG", "most_repeated": 2},
        {**fault, "fault": "500=2@list_contacts", "outcome": "equal", "differences": []},
        {**fault, "fault": "500=always@list_contacts", "outcome": "WRONG", "differences": ["contacts 1 is missing"]},
    ]
    soak = [_cycle(number) for number in range(1, 13)]
    soak[3]["problem"] = "the audit ended with 3: contacts"
    written = page(results, soak, promises="# Reliability\n")
    assert written.startswith("# Reliability\n\n## What was tried")
    assert "| at random moments, up to 4 times in a row | Refiner | 2 | 8 | 1 | 2 |" in written
    assert "| 500=2 | 1 | 1 |  |" in written
    assert "* Refiner, 500=always@list_contacts: contacts 1 is missing" in written
    assert "12 cycles in 12 minutes" in written
    assert "* Refiner, cycle 4: the audit ended with 3: contacts" in written
    assert "| peak memory of a sync, MB | 104.5 | 109.5 | 112.0 |" in written
