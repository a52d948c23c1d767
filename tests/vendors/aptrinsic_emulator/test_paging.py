"""How lists are cut into pages: whatever the page size and the windows, the same rows come."""

from __future__ import annotations

import resource
import time
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedloom.vendors.aptrinsic.emulator.scrolls import _MOST_OPEN
from vendors.aptrinsic_emulator.stage import (
    DAY_MS,
    END_MS,
    EVENT_PATHS,
    LIST_KEYS,
    START_MS,
    Px,
    playing,
    windows,
)

NUMBERED = {
    "/v1/articles": ("articleExternalViewList", 200, 500),
    "/v1/kcbot": ("kcList", 200, 500),
    "/v1/engagement": ("engagements", 200, 500),
    "/v1/engagement/extended": ("engagements", 200, 500),
    "/v1/feature": ("features", 25, 200),
    "/v2/feature_ext": ("features", 25, 200),
    "/v1/segment": ("segments", 25, 200),
    "/v1/admin/subscription/users/notSeenAfter": ("subscriptionUsers", 200, 1000),
}
"""Path -> key of the list, default and largest page size. Source: aptrinsic-notes, section 1."""

SCROLLS = sorted(LIST_KEYS)
LAST_WINDOW = {"filter": f"date>={END_MS - 180 * DAY_MS};date<{END_MS}"}
RANGE = {"dateRangeStart": END_MS - 180 * DAY_MS, "dateRangeEnd": END_MS}


def asked(path: str) -> dict[str, Any]:
    """Parameters with which a list has rows."""
    return LAST_WINDOW if path in EVENT_PATHS else RANGE if "/monitoring/" in path else {}


@pytest.fixture(scope="module")
def whole(px: Px) -> dict[str, list[Any]]:
    """Every list in one piece."""
    return {path: px.rows(path, asked(path)) for path in SCROLLS}


@given(path=st.sampled_from(SCROLLS), size=st.integers(min_value=7, max_value=1000), sort=st.sampled_from(["", "x"]))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_page_size_gives_the_same_rows(
    px: Px, whole: dict[str, list[Any]], path: str, size: int, sort: str
) -> None:
    params = {**asked(path), "pageSize": size}
    expected = whole[path]
    if sort and path in EVENT_PATHS:
        params["sort"] = "-date"
        expected = expected[::-1]
    pages = list(px.pages(path, params))
    assert [row for page in pages for row in page[LIST_KEYS[path]]] == expected
    assert all(len(page[LIST_KEYS[path]]) == size for page in pages[:-2])
    assert {page["totalHits"] for page in pages} == {len(expected)}


@given(
    path=st.sampled_from(EVENT_PATHS),
    cuts=st.lists(st.integers(min_value=START_MS, max_value=END_MS), max_size=6),
    data=st.data(),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_windows_that_touch_give_every_row_once(px: Px, path: str, cuts: list[int], data: st.DataObject) -> None:
    everything = px.history(path)
    on_a_row = data.draw(st.lists(st.sampled_from([row["date"] for row in everything]), max_size=3))
    edges = sorted({START_MS, *cuts, *on_a_row, END_MS})
    pieces = [window for start, stop in pairwise(edges) for window in windows(start, stop)]
    assert [row for window in pieces for row in px.rows(path, {"filter": window})] == everything


def test_one_id_names_all_pages_of_a_scroll_and_moves_on_at_each_call(px: Px) -> None:
    first = px.get("/v1/users", {"pageSize": 10})
    second = px.get("/v1/users", {"scrollId": first["scrollId"]})
    third = px.get("/v1/users", {"scrollId": first["scrollId"]})
    assert first["scrollId"] == second["scrollId"] == third["scrollId"]
    assert [row["id"] for page in (first, second, third) for row in page["users"]] == [
        row["id"] for row in px.rows("/v1/users")[:30]
    ]


def test_page_size_filter_and_sort_that_are_sent_again_are_ignored(px: Px) -> None:
    first = px.get("/v1/users", {"pageSize": 10, "sort": "-email"})
    again = {"scrollId": first["scrollId"], "pageSize": 500, "sort": "email", "filter": "email==nobody"}
    second = px.get("/v1/users", again)
    assert len(second["users"]) == 10
    emails = [row["email"].casefold() for row in [*first["users"], *second["users"]]]
    assert emails == sorted(emails, reverse=True)


def test_scrolls_side_by_side_do_not_disturb_each_other(px: Px) -> None:
    one, other = (px.pages("/v1/accounts", {"pageSize": 5}) for _ in range(2))
    ids = [[row["id"] for row in page["accounts"]] for _ in range(3) for page in (next(one), next(other))]
    assert ids[0::2] == ids[1::2]


def test_a_scroll_id_of_another_list_or_of_nothing_is_refused(px: Px) -> None:
    users = px.get("/v1/users")["scrollId"]
    for path, scroll_id in (("/v1/accounts", users), ("/v1/users", "DnF1ZXJ5VGhlbkZldGNo")):
        assert px.refusal("GET", path, {"scrollId": scroll_id}, status=400)["message"] == "Invalid scrollId"


def test_a_full_last_page_is_followed_by_an_empty_one_with_a_null_id(px: Px) -> None:
    pages = list(px.pages("/v1/users", {"pageSize": 100}))
    assert [len(page["users"]) for page in pages] == [100, 100, 0]
    assert [page["scrollId"] is None for page in pages] == [False, False, True]


@pytest.mark.parametrize("path", [path for path in SCROLLS if "/monitoring/" in path])
def test_monitoring_lists_say_null_on_their_last_page(px: Px, path: str) -> None:
    pages = list(px.pages(path, {**RANGE, "pageSize": 3}))
    assert [page["scrollId"] is None for page in pages] == [False] * (len(pages) - 1) + [True]
    assert all(page[LIST_KEYS[path]] for page in pages)


def test_a_monitoring_list_can_be_entered_at_a_page(px: Px) -> None:
    path = "/v1/admin/monitoring/engagement_collisions"
    rows = px.rows(path, RANGE)
    second = px.get(path, {**RANGE, "pageSize": 2, "pageNumber": 1})
    assert second["engagementCollisions"] == rows[2:4]
    both = {**RANGE, "pageSize": 2, "pageNumber": 1, "scrollId": second["scrollId"]}
    assert px.get(path, both)["engagementCollisions"] == rows[4:6]


@pytest.mark.parametrize("path", SCROLLS)
def test_a_scroll_shows_25_rows_unless_told_otherwise(px: Px, whole: dict[str, list[Any]], path: str) -> None:
    assert px.get(path, asked(path))[LIST_KEYS[path]] == whole[path][:25]


@pytest.mark.parametrize(("path", "known"), NUMBERED.items())
@pytest.mark.parametrize("size", [1, 7, None])
def test_numbered_pages_start_at_zero_and_flag_the_last(
    px: Px, path: str, known: tuple[str, int, int], size: int | None
) -> None:
    key, default, most = known
    params = {"notSeenAfterTimestamp": END_MS} if "notSeenAfter" in path else {}
    everything = px.get(path, {**params, "pageSize": most})
    rows = everything[key]
    step = size or default
    found = []
    for number in range(-(-len(rows) // step)):
        page = px.get(path, {**params, "pageNumber": number, **({"pageSize": size} if size else {})})
        assert page["pageNumber"] == number
        assert page["isLastPage"] == ((number + 1) * step >= len(rows))
        found += page[key]
    assert found == rows
    beyond = px.get(path, {**params, "pageNumber": 10_000})
    assert (beyond[key], beyond["isLastPage"]) == ([], True)


@pytest.mark.parametrize(
    ("path", "most"), [*((path, 1000) for path in SCROLLS), *((path, known[2]) for path, known in NUMBERED.items())]
)
def test_a_page_size_beyond_the_bounds_is_refused_with_a_message(px: Px, path: str, most: int) -> None:
    params = {"notSeenAfterTimestamp": END_MS} if "notSeenAfter" in path else {}
    for size in (0, most + 1):
        error = px.refusal("GET", path, {**params, "pageSize": size}, status=400)
        assert error["status"] == "BAD_REQUEST"
        assert "pageSize" in error["subErrors"][0]["message"]


def test_the_least_lately_used_scroll_is_closed_when_too_many_are_open(px: Px) -> None:
    oldest = px.get("/v1/accounts", {"pageSize": 1})["scrollId"]
    for _ in range(_MOST_OPEN):
        px.get("/v1/accounts", {"pageSize": 1})
    assert px.refusal("GET", "/v1/accounts", {"scrollId": oldest}, status=400)["message"] == "Invalid scrollId"


def test_ten_million_events_need_no_more_room_or_time_than_ten() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started_s = time.process_time()
    with playing(rows=1_000_000) as px:
        for path in EVENT_PATHS:
            for at_ms in (START_MS, (START_MS + END_MS) // 2, END_MS - 180 * DAY_MS):
                until_ms = at_ms + 180 * DAY_MS
                page = px.get(path, {"filter": f"date>={at_ms};date<{until_ms}", "sort": "date", "pageSize": 100})
                assert len(page[LIST_KEYS[path]]) == 100
                assert page["totalHits"] > 5_000
        last = px.get("/v1/users", {"pageSize": 1})
        assert last["totalHits"] == 1_000_000
        assert px.get("/v1/users/u-700000")["id"] == "u-700000"
    assert time.process_time() - started_s < timedelta(seconds=10).total_seconds()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 120_000
