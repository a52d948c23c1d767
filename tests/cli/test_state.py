"""Positions are shown, kept as history, put back and forgotten; the rows stay, and are read again."""

from __future__ import annotations

import shutil
from contextlib import chdir
from datetime import UTC, datetime, timedelta

import pytest

from cli.stage import BASE_URL, Here, Stage
from feedloom.config import Setting
from feedloom.errors import InputError
from feedloom.sync.history import holds_sums, without
from feedloom.sync.jobs import make_job
from feedloom.sync.report import Report
from feedloom.sync.run import run
from feedloom.vendors import VENDORS

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def sync(stage: Stage, now: datetime) -> Report:
    key = Setting(stage.secrets[0], "the test")
    with chdir(stage.folder):
        job = make_job(VENDORS["refiner"], only="responses", base_url=stage.environment[BASE_URL], key=key)
        job.session.now = now
        return run(job)


def through(here: Here, stage: Stage) -> str | None:
    tables = here(stage, "state", "show", "refiner", "--json").document["tables"]
    [found] = [table["through"] for table in tables if table["table"] == "responses"]
    return None if found is None else str(found)


def test_an_earlier_run_is_gone_back_to_and_read_from_again(here: Here, stage: Stage) -> None:
    first = sync(stage, NOW - timedelta(days=60))
    second = sync(stage, NOW)
    assert second.tables[0].new > 0
    runs = here(stage, "state", "history", "refiner", "--json").document["runs"]
    assert [run["run_id"] for run in runs] == [second.run_id, first.run_id]
    assert here(stage, "state", "history", "refiner").code == 0

    told = here(stage, "state", "revert", "refiner", first.run_id)
    assert (told.code, "2026-09-21 00:00:00" in told.out, "--yes" in told.errors) == (0, True, True)
    assert through(here, stage) == NOW.isoformat()
    assert here(stage, "state", "revert", "refiner", first.run_id, "--yes").code == 0
    assert through(here, stage) == (NOW - timedelta(days=60)).isoformat()

    shutil.rmtree(stage.folder / ".feedloom" / "pipelines", ignore_errors=True)
    again = sync(stage, NOW)
    assert (again.tables[0].new, again.tables[0].changed) == (0, 0)
    assert again.tables[0].read >= second.tables[0].new
    assert again.tables[0].verdict == "matches"


def test_a_table_that_is_reset_is_read_whole_and_merged(here: Here, stage: Stage) -> None:
    first = sync(stage, NOW)
    assert "nothing" in here(stage, "state", "reset", "refiner", "responses").out
    assert through(here, stage) == NOW.isoformat()
    assert here(stage, "state", "reset", "refiner", "responses", "--yes").code == 0
    assert through(here, stage) is None
    again = sync(stage, NOW)
    assert (again.tables[0].read, again.tables[0].new, again.tables[0].rows) == (
        first.tables[0].read,
        0,
        first.tables[0].rows,
    )
    assert here(stage, "state", "reset", "refiner", "respones").code == 2
    assert here(stage, "state", "revert", "refiner", "1999").code == 2


def test_sums_over_days_are_not_read_again_from_an_earlier_place(bare: Stage) -> None:
    vendor = VENDORS["aptrinsic"]
    assert [table.name for table in vendor.tables if holds_sums(table)] == ["feature_adoption", "engagement_errors"]
    with chdir(bare.folder):
        pipeline = make_job(vendor, key=Setting("no-key", "the test")).pipeline
        with pytest.raises(InputError, match="count days twice"):
            without(pipeline, vendor, vendor.table("feature_adoption"))
