"""The bench works from end to end, tells a wrong load from a right one, and measures whole processes."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from benching import pages, results
from benching.cases import BY_NAME, LONG_WAITS, PEERS, Case, plan, ten_million, turns
from benching.measuring import measure
from benching.running import run_once
from benching.subjects import SUBJECTS

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the bench reads /proc")


def _script(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own script
        [sys.executable, ROOT / "bench" / name, *map(str, arguments)],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


def test_the_smallest_bench_measures_and_writes_a_page(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    few = ("--rows", "300", "--rounds", "1", "--latency-ms", "0", "--no-postgres")
    done = _script("run.py", *few, "--only", "feedloom,duckdb-one-thread", "--results", file, "--scratch", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr

    runs = results.read(file)
    assert [(run.case.subject, run.case.peer) for run in runs] == [
        (slug, peer) for slug in SUBJECTS for peer in ("feedloom", "duckdb-one-thread")
    ]
    for run in runs:
        assert run.failure == ""
        assert run.rows == run.tables[SUBJECTS[run.case.subject].table] == pytest.approx(300, abs=5)
        assert run.cpu_s > 0
        assert run.peak_mb > 10
    assert {run.case.peer for run in runs if run.emulator_cpu_s > 0} == {"feedloom"}

    done = _script("write.py", "--results", file, "--folder", tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert "### 300 rows into DuckDB" in page
    assert "PostgreSQL was not measured" in page
    assert ET.parse(tmp_path / "performance.svg").getroot().tag.endswith("svg")  # noqa: S314 - our own file


def test_a_run_that_lost_or_invented_rows_is_a_failed_run(tmp_path: Path) -> None:
    saved = pages.save(SUBJECTS["refiner"], 40, tmp_path / "pages")
    children = next(table for table in saved.tables if table != "responses")

    def failure(**held: int) -> str:
        expected = replace(saved, tables={**saved.tables, **held})
        case = Case(subject="refiner", rows=40, peer="duckdb-one-thread")
        return run_once(case, number=1, saved=expected, timeout_s=60, where={}, scratch=tmp_path).failure

    assert failure() == ""
    assert failure(responses=41) == "responses holds 40 rows, not 41"
    assert failure(**{children: 0}) == f"{children} holds {saved.tables[children]} rows, not 0"
    assert failure(strangers=1) == "strangers is not there"


def test_a_run_that_breaks_is_a_failed_run_with_its_last_words(tmp_path: Path) -> None:
    saved = pages.save(SUBJECTS["refiner"], 10, tmp_path / "pages")
    (saved.folder / "000000.json").write_text("{", encoding="utf-8")
    case = Case(subject="refiner", rows=10, peer="duckdb-one-thread")

    run = run_once(case, number=1, saved=saved, timeout_s=60, where={}, scratch=tmp_path)

    assert run.failure.startswith("exit code 1: ")
    assert run.rows == 0


def test_what_a_child_takes_counts(tmp_path: Path) -> None:
    child = "held = b'x' * 150_000_000; sum(range(6_000_000))"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True); print('done')"

    taken = measure([sys.executable, "-c", parent], folder=tmp_path, environment={}, timeout_s=60)

    assert (taken.exit_code, taken.output) == (0, "done\n")
    assert 150 < taken.peak_mb < 400
    assert 0.05 < taken.cpu_s <= taken.wall_s * 1.5


def test_a_process_that_takes_too_long_ends_with_all_it_started(tmp_path: Path) -> None:
    program = (
        "import pathlib, subprocess; "
        "child = subprocess.Popen(['sleep', '60']); pathlib.Path('child').write_text(str(child.pid)); child.wait()"
    )
    taken = measure(
        [sys.executable, "-c", program], folder=tmp_path, environment={"PATH": "/usr/bin:/bin"}, timeout_s=1
    )

    assert taken.exit_code is None
    assert taken.wall_s < 20
    stat = Path("/proc", (tmp_path / "child").read_text(encoding="ascii"), "stat")
    assert not stat.exists() or ") Z " in stat.read_text(encoding="ascii")


def test_peers_take_turns_and_slow_ones_load_less() -> None:
    planned = plan(sizes=(10_000, 1_000_000), latencies_ms=(0, 300), rounds=5)

    assert planned[Case(subject="refiner", rows=1_000_000, peer="feedloom")] == 5
    assert planned[Case(subject="refiner", rows=1_000_000, peer="dlt-tuned")] == 1
    assert Case(subject="refiner", rows=1_000_000, peer="dlt-seed") not in planned
    assert {case.peer for case in planned if case.latency_ms} == {peer.name for peer in PEERS if peer.at_latency}
    assert {planned[case] for case in LONG_WAITS} == {1}
    assert {case.destination for case in plan(with_postgres=False)} == {"duckdb"}
    for number in range(1, 6):
        inside = [case for found, case in turns(planned) if found == number]
        assert len(inside) == len(set(inside))
        assert {case.peer for case in inside} == set(BY_NAME)
    assert [case.rows for _, case in turns(ten_million())] == [10_000_000]


@pytest.mark.parametrize("option", [("--only", "dtl-seed"), ("--vendors", "refinr")])
def test_a_name_that_does_not_exist_is_refused_before_anything_is_measured(option: tuple[str, str]) -> None:
    done = _script("run.py", *option)

    assert done.returncode == 1
    assert f"there is no {'peer' if option[0] == '--only' else 'vendor'} {option[1]!r}" in done.stderr
