"""Pages are kept until they are loaded, whatever ends the run that fetched them, and a while after that."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedloom.catalogue import Endpoint
from feedloom.http import Answer, Page, page_of
from feedloom.sources.journal import (
    Journal,
    KeptReading,
    KeptRun,
    LoadNote,
    Opening,
    Retention,
    RunJournals,
    Walk,
    forget,
    kept_runs,
    new_run_id,
    runs_to_forget,
)
from feedloom.sources.journal.records import Place, Writer, read_records
from feedloom.sources.planning import Read
from feedloom.vendors import VENDORS
from sources.fakes import NOW

RESPONSES = VENDORS["refiner"].endpoint("list_responses")
CONTACTS = VENDORS["refiner"].endpoint("list_contacts")
READS = [Read(params={"include": "all"}), Read(params={"include": "partials"}), Read(params={"form_uuids": ["ä", "b"]})]
PLAN = {"after": None, "since": None, "through": "2026-03-01T00:00:00+00:00", "oldest": None}
BODIES = [b'{"items": [{"uuid": "1"}]}', b'{"items": []}', b'{"items": [{"uuid": "' + b"\xc3\xa4" * 700 + b'"}]}']
HOUR = timedelta(hours=1)


def page(body: bytes, *, number: int = 0, endpoint: Endpoint = RESPONSES) -> Page:
    """A page as the client hands it out."""
    answer = Answer(endpoint=endpoint, url="https://example.com/v1/responses", status=200, body=body, received_at=NOW)
    return page_of(answer, number=number, position=None, size=1000)


def opening(*, purpose: str = "test", at: datetime = NOW, table: str = "responses") -> Opening:
    return Opening(table=table, purpose=purpose, at=at)


def opened(folder: Path, *, run: str = "a-run", **more: Any) -> Journal:
    folder.mkdir(exist_ok=True)
    return Journal(folder, opening=opening(), run=run, **more)


def kept(journal: Journal, *, unfinished: bool = False) -> dict[int, list[bytes]]:
    """The pages of every finished list, by the number of its read; with those of all others where asked for."""
    return {
        number: [one.body for one in journal.pages(RESPONSES, read)]
        for number, read in enumerate(READS)
        if journal.is_finished(RESPONSES, read) or (unfinished and journal.count(RESPONSES, read))
    }


bodies = st.binary(max_size=300).map(lambda text: b'{"items": [{"uuid": "' + text.hex().encode() + b'"}]}')
steps = st.tuples(st.sampled_from(["begin", "add", "last", "reopen"]), st.integers(0, len(READS) - 1), bodies)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(steps=st.lists(steps, max_size=14), segment_bytes=st.sampled_from([1, 400, 10_000]))
def test_what_is_kept_comes_back_in_order_from_run_to_run(
    tmp_path: Path, steps: list[tuple[str, int, bytes]], segment_bytes: int
) -> None:
    folder = tmp_path / "model"
    shutil.rmtree(folder, ignore_errors=True)
    journal = opened(folder, segment_bytes=segment_bytes)
    expected: dict[int, tuple[list[bytes], bool]] = {}
    for action, number, body in steps:
        if action == "reopen":
            journal.close()
            journal = opened(folder, segment_bytes=segment_bytes)
        elif action == "begin":
            journal.begin(RESPONSES, READS[number])
            expected.pop(number, None)
        else:
            journal.add(RESPONSES, READS[number], page(body), is_last=action == "last")
            before = expected.get(number, ([], False))[0]
            expected[number] = ([*before, body], action == "last")
    assert kept(journal) == {number: pages for number, (pages, is_whole) in expected.items() if is_whole}
    assert kept(journal, unfinished=True) == {number: pages for number, (pages, _) in expected.items()}
    journal.close()


def records_of(folder: Path) -> list[tuple[dict[str, Any], bytes]]:
    return [(record.header, record.body) for record in read_records(folder)]


def last_place(folder: Path) -> Place | None:
    return next((record.place for record in reversed(list(read_records(folder)))), None)


@pytest.mark.parametrize("segment_bytes", [1, 130, 10_000])
def test_whatever_is_cut_off_the_whole_records_before_it_come_back_and_none_after(
    tmp_path: Path, segment_bytes: int
) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    writer = Writer(whole, after=None, segment_bytes=segment_bytes)
    places = [writer.add({"kind": "page", "n": n}, body) for n, body in enumerate([b"", b"a" * 90, b"\x00\xff", b"{}"])]
    writer.close()
    expected = records_of(whole)
    for place, body_number in zip(places, range(len(places)), strict=True):
        for length in range(place.start, place.end):
            torn = tmp_path / "torn"
            shutil.rmtree(torn, ignore_errors=True)
            shutil.copytree(whole, torn)
            with (torn / place.file.name).open("r+b") as file:
                file.truncate(length)
            before = records_of(torn)
            assert before == expected[:body_number]
            again = Writer(torn, after=last_place(torn), segment_bytes=segment_bytes)
            again.add({"kind": "page", "n": 9}, b"after")
            again.close()
            assert records_of(torn) == [*before, ({"kind": "page", "n": 9}, b"after")]


def test_a_damaged_record_is_dropped_with_what_follows_it(tmp_path: Path) -> None:
    journal = opened(tmp_path / "a")
    for read, body in zip(READS, BODIES, strict=True):
        journal.add(RESPONSES, read, page(body), is_last=True)
    journal.close()
    file = tmp_path / "a" / "000001.journal"
    content = file.read_bytes()
    first = content.index(b"fl02", content.index(b'"page"')) if content.count(b"fl02") > 2 else 0
    for place in range(first, len(content), 7):
        damaged = bytearray(content)
        damaged[place] ^= 0x40
        file.write_bytes(damaged)
        again = opened(tmp_path / "a")
        assert kept(again).items() <= dict(enumerate([[body] for body in BODIES])).items()
        assert kept(again).keys() in ({0}, {0, 1})
        again.close()


def test_the_plan_and_the_columns_of_a_list_come_back(tmp_path: Path) -> None:
    journal = opened(tmp_path / "a")
    journal.keep_plan(PLAN)
    journal.begin(RESPONSES, Read(params={"since": NOW}, extra={"month": NOW.date(), "form_uuid": "f1"}))
    journal.keep_slices({"f1": "2026-01-01"})
    journal.close()
    again = opened(tmp_path / "a")
    assert again.plan == PLAN
    again.close()
    walk = Walk(tmp_path / "a")
    assert list(walk.every_page()) == []
    assert [(one.params, one.extra) for one in walk.lists.values()] == [
        ({"since": NOW}, {"month": NOW.date(), "form_uuid": "f1"})
    ]
    assert (walk.slices, walk.opening, walk.runs) == ({"f1": "2026-01-01"}, opening(), ["a-run", "a-run"])


def test_a_list_is_known_by_its_endpoint_and_parameters_not_by_their_order(tmp_path: Path) -> None:
    journal = opened(tmp_path / "a")
    journal.add(RESPONSES, Read(params={"a": 1, "b": NOW}), page(BODIES[0]), is_last=True)
    assert journal.is_finished(RESPONSES, Read(params={"b": NOW, "a": 1}))
    assert not journal.is_finished(RESPONSES, Read(params={"a": 1}))
    assert not journal.is_finished(CONTACTS, Read(params={"a": 1, "b": NOW}))
    journal.close()


def test_a_replay_gets_what_the_last_run_handed_on(tmp_path: Path) -> None:
    """Pages of a list that a later run began again are left out; those of a list that one run began twice are not."""
    first = opened(tmp_path / "a", run="first")
    first.begin(RESPONSES, READS[0])
    first.add(RESPONSES, READS[0], page(BODIES[0]), is_last=True)
    first.begin(RESPONSES, READS[1])
    first.add(RESPONSES, READS[1], page(BODIES[1]), is_last=False)
    first.close()
    second = opened(tmp_path / "a", run="second")
    for body in BODIES[1:]:
        second.begin(RESPONSES, READS[1])
        second.add(RESPONSES, READS[1], page(body), is_last=True)
    second.close()
    pages = list(Walk(tmp_path / "a").loaded_pages())
    assert [(one.run, one.body) for one in pages] == [("first", BODIES[0]), *(("second", body) for body in BODIES[1:])]
    assert len(list(Walk(tmp_path / "a").every_page())) == 4


def one_page(folder: Path, run: str, *, lasting: bool = True, end: str = "", **more: Any) -> int:
    """Open the journal of a table in a run, which ends so; returns how many pages it found there."""
    journals = RunJournals(folder, run, {"source": "refiner"})
    journal = journals.open(opening(**more), lasting=lasting)
    found = journal.count(RESPONSES, READS[0])
    journal.add(RESPONSES, READS[0], page(BODIES[0], number=found), is_last=True)
    journal.goes_to(f"load-of-{run}")
    if end in ("read", "loaded"):
        journal.finish()
    journal.close()
    if end == "loaded":
        journals.loaded(more.get("table", "responses"))
    return found


def test_a_run_goes_on_with_what_an_earlier_one_left_and_takes_it_over(tmp_path: Path) -> None:
    assert one_page(tmp_path, "20260301T000000-0001") == 0
    assert one_page(tmp_path, "20260301T000001-0001", end="loaded") == 1
    (run,) = kept_runs(tmp_path)
    (reading,) = run.readings
    assert (run.name, run.about, reading.table) == ("20260301T000001-0001", {"source": "refiner"}, "responses")
    assert reading.note.load_ids == ("load-of-20260301T000000-0001", "load-of-20260301T000001-0001")
    assert reading.note.pages == 2
    assert one_page(tmp_path, "20260301T000002-0001") == 0


@pytest.mark.parametrize(
    ("more", "used"),
    [
        ({"at": NOW + 0.9 * HOUR, "lasting": False}, True),
        ({"at": NOW + 1.1 * HOUR, "lasting": False}, False),
        ({"at": NOW + 9999 * HOUR}, True),
        ({"purpose": "another"}, False),
        ({"table": "contacts"}, False),
    ],
)
def test_pages_are_used_for_the_same_purpose_and_without_windows_for_an_hour(
    tmp_path: Path, more: dict[str, Any], *, used: bool
) -> None:
    one_page(tmp_path, "20260301T000000-0001")
    assert one_page(tmp_path, "20260301T000001-0001", **more) == used


def test_a_reading_whose_load_is_found_done_is_not_gone_on_with(tmp_path: Path) -> None:
    one_page(tmp_path, "20260301T000000-0001", end="read")
    journals = RunJournals(tmp_path, "20260301T000001-0001", {})
    journals.settle({"another-load"}, tables={"responses"})
    journals.settle({"load-of-20260301T000000-0001"}, tables={"contacts"})
    assert not kept_runs(tmp_path)[0].readings[0].is_loaded
    journals.settle({"load-of-20260301T000000-0001"}, tables={"responses"})
    assert one_page(tmp_path, "20260301T000001-0001") == 0


def test_names_of_runs_sort_by_time() -> None:
    moments = [NOW + timedelta(milliseconds=5 * number) for number in range(500)]
    names = [new_run_id(moment) for moment in moments]
    assert names == sorted(names)
    assert names[0].startswith("20260301T120000-00")


def run_of(days_ago: int, megabytes: int, *tables: str) -> KeptRun:
    """A run so long before ``NOW``; tables whose name begins with a minus are not loaded."""
    folder = Path(f"/{(NOW - timedelta(days=days_ago)).strftime('%Y%m%dT%H%M%S')}-0000")

    class Sized(KeptReading):
        @property
        def size_bytes(self) -> int:
            return megabytes * 1_000_000

    readings = tuple(
        Sized(folder / table, 1, table.removeprefix("-"), LoadNote(loaded_at=None if table[0] == "-" else NOW))
        for table in tables
    )
    return KeptRun(folder, {}, readings)


@pytest.mark.parametrize(
    ("retention", "gone"),
    [
        (Retention(days=14, megabytes=1000), [20]),
        (Retention(days=30, megabytes=1000), []),
        (Retention(days=30, megabytes=400), [20, 9]),
        (Retention(days=30, megabytes=1), [20, 9, 5, 1]),
        (Retention(days=0, megabytes=1000), [20, 9, 5, 1]),
        (Retention(days=30, megabytes=0), [20, 9, 5, 1]),
    ],
)
def test_the_oldest_runs_go_first_and_none_that_is_still_to_be_loaded(retention: Retention, gone: list[int]) -> None:
    runs = [
        run_of(30, 10, "users", "-forms"),
        run_of(20, 100, "-responses"),
        run_of(9, 100, "responses"),
        run_of(5, 100, "responses", "contacts"),
        run_of(1, 100, "contacts"),
    ]
    forgotten = [(NOW - run.started_at).days for run in runs_to_forget(runs, retention, NOW)]
    assert forgotten == gone


def test_a_forgotten_run_leaves_nothing(tmp_path: Path) -> None:
    one_page(tmp_path, "20260301T000000-0001", end="loaded")
    forget(kept_runs(tmp_path)[0])
    assert list(tmp_path.iterdir()) == []


def test_nothing_of_the_key_stands_in_the_files(tmp_path: Path) -> None:
    journal = Journal(tmp_path, opening=Opening(table="t", purpose="digest", at=datetime.now(UTC)), run="r")
    journal.begin(RESPONSES, READS[0])
    journal.add(RESPONSES, READS[0], page(BODIES[0]), is_last=True)
    journal.close()
    assert {name for header, _ in records_of(tmp_path) for name in header} == {
        *("kind", "opening", "run", "at", "list", "endpoint", "params", "extra"),
        *("number", "position", "size", "status", "request", "received_at", "last"),
    }
