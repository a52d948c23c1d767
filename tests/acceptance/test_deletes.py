"""What is gone at the source is kept and marked, and nothing that counts rows counts it."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import httpx2

from feedloom.audit.run import run_audit
from feedloom.config import Setting
from feedloom.sync.jobs import make_job
from feedloom.sync.status import table_states
from feedloom.vendors import VENDORS

if TYPE_CHECKING:
    from support.refiner_stage import Clock, Stage

    from .conftest import Play

TABLES = ("contacts", "forms", "responses")


def uuids(stage: Stage, query: str) -> list[str]:
    with duckdb.connect(str(stage.database), read_only=True) as connection:
        return [uuid for (uuid,) in connection.execute(query).fetchall()]


def test_rows_that_are_gone_stay_and_count_in_no_report_status_or_audit(
    play: Play, clock: Clock, tmp_path: Path
) -> None:
    stage = play(rows=150, now=clock)
    stage.sync(only=TABLES, now=clock())
    people = uuids(stage, "select contact__uuid from refiner_data.responses group by 1 order by count(*), 1 limit 3")
    with httpx2.Client(base_url=stage.url, headers={"Authorization": f"Bearer {stage.emulator.key}"}) as http:
        for uuid in people:
            http.delete("/contact", params={"uuid": uuid}).raise_for_status()
    there = len(stage.emulator.control.every_response())
    clock.forward(hours=1)
    report = stage.sync(only=TABLES, now=clock())
    assert {table.table: (table.gone, table.verdict) for table in report.tables} == {
        "contacts": (3, "matches"),
        "forms": (0, "matches"),
        "responses": (150 - there, "matches"),
    }
    assert there < 150
    assert stage.differences(TABLES) == []
    marked = "select uuid from refiner_data.contacts where _feedloom_deleted_at is not null"
    assert sorted(uuids(stage, marked)) == sorted(people)
    assert uuids(stage, "select count(*)::text from refiner_data.responses") == ["150"]

    with chdir(stage.folder):
        states = {row["table"]: row["rows"] for row in table_states(None)}
        key = Setting(stage.emulator.key, "the test")
        job = make_job(
            VENDORS["refiner"], only=",".join(TABLES), base_url=stage.url, key=key, scratch=tmp_path / "audit"
        )
        audit = run_audit(job, sample=20)
    assert (states["responses"], states["contacts"]) == (there, report.tables[0].rows)
    assert [check.as_dict() for check in audit.checks if check.verdict not in ("matches", "not checked")] == []
    assert {check.name for check in audit.checks} >= {"rows", "fields", "count"}
