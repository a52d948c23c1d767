"""What the ledger tells of runs: those that went well, those that failed, and how often each came."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline

from cli.stage import BASE_URL, Here, Stage
from feedloom.config import Setting
from feedloom.errors import CredentialError
from feedloom.sync import ledger
from feedloom.sync.failures import explain
from feedloom.sync.jobs import make_job
from feedloom.sync.report import Report
from feedloom.sync.run import run
from feedloom.vendors import VENDORS

SYNC = ("sync", "refiner", "--only", "forms,responses,account", "--json")


def rows(stage: Stage, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(stage.database), read_only=True) as database:
        database.execute("set timezone = 'UTC'; use refiner_data")
        return database.execute(query).fetchall()


def test_the_ledger_tells_what_each_run_asked_what_came_and_what_is_held(here: Here, stage: Stage) -> None:
    reports = [here(stage, *SYNC).document for _ in range(2)]

    runs = "select run_id, outcome, tables, rows_new, requests from feedloom_runs order by run_id"
    assert rows(stage, runs) == [
        (report["run_id"], "complete", 3, report["new"], report["requests"]) for report in reports
    ]
    windows = "select run_id, table_name, rows_read, rows_new, rows_held, requests, outcome from feedloom_windows"
    assert set(rows(stage, windows)) == {
        (report["run_id"], *(table[name] for name in ("table", "read", "new", "rows", "requests")), "complete")
        for report in reports
        for table in report["tables"]
    }
    checks = "select run_id, table_name, rows_there, rows_here, verdict from feedloom_checks"
    assert set(rows(stage, checks)) == {
        (report["run_id"], table["table"], table["source_rows"], table["rows_checked"], "matches")
        for report in reports
        for table in report["tables"]
        if table["source_rows"] is not None
    }
    asked = "select run_id, sum(requests)::bigint from feedloom_requests where status = 200 group by all order by all"
    assert rows(stage, asked) == [(report["run_id"], report["requests"]) for report in reports]
    [first, second] = rows(
        stage, "select since, through from feedloom_windows where table_name = 'responses' order by run_id"
    )
    assert first[0] is None
    assert second[0] < first[1] <= second[1]


def test_a_run_that_ended_in_an_error_is_told_of_by_the_next(bare: Stage, stage: Stage) -> None:
    with pytest.raises(PipelineStepFailed) as failed:
        run_of(stage, key="a-key-that-is-refused")
    error = explain(failed.value)
    assert isinstance(error, CredentialError)
    report = run_of(stage)
    told = rows(stage, "select outcome, error_code, error from feedloom_runs order by started_at")
    assert told == [("failed", error.code, error.message), ("complete", None, None)]
    assert rows(stage, "select count(*), min(requests) from feedloom_runs where error is null") == [
        (1, report.requests)
    ]
    assert kept_entries(bare.folder) == []
    secrets = (stage.secrets[0].encode(), b"a-key-that-is-refused")
    assert [name for name, text in stage.files().items() if any(secret in text for secret in secrets)] == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_that_is_killed_while_its_entry_is_loaded_is_told_of_once(
    moment: str, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        if moment == "before":
            patch.setattr(Pipeline, "load", _die_over_the_ledger(Pipeline.load))
        else:
            patch.setattr(Path, "unlink", _die_over_entries(Path.unlink))
        with pytest.raises(KeyboardInterrupt):
            run_of(stage)
    assert len(kept_entries(stage.folder)) == 1
    run_of(stage)
    for table in (ledger.RUNS, ledger.WINDOWS, ledger.CHECKS, ledger.REQUESTS):
        repeated = rows(stage, f"select * exclude (_dlt_id) from {table} group by all having count(*) > 1")
        assert repeated == [], table
    assert rows(stage, "select count(distinct run_id) from feedloom_runs") == [(2,)]


def test_a_ledger_that_the_database_refuses_is_a_finding_and_comes_later(stage: Stage) -> None:
    assert run_of(stage).findings == []
    change(stage, "alter table feedloom_checks rename column verdict to verdict_")
    [finding] = run_of(stage).findings
    assert "the database refused the ledger" in finding
    change(stage, "alter table feedloom_checks rename column verdict_ to verdict")
    assert run_of(stage).findings == []
    assert rows(stage, "select count(*), count(distinct run_id) from feedloom_runs") == [(3, 3)]


def change(stage: Stage, statement: str) -> None:
    with duckdb.connect(str(stage.database)) as database:
        database.execute("use refiner_data")
        database.execute(statement)


def run_of(stage: Stage, *, key: str | None = None) -> Report:
    """A sync of the forms, in this process."""
    with chdir(stage.folder):
        address = stage.environment[BASE_URL]
        setting = Setting(key or stage.secrets[0], "the test")
        return run(make_job(VENDORS["refiner"], only="forms", base_url=address, key=setting))


def kept_entries(folder: Path) -> list[Path]:
    return list((folder / ".feedloom").rglob("ledger/*/*.json"))


def _die_over_the_ledger(load: Any) -> Any:
    def dying(pipeline: Pipeline, **settings: Any) -> Any:
        for load_id in pipeline.list_normalized_load_packages():
            jobs = pipeline.get_load_package_info(load_id).jobs["new_jobs"]
            if any(job.job_file_info.table_name == ledger.RUNS for job in jobs):
                raise KeyboardInterrupt
        return load(pipeline, **settings)

    return dying


def _die_over_entries(unlink: Any) -> Any:
    def dying(path: Path, **settings: Any) -> None:
        if path.parent.parent.name == "ledger":
            raise KeyboardInterrupt
        unlink(path, **settings)

    return dying
