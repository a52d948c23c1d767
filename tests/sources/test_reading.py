"""Lists are read side by side, started over, halved and proven, and kept ones are not asked for again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import httpx2
import orjson
import pytest

from feedloom.emulator import create_emulator
from feedloom.errors import RefusedError, RetryLaterError
from feedloom.http import Client, Key, ScrollLostError, StartOverError
from feedloom.sources.journal import Journal
from feedloom.sources.planning import Proof, Read
from feedloom.sources.reading import Reader
from feedloom.vendors import VENDORS
from sources.fakes import NOW, FakeClient, Row, Script
from sources.lists import OPENING, VISITS, all_of, attempts, each, event, ids, ids_of, read_list, read_many, reader

ACCOUNT = VENDORS["refiner"].endpoint("get_account")
DAY = timedelta(days=1)
LOST = ScrollLostError("a page is gone", hint="start over")


def three_pages(params: Mapping[str, Any]) -> Script:
    return [[event(f"{params['name']}{number}")] for number in range(3)]


def dated(start: datetime, end: datetime) -> Read:
    """A read of a window that can be cut."""
    return Read(params={"start": start, "end": end}, bounds=(start, end), bounded=dated)


@pytest.mark.parametrize("side_by_side", [1, 2, 5, 20])
def test_pages_of_a_read_keep_their_order_and_none_is_lost(side_by_side: int) -> None:
    names = [chr(ord("a") + number) for number in range(9)]
    pages = read_many(FakeClient(three_pages), *names, side_by_side=side_by_side)
    for name in names:
        assert ids([page for page in pages if page.read.params["name"] == name]) == [f"{name}{n}" for n in range(3)]
    assert len(pages) == 27


def test_the_lists_of_several_reads_are_under_way_at_once() -> None:
    both = asyncio.Barrier(2)

    async def together(_: Mapping[str, Any]) -> None:
        """Each page comes only when one of the other list is due as well."""
        await asyncio.wait_for(both.wait(), 5)

    pages = read_many(FakeClient(three_pages, before=together), "a", "b", side_by_side=2)
    assert sorted(ids(pages)) == ["a0", "a1", "a2", "b0", "b1", "b2"]


def test_no_more_lists_are_under_way_than_allowed() -> None:
    client = FakeClient(three_pages)

    async def take_one() -> int:
        reads = each([Read(params={"name": name}) for name in "abcdefgh"])
        async with aclosing(reader(client).read_many(reads, side_by_side=3)) as pages:
            async for _ in pages:
                break
        return len(client.asked)

    assert asyncio.run(take_one()) == 3


def test_nothing_to_read_brings_nothing() -> None:
    assert read_many(FakeClient(three_pages)) == []


def test_the_first_error_stops_every_list_and_is_raised_itself() -> None:
    ended = []

    async def waiting(params: Mapping[str, Any]) -> None:
        if params["name"] != "bad":
            try:
                await asyncio.wait_for(asyncio.Event().wait(), 30)
            finally:
                ended.append(params["name"])

    def script(params: Mapping[str, Any]) -> Script:
        return [RetryLaterError("down", hint="later")] if params["name"] == "bad" else [[event(1)]]

    with pytest.raises(RetryLaterError, match="down"):
        read_many(FakeClient(script, before=waiting), "a", "bad", "b")
    assert sorted(ended) == ["a", "b"]


def test_pages_before_an_error_are_handed_on() -> None:
    got = []

    async def run() -> None:
        client = FakeClient(lambda _: [[event(1)], [event(2)], RetryLaterError("down", hint="later")])
        async for rows in reader(client).read_many(each([Read(params={})]), side_by_side=1):
            got.extend(ids([rows]))

    with pytest.raises(RetryLaterError):
        asyncio.run(run())
    assert got == [1, 2]


def test_an_error_of_the_plan_is_raised_too() -> None:
    async def broken() -> AsyncIterator[Read]:
        yield Read(params={"name": "a"})
        raise LookupError("no parent")

    with pytest.raises(LookupError, match="no parent"):
        asyncio.run(all_of(reader(FakeClient(three_pages)).read_many(broken(), side_by_side=2)))


def test_closing_early_ends_the_lists_under_way() -> None:
    ended = []

    async def watched(params: Mapping[str, Any]) -> None:
        if params["name"] == "slow":
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("slow")

    async def run() -> None:
        client = FakeClient(three_pages, before=watched)
        reads = each([Read(params={"name": "slow"}), Read(params={"name": "a"})])
        async with aclosing(reader(client).read_many(reads, side_by_side=2)) as pages:
            assert ids([await anext(pages)]) == ["a0"]

    asyncio.run(run())
    assert ended == ["slow"]


def test_a_scroll_that_lost_a_page_starts_over() -> None:
    client = attempts([[event(1)], LOST], [[event(1)], [event(2)]])
    assert ids(read_list(client, Read(params={}))) == [1, 1, 2]


def test_a_scroll_starts_over_five_times_at_most() -> None:
    client = FakeClient(lambda _: [LOST])
    with pytest.raises(ScrollLostError):
        read_list(client, Read(params={}))
    assert len(client.asked) == 6


def test_a_list_that_is_read_on_with_smaller_pages_starts_over_as_often_as_there_are_sizes() -> None:
    smaller = StartOverError("too large", hint="start over")
    smaller.is_smaller = True
    client = attempts(*[[smaller]] * 8, [LOST], [[event(1)]])
    assert ids(read_list(client, Read(params={}))) == [1]


@pytest.mark.parametrize(
    ("slug", "name", "key"),
    [
        ("refiner", "list_contacts", "uuid"),
        ("refiner", "list_responses", "uuid"),
        ("aptrinsic", "list_users", "aptrinsicId"),
        ("aptrinsic", "list_articles", "id"),
    ],
)
def test_pages_that_turn_out_too_large_in_mid_list_lose_no_row_and_the_journal_has_each_once(
    slug: str, name: str, key: str, journal: Journal
) -> None:
    emulator = create_emulator(slug, rows=600)
    endpoint = VENDORS[slug].endpoint(name)
    size = "page_length" if slug == "refiner" else "pageSize"

    async def read(client: Client) -> list[Any]:
        found = []
        async for rows in Reader(client, endpoint, journal).read_list(Read(params={size: 100})):
            found.extend([row[key] for row in rows.rows])
            emulator.faults.clear()
            emulator.faults.add("too-large=40")
        return found

    async def run() -> tuple[list[Any], list[Any], list[Any]]:
        over = httpx2.ASGITransport(app=emulator.app)
        async with Client(
            VENDORS[slug], Key(emulator.key, "the emulator"), transport=over, random=lambda: 0.0
        ) as client:
            there = [row[key] async for page in client.pages(endpoint, {}) for row in page.rows]
            return there, await read(client), await read(client)

    there, found, kept = asyncio.run(run())
    assert emulator.requests.by_status[500] > 0
    assert set(found) == set(there)
    assert kept == there


def test_other_errors_do_not_start_a_list_over() -> None:
    client = FakeClient(lambda _: [RetryLaterError("down", hint="later")])
    with pytest.raises(RetryLaterError):
        read_list(client, Read(params={}))
    assert len(client.asked) == 1


def too_long(longest: timedelta) -> FakeClient:
    """A vendor that takes windows of at most *longest* and gives one row for each."""

    def script(params: Mapping[str, Any]) -> Script:
        if params["end"] - params["start"] > longest:
            return [RefusedError('status 400, "Exceeded date range190days"', hint="shorten it", status=400)]
        return [[event((params["start"], params["end"]))]]

    return FakeClient(script)


def test_a_window_that_is_too_long_is_read_in_halves() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    windows = ids(read_list(too_long(DAY), dated(start, start + 3 * DAY)))
    edges = [(start + part * 0.75 * DAY).isoformat() for part in range(5)]
    assert windows == [list(window) for window in pairwise(edges)]


def test_a_window_that_cannot_be_cut_further_is_refused() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(RefusedError, match="Exceeded date range"):
        read_list(too_long(timedelta(0)), dated(start, start + timedelta(minutes=3)))


def test_a_refusal_for_another_reason_is_raised() -> None:
    refusal = RefusedError("status 400, unknown field", hint="correct it", status=400)
    with pytest.raises(RefusedError, match="unknown field"):
        read_list(FakeClient(lambda _: [refusal]), dated(NOW - DAY, NOW))


def proving(first: Script, whole: Script) -> tuple[FakeClient, Read]:
    """A client that answers the filtered list by *first* and the unfiltered by *whole*, and the filtered read."""
    client = FakeClient(lambda params: first if "filter" in params else whole)
    proof = Proof(column="date", least=5, otherwise={"plan": "pro"})
    return client, Read(params={"plan": "pro", "filter": ["date>=5"]}, extra={"month": 3}, proof=proof)


def visits(*dates: int) -> list[Row]:
    """Rows with these dates, which are their names too."""
    return [{"eventId": date, "date": date} for date in dates]


@pytest.mark.parametrize("later", [visits(8, 6), visits(6, 7), []])
def test_a_filter_that_proves_itself_is_trusted(later: list[Row]) -> None:
    client, read = proving([visits(9, 8), later], [])
    assert ids(read_list(client, read)) == [9, 8, *ids_of(later)]
    assert client.asked == [read.params]


@pytest.mark.parametrize(("date", "asked"), [(8, 1), (4, 2)])
def test_a_row_that_is_not_quite_json_proves_as_others_do(date: int, asked: int) -> None:
    bad: Any = orjson.Fragment(b'{"eventId":8,"date":%d,"score":NaN}' % date)
    client, read = proving([[*visits(9), bad]], [visits(9)])
    pages = read_list(client, read)
    assert len(client.asked) == asked
    assert [len(page) for page in pages if not page.note] == [3 - asked]


def test_a_filter_that_was_ignored_is_left_out_with_a_note() -> None:
    client, read = proving([[{"eventId": 1, "date": 4}]], [[event(1)], [event(2)]])
    pages = read_list(client, read)
    assert ids(pages) == [1, 2]
    assert [page.note for page in pages] == ["The vendor ignored the filter by date: read whole.", "", ""]
    assert [page.read.extra for page in pages] == [{"month": 3}] * 3
    assert client.asked == [read.params, {"plan": "pro"}]


@pytest.mark.parametrize(
    ("first", "ignored"), [([visits(9, 8), visits(7, 4)], "filter"), ([visits(8, 9), visits(7)], "sort")]
)
def test_what_the_vendor_ignored_is_told_on_whichever_page_it_shows(first: Script, ignored: str) -> None:
    client, read = proving(first, [visits(4, 9), visits(7, 8)])
    pages = read_list(client, read)
    assert ids(pages)[-4:] == [4, 9, 7, 8]
    assert [page.note for page in pages if page.note] == [f"The vendor ignored the {ignored} by date: read whole."]


def test_reading_whole_starts_over_no_more_often_than_any_list() -> None:
    client, read = proving([[{"eventId": 1, "date": 4}]], [LOST])
    with pytest.raises(ScrollLostError):
        read_list(client, read)
    assert len(client.asked) == 1 + 6


def test_a_single_answer_is_one_row() -> None:
    client = FakeClient(lambda _: [[{"plan": "pro"}]])
    pages = asyncio.run(all_of(Reader(cast("Client", client), ACCOUNT).read_list(Read(params={}))))
    assert [page.rows for page in pages] == [[{"plan": "pro"}]]


def test_a_kept_list_costs_no_request(journal: Journal) -> None:
    first, second = FakeClient(three_pages), FakeClient(three_pages)
    assert ids(read_many(first, "a", "b", journal=journal)) != []
    again = read_many(second, "a", "b", "c", journal=journal)
    assert second.asked == [{"name": "c"}]
    assert sorted(ids(again)) == [f"{name}{number}" for name in "abc" for number in range(3)]


def test_a_kept_single_answer_costs_no_request(tmp_path: Path) -> None:
    journal = Journal(tmp_path, opening=OPENING, run="run")
    client = FakeClient(lambda _: [[{"plan": "pro"}]])
    kept = Reader(cast("Client", client), ACCOUNT, journal)
    for _ in range(2):
        assert [page.rows for page in asyncio.run(all_of(kept.read_list(Read(params={}))))] == [[{"plan": "pro"}]]
    assert len(client.asked) == 1
    journal.close()


def test_a_list_that_broke_off_is_read_from_its_start(journal: Journal) -> None:
    broken = attempts([[event(1)], RetryLaterError("down", hint="later")])
    with pytest.raises(RetryLaterError):
        read_list(broken, Read(params={}), journal)
    assert ids(read_list(attempts([[event(7)], [event(8)]]), Read(params={}), journal)) == [7, 8]
    assert ids(read_list(attempts(), Read(params={}), journal)) == [7, 8]


def test_a_kept_list_that_started_over_has_each_page_once(journal: Journal) -> None:
    read_list(attempts([[event(1)], LOST], [[event(1)], [event(2)]]), Read(params={}), journal)
    assert ids(read_list(attempts(), Read(params={}), journal)) == [1, 2]


def test_the_halves_of_a_long_window_are_kept(journal: Journal) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    read_list(too_long(DAY), dated(start, start + 2 * DAY), journal)
    again = too_long(DAY)
    assert len(ids(read_list(again, dated(start, start + 2 * DAY), journal))) == 2
    assert len(again.asked) == 1


def test_the_pages_of_an_ignored_filter_are_not_kept_as_its_answer(journal: Journal) -> None:
    client, read = proving([[{"eventId": 1, "date": 4}]], [[event(9)]])
    read_list(client, read, journal)
    assert not journal.is_finished(VISITS, read)
    assert journal.is_finished(VISITS, replace(read, params={"plan": "pro"}))
