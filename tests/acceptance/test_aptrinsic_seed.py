"""The program that people start from, with only the import changed, loads everybody and everything they answered."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent

import duckdb
import httpx2
import pytest

from support.aptrinsic_stage import DEFAULT_TABLES, Clock, Stage, playing
from support.compare_aptrinsic import compare
from support.outcome import Outcome

PROGRAM = """
import dlt
from feedloom import aptrinsic_source
def get_data() -> None:
    pipeline = dlt.pipeline(pipeline_name="aptrinsic_pipeline", destination="duckdb", dataset_name="aptrinsic_data")
    load_info = pipeline.run(aptrinsic_source())
    print(load_info)
get_data()
"""

HISTORY = timedelta(days=730)
"""How far back a first load goes when nobody names a start, from the moment at which the program runs."""

SUMS = ("feature_adoption", "engagement_errors", "engagement_error_details")
"""Tables whose ranges end at midnight; they are compared elsewhere, by a clock that does not run."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """An emulator that lives today, and a folder with the key in a file, as dlt's documentation has it."""
    with playing(tmp_path, rows=60, clock=Clock(moment=datetime.now(UTC), speed=1)) as stage:
        settings = stage.folder / ".dlt"
        settings.mkdir()
        (settings / "secrets.toml").write_text(f'[sources.aptrinsic_source]\napi_key = "{stage.emulator.key}"\n')
        (settings / "config.toml").write_text(f'[sources.aptrinsic_source]\nbase_url = "{stage.url}"\n')
        yield stage


def run_program(stage: Stage, program: str) -> Outcome:
    """Run *program* as a user would; returns what it prints."""
    ended = stage.finish(stage.start(sys.executable, "-c", dedent(program), knows_key=False), timeout_s=100)
    assert ended.code == 0, ended
    assert "Traceback" not in ended.errors
    assert stage.emulator.key not in ended.out + ended.errors
    return ended


def count(stage: Stage, table: str) -> int:
    with duckdb.connect(str(stage.folder / "aptrinsic_pipeline.duckdb"), read_only=True) as connection:
        (found,) = connection.execute(f"select count(*) from aptrinsic_data.{table}").fetchone() or (0,)
        return int(found)


def differences(stage: Stage, tables: tuple[str, ...], *, first: datetime) -> list[str]:
    """What differs between the twin and the database, when the first load ended at *first*."""
    spans = {table: [(first.replace(microsecond=0) - HISTORY, datetime.now(UTC))] for table in tables}
    return compare(
        stage.twin_url, stage.twin.key, stage.folder / "aptrinsic_pipeline.duckdb", tables=tables, spans=spans
    )


def test_the_program_loads_all_users_and_survey_responses_and_a_second_run_doubles_nothing(stage: Stage) -> None:
    tables = tuple(table for table in DEFAULT_TABLES if table not in SUMS)
    started = datetime.now(UTC)
    printed = run_program(stage, PROGRAM)
    ended = datetime.now(UTC)
    assert "contains no failed jobs" in printed.out
    # Its clock was read between the two moments, and nothing but events of just then may depend on when.
    assert [] in [differences(stage, tables, first=moment) for moment in (started, ended)]
    assert count(stage, "users") == 60
    counts = {table: count(stage, table) for table in tables}
    run_program(stage, PROGRAM)
    assert {table: count(stage, table) for table in tables} == counts
    assert [] in [differences(stage, tables, first=moment) for moment in (started, ended)]


def test_a_program_prints_no_warnings(stage: Stage) -> None:
    printed = run_program(
        stage,
        """
        import dlt
        from feedloom import aptrinsic_source
        pipeline = dlt.pipeline("aptrinsic_pipeline", destination="duckdb", dataset_name="aptrinsic_data")
        pipeline.run(aptrinsic_source().with_resources("users", "events_lead"))
        """,
    )
    assert printed.errors == ""


def test_resources_and_filters_are_chosen_as_in_any_source(stage: Stage) -> None:
    run_program(
        stage,
        """
        import dlt
        from feedloom import aptrinsic_source
        from feedloom.vendors.aptrinsic.filters import F
        pipeline = dlt.pipeline("aptrinsic_pipeline", destination="duckdb", dataset_name="aptrinsic_data")
        filters = {"users": F("numberOfVisits") > 1, "events_custom": F("eventName").like("report*")}
        source = aptrinsic_source(start="2024-11-01T00:00:00Z", filters=filters)
        pipeline.run(source.with_resources("users", "events_custom", "user_preferences"))
        """,
    )
    stage.has_loaded(["events_custom"], now=stage.clock(), start=datetime(2024, 11, 1, tzinfo=UTC))
    reports = [row for row in stage.rows_there("events_custom") if row["eventName"] == "Report Exported"]
    visitors = [row for row in stage.rows_there("users") if row["numberOfVisits"] > 1]
    assert count(stage, "events_custom") == len(reports) > 0
    assert count(stage, "users") == len(visitors) > 0
    assert count(stage, "user_preferences") == 60
    with pytest.raises(duckdb.CatalogException):
        count(stage, "accounts")


def test_features_can_be_chosen_by_what_they_are_called_elsewhere(stage: Stage) -> None:
    run_program(
        stage,
        """
        import dlt
        from feedloom import aptrinsic_source
        pipeline = dlt.pipeline("aptrinsic_pipeline", destination="duckdb", dataset_name="aptrinsic_data")
        pipeline.run(aptrinsic_source().with_resources("features"))
        """,
    )
    features = [row["id"] for row in stage.rows_there("feature_flags")]
    assert count(stage, "feature_flags") == len(features) > 0
    with pytest.raises(duckdb.CatalogException):
        count(stage, "segments")


def make_external_segment(stage: Stage, external_id: str) -> str:
    """Make a segment that is fed from outside; returns its id."""
    headers = {"X-APTRINSIC-API-KEY": stage.emulator.key}
    with httpx2.Client(base_url=stage.url, headers=headers) as http:
        body = {"externalId": external_id, "name": f"Audience {external_id}", "description": ""}
        return str(http.post("/external_segment/metadata", json=body).raise_for_status().json()["id"])


def segments_in(file: Path) -> list[tuple[str, str]]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute("select id, name from aptrinsic_data.external_segments order by name").fetchall()


def test_external_segments_are_loaded_by_the_ids_that_a_program_names(stage: Stage) -> None:
    first, second, _ = (make_external_segment(stage, name) for name in ("a", "b", "c"))
    run_program(
        stage,
        f"""
        import dlt
        from feedloom import aptrinsic_source
        pipeline = dlt.pipeline("aptrinsic_pipeline", destination="duckdb", dataset_name="aptrinsic_data")
        named = [{{"segmentId": "{first}"}}, {{"segmentId": "{second}"}}]
        source = aptrinsic_source(lookups={{"external_segments": named}})
        pipeline.run(source.with_resources("external_segments"))
        """,
    )
    assert segments_in(stage.folder / "aptrinsic_pipeline.duckdb") == [(first, "Audience a"), (second, "Audience b")]


def test_external_segments_are_loaded_by_the_ids_that_stand_in_the_settings(stage: Stage) -> None:
    only = ("--only", "external_segments")
    unnamed = stage.command(*only)
    assert unnamed.code == 2, unnamed
    assert "looked up by segmentId, and none was named" in unnamed.error["message"]
    segment = make_external_segment(stage, "a")
    with (stage.folder / ".dlt" / "config.toml").open("a") as settings:
        settings.write(
            f'[sources.aptrinsic_source.lookups]\nexternal_segments = [{{segmentId = "{segment}"}}]\n',
        )
    named = stage.command(*only)
    assert named.code == 0, named
    assert segments_in(stage.database) == [(segment, "Audience a")]


def test_an_external_segment_that_does_not_exist_is_an_error(stage: Stage) -> None:
    with (stage.folder / ".dlt" / "config.toml").open("a") as settings:
        settings.write('[sources.aptrinsic_source.lookups]\nexternal_segments = [{segmentId = "nothing"}]\n')
    outcome = stage.command("--only", "external_segments")
    assert outcome.code == 1, outcome
    (table,) = outcome.document["tables"]
    assert "status 404" in str(table)
