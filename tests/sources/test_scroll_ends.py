"""A scroll whose end is doubtful is read again; one that stays behind the vendor's count is short."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from feedloom.http import Client
from feedloom.sources.planning import Read
from feedloom.sources.reading import Reader
from feedloom.sources.session import ScrollCounts
from sources.fakes import FakeClient, Row, Script
from sources.lists import VISITS, all_of, attempts, each, event, ids, ids_of, read_list

if TYPE_CHECKING:
    from feedloom.sources.journal import Journal


def counted(*scripts: Script, total: int) -> FakeClient:
    """A client that plays one of *scripts* at each attempt, each page saying that the list holds *total* rows."""
    client = attempts(*scripts)
    client.total = total
    return client


def test_a_scroll_that_ends_empty_before_the_vendors_count_starts_over() -> None:
    client = counted([[event(1)], []], [[event(1)], [event(2)]], total=2)
    pages = read_list(client, Read(params={}))
    assert (ids(pages), [page.note for page in pages if page.note]) == ([1, 1, 2], [])


def verdicts(*scripts: Script, total: int, counts: ScrollCounts) -> list[tuple[bool, str]]:
    """What is told of a list that is read as *scripts* play it: whether it is short, and how that is said."""
    client = counted(*scripts, total=total)
    read = Reader(cast("Client", client), VISITS, counts=counts)
    pages = asyncio.run(all_of(read.read_many(each([Read(params={})]), side_by_side=1)))
    return [(page.is_short, page.note.partition(";")[0]) for page in pages if page.note]


SHORT = [[event(1)], []]


@pytest.mark.parametrize(
    ("counts", "is_short"),
    [
        (ScrollCounts(), True),
        (ScrollCounts(exact=True), True),
        (ScrollCounts(inflated=True), False),
        (ScrollCounts(exact=True, inflated=True), True),
    ],
)
def test_an_end_before_the_vendors_count_that_comes_twice_is_short_unless_it_counts_too_many(
    counts: ScrollCounts, *, is_short: bool
) -> None:
    note = "The vendor counts 2 rows where 1 came, twice in a row"
    assert verdicts(SHORT, SHORT, total=2, counts=counts) == [(is_short, note)]


def test_nothing_where_many_rows_are_counted_is_short_however_the_vendor_counts() -> None:
    found = verdicts([[]], [[]], total=10, counts=ScrollCounts(inflated=True))
    assert [is_short for is_short, _ in found] == [True]


@pytest.mark.parametrize(
    ("script", "total", "shown"),
    [
        ([[event(1)], [event(2)], []], 2, ScrollCounts(exact=True)),
        ([[event(1)], [event(2)]], 9, ScrollCounts(inflated=True)),
        ([[]], 0, ScrollCounts()),
    ],
)
def test_each_list_shows_how_the_vendor_counts(script: Script, total: int, shown: ScrollCounts) -> None:
    counts = ScrollCounts()
    assert verdicts(script, total=total, counts=counts) == []
    assert counts == shown


@pytest.mark.parametrize("end", [[event(3)], []])
def test_a_scroll_that_rows_leave_starts_over_until_none_does(end: list[Row], journal: Journal) -> None:
    client = attempts([[event(1)], end], [[event(1)], [event(2)], end])
    client.totals = iter([3, 2, 2, 2, 2])
    pages = read_list(client, Read(params={}), journal)
    assert ids(pages) == ids_of([event(1), *end, event(1), event(2), *end])
    assert [page.note for page in pages if page.note] == []
    assert ids(read_list(attempts(), Read(params={}), journal)) == ids_of([event(1), event(2), *end])


def test_a_scroll_that_rows_never_cease_to_leave_is_told(journal: Journal) -> None:
    client = FakeClient(lambda _: [[event(1)], [event(2)]], totals=iter(range(99, 0, -1)))
    (note,) = [page.note for page in read_list(client, Read(params={}), journal) if page.note]
    assert note.startswith("Rows left the list whenever it was read")
    assert len(client.asked) == 6
    assert not journal.is_finished(VISITS, Read(params={}))


@pytest.mark.parametrize("totals", [[2, 0, 2, 0], [3, 9]])
def test_a_count_that_grows_or_is_left_out_raises_no_doubt(totals: list[int]) -> None:
    client = attempts([[event(1)], [event(2)], []])
    client.totals = iter(totals)
    assert ids(read_list(client, Read(params={}))) == [1, 2]
    assert len(client.asked) == 1


def test_a_short_last_page_is_an_end_whatever_the_vendor_counts() -> None:
    client = counted([[event(1)], [event(2)]], total=9)
    assert ids(read_list(client, Read(params={}))) == [1, 2]
    assert len(client.asked) == 1


def test_a_doubtful_end_is_not_kept_as_one(journal: Journal) -> None:
    client = counted([[event(1)], []], [[event(1)], []], total=2)
    read_list(client, Read(params={}), journal)
    assert not journal.is_finished(VISITS, Read(params={}))
