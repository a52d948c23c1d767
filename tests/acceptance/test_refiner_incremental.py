"""Later syncs read only what is new, and the database is still equal to the API."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from support.compare_refiner import LISTS

if TYPE_CHECKING:
    from feedloom.sync.report import Report, TableReport
    from support.refiner_stage import Clock, Stage

    from .conftest import Play

TABLES = ("contacts", "forms", "responses")
REPORTS = ("forms", "reporting")
SECOND = timedelta(seconds=1)


def sync(stage: Stage, clock: Clock, tables: tuple[str, ...] = TABLES, *, full: bool = False) -> Report:
    """A sync an hour after whatever happened last."""
    clock.forward(hours=1)
    return stage.sync(only=tables, full=full, now=clock())


def responses_of(report: Report) -> TableReport:
    return next(table for table in report.tables if table.table == "responses")


def api(stage: Stage) -> httpx2.Client:
    return httpx2.Client(base_url=stage.url, headers={"Authorization": f"Bearer {stage.emulator.key}"})


def store(stage: Stage, **body: Any) -> str:
    """Store a response to the first survey through the API; returns its uuid."""
    with api(stage) as http:
        form = http.get("/forms").json()["items"][0]["uuid"]
        answer = http.post("/responses", json={"form_uuid": form, **body})
        answer.raise_for_status()
        uuid: str = answer.json()["uuid"]
        return uuid


def old_views(stage: Stage) -> list[str]:
    """The uuids of views that nobody answered or dismissed, oldest first."""
    rows = sorted(stage.emulator.control.every_response(), key=lambda row: str(row["last_shown_at"]))
    return [row["uuid"] for row in rows if row["last_data_reception_at"] is None and row["dismissed_at"] is None]


def visible(differences: list[str]) -> list[str]:
    """All but dismissals long after the last showing: they move nothing by which the API could be asked for them."""
    return [difference for difference in differences if ": dismissed_at is " not in difference]


@pytest.mark.big
def test_after_500_writes_of_all_kinds_the_next_sync_makes_all_equal(play: Play, clock: Clock) -> None:
    stage = play(rows=1500, now=clock)
    sync(stage, clock, LISTS)
    stage.emulator.control.random_writes(500, seed=1)
    report = sync(stage, clock, LISTS)
    assert report.new > 0
    assert report.changed > 0
    assert report.findings == []
    assert stage.differences(now=clock()) == []


def test_a_later_sync_reads_fewer_rows_than_the_first(play: Play, clock: Clock) -> None:
    stage = play(rows=1500, quirks={"imported_date": "shown"}, now=clock)
    first = responses_of(sync(stage, clock))
    stage.emulator.control.random_writes(30, seed=1)
    second = responses_of(sync(stage, clock))
    assert visible(stage.differences(TABLES)) == []
    assert 0 < second.read < first.read / 2


def test_a_sync_without_writes_finds_nothing_new_and_nothing_changed(play: Play, clock: Clock) -> None:
    stage = play(rows=120, now=clock)
    sync(stage, clock)
    stage.emulator.control.random_writes(20, seed=1)
    sync(stage, clock)
    report = sync(stage, clock)
    assert (report.new, report.changed) == (0, 0)
    assert [table.gone for table in report.tables] == [0] * len(report.tables)
    assert visible(stage.differences(TABLES)) == []


def test_what_was_deleted_at_the_source_is_marked_whoever_it_belonged_to(play: Play, clock: Clock) -> None:
    stage = play(rows=120, now=clock)
    sync(stage, clock)
    there = {row["uuid"] for row in stage.emulator.control.every_response()}
    stage.emulator.control.random_writes(60, seed=5, deletes=True)
    gone = len(there - {row["uuid"] for row in stage.emulator.control.every_response()})
    report = responses_of(sync(stage, clock))
    assert (report.gone, report.verdict) == (gone, "matches")
    assert gone > 0
    assert visible(stage.differences(TABLES)) == []
    full = responses_of(sync(stage, clock, full=True))
    assert (full.gone, full.returned, full.verdict) == (0, 0, "matches")
    assert stage.differences(TABLES) == []


@pytest.mark.parametrize("look_back_hours", ["0", "24"])
def test_rows_at_the_end_of_a_window_come_exactly_once(
    look_back_hours: str, play: Play, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__REFINER_SOURCE__LOOK_BACK_HOURS", look_back_hours)
    stage = play(rows=1, now=clock)
    end = clock()
    clock.forward(minutes=1)
    before, at, after = (store(stage, id=f"u{step}", date=str(end + step * SECOND), nps="9") for step in (-1, 0, 1))
    counts = []
    for moment in (end, end + SECOND, end + 2 * SECOND):
        report = stage.sync(only=["responses"], now=moment)
        counts.append(responses_of(report).new)
    assert counts == [2, 1, 1], (before, at, after)
    assert stage.differences(["responses"]) == []


def test_a_moment_between_two_seconds_neither_loses_nor_doubles_a_row(play: Play, clock: Clock) -> None:
    stage = play(rows=1, now=clock)
    store(stage, id="u", nps="9")
    first = stage.sync(only=["responses"], now=clock() + timedelta(microseconds=999_999))
    second = stage.sync(only=["responses"], now=clock() + SECOND)
    assert (responses_of(first).new, responses_of(second).new) == (1, 1)
    assert stage.differences(["responses"]) == []


def test_an_old_view_that_is_answered_later_gets_its_answers(play: Play, clock: Clock) -> None:
    stage = play(rows=120, now=clock)
    sync(stage, clock)
    stage.emulator.control.answer_view(old_views(stage)[0], {"nps": "9", "a new question": ["a", "b"]})
    report = responses_of(sync(stage, clock))
    assert (report.new, report.changed, report.read) == (0, 1, 1)
    assert stage.differences(TABLES) == []


def test_a_survey_that_is_shown_again_moves(play: Play, clock: Clock) -> None:
    stage = play(rows=120, now=clock)
    sync(stage, clock)
    stage.emulator.control.show_again(old_views(stage)[0])
    report = responses_of(sync(stage, clock))
    assert (report.new, report.changed, report.read) == (0, 1, 1)
    assert stage.differences(TABLES) == []


def test_a_dismissal_within_the_look_back_is_seen(play: Play, clock: Clock) -> None:
    stage = play(rows=120, now=clock)
    view = old_views(stage)[0]
    stage.emulator.control.show_again(view)
    sync(stage, clock)
    stage.emulator.control.dismiss(view)
    assert responses_of(sync(stage, clock)).changed == 1
    assert stage.differences(TABLES) == []


def test_a_dismissal_long_after_the_showing_is_seen_by_a_full_sync(play: Play, clock: Clock) -> None:
    stage = play(rows=120, now=clock)
    sync(stage, clock)
    stage.emulator.control.dismiss(old_views(stage)[0])
    sync(stage, clock, full=True)
    assert stage.differences(TABLES) == []


def test_an_import_that_makes_up_for_a_deletion_is_found(play: Play, clock: Clock) -> None:
    stage = play(rows=120, now=clock)
    sync(stage, clock, ("contacts", "responses"))
    row = min(stage.emulator.control.every_response(), key=lambda row: str(row["last_shown_at"]))
    with api(stage) as http:
        http.delete("/contact", params={"uuid": row["contact"]["uuid"]}).raise_for_status()
    gone = 120 - len(stage.emulator.control.every_response())
    uuids = [store(stage, id="u-000003", date="2025-05-05", nps=str(score)) for score in range(gone)]
    report = responses_of(sync(stage, clock, ("contacts", "responses")))
    assert (report.new, report.gone) == (len(uuids), gone)
    assert report.verdict == "matches"


@pytest.mark.parametrize("imported_date", ["all", "shown"])
def test_an_import_with_a_date_long_past_is_found(imported_date: str, play: Play, clock: Clock) -> None:
    stage = play(rows=120, quirks={"imported_date": imported_date}, now=clock)
    sync(stage, clock)
    for score, day in enumerate(("2025-05-05", "2024-01-01", "2026-10-31")):
        store(stage, id="u-000003", date=day, nps=str(score))
    report = responses_of(sync(stage, clock))
    assert (report.new, report.verdict) == (3, "matches")
    assert stage.differences(TABLES) == []


def test_a_renamed_contact_is_renamed_in_old_responses_too(play: Play, clock: Clock) -> None:
    stage = play(rows=120, now=clock)
    sync(stage, clock)
    with api(stage) as http:
        known = next(row for row in http.get("/contacts").json()["items"] if row["remote_id"] and row["account"])
        account = {"id": known["account"]["remote_id"], "name": "Another name"}
        body = {"id": known["remote_id"], "email": "new@post.example", "name": "Renamed", "account": account}
        http.post("/identify-user", json=body).raise_for_status()
    report = responses_of(sync(stage, clock))
    assert report.changed > 0
    assert report.new == 0
    assert stage.differences(TABLES) == []


def test_a_sync_after_a_long_pause_misses_nothing(play: Play, clock: Clock) -> None:
    stage = play(rows=120, now=clock)
    sync(stage, clock)
    for _ in range(6):
        clock.forward(days=17)
        stage.emulator.control.random_writes(10, seed=clock.moment.day)
    sync(stage, clock)
    assert stage.differences(TABLES) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_many_short_syncs_come_to_the_same_as_one(seed: int, play: Play, clock: Clock) -> None:
    stage = play(rows=40, seed=seed, now=clock)
    for step in range(4):
        stage.emulator.control.random_writes(8, seed=step)
        sync(stage, clock, ("contacts", "responses"))
    assert visible(stage.differences(["contacts", "responses"])) == []


def test_reports_of_this_month_follow_new_answers(play: Play, clock: Clock) -> None:
    stage = play(rows=5, now=clock)
    sync(stage, clock, REPORTS)
    store(stage, id="u", nps="9")
    sync(stage, clock, REPORTS)
    assert stage.differences(REPORTS, now=clock()) == []


@pytest.mark.parametrize("full", [False, True])
def test_reports_of_old_months_follow_an_import(full: bool, play: Play, clock: Clock) -> None:  # noqa: FBT001 - a case
    stage = play(rows=5, now=clock)
    store(stage, id="u", nps="8", date="2025-11-12")
    sync(stage, clock, REPORTS)
    store(stage, id="u", nps="9", date="2026-02-03")
    sync(stage, clock, REPORTS, full=full)
    assert stage.differences(REPORTS, now=clock()) == []


def test_a_survey_shown_again_after_months_has_reports_of_the_months_between(play: Play, clock: Clock) -> None:
    stage = play(rows=5, now=clock)
    sync(stage, clock, REPORTS)
    clock.forward(days=200)
    for row in stage.emulator.control.every_response():
        stage.emulator.control.show_again(row["uuid"])
    sync(stage, clock, REPORTS)
    # The showings of old months have moved, and with them the survey's first view: rows from before it stay here.
    assert [line for line in stage.differences(REPORTS, now=clock()) if not line.endswith("is not at the API")] == []
