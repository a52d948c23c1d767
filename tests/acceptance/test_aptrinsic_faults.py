"""Whatever goes wrong on the way from Gainsight PX: the database is equal in the end, or one named error says why not.

After an error nothing is half true: tables hold what they held before, and the next sync makes all equal.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs

import httpx2
import pytest

from feedloom.emulator import describe
from feedloom.errors import CredentialError, FeedloomError, RetryLaterError, VendorError
from support.aptrinsic_stage import (
    LATEST,
    AsTimePasses,
    Stage,
    crowd_the_last_day,
    error_of,
    in_turn,
    playing,
    table_of,
)
from support.killing import small_pages

TABLES = ("users", "events_page_view", "articles", "feature_flags", "feature_adoption", "engagement_collisions")
"""A list that fills its last page, one of two pages, two that replace their table, a call for each row, a short one."""

PASSING = (
    "slow=20",
    "429=2@list_features",
    "429=30@get_feature_adoption",
    "429-bare=3",
    "500=3",
    "503=2@get_feature_adoption",
    "html=3",
    "truncated=3",
    "drop=3",
    "too-large=300",
)
"""Faults that a client which tries again gets over."""

NAMED: dict[str, tuple[type[FeedloomError], str]] = {
    "503=2": (RetryLaterError, "status 503"),
    "500=always@list_articles": (RetryLaterError, "status 500"),
    "429-bare=always@list_articles": (RetryLaterError, "rate limit"),
    "html=always@list_users": (VendorError, "an HTML page instead of JSON"),
    "truncated=always@get_feature_adoption": (VendorError, "cut off or malformed"),
    "drop=always@list_features": (RetryLaterError, "the connection broke"),
    "key-refused=9": (CredentialError, "refused the key"),
    "missing-list-key=3": (VendorError, "where its rows should be"),
    "repeated-cursor=2": (VendorError, "brought the same rows as an earlier page"),
}
"""Faults that nobody gets over, with the error of it and some of its words."""

TOLD = {"rows-added": "with the next sync", "empty-page": "in the report"}
"""Faults that no request fails of; tests of their own show what becomes of them."""

EXIT_CODES = {CredentialError: 4, RetryLaterError: 5, VendorError: 1}


@pytest.fixture(autouse=True)
def _waits_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedloom.http.retry.LONGEST_BACKOFF_S", 0.05)


def sync_again(stage: Stage) -> None:
    """A minute later everything works again."""
    stage.emulator.faults.clear()
    stage.clock.forward(minutes=1)
    stage.sync(only=TABLES)


def scrolls_on(stage: Stage) -> int:
    """How many requests for a further page of a scroll the emulator has seen."""
    return sum("scrollId" in parse_qs(request.query) for request in stage.emulator.requests)


def test_every_fault_of_the_emulator_is_tested_here() -> None:
    tested = {spec.partition("=")[0] for spec in (*PASSING, *NAMED, *TOLD)}
    assert {name for name, _ in describe("aptrinsic").faults} == tested


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_by_itself_leaves_no_trace(fault: str, tmp_path: Path) -> None:
    with playing(tmp_path, rows=1000, faults=[fault]) as stage:
        crowd_the_last_day(stage)
        stage.sync(only=TABLES, start=LATEST - timedelta(days=1))
        assert stage.differences(TABLES) == []


@pytest.mark.parametrize("fault", NAMED)
def test_what_does_not_pass_is_one_named_error_and_the_next_sync_makes_all_equal(fault: str, tmp_path: Path) -> None:
    kind, words = NAMED[fault]
    with playing(tmp_path, rows=1000, faults=[fault]) as stage:
        crowd_the_last_day(stage)
        error = error_of(lambda: stage.sync(only=TABLES, start=LATEST - timedelta(days=1)))
        assert isinstance(error, kind)
        assert error.exit_code == EXIT_CODES[kind]
        assert words in error.message
        assert error.hint
        assert stage.emulator.key not in error.message + error.hint
        assert stage.differences([table for table in TABLES if table in stage.spans]) == []
        sync_again(stage)
        assert stage.differences(TABLES) == []


@pytest.mark.parametrize("fault", ["missing-list-key=always", "500=always", "truncated=always"])
def test_tables_that_were_loaded_stay_as_they_were_when_everything_fails(fault: str, tmp_path: Path) -> None:
    with playing(tmp_path, rows=20) as stage:
        stage.sync(only=TABLES)
        stage.clock.forward(hours=1)
        stage.emulator.faults.add(fault)
        assert error_of(lambda: stage.sync(only=TABLES)) is not None
        assert stage.differences(TABLES) == []


def test_a_failing_table_stops_no_other(tmp_path: Path) -> None:
    with playing(tmp_path, rows=20, faults=["500=always@list_articles"]) as stage:
        report = stage.try_sync(only=TABLES)
        assert [table.table for table in report.tables if table.error is not None] == ["articles"]
        assert stage.differences([table for table in TABLES if table != "articles"]) == []


@pytest.mark.parametrize("scrolling", ["snapshot", "live"])
def test_rows_that_are_added_while_lists_are_read_come_with_the_next_sync(scrolling: str, tmp_path: Path) -> None:
    with playing(tmp_path, rows=1000, faults=["rows-added=1"], quirks={"scrolling": scrolling}) as stage:
        crowd_the_last_day(stage)
        stage.sync(only=TABLES, start=LATEST - timedelta(days=1))
        for _ in range(scrolls_on(stage)):
            stage.twin.control.add_row()
        sync_again(stage)
        assert stage.differences(TABLES) == []


def test_an_empty_page_in_the_middle_of_a_scroll_is_asked_for_again(tmp_path: Path) -> None:
    tables = ("users", "events_page_view", "engagement_collisions")
    with playing(tmp_path, rows=1000, faults=["empty-page=4"]) as stage:
        crowd_the_last_day(stage)
        report = stage.sync(only=tables, start=LATEST - timedelta(days=1))
        assert stage.differences(tables) == []
        notes = {
            table.table: [note for note in table.notes if "feedloom_columns" not in note] for table in report.tables
        }
        twice = "1,000 rows came more than once, and were merged on their key."
        assert notes == {"users": [], "events_page_view": [twice], "engagement_collisions": []}


def test_a_scroll_that_stays_empty_is_a_finding_and_the_next_sync_reads_it_again(tmp_path: Path) -> None:
    with playing(tmp_path, rows=20, faults=["empty-page=always@list_users"]) as stage:
        report = stage.sync(only=["users"])
        assert table_of(report, "users").verdict == "incomplete"
        assert report.findings == [
            "users: The vendor counts 20 rows where 0 came, twice in a row; the next run reads the same again"
        ]
        sync_again(stage)
        assert stage.differences(["users"]) == []


def test_a_short_scroll_is_a_finding_where_the_vendor_counted_right_before(tmp_path: Path) -> None:
    tables = ["users", "events_feature_match"]
    with playing(tmp_path, rows=20, faults=["empty-page=always@list_feature_match_events"]) as stage:
        report = stage.sync(only=tables)
        assert [table.verdict for table in report.tables] == ["not checked", "incomplete"]
        stage.clock.forward(minutes=1)
        again = stage.sync(only=tables[1:])
        assert again.findings
        stage.emulator.faults.clear()
        stage.clock.forward(minutes=1)
        stage.sync(only=tables)
        assert stage.differences(tables) == []


def test_a_few_rows_that_stay_away_are_a_finding_too(tmp_path: Path) -> None:
    tables = ["events_feature_match"]
    with playing(tmp_path, rows=20, faults=["empty-page=always@list_feature_match_events"]) as stage:
        start = LATEST - timedelta(days=3)
        report = stage.sync(only=tables, start=start)
        assert 0 < int(report.findings[0].split("counts ")[1].split()[0]) < 10
        stage.clock.forward(minutes=1)
        assert stage.sync(only=tables).findings
        stage.emulator.faults.clear()
        stage.clock.forward(minutes=1)
        stage.sync(only=tables)
        assert stage.differences(tables) == []


def test_a_page_that_is_empty_and_not_the_last_ends_the_table_and_not_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_pages(10, monkeypatch.setattr)
    with playing(tmp_path, rows=20, faults=["empty-page=2@list_articles"]) as stage:
        with pytest.raises(VendorError, match="brought no rows, and says that more follow"):
            stage.sync(only=["articles"])
        assert "articles" not in stage.spans
        stage.emulator.faults.clear()
        stage.sync(only=["articles"])
        assert stage.differences(["articles"]) == []


def test_a_whole_list_that_comes_empty_is_not_believed(tmp_path: Path) -> None:
    with playing(tmp_path, rows=20) as stage:
        before = table_of(stage.sync(only=TABLES), "articles").rows
        stage.emulator.faults.add("empty-page=always@list_articles")
        stage.clock.forward(minutes=1)
        report = stage.sync(only=TABLES)
        articles = table_of(report, "articles")
        assert (articles.verdict, articles.withheld, articles.rows) == ("withheld", before, before)
        assert report.findings
        sync_again(stage)
        assert stage.differences(TABLES) == []


def test_a_user_who_is_deleted_while_all_are_asked_for_one_by_one_is_left_out(tmp_path: Path) -> None:
    with playing(tmp_path, rows=20) as stage:
        meanwhile = in_turn(None, lambda: delete_user(stage, "u-000014"))
        report = stage.sync(only=["user_preferences"], progress=AsTimePasses(on_page=meanwhile))
        assert table_of(report, "user_preferences").notes == [
            "Some rows were listed and then not found: deleted meanwhile."
        ]
        assert stage.differences(["user_preferences"]) == []


def delete_user(stage: Stage, identify_id: str) -> None:
    """Delete a user through the API of the emulator and of its twin."""
    for url in (stage.url, stage.twin_url):
        headers = {"X-APTRINSIC-API-KEY": stage.emulator.key}
        httpx2.delete(f"{url}/users/{identify_id}", headers=headers).raise_for_status()


def test_windows_that_were_read_before_the_key_was_refused_are_not_asked_for_again(tmp_path: Path) -> None:
    with playing(tmp_path, rows=60, faults=["key-refused=9"]) as stage:
        assert isinstance(error_of(lambda: stage.sync(only=["events_page_view"])), CredentialError)
        asked = [request.query for request in stage.emulator.requests if request.status == 200]
        assert len(asked) == 9
        stage.emulator.faults.clear()
        stage.emulator.requests.clear()
        stage.sync(only=["events_page_view"])
        again = [request.query for request in stage.emulator.requests]
        assert not set(asked) & set(again)
        assert len(asked) + len(again) == 16
        assert stage.differences(["events_page_view"]) == []
