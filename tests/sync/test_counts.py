"""The rows that are loaded are counted against those that the vendor counts."""

from __future__ import annotations

from collections.abc import Callable

import httpx2
import pytest
from dlt.pipeline.pipeline import Pipeline

from feedloom.http import Client, Key
from feedloom.sources.planning import Cursor
from feedloom.sync.counts import Counts, compare_counts, has_total, loaded_range
from feedloom.vendors import VENDORS
from sources.fakes import KEY, NOW, FakeRefiner, contact, response

REFINER = VENDORS["refiner"]
Load = Callable[..., None]


def counts(api: FakeRefiner, pipeline: Pipeline, table: str) -> Counts | None:
    client = Client(REFINER, Key(KEY, "the test"), transport=api.transport())
    return compare_counts(REFINER, REFINER.table(table), pipeline, client)


@pytest.fixture
def api() -> FakeRefiner:
    shown = ["2026-02-01 10:00:00", "2026-02-28 10:00:00", "2026-02-28 23:59:59"]
    return FakeRefiner(
        lists={
            "/contacts": [contact(f"c{number}") for number in range(3)],
            "/responses": [response(f"r{number}", moment) for number, moment in enumerate(shown)],
        }
    )


@pytest.mark.parametrize(
    ("slug", "table", "counted"),
    [
        ("refiner", "contacts", True),
        ("refiner", "forms", True),
        ("refiner", "responses", True),
        ("refiner", "account", False),
        ("refiner", "form_history", False),
        ("refiner", "reporting", False),
        ("aptrinsic", "users", False),
        ("aptrinsic", "engagements", False),
    ],
)
def test_only_whole_lists_with_a_count_are_compared(slug: str, table: str, *, counted: bool) -> None:
    assert has_total(VENDORS[slug], VENDORS[slug].table(table)) is counted


def test_a_whole_list_is_compared_with_one_request_for_one_row(
    api: FakeRefiner, pipeline: Pipeline, load: Load
) -> None:
    load(api, "contacts")
    api.seen.clear()
    assert counts(api, pipeline, "contacts") == Counts(there=3, here=3)
    assert api.asked("/contacts") == [{"page_length": "1"}]
    api.lists["/contacts"].pop()
    assert counts(api, pipeline, "contacts") == Counts(there=2, here=3)


def test_a_windowed_table_is_compared_in_the_range_that_is_loaded(
    api: FakeRefiner, pipeline: Pipeline, load: Load
) -> None:
    load(api, "responses", start="2026-02-02T00:00:00Z")
    load(api, "responses", lookups={"responses": [{"include": "all"}]})
    api.lists["/responses"].append(response("later", "2026-03-01 12:00:00"))
    api.seen.clear()
    assert counts(api, pipeline, "responses") == Counts(there=2, here=2)
    assert api.asked("/responses") == [
        {
            "include": "all",
            "date_range_start": "2026-02-02T00:00:00Z",
            "date_range_end": "2026-03-01T12:00:00Z",
            "page_length": "1",
        }
    ]


def test_a_table_without_a_complete_load_is_not_compared(api: FakeRefiner, pipeline: Pipeline, load: Load) -> None:
    assert counts(api, pipeline, "responses") is None
    load(api, "responses", form_uuids=["f1"])
    api.seen.clear()
    assert counts(api, pipeline, "responses") is None
    assert api.seen == []


def test_an_answer_without_count_is_no_count_of_nothing(api: FakeRefiner, pipeline: Pipeline, load: Load) -> None:
    load(api, "contacts")
    body = {"items": [contact("c1")], "pagination": {"next_page_cursor": None}}
    api.answer = lambda _path, _params: httpx2.Response(200, json=body)
    assert counts(api, pipeline, "contacts") is None


def test_an_empty_list_counts_nothing(api: FakeRefiner, pipeline: Pipeline, load: Load) -> None:
    api.lists["/contacts"] = []
    load(api, "contacts")
    assert counts(api, pipeline, "contacts") == Counts(there=0, here=0)


def test_rows_whose_owner_is_gone_are_told_apart_when_the_owners_were_just_read(
    api: FakeRefiner, pipeline: Pipeline, load: Load
) -> None:
    api.lists["/responses"][0] |= {"contact": None}
    load(api, "contacts", "responses")
    api.lists["/contacts"] = []
    api.lists["/responses"] = api.lists["/responses"][:1]
    load(api, "contacts")
    client = Client(REFINER, Key(KEY, "the test"), transport=api.transport())
    known = compare_counts(REFINER, REFINER.table("responses"), pipeline, client, fresh={"contacts"})
    assert known == Counts(there=1, here=3, ownerless=2)
    assert known.agree
    unknown = counts(api, pipeline, "responses")
    assert unknown == Counts(there=1, here=3)
    assert not unknown.agree


def test_the_loaded_range_is_that_of_the_state(api: FakeRefiner, pipeline: Pipeline, load: Load) -> None:
    table = REFINER.table("responses")
    assert loaded_range(REFINER, table, pipeline) == Cursor()
    load(api, "responses")
    assert loaded_range(REFINER, table, pipeline) == Cursor(through=NOW)
