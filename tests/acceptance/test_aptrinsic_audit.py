"""An audit of Gainsight PX: nothing wrong after a sync, and what was changed on either side by its name."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from contextlib import chdir
from datetime import timedelta
from pathlib import Path

import duckdb
import httpx2

from feedloom.audit.checks import Audit, Check
from feedloom.audit.run import run_audit
from feedloom.config import Setting
from feedloom.sync.jobs import make_job
from feedloom.vendors import VENDORS
from support.aptrinsic_stage import LATEST, Stage, playing

EVENTS = "events_feature_match"
TABLES = ("users", "accounts", EVENTS, "survey_responses", "segments")


def audited(stage: Stage, only: Collection[str] = TABLES) -> Audit:
    """An audit of all rows of *only*."""
    with chdir(stage.folder), tempfile.TemporaryDirectory() as scratch:
        job = make_job(
            VENDORS["aptrinsic"],
            only=",".join(only),
            base_url=stage.url,
            key=Setting(stage.emulator.key, "the test"),
            scratch=Path(scratch),
        )
        return run_audit(job, sample=500, seed=1, now=stage.clock())


def of(found: Audit, verdict: str) -> list[Check]:
    return [check for check in found.checks if check.verdict == verdict]


def test_totals_by_kind_and_day_and_every_row_match_after_a_sync(tmp_path: Path) -> None:
    with playing(tmp_path, rows=30) as stage:
        stage.sync(only=TABLES)
        found = audited(stage)
        assert set(found.verdicts) == {"matches"}
        assert {(check.table, check.name) for check in found.checks} == {
            (table, name) for table in TABLES for name in ("rows", "fields")
        }
        days = [check for check in found.checks if check.table == EVENTS and len(check.subject) == len("2026-01-31")]
        with duckdb.connect(str(stage.database), read_only=True) as connection:
            counts = connection.execute(
                f"select strftime(date at time zone 'UTC', '%Y-%m-%d') as day, count(*) from aptrinsic_data.{EVENTS} "
                "group by day"
            ).fetchall()
        assert {check.subject: check.there for check in days if check.name == "rows"} == dict(counts)


def test_what_was_changed_here_is_a_mismatch(tmp_path: Path) -> None:
    with playing(tmp_path, rows=30) as stage:
        stage.sync(only=TABLES)
        with duckdb.connect(str(stage.database)) as connection:
            [(event, date)] = connection.execute(
                f"delete from aptrinsic_data.{EVENTS} where event_id = (select min(event_id) from "
                f"aptrinsic_data.{EVENTS}) returning event_id, strftime(date at time zone 'UTC', '%Y-%m-%d')"
            ).fetchall()
            [(user,)] = connection.execute(
                "update aptrinsic_data.users set custom_attributes__plan = 'golden', score = score + 1 "
                "where aptrinsic_id = (select min(aptrinsic_id) from aptrinsic_data.users) returning aptrinsic_id"
            ).fetchall()
            connection.execute(
                "delete from aptrinsic_data.users__property_keys where _dlt_parent_id = "
                "(select _dlt_id from aptrinsic_data.users order by aptrinsic_id limit 1 offset 1)"
            )
        found = audited(stage)
        assert set(found.verdicts) == {"matches", "mismatch"}
        rows = [check for check in found.mismatches if check.name == "rows"]
        assert date in {check.subject for check in rows}
        assert {check.table for check in rows} == {EVENTS}
        assert event not in {check.subject for check in found.checks}
        fields = [check for check in found.mismatches if check.name == "fields"]
        assert {tuple(check.here) for check in fields if check.subject == user} == {
            ("custom_attributes__plan", "score")
        }
        assert {tuple(check.here) for check in fields if check.subject != user} == {("users__property_keys",)}


def test_what_changes_at_the_source_is_late_or_deleted_and_old_events_are_a_mismatch(tmp_path: Path) -> None:
    with playing(tmp_path, rows=30) as stage:
        stage.sync(only=TABLES)
        rows = stage.rows_there("users")
        seen, gone = rows[0], next(row for row in rows[1:] if "/" not in row["identifyId"])
        stage.clock.forward(minutes=5)
        stage.change(lambda control: control.touch_user(seen["identifyId"]))
        stage.change(lambda control: control.add_event("feature_match", seen["identifyId"]))
        late_ms = int((LATEST - timedelta(hours=3)).timestamp() * 1000)
        stage.change(lambda control: control.add_event("feature_match", seen["identifyId"], late_ms))
        with httpx2.Client(base_url=stage.url, headers={"X-APTRINSIC-API-KEY": stage.emulator.key}) as http:
            http.delete(f"/users/{gone['identifyId']}").raise_for_status()
        found = audited(stage, ["users", EVENTS])
        assert found.mismatches == []
        late, deleted = of(found, "late data"), of(found, "deleted at source")
        assert {check.subject for check in late if check.name == "fields"} == {seen["aptrinsicId"]}
        assert {check.there for check in late if check.name == "newer rows"} == {1}
        assert sum(check.name == "rows" for check in late) >= 1
        assert {(check.table, check.name) for check in deleted} == {("users", "rows"), ("users", "fields")}

        old_ms = int((LATEST - timedelta(days=40)).timestamp() * 1000)
        stage.change(lambda control: control.add_event("feature_match", seen["identifyId"], old_ms))
        found = audited(stage, [EVENTS])
        assert {check.name for check in found.mismatches} == {"rows"}


def test_a_total_that_is_larger_than_the_list_is_another_way_to_count(tmp_path: Path) -> None:
    with playing(tmp_path, rows=10, quirks={"total_hits": "inflated"}) as stage:
        stage.sync(only=["accounts"])
        found = audited(stage, ["accounts"])
        assert found.mismatches == []
        assert [check.name for check in of(found, "other counting rule")] == ["rows"]
