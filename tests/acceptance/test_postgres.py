"""A sync into a real PostgreSQL server holds what a sync into DuckDB holds."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest

from feedloom.audit.checks import Audit
from feedloom.audit.run import run_audit
from feedloom.config import Setting
from feedloom.emulator import create_emulator, serve
from feedloom.sync.history import past_runs, put_back
from feedloom.sync.jobs import make_job
from feedloom.sync.lateness import lateness
from feedloom.sync.positions import kept_positions
from feedloom.sync.report import Report
from feedloom.sync.run import run
from feedloom.vendors import VENDORS

QUERIES = (
    "select uuid, contact__email, form__name, completed_at, _feedloom_hash from responses",
    "select response_uuid, question, position, value_text, value_number, value_json from responses__answers",
    "select uuid, email, attributes__plan, _feedloom_hash from contacts",
)
TABLES = "contacts,forms,responses,segments"


def _sync(url: str, key: str, to: str) -> Report:
    return run(make_job(VENDORS["refiner"], only=TABLES, to=to, base_url=url, key=Setting(key, "a test")))


def _audit(url: str, key: str, to: str, scratch: Path) -> Audit:
    vendor, setting = VENDORS["refiner"], Setting(key, "a test")
    return run_audit(make_job(vendor, only=TABLES, to=to, base_url=url, key=setting, scratch=scratch), sample=20)


def _look_at_the_ledger(key: str, reports: Sequence[Report]) -> None:
    """It tells of the runs, and an earlier one can be gone back to."""
    job = make_job(VENDORS["refiner"], to="postgres", key=Setting(key, "a test"))
    runs = past_runs(job.pipeline)
    assert [past.run_id for past in reversed(runs)] == [report.run_id for report in reports]
    put_back(job.pipeline, job.vendor, runs[-1].positions)
    assert kept_positions(job.pipeline, job.vendor) == runs[-1].positions
    [responses] = [table for table in lateness(job.pipeline, job.vendor) if table.table == "responses"]
    assert (responses.runs, responses.new_rows) == (1, 0)


def _in_postgres(server: str, sql: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(server)) as connection, connection.cursor() as cursor:
        cursor.execute(f"set time zone 'UTC'; set search_path = refiner_data; {sql}")
        return sorted(cursor.fetchall(), key=repr)


def _in_duckdb(file: str, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(file, read_only=True) as connection:
        connection.execute("set timezone = 'UTC'; set search_path = 'refiner_data'")
        rows = connection.execute(sql).fetchall()
    return sorted((tuple(map(_in_utc, row)) for row in rows), key=repr)


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def test_postgres_holds_the_same_rows_as_duckdb(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", server)
    emulator = create_emulator("refiner", rows=300, seed=3)
    with serve(emulator) as url:
        first = _sync(url, emulator.key, "postgres")
        again = _sync(url, emulator.key, "postgres")
        _sync(url, emulator.key, "duckdb:here.duckdb")
        audit = _audit(url, emulator.key, "postgres", tmp_path / "scratch")

    assert first.findings == []
    assert (again.new, again.changed) == (0, 0)
    assert [row.verdict for row in again.tables] == ["matches"] * 4
    assert [(check.table, check.name, check.why) for check in audit.checks if check.verdict != "matches"] == []
    assert {check.name for check in audit.checks} >= {"rows", "fields", "nps", "distribution", "counters"}
    _look_at_the_ledger(emulator.key, [first, again])
    for sql in QUERIES:
        expected = _in_duckdb("here.duckdb", sql)
        assert expected
        assert [tuple(map(_in_utc, row)) for row in _in_postgres(server, sql)] == expected
