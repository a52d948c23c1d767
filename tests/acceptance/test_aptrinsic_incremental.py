"""Later syncs of Gainsight PX read only what is new, and the database is still equal to the API."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from support.aptrinsic_stage import COMMAND, DEFAULT_TABLES, LATEST, Stage, look_at_a_page, playing, table_of
from support.compare_aptrinsic import EVENT_LISTS

PEOPLE = ("users", "accounts")
EVENTS = tuple(EVENT_LISTS)
SOME_TABLES = tuple(
    table
    for table in DEFAULT_TABLES
    if table in {"users", "accounts", "segments", "events_page_view", "events_custom", "engagements"}
)
SUMMED = ("feature_adoption", "engagement_errors", "engagement_error_details", "engagement_collisions")
MILLISECOND = timedelta(milliseconds=1)


def epoch_ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def but_old_names(differences: list[str]) -> list[str]:
    """All but the names that features had when their use was summed up, which nobody sums up again."""
    return [text for text in differences if not (text.startswith("feature_adoption") and ": feature_name is" in text)]


def but_late_events(stage: Stage, differences: list[str], *, before: datetime) -> list[str]:
    """All but events that were noted later than they happened, which was *before* the look-back."""
    late = {
        f"{table} ('{row['eventId']}',) is missing"
        for table in EVENTS
        for row in stage.rows_there(table)
        if row["date"] < epoch_ms(before)
    }
    return [text for text in differences if text not in late]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("tables", [SOME_TABLES, DEFAULT_TABLES], ids=["some", "all"])
def test_later_syncs_bring_what_is_new_and_nothing_else(tables: Sequence[str], tmp_path: Path) -> None:
    events = [table for table in tables if table in EVENTS]
    with playing(tmp_path, rows=60) as stage:
        first = stage.sync(only=tables)
        stage.clock.forward(hours=1)
        second = stage.sync(only=tables)
        assert [(table.table, table.new, table.changed, table.gone) for table in second.tables] == [
            (table, 0, 0, 0) for table in tables
        ]
        assert second.requests < first.requests / 3
        stage.change(lambda control: control.random_writes(200, seed=1))
        stage.clock.forward(hours=1)
        third = stage.sync(only=tables)
        assert third.new > 0
        assert third.changed > 0
        differences = but_old_names(stage.differences(tables))
        assert but_late_events(stage, differences, before=LATEST - timedelta(days=1)) == []
        assert differences
        stage.sync(only=events, start=LATEST - timedelta(days=730))
        assert stage.differences(events) == []


def test_the_next_day_adds_a_day_to_what_is_summed_up(tmp_path: Path) -> None:
    with playing(tmp_path, rows=200) as stage:
        stage.clock.forward(days=-3)
        first = table_of(stage.sync(only=SUMMED), "feature_adoption")
        stage.clock.forward(days=1, hours=5)
        second = table_of(stage.sync(only=SUMMED), "feature_adoption")
        assert second.new == first.new
        assert stage.differences(SUMMED) == []


def test_events_that_come_late_are_found_within_the_look_back(tmp_path: Path) -> None:
    with playing(tmp_path, rows=20) as stage:
        stage.sync(only=EVENTS)
        loaded = stage.clock()
        stage.clock.forward(hours=3)
        for minutes in (1, 60, 60 * 24):
            date_ms = epoch_ms(loaded - timedelta(minutes=minutes))
            for table in EVENTS:
                name = "list_survey_responses" if table == "survey_responses" else table.removeprefix("events_")
                stage.change(partial(add_event, kind=name, date_ms=date_ms))
        report = stage.sync(only=EVENTS)
        assert [table.new for table in report.tables] == [3] * len(EVENTS)
        assert stage.differences(EVENTS) == []


@pytest.mark.nightly
def test_an_event_that_comes_later_than_the_look_back_is_found_within_the_week(tmp_path: Path) -> None:
    with playing(tmp_path, rows=20) as stage:
        stage.sync(only=["events_custom"])
        loaded = stage.clock()
        stage.clock.forward(days=1)
        late_ms = epoch_ms(loaded - timedelta(days=3))
        stage.change(partial(add_event, kind="custom", date_ms=late_ms))
        stage.sync(only=["events_custom"])
        assert len(stage.differences(["events_custom"])) == 1
        stage.clock.forward(days=6)
        report = stage.sync(only=["events_custom"])
        assert (report.new, report.gone) == (1, 0)
        assert stage.differences(["events_custom"]) == []


def test_a_start_that_is_given_each_time_sums_nothing_up_twice(tmp_path: Path) -> None:
    with playing(tmp_path, rows=200) as stage:
        for _ in range(2):
            stage.sync(only=SUMMED, start=LATEST - timedelta(days=10))
            stage.clock.forward(days=1)
        assert stage.differences(SUMMED) == []
        ranges = {(row["dateRangeStart"], row["dateRangeEnd"]) for row in stage.rows_there("feature_adoption")}
        ends = [end for _, end in sorted(ranges)]
        assert [start for start, _ in sorted(ranges)][1:] == ends[:-1]


@pytest.mark.parametrize("look_back_hours", ["0", "24"])
def test_events_at_the_end_of_a_window_come_exactly_once(
    look_back_hours: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__APTRINSIC_SOURCE__LOOK_BACK_HOURS", look_back_hours)
    with playing(tmp_path, rows=1) as stage:
        end = stage.clock.forward(hours=1)
        for moment in (end - MILLISECOND, end, end + MILLISECOND):
            stage.change(partial(look_at_a_page, date_ms=epoch_ms(moment)))
        counts = []
        for _ in range(3):
            counts.append(table_of(stage.sync(only=["events_page_view"]), "events_page_view").new)
            stage.clock.forward(seconds=1)
        base = len(stage.rows_there("events_page_view")) - 3
        assert counts == [base + 1, 2, 0]
        assert stage.differences(["events_page_view"]) == []


def test_values_and_keys_of_new_kinds_find_their_columns(tmp_path: Path) -> None:
    with playing(tmp_path, rows=60) as stage:
        stage.sync(only=["events_custom", "events_form_submit"])
        odd: list[dict[str, Any]] = [
            {"rows": "many", "Rows": 1, "ROWS": 2.5, "rows ": True},
            {"": "no name", "_": 1, "tookMs": "soon", "took_ms": 2**63 - 1, "больше": None, "меньше": -0.5},
            {"scheduled": 3, "format": False, "rows": 2**53 + 1, "invite_id": 1.0},
        ]
        stage.clock.forward(hours=1)
        for attributes in odd:
            stage.change(partial(add_event, kind="custom", attributes=attributes))
            stage.change(partial(add_event, kind="form_submit", formData=attributes))
        stage.clock.forward(hours=1)
        stage.sync(only=["events_custom", "events_form_submit"])
        assert stage.differences(["events_custom", "events_form_submit"]) == []


def test_a_start_cuts_events_and_takes_everybody(tmp_path: Path) -> None:
    tables = (*PEOPLE, "events_page_view")
    with playing(tmp_path, rows=60) as stage:
        stage.sync(only=tables, start=LATEST - timedelta(days=100))
        assert stage.differences(tables) == []
        stage.clock.forward(hours=1)
        stage.change(lambda control: control.touch_user("u-000001"))
        report = stage.sync(only=tables, start=LATEST - timedelta(days=300))
        assert table_of(report, "users").changed == 1
        assert stage.differences(tables) == []


def test_the_deleted_stay_until_all_is_read_again(tmp_path: Path) -> None:
    with playing(tmp_path, rows=60) as stage:
        stage.sync(only=PEOPLE)
        stage.clock.forward(hours=1)
        stage.change(lambda control: control.random_writes(60, seed=5, deletes=True))
        stage.sync(only=PEOPLE)
        differences = stage.differences(PEOPLE)
        assert [text for text in differences if not text.endswith("is not at the API")] == []
        report = stage.sync(only=PEOPLE, full=True)
        assert sum(table.gone for table in report.tables) == len(differences) > 0
        assert stage.differences(PEOPLE) == []


def test_whoever_is_gone_is_noticed_by_the_weekly_reading(tmp_path: Path) -> None:
    with playing(tmp_path, rows=60) as stage:
        stage.sync(only=PEOPLE)
        stage.change(lambda control: control.random_writes(40, seed=5, deletes=True))
        stage.clock.forward(days=6)
        assert [table.gone for table in stage.sync(only=PEOPLE).tables] == [0, 0]
        stage.clock.forward(days=1)
        report = stage.sync(only=PEOPLE)
        assert sum(table.gone for table in report.tables) > 0
        assert "Read whole, as every 7 days, to see which rows are gone." in table_of(report, "users").notes
        assert stage.differences(PEOPLE) == []


def test_a_weekly_reading_that_lost_too_many_brings_what_is_new_all_the_same(tmp_path: Path) -> None:
    with playing(tmp_path, rows=250) as stage:
        stage.sync(only=["users"])
        stage.change(lambda control: control.random_writes(300, seed=5, deletes=True))
        stage.clock.forward(days=7)
        report = table_of(stage.sync(only=["users"]), "users")
        assert report.verdict == "withheld"
        assert report.withheld > 20
        assert report.new > 0
        assert [text for text in stage.differences(["users"]) if not text.endswith("is not at the API")] == []


@pytest.mark.parametrize("requests", [3, 9, 40])
def test_a_run_that_is_interrupted_keeps_what_came_and_the_next_goes_on(requests: int, tmp_path: Path) -> None:
    tables = ("users", "events_page_view", "articles", "feature_adoption")
    start = LATEST - timedelta(days=14)
    sync = (COMMAND, "sync", "aptrinsic", "--only", ",".join(tables), "--start", start.isoformat())
    with playing(tmp_path, rows=1000, latency_ms=50) as stage:
        program = stage.start(*sync, "--end", LATEST.isoformat())
        stage.wait_for_requests(program, requests)
        program.send_signal(signal.SIGINT)
        stopped = stage.finish(program)
        assert stopped.code == 130, stopped
        assert "the next run goes on from there" in stopped.errors
        assert "Traceback" not in stopped.errors
        asked = stage.emulator.requests.total
        done = stage.finish(stage.start(*sync, "--end", LATEST.isoformat()))
        assert done.code == 0, done
        assert stage.emulator.requests.total - asked < 2 * 104 + 30
        stage.has_loaded(tables, now=LATEST, start=start)
        assert stage.differences(tables) == []


def add_event(control: Any, *, kind: str, date_ms: int | None = None, **fields: Any) -> None:
    """Note something that a user did; for ``Stage.change``."""
    control.add_event(kind, "u-000003", date_ms, **fields)
