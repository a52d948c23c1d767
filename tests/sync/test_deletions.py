"""Rows that are gone at the source are marked or removed, those that come back count again, and no others change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dlt.pipeline.pipeline import Pipeline
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedloom.config import Setting
from feedloom.errors import InputError
from feedloom.http import Client, Key
from feedloom.sync.jobs import Job, make_job
from feedloom.sync.plan import make_plan
from feedloom.sync.report import TableReport
from feedloom.sync.run import run
from feedloom.vendors import VENDORS
from sources.fakes import KEY, NOW, FakeRefiner, ask, contact, response

REFINER = VENDORS["refiner"]
LIVE = "where _feedloom_deleted_at is null"


def job_of(api: FakeRefiner, tables: str = "contacts", *, days: float = 0, **options: Any) -> Job:
    """A sync that asks *api*, some *days* after ``NOW``."""
    job = make_job(REFINER, only=tables, key=Setting(KEY, "the test"), **options)
    job.session.transport = api.transport
    job.session.now = NOW + timedelta(days=days)
    job.client = lambda: Client(REFINER, Key(KEY, "the test"), transport=api.transport())
    return job


def sync(api: FakeRefiner, tables: str = "contacts", **options: Any) -> TableReport:
    """What a sync says of the last of *tables*."""
    return run(job_of(api, tables, **options)).tables[-1]


def rows(query: str) -> list[Any]:
    return ask(make_job(REFINER, key=Setting(KEY, "the test")).pipeline, query)


def person(uuid: str, *segments: str) -> dict[str, Any]:
    return contact(uuid) | {"segments": [{"uuid": name, "name": name} for name in segments]}


@pytest.fixture
def api() -> FakeRefiner:
    answers = [response(f"r{day}", f"2026-02-{day:02} 10:00:00", data={"nps": day}) for day in range(1, 9)]
    people = [person("c1", "s1"), person("c2", "s1", "s2"), person("c3")]
    return FakeRefiner(lists={"/contacts": people, "/responses": answers, "/forms": [], "/segments": []})


@pytest.mark.parametrize("engine", ["arrow", pytest.param("json", marks=pytest.mark.nightly)])
def test_a_contact_that_vanishes_stays_with_its_rows_and_counts_again_when_it_is_back(
    api: FakeRefiner, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setenv("SOURCES__REFINER_SOURCE__ENGINE", engine)
    sync(api)
    everybody = list(api.lists["/contacts"])
    began = datetime.now(UTC)
    del api.lists["/contacts"][1]
    report = sync(api)
    assert (report.gone, report.returned, report.new, report.changed, report.rows) == (1, 0, 0, 0, 2)
    assert report.verdict == "matches"
    [(uuid, marked)] = rows("select uuid, _feedloom_deleted_at from contacts where _feedloom_deleted_at is not null")
    assert uuid == "c2"
    assert began <= marked.astimezone(UTC) <= datetime.now(UTC)
    segments = (
        "select c.uuid, s.uuid from contacts c join contacts__segments s on s._dlt_parent_id = c._dlt_id order by all"
    )
    assert rows(segments) == [("c1", "s1"), ("c2", "s1"), ("c2", "s2")]

    again = sync(api)
    assert (again.gone, again.returned, again.new, again.changed) == (0, 0, 0, 0)
    assert rows("select max(_feedloom_deleted_at) from contacts") == [(marked,)]

    api.lists["/contacts"] = everybody
    back = sync(api)
    assert (back.gone, back.returned, back.new, back.changed, back.rows) == (0, 1, 0, 0, 3)
    assert rows(f"select count(*) from contacts {LIVE}") == [(3,)]
    assert rows(segments) == [("c1", "s1"), ("c2", "s1"), ("c2", "s2")]


@pytest.mark.nightly
def test_hard_removes_rows_and_what_was_marked_before(api: FakeRefiner) -> None:
    sync(api, "contacts,responses")
    del api.lists["/contacts"][1], api.lists["/responses"][0]
    sync(api, "contacts,responses")
    del api.lists["/contacts"][0], api.lists["/responses"][0]
    report = sync(api, "contacts,responses", deletes="hard")
    assert (report.gone, report.deletes, report.verdict) == (1, "hard", "matches")
    assert rows("select uuid from contacts") == [("c3",)]
    assert rows("select count(*) from contacts__segments") == [(0,)]
    assert rows("select min(uuid), count(*) from responses") == [("r3", 6)]
    assert rows("select min(response_uuid), count(*) from responses__answers") == [("r3", 6)]


@pytest.mark.nightly
def test_a_database_that_was_made_without_marks_gets_them_when_they_are_wanted(api: FakeRefiner) -> None:
    sync(api, deletes="hard")
    api.lists["/contacts"] += [person(f"d{number}") for number in range(30)]
    sync(api, deletes="hard")
    there, api.lists["/contacts"] = api.lists["/contacts"], []
    assert (sync(api).withheld, sync(api).rows) == (33, 33)
    api.lists["/contacts"] = there[1:]
    assert sync(api).gone == 1
    assert rows(f"select min(uuid), count(*) from contacts {LIVE}") == [("c2", 32)]


def test_a_response_that_left_its_window_is_marked_and_one_that_moved_on_is_not(api: FakeRefiner) -> None:
    sync(api, "responses")
    _, *others = api.lists["/responses"]
    moved = others.pop() | {"last_shown_at": f"{NOW + timedelta(days=1, minutes=5):%Y-%m-%d %H:%M:%S}"}
    api.lists["/responses"] = others

    def moves(path: str, params: Mapping[str, str]) -> None:
        """The second response moves while the windows are read."""
        if path == "/responses" and params.get("page_length") == "1000" and "date_range_start" not in params:
            api.lists["/responses"] = [*others, moved]

    api.answer = moves
    report = sync(api, "responses", days=1)
    assert (report.gone, report.rows) == (1, 7)
    assert rows("select uuid from responses where _feedloom_deleted_at is not null") == [("r1",)]
    later = sync(api, "responses", days=2)
    assert (later.gone, later.returned, later.changed, later.verdict) == (0, 0, 1, "matches")


@pytest.mark.parametrize("full", [False, pytest.param(True, marks=pytest.mark.nightly)])
def test_so_many_missing_rows_are_not_believed_until_that_is_allowed(api: FakeRefiner, *, full: bool) -> None:
    api.lists["/responses"] = [response(f"r{minute}", f"2026-02-01 10:{minute:02}:00") for minute in range(40)]
    sync(api, "responses")
    del api.lists["/responses"][:21]
    report = sync(api, "responses", full=full)
    assert (report.verdict, report.withheld, report.gone) == ("withheld", 21, 0)
    assert rows(f"select count(*) from responses {LIVE}") == [(40,)]
    report = sync(api, "responses", full=full, allow_deletes=True)
    assert (report.verdict, report.withheld, report.gone) == ("matches", 0, 21)
    assert rows(f"select count(*) from responses {LIVE}") == [(19,)]


@pytest.mark.nightly
def test_a_full_reading_of_a_range_says_nothing_of_rows_outside(api: FakeRefiner) -> None:
    sync(api, "responses")
    del api.lists["/responses"][5], api.lists["/responses"][0]
    report = sync(api, "responses", full=True, start="2026-02-04T00:00:00Z")
    assert (report.gone, report.rows) == (1, 7)
    assert rows("select uuid from responses where _feedloom_deleted_at is not null") == [("r6",)]


def test_marks_are_loaded_by_the_run_after_one_that_was_cut_off_before_its_load(
    api: FakeRefiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(api)
    del api.lists["/contacts"][0]
    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "load", _cut_off)
        with pytest.raises(KeyboardInterrupt):
            sync(api)
    assert rows(f"select count(*) from contacts {LIVE}") == [(3,)]
    report = sync(api)
    assert (report.gone, report.new, report.changed, report.verdict) == (0, 0, 0, "matches")
    assert rows(f"select uuid from contacts {LIVE} order by 1") == [("c2",), ("c3",)]


def test_postgres_keeps_marks_and_removes_as_duckdb_does(
    api: FakeRefiner, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", server)
    seen: list[Any] = []

    def look(**options: Any) -> None:
        report = run(job_of(api, "contacts,responses", to="postgres", dataset="deletions", **options))
        seen.append([(table.rows, table.new, table.gone, table.returned, table.verdict) for table in report.tables])

    def held(*tables: str) -> list[int]:
        pipeline = make_job(REFINER, key=Setting(KEY, "the test"), to="postgres", dataset="deletions").pipeline
        return [ask(pipeline, f"select count(*) from {table}")[0][0] for table in tables]

    look(deletes="hard")
    contact_2, response_1 = api.lists["/contacts"].pop(1), api.lists["/responses"].pop(0)
    look()
    look()
    assert held("contacts__segments", "responses__answers") == [3, 8]
    api.lists["/contacts"].append(contact_2)
    api.lists["/responses"].append(response_1)
    look()
    del api.lists["/contacts"][0], api.lists["/responses"][0]
    look(deletes="hard")
    assert seen == [
        [(3, 3, 0, 0, "matches"), (8, 8, 0, 0, "matches")],
        [(2, 0, 1, 0, "matches"), (7, 0, 1, 0, "matches")],
        [(2, 0, 0, 0, "matches"), (7, 0, 0, 0, "matches")],
        [(3, 0, 0, 1, "matches"), (8, 0, 0, 1, "matches")],
        [(2, 0, 1, 0, "matches"), (7, 0, 1, 0, "matches")],
    ]
    assert held("contacts", "contacts__segments", "responses", "responses__answers") == [2, 2, 7, 7]


def _cut_off(*_arguments: Any, **_options: Any) -> None:
    raise KeyboardInterrupt


def test_what_moves_no_date_is_read_again_when_it_is_due_and_the_plan_tells(api: FakeRefiner) -> None:
    sync(api, "responses")
    api.lists["/responses"][7] |= {"dismissed_at": "2026-02-20 10:00:00"}
    assert sync(api, "responses", days=6).changed == 0
    [expected] = make_plan(job_of(api, "responses", days=7)).tables
    assert expected.again_from == NOW + timedelta(days=7 - 30)
    api.seen.clear()
    report = sync(api, "responses", days=7)
    assert (report.changed, len(api.asked("/responses"))) == (1, expected.requests)
    assert any("were read again" in note for note in report.notes)
    assert make_plan(job_of(api, "responses", days=8)).tables[0].again_from is None


def test_a_look_back_for_one_run_reads_so_much_again(api: FakeRefiner) -> None:
    sync(api, "responses")
    api.lists["/responses"][7] |= {"dismissed_at": "2026-02-20 10:00:00"}
    assert sync(api, "responses", look_back="22d").changed == 1
    with pytest.raises(InputError, match="look-back is no length of time"):
        job_of(api, look_back="a week")
    with pytest.raises(InputError, match="deletes can't be 'softly'"):
        job_of(api, deletes="softly")


@pytest.mark.nightly
@settings(suppress_health_check=list(HealthCheck), max_examples=8, deadline=None)
@given(lists=st.lists(st.sets(st.integers(0, 5)), min_size=2, max_size=5))
def test_whatever_comes_and_goes_the_table_tells_who_is_there_and_who_was(
    tmp_path_factory: pytest.TempPathFactory, lists: list[set[int]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("law"))
        seen: set[str] = set()
        for numbers in lists:
            there = {f"c{number}" for number in numbers}
            report = sync(FakeRefiner(lists={"/contacts": [person(uuid, "s1") for uuid in sorted(there)]}))
            seen |= there
            if not seen:
                continue
            held = dict(rows("select uuid, _feedloom_deleted_at is null from contacts"))
            assert {uuid for uuid, is_live in held.items() if is_live} == there
            assert set(held) == seen
            assert rows("select count(*) from contacts__segments") == [(len(seen),)]
            assert (report.rows, report.verdict) == (len(there), "matches")
