"""The page of the bench, made of invented runs, compared with files.

``FEEDLOOM_REWRITE_GOLDEN=1 pytest tests/bench/test_page.py`` writes the files; their difference is what to review.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from benching.aims import verdicts
from benching.cases import Case
from benching.chart import chart
from benching.page import page
from benching.results import MixedRunsError, Run, figures, read, write

GOLDEN = Path(__file__).parent / "golden"
REWRITES = bool(os.environ.get("FEEDLOOM_REWRITE_GOLDEN"))
PLACE = {"processor": "Example", "cores": "2", "commit": "0123456789"}


def _runs(peer: str, rows: int, *walls_s: float, failure: str = "", **of: Any) -> list[Run]:
    case = Case(subject=of.pop("subject", "refiner"), rows=rows, peer=peer, **of)
    return [
        Run(
            case=case,
            round=number,
            failure=failure,
            rows=0 if failure else rows,
            wall_s=wall_s,
            cpu_s=wall_s * 1.5,
            peak_mb=100 + wall_s,
            emulator_cpu_s=0 if peer.startswith("duckdb") else rows / 50_000,
            row_bytes=925 if case.subject == "refiner" else 580,
            started_at="2026-11-01T00:00:00+00:00",
            place=PLACE,
        )
        for number, wall_s in enumerate(walls_s, 1)
    ]


RUNS = [
    *_runs("feedloom", 10_000, 1.5, 1.25, 2.0),
    *_runs("feedloom", 100_000, 4.0, 5.0, 4.5),
    *_runs("feedloom", 1_000_000, 30.0, 32.0, 31.0),
    *_runs("feedloom", 10_000_000, 330.0),
    *_runs("feedloom-one-core", 100_000, 6.0),
    *_runs("dlt-seed", 10_000, 10.0, 12.0, 11.0),
    *_runs("dlt-tuned", 100_000, 10.0, 9.0, 11.0),
    *_runs("dlt-tuned", 1_000_000, 100.0, failure="stopped after 100 s"),
    *_runs("duckdb-one-thread", 100_000, 2.0),
    *_runs("feedloom", 100_000, 5.0, destination="postgres"),
    *_runs("dlt-seed", 10_000, 5.0, destination="postgres"),
    *_runs("feedloom", 100_000, 4.0, subject="aptrinsic", latency_ms=300),
    *_runs("one-cursor", 100_000, 44.0, subject="aptrinsic", latency_ms=300),
]


def _check(name: str, text: str) -> None:
    file = GOLDEN / name
    if REWRITES:
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def test_the_page() -> None:
    _check("performance.md", page(figures(RUNS), PLACE))


def test_the_chart() -> None:
    _check("performance.svg", chart(figures(RUNS)))


def test_aims_compare_the_same_rows_where_both_have_them_and_tell_where_not() -> None:
    words = {one.aim: (one.measured, one.word) for one in verdicts(figures(RUNS))}

    assert words["15 times dlt tuned"] == ("2.2 times (100,000 rows)", "**not met**")
    assert words["50 times dlt as its example runs"] == ("7.3 times (10,000 rows)", "**not met**")
    postgres = words["into PostgreSQL, 5 times dlt's default there"]
    assert postgres == ("10.0 times (100,000 rows against 10,000)", "met")
    assert words["10,000,000 rows in under 1 GB, in time linear in rows"][1] == "met"
    assert {one.word for one in verdicts({})} == {"not measured"}


def test_runs_of_different_versions_are_not_put_on_one_page(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    first, second = RUNS[:2]
    write(file, first)
    write(file, second)
    assert read(file) == [first, second]

    write(file, Run(case=first.case, round=3, started_at=first.started_at, place=PLACE | {"commit": "abc"}))
    with pytest.raises(MixedRunsError, match=r"differ in commit"):
        read(file)
