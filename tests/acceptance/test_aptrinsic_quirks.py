"""However Gainsight PX behaves where sources disagree: the database equals it, or a named error says why not.

Each quirk is proved alone on tables that it touches, all of them together on all tables, and some in random pairs.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import dlt
import duckdb
import httpx2
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from feedloom import aptrinsic_source
from feedloom.emulator import describe
from feedloom.errors import CredentialError, RateLimitedError, RefusedError, RetryLaterError, VendorError
from feedloom.sync.failures import explain
from support.aptrinsic_stage import (
    LATEST,
    AsTimePasses,
    Stage,
    crowd_the_last_day,
    error_of,
    in_turn,
    look_at_a_page,
    playing,
    table_of,
)
from support.compare_aptrinsic import EVENT_LISTS, KEYS

PEOPLE = ("users", "accounts")
EVENTS = tuple(EVENT_LISTS)
SCROLLED = ("users", "events_page_view", "engagement_collisions")
"""With 1,000 users and a crowded day: a list that fills its last page, one of two pages, and a short one."""

SCROLLING = {
    "scroll_id": ("fresh",),
    "scroll_end": ("last", "never"),
    "scrolling": ("live",),
    "total_hits": ("inflated",),
    "scroll_life_s": ("0",),
    "lenient": ("1",),
}
"""What lists that scroll may do, with the values that are not the default."""

WRITING = {"number_for_text": "refused", "write_body": "envelope", "rights": "no-launch"}
"""Quirks of writes, which a sync must not notice."""

MODIFIED = ("modified_filter", "modified_sort")

TOGETHER: Mapping[str, Mapping[str, str]] = {
    "one side": {
        "scroll_id": "fresh",
        "scroll_end": "never",
        "scrolling": "live",
        "total_hits": "inflated",
        "modified_filter": "ignored",
        "default_window": "none",
        "global_context": "array",
        "retry_after": "1",
        "lenient": "1",
        "filter_by_id": "refused",
        "rights": "no-write",
        "write_body": "envelope",
        "number_for_text": "refused",
        "forbidden_body": "html",
    },
    "the other side": {
        "scroll_end": "last",
        "total_hits": "inflated",
        "modified_sort": "ignored",
        "global_context": "null",
        "scroll_life_s": "0",
        "rights": "no-launch",
        "limit_per_second": "1000",
        "revival_days": "0",
    },
}
"""As many quirks at once as go together."""

PAIRED = {
    "scroll_id": "fresh",
    "scroll_end": "never",
    "scrolling": "live",
    "total_hits": "inflated",
    "default_window": "none",
    "modified_filter": "ignored",
    "modified_sort": "ignored",
    "global_context": "array",
    "lenient": "1",
    "write_body": "envelope",
}
PAIRS = random.Random(20261101).sample(list(combinations(PAIRED, 2)), k=6)  # noqa: S311 - a choice of tests

PROVED_BY_NAME = {
    *("default_window", "global_context", "duplicate_guard", "retry_after", "limit_per_second", "limit_per_day"),
    *("filter_by_id", "segment_match_key", "rights", "forbidden_body", "region", "revival_days"),
}


@pytest.fixture(autouse=True)
def _waits_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedloom.http.retry.LONGEST_BACKOFF_S", 0.05)


def write(stage: Stage, method: str, path: str, body: Mapping[str, Any] | None = None) -> None:
    """Send a write to the emulator and to its twin."""
    for url in (stage.url, stage.twin_url):
        with httpx2.Client(base_url=url, headers={"X-APTRINSIC-API-KEY": stage.emulator.key}) as http:
            http.request(method, path, json=body).raise_for_status()


def make(stage: Stage, identify_id: str) -> None:
    """Make a user."""
    write(stage, "POST", "/users", {"identifyId": identify_id, "propertyKeys": ["AP-LOOMDEMOWEB1-2"]})


def delete(stage: Stage, identify_id: str) -> None:
    """Delete a user."""
    write(stage, "DELETE", f"/users/{identify_id}")


def but_the_deleted(differences: list[str]) -> list[str]:
    """All but the rows of users who were deleted, which stay until all is read again."""
    return [text for text in differences if not text.endswith("is not at the API")]


def delete_and_make_again(stage: Stage, identify_id: str) -> None:
    """Delete a user and make one with the same id, through the API."""
    headers = {"X-APTRINSIC-API-KEY": stage.emulator.key}
    with httpx2.Client(base_url=stage.url, headers=headers) as http:
        http.delete(f"/users/{identify_id}").raise_for_status()
        user = {"identifyId": identify_id, "propertyKeys": ["AP-LOOMDEMOWEB1-2"]}
        http.post("/users", json=user).raise_for_status()


def touch(control: Any, *, identify_id: str) -> None:
    """Let a user come back; for ``Stage.change``."""
    control.touch_user(identify_id)


def go_on(stage: Stage) -> None:
    """An hour in which users come back, people are made and changed, and events happen, some of them noted late."""
    stage.clock.forward(minutes=30)
    stage.change(lambda control: [control.touch_user(f"u-{number:06d}") for number in (30, 10)])
    stage.clock.forward(minutes=15)
    stage.change(lambda control: [control.touch_user(f"u-{number:06d}") for number in (0, 20)])
    for minutes in (1, 90, 1400):
        late_ms = int((stage.clock() - timedelta(minutes=minutes)).timestamp() * 1000)
        stage.change(partial(look_at_a_page, date_ms=late_ms))
    stage.clock.forward(minutes=15)


def test_every_quirk_of_the_emulator_is_tested_here() -> None:
    known = {name for name, _ in describe("aptrinsic").quirks}
    assert known == {*SCROLLING, *WRITING, *MODIFIED, *PROVED_BY_NAME}


def test_a_vendor_as_the_notes_describe_it_comes_whole_with_the_command(tmp_path: Path) -> None:
    with playing(tmp_path, rows=60) as stage:
        tables = ("users", "survey_responses", "feature_flags")
        outcome = stage.command(
            "--end", LATEST.isoformat(), "--start", "2024-11-01T00:00:00Z", "--only", ",".join(tables)
        )
        assert outcome.code == 0, outcome
        stage.has_loaded(tables, now=LATEST)
        assert stage.differences(tables) == []


def test_every_table_comes_whole_with_the_preferences_of_every_user(tmp_path: Path) -> None:
    with playing(tmp_path, rows=60, seed=2) as stage:
        stage.sync(only=KEYS)
        assert stage.differences(KEYS) == []


def test_a_subscription_without_users_gives_no_rows_and_no_error(tmp_path: Path) -> None:
    tables = ("users", "user_preferences", "events_custom", "feature_adoption", "engagement_errors")
    with playing(tmp_path, rows=0) as stage:
        report = stage.sync(only=tables)
        assert stage.differences(tables) == []
        assert table_of(report, "users").rows == 0


@pytest.mark.parametrize("side", TOGETHER)
def test_all_tables_come_whole_with_all_quirks_together(side: str, tmp_path: Path) -> None:
    with playing(tmp_path, rows=60, quirks=TOGETHER[side]) as stage:
        stage.sync()
        assert stage.differences() == []


@pytest.mark.parametrize(("quirk", "value"), [(quirk, value) for quirk in SCROLLING for value in SCROLLING[quirk]])
def test_lists_that_scroll_come_whole(quirk: str, value: str, tmp_path: Path) -> None:
    with playing(tmp_path, rows=1000, quirks={quirk: value}) as stage:
        crowd_the_last_day(stage)
        stage.sync(only=SCROLLED, start=LATEST - timedelta(days=1))
        assert stage.differences(SCROLLED) == []


def test_a_scroll_that_expires_once_is_read_from_its_start(tmp_path: Path) -> None:
    with playing(tmp_path, rows=1000) as stage:
        meanwhile = in_turn(None, lambda: stage.clock.forward(seconds=600))
        stage.sync(only=["users"], progress=AsTimePasses(on_page=meanwhile))
        assert stage.emulator.requests.by_status[400] == 1
        assert stage.differences(["users"]) == []


def test_a_scroll_that_always_expires_is_an_error_and_leaves_nothing_half_read(tmp_path: Path) -> None:
    with playing(tmp_path, rows=1000, quirks={"scroll_life_s": "60"}) as stage:
        slow = AsTimePasses(on_page=lambda: stage.clock.forward(seconds=61))
        error = error_of(lambda: stage.sync(only=["users"], progress=slow))
        assert isinstance(error, RetryLaterError)
        assert error.exit_code == 5
        stage.sync(only=["users"])
        assert stage.differences(["users"]) == []


@pytest.mark.parametrize(
    "quirks", [{"default_window": "none"}, {"global_context": "array"}, {"global_context": "null"}]
)
def test_events_come_whole(quirks: Mapping[str, str], tmp_path: Path) -> None:
    with playing(tmp_path, rows=60, quirks=quirks) as stage:
        stage.sync(only=EVENTS)
        assert stage.differences(EVENTS) == []


@pytest.mark.parametrize("quirk", MODIFIED)
def test_changed_people_are_found(quirk: str, tmp_path: Path) -> None:
    with playing(tmp_path, rows=60, quirks={quirk: "ignored"}) as stage:
        stage.sync(only=PEOPLE)
        go_on(stage)
        stage.change(lambda control: control.random_writes(60, seed=4))
        report = stage.sync(only=PEOPLE)
        assert stage.differences(PEOPLE) == []
        assert table_of(report, "users").changed > 0
        assert ["read whole" in " ".join(table.notes) for table in report.tables] == [True, quirk == MODIFIED[0]]


def replace_somebody(stage: Stage) -> None:
    """Delete a user and make another one."""
    delete(stage, "u-000500")
    make(stage, "new-000001")


MEANWHILE: Mapping[str, Callable[[Stage], None]] = {
    "changes": lambda stage: stage.change(partial(touch, identify_id="u-000003")),
    "is deleted": partial(delete, identify_id="u-000500"),
    "is made": partial(make, identify_id="new-000001"),
    "is deleted and another made": replace_somebody,
}
"""What may happen to somebody while a list of users is read."""


def touch_everybody(stage: Stage) -> None:
    """Let all users come back, a second after each other."""
    for row in stage.rows_there("users"):
        stage.clock.forward(seconds=1)
        stage.change(partial(touch, identify_id=row["identifyId"]))


@pytest.mark.parametrize("deed", MEANWHILE)
def test_nobody_is_passed_over_when_somebody_changes_while_changes_are_read(deed: str, tmp_path: Path) -> None:
    with playing(tmp_path, rows=1100, quirks={"scrolling": "live"}) as stage:
        stage.sync(only=["users"])
        touch_everybody(stage)
        stage.clock.forward(days=5)
        meanwhile = in_turn(None, lambda: MEANWHILE[deed](stage))
        report = stage.sync(only=["users"], progress=AsTimePasses(on_page=meanwhile))
        assert "read whole" not in " ".join(table_of(report, "users").notes)
        stage.clock.forward(days=5)
        stage.sync(only=["users"])
        assert but_the_deleted(stage.differences(["users"])) == []


@pytest.mark.parametrize("deed", ["is deleted", "changes", "is made"])
def test_nobody_is_passed_over_when_somebody_changes_while_all_are_read(deed: str, tmp_path: Path) -> None:
    with playing(tmp_path, rows=1100, quirks={"scrolling": "live"}) as stage:
        meanwhile = in_turn(None, lambda: MEANWHILE[deed](stage))
        report = stage.sync(only=["users"], progress=AsTimePasses(on_page=meanwhile))
        assert not any("may be missing" in note for note in table_of(report, "users").notes)
        stage.clock.forward(days=5)
        stage.sync(only=["users"])
        assert but_the_deleted(stage.differences(["users"])) == []


def test_nobody_is_passed_over_who_changes_before_a_broken_run_goes_on(tmp_path: Path) -> None:
    with playing(tmp_path, rows=1100, quirks={"scrolling": "live"}) as stage:
        stage.sync(only=["users"])
        touch_everybody(stage)
        stage.clock.forward(days=5)
        breaking = in_turn(None, lambda: stage.emulator.faults.add("500=always@list_users"))
        assert error_of(lambda: stage.sync(only=["users"], progress=AsTimePasses(on_page=breaking))) is not None
        stage.emulator.faults.clear()
        for number in (1050, 20, 700):
            stage.clock.forward(days=3)
            stage.change(partial(touch, identify_id=stage.rows_there("users")[number]["identifyId"]))
            stage.sync(only=["users"])
        assert stage.differences(["users"]) == []


def test_a_filter_that_only_the_second_page_shows_to_be_ignored_is_told(tmp_path: Path) -> None:
    with playing(tmp_path, rows=1100, quirks={"modified_filter": "ignored"}) as stage:
        stage.sync(only=["users"])
        stage.clock.forward(days=5)
        for row in stage.rows_there("users")[:1050]:
            stage.change(partial(touch, identify_id=row["identifyId"]))
        stage.clock.forward(minutes=1)
        report = table_of(stage.sync(only=["users"]), "users")
        assert "The vendor ignored the filter by lastModifiedDate: read whole." in report.notes
        assert (report.new, report.changed) == (0, 1050)
        assert stage.differences(["users"]) == []


def note_late(stage: Stage) -> None:
    """Note page views of the last day."""
    for minutes in (1439, 700, 1):
        date_ms = int((LATEST - timedelta(minutes=minutes)).timestamp() * 1000)
        stage.change(partial(look_at_a_page, date_ms=date_ms))


def test_events_noted_late_while_events_are_read_draw_no_other_out_of_its_place(tmp_path: Path) -> None:
    with playing(tmp_path, rows=1000, quirks={"scrolling": "live"}) as stage:
        crowd_the_last_day(stage)
        meanwhile = AsTimePasses(on_page=in_turn(None, lambda: note_late(stage)))
        stage.sync(only=["events_page_view"], start=LATEST - timedelta(days=1), progress=meanwhile)
        stage.clock.forward(minutes=1)
        stage.sync(only=["events_page_view"])
        assert stage.differences(["events_page_view"]) == []


@pytest.mark.parametrize("quirk", WRITING)
def test_quirks_of_writes_change_nothing_for_a_sync(quirk: str, tmp_path: Path) -> None:
    with playing(tmp_path, rows=60, quirks={quirk: WRITING[quirk]}) as stage:
        stage.sync(only=PEOPLE)
        stage.clock.forward(hours=1)
        stage.change(lambda control: control.random_writes(30, seed=5))
        stage.sync(only=PEOPLE)
        assert stage.differences(PEOPLE) == []


def test_reads_that_the_guard_takes_for_doubles_are_sent_again_later(tmp_path: Path) -> None:
    tables = ("feature_flags", "feature_adoption", "engagement_errors", "engagement_error_details")
    with playing(tmp_path, rows=200, quirks={"duplicate_guard": "1"}) as stage:
        stage.sync(only=tables, progress=AsTimePasses(on_wait=lambda: stage.clock.forward(seconds=3)))
        assert stage.emulator.requests.by_status[429] >= 2
        assert stage.differences(tables) == []


def test_a_guard_that_never_lets_go_is_told_as_a_limit(tmp_path: Path) -> None:
    with playing(tmp_path, rows=1, quirks={"duplicate_guard": "1"}) as stage:
        error = error_of(lambda: stage.sync(only=["users", "user_attributes"]))
        assert isinstance(error, RateLimitedError)
        assert "Duplicate request blocked" in error.message


@pytest.mark.parametrize("retry_after", ["0", "1"])
def test_a_tight_limit_only_takes_longer(retry_after: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedloom.http.retry.LONGEST_BACKOFF_S", 1.0)
    tables = ("feature_flags", "feature_adoption")
    with playing(tmp_path, rows=20, quirks={"retry_after": retry_after, "limit_per_second": "40"}) as stage:
        stage.sync(only=tables)
        assert stage.differences(tables) == []


@pytest.mark.parametrize("retry_after", ["0", "1"])
def test_a_used_up_day_is_an_error_that_keeps_what_was_loaded(retry_after: str, tmp_path: Path) -> None:
    with playing(tmp_path, rows=20, quirks={"retry_after": retry_after, "limit_per_day": "10"}) as stage:
        error = error_of(lambda: stage.sync(only=["segments", "feature_adoption"]))
        assert isinstance(error, RateLimitedError)
        assert error.exit_code == 5
        assert (error.retry_after_s is not None) == (retry_after == "1")
        assert stage.differences(["segments"]) == []


def test_another_list_key_of_segment_matches_is_an_error_and_stops_no_other_table(tmp_path: Path) -> None:
    with playing(tmp_path, rows=60, quirks={"segment_match_key": "segmentMatchEvents"}) as stage:
        error = error_of(lambda: stage.sync(only=["events_feature_match", "events_segment_match"]))
        assert isinstance(error, VendorError)
        assert error.exit_code == 1
        assert error.where == "list_segment_match_events"
        assert "featureMatchEvents" in error.message
        assert stage.differences(["events_feature_match"]) == []


@pytest.mark.parametrize("value", ["taken", "refused"])
def test_users_filtered_by_id_come_or_are_refused(value: str, tmp_path: Path) -> None:
    def load() -> Any:
        pipeline = dlt.pipeline("by_id", destination=dlt.destinations.duckdb(str(stage.database)), dataset_name="px")
        pipeline.run(
            aptrinsic_source(
                api_key=stage.emulator.key, base_url=stage.url, filters={"users": ["id==u-000001"]}
            ).with_resources("users")
        )
        return pipeline.dataset().users.select("identify_id").fetchall()

    with playing(tmp_path, rows=60, quirks={"filter_by_id": value}) as stage:
        if value == "taken":
            assert load() == [("u-000001",)]
        else:
            with pytest.raises(PipelineStepFailed) as caught:
                load()
            error = explain(caught.value)
            assert isinstance(error, RefusedError)
            assert "Unknown filter field: id" in error.message


@pytest.mark.parametrize(
    "quirks", [{"rights": "no-read"}, {"rights": "no-read", "forbidden_body": "html"}, {"region": "401"}]
)
def test_a_key_that_may_not_read_is_an_error_of_the_key(quirks: Mapping[str, str], tmp_path: Path) -> None:
    with playing(tmp_path, rows=1, quirks=quirks) as stage:
        error = error_of(lambda: stage.sync(only=["users"]))
        assert isinstance(error, CredentialError)
        assert error.exit_code == 4
        assert "Read" in error.message or "region" in error.message
        assert stage.emulator.key not in error.message + error.hint


def test_a_region_that_answers_404_is_an_error(tmp_path: Path) -> None:
    with playing(tmp_path, rows=1, quirks={"region": "404"}) as stage:
        error = error_of(lambda: stage.sync(only=["users"]))
        assert isinstance(error, RefusedError)
        assert (error.status, error.exit_code) == (404, 1)


@pytest.mark.parametrize(("days", "records"), [("0", 2), ("7", 1)])
def test_a_user_who_comes_back_is_the_same_record_or_a_second_one(days: str, records: int, tmp_path: Path) -> None:
    with playing(tmp_path, rows=20, quirks={"revival_days": days}) as stage:
        stage.sync(only=["users"])
        stage.clock.forward(hours=1)
        delete_and_make_again(stage, "u-000003")
        stage.sync(only=["users"])
        with duckdb.connect(str(stage.database), read_only=True) as database:
            found = database.execute(
                "select count(*) from aptrinsic_data.users where identify_id = 'u-000003'"
            ).fetchall()
        assert found == [(records,)]


@pytest.mark.parametrize("pair", PAIRS, ids=" with ".join)
def test_quirks_in_pairs(pair: tuple[str, str], tmp_path: Path) -> None:
    with playing(tmp_path, rows=1000, quirks={quirk: PAIRED[quirk] for quirk in pair}) as stage:
        crowd_the_last_day(stage)
        stage.sync(only=SCROLLED, start=LATEST - timedelta(days=1))
        go_on(stage)
        stage.sync(only=SCROLLED)
        assert stage.differences(SCROLLED) == []
