"""Rows that no column can hold are put aside, the others are loaded, and the counts and the report say so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from feedloom.cli.main import run as command
from feedloom.cli.sync import FINDINGS
from feedloom.config import Setting
from feedloom.errors import VendorError
from feedloom.http import Client, Key
from feedloom.sources import refiner_source
from feedloom.sync.jobs import Job, Reread, make_job
from feedloom.sync.report import Report, TableReport
from feedloom.sync.run import run
from feedloom.vendors import VENDORS
from sources.fakes import KEY, NOW, FakeRefiner, ask, contact, response, served

REFINER = VENDORS["refiner"]
SHOWN = b'"last_shown_at":"2026-02-28 20:00:00","form":{"uuid":"f1"},"contact":{"uuid":"c1"}'
BAD = {
    "nan": (b'"data":{"nps":NaN}', "not valid JSON"),
    "bytes": (b'"data":{"why":"\xff\x00"}', "UTF-8"),
    "twice": (b'"data":{"nps":1,"nps":2}', "stands twice"),
    "beyond": (b'"data":{"nps":1e400}', "infinity"),
    "lone": (b'"data":{"why":"\\ud800"}', "surrogate"),
    "alike": (b'"userName":1,"user_name":2', "named like another"),
}


def bad_response(uuid: str, flaw: bytes, shown: bytes = SHOWN) -> bytes:
    return b'{"uuid":"' + uuid.encode() + b'",' + shown + b"," + flaw + b"}"


def bad_contact(uuid: str) -> bytes:
    return b'{"uuid":"' + uuid.encode() + b'","attributes":{"score":NaN}}'


def job_of(api: FakeRefiner, tables: str, *, full: bool = False, days: int = 0, engine: str = "arrow") -> Job:
    """A sync that asks *api*, some *days* after ``NOW``."""
    job = make_job(REFINER, only=tables, full=full, key=Setting(KEY, "the test"))
    job.session.transport = api.transport
    job.session.now = NOW + timedelta(days=days)
    job.client = lambda: Client(REFINER, Key(KEY, "the test"), transport=api.transport())
    made = job.source

    def source(table: Any, again: Reread | None) -> Any:
        if engine == "arrow":
            return made(table, again)
        return refiner_source(api_key=KEY, full=full, engine=engine)

    job.source = source
    return job


def sync(job: Job) -> tuple[Report, dict[str, TableReport]]:
    report = run(job)
    return report, {table.table: table for table in report.tables}


def rows(job: Job, query: str) -> list[tuple[Any, ...]]:
    return ask(job.pipeline, query)


@pytest.fixture
def api() -> FakeRefiner:
    good = [response(f"good {number}", f"2026-02-28 2{number}:00:00", data={"nps": number}) for number in range(2)]
    bad = [bad_response(name, flaw) for name, (flaw, _) in BAD.items()]
    return FakeRefiner(lists={"/contacts": [contact("c1")], "/responses": [*good, *bad], "/forms": [], "/segments": []})


def test_bad_rows_are_put_aside_and_the_good_ones_of_their_page_are_loaded(api: FakeRefiner) -> None:
    job = job_of(api, "contacts,responses")
    report, tables = sync(job)
    assert rows(job, "select uuid, data__nps from responses order by 1") == [("good 0", 0), ("good 1", 1)]
    aside = rows(job, "select row_key, row_digest, reason, raw from feedloom_quarantine where table_name = 'responses'")
    assert {key for key, *_ in aside} == set(BAD)
    assert len({digest for _, digest, _, _ in aside}) == len(BAD)
    for key, _, reason, raw in aside:
        flaw, words = BAD[key]
        assert words in reason
        assert flaw.decode("utf-8", "backslashreplace").replace("\0", "\\x00") in raw
    assert tables["responses"].quarantined == len(BAD)
    assert tables["responses"].verdict == "matches"
    assert report.findings == ["responses: 6 rows could not be loaded whole and are in feedloom_quarantine"]


def test_a_second_sync_neither_doubles_bad_rows_nor_reads_windows_again(api: FakeRefiner) -> None:
    sync(job_of(api, "contacts,responses"))
    api.seen.clear()
    job = job_of(api, "contacts,responses", days=1)
    _, tables = sync(job)
    assert rows(job, "select count(*) from feedloom_quarantine") == [(len(BAD),)]
    assert tables["responses"].verdict == "matches"
    assert len(api.asked("/responses")) == 3  # the shown ones, the answered ones, and one row to count


def test_one_late_row_is_found_without_reading_every_window_again_for_the_bad_ones(api: FakeRefiner) -> None:
    old = [response(f"old {number}", f"2020-01-01 00:{number // 60:02d}:{number % 60:02d}") for number in range(1500)]
    api.lists["/responses"] += old
    sync(job_of(api, "contacts,responses"))
    api.lists["/responses"].append(response("late", "2020-06-01 00:00:00"))
    api.seen.clear()
    _, tables = sync(job_of(api, "contacts,responses", days=1))
    assert (tables["responses"].new, tables["responses"].verdict) == (1, "matches")
    assert tables["responses"].read < len(old)


def test_a_row_that_is_mended_at_the_source_is_loaded_and_no_longer_counts_as_put_aside(api: FakeRefiner) -> None:
    sync(job_of(api, "contacts,responses"))
    api.lists["/responses"] = [
        response(row, "2026-02-28 20:00:00") if isinstance(row, str) else row
        for row in [*api.lists["/responses"][:2], *BAD]
    ]
    job = job_of(api, "contacts,responses", days=0)
    report, tables = sync(job)
    assert tables["responses"].new == len(BAD)
    assert tables["responses"].verdict == "matches"
    assert report.findings == []
    assert rows(job, "select count(*) from feedloom_quarantine") == [(len(BAD),)]


def test_a_row_that_stays_bad_in_another_way_counts_once(api: FakeRefiner) -> None:
    sync(job_of(api, "contacts,responses"))
    api.lists["/responses"][2] = bad_response("nan", b'"data":{"nps":Infinity}')
    job = job_of(api, "contacts,responses")
    _, tables = sync(job)
    assert tables["responses"].verdict == "matches"
    assert rows(job, "select count(*), count(distinct row_key) from feedloom_quarantine") == [(7, 6)]


def test_a_loaded_row_that_turns_bad_keeps_its_last_good_form_and_is_told_of(api: FakeRefiner) -> None:
    sync(job_of(api, "contacts,responses"))
    api.lists["/responses"][0] = bad_response("good 0", b'"data":{"nps":NaN}')
    job = job_of(api, "contacts,responses")
    report, tables = sync(job)
    assert rows(job, "select data__nps from responses where uuid = 'good 0'") == [(0,)]
    assert tables["responses"].verdict == "matches"
    assert tables["responses"].quarantined == 7
    assert report.findings


def test_a_bad_row_that_is_deleted_at_the_source_is_told_of_and_forgotten_by_a_full_sync(api: FakeRefiner) -> None:
    sync(job_of(api, "contacts,responses"))
    del api.lists["/responses"][2]
    _, tables = sync(job_of(api, "contacts,responses"))
    assert tables["responses"].verdict == "deleted at source"
    _, tables = sync(job_of(api, "contacts,responses", full=True))
    assert tables["responses"].verdict == "matches"
    _, tables = sync(job_of(api, "contacts,responses", days=1))
    assert tables["responses"].verdict == "matches"


@pytest.mark.parametrize("before", [[], [contact("c1"), contact("c2")]])
def test_a_whole_list_of_nothing_but_bad_rows_leaves_what_was_there(before: list[Any], api: FakeRefiner) -> None:
    if before:
        api.lists["/contacts"] = before
        sync(job_of(api, "contacts"))
    api.lists["/contacts"] = [bad_contact("c1"), bad_contact("c2")]
    job = job_of(api, "contacts")
    report, tables = sync(job)
    assert (tables["contacts"].rows, tables["contacts"].quarantined) == (len(before), 2)
    assert (tables["contacts"].verdict, tables["contacts"].gone) == ("matches", 0)
    assert len(report.findings) == 1
    api.lists["/contacts"] = [contact("c1"), contact("c3")]
    report, tables = sync(job_of(api, "contacts"))
    live = "select uuid from contacts where _feedloom_deleted_at is null order by 1"
    assert rows(job, live) == [("c1",), ("c3",)]
    assert (tables["contacts"].verdict, report.findings) == ("matches", [])


def test_bad_rows_of_several_tables_share_the_quarantine(api: FakeRefiner) -> None:
    api.lists["/contacts"].append(bad_contact("c2"))
    job = job_of(api, "contacts,responses")
    report, _ = sync(job)
    found = rows(job, "select table_name, count(*) from feedloom_quarantine group by 1 order by 1")
    assert found == [("contacts", 1), ("responses", 6)]
    assert len(report.findings) == 2


@pytest.mark.parametrize(
    "name",
    ["twice", "beyond", "alike", *(pytest.param(name, marks=pytest.mark.nightly) for name in ("nan", "bytes", "lone"))],
)
def test_the_slow_engine_fails_the_table_by_name_and_goes_on_with_the_others(name: str, api: FakeRefiner) -> None:
    api.lists["/responses"] = [response("good", "2026-02-28 20:00:00"), bad_response(name, BAD[name][0])]
    job = job_of(api, "contacts,responses", engine="json")
    _, tables = sync(job)
    error = tables["responses"].error
    assert isinstance(error, VendorError)
    assert "a row of responses cannot be loaded whole" in error.message
    assert BAD[name][1] in error.message
    assert "feedloom_quarantine" in error.hint
    assert tables["responses"].rows == 0
    assert (tables["contacts"].verdict, tables["contacts"].rows) == ("matches", 1)


def test_a_table_that_asks_for_each_row_of_a_list_asks_for_the_bad_ones_too(api: FakeRefiner) -> None:
    api.lists["/forms"] = [{"uuid": "f1"}, b'{"uuid":"f2","config":{"a":NaN}}']
    api.lists["/forms/history"] = []
    sync(job_of(api, "forms,form_history"))
    asked = [params["form_uuid"] for params in api.asked("/forms/history")]
    assert sorted(asked) == ["f1", "f2"]


def test_a_sync_that_put_rows_aside_ends_with_exit_code_3(
    api: FakeRefiner, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCES__REFINER_SOURCE__API_KEY", KEY)
    api.singles["/"] = {"uuid": "p1"}
    with served(api) as url:
        monkeypatch.setenv("SOURCES__REFINER_SOURCE__BASE_URL", url)
        with pytest.raises(SystemExit) as ended:
            command(["sync", "refiner", "--only", "responses", "--quiet"])
    assert ended.value.code == FINDINGS
    assert "6 rows could not be loaded whole and are in feedloom_quarantine" in capfd.readouterr().out


@pytest.mark.nightly
def test_rows_of_extreme_shape_are_loaded_whole(api: FakeRefiner) -> None:
    deep: Any = "bottom"
    for _ in range(64):
        deep = {"a": deep}
    long = "0123456789" * 5_000_000
    many = {f"key {number}": number for number in range(10_000)}
    api.lists["/contacts"] = [contact("deep", deep=deep), contact("long", text=long), contact("wide", **many)]
    job = job_of(api, "contacts")
    report, tables = sync(job)
    assert (tables["contacts"].rows, tables["contacts"].verdict, report.findings) == (3, "matches", [])
    ((text,),) = rows(job, "select attributes__text from contacts where uuid = 'long'")
    assert text == long
    bottom = job.pipeline.default_schema.naming.shorten_fragments("attributes", "deep", *"a" * 64)
    ((value,),) = rows(job, f"select {bottom} from contacts where uuid = 'deep'")
    assert value == "bottom"
    assert tables["contacts"].keys_past_cap > 9_000
    assert sync(job_of(api, "contacts"))[1]["contacts"].same == 3
