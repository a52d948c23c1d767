"""Every disputed behaviour can be switched, and both sides can be told apart from outside."""

from __future__ import annotations

import pytest

from feedloom.emulator import describe
from feedloom.vendors.aptrinsic.emulator.quirks import QUIRKS
from vendors.aptrinsic_emulator.stage import DAY_MS, END_MS, EVENT_PATHS, LIST_KEYS, Px, playing, windows

TESTED = {
    "scroll_id",
    "scroll_end",
    "scrolling",
    "scroll_life_s",
    "total_hits",
    "duplicate_guard",
    "retry_after",
    "default_window",
    "modified_filter",
    "modified_sort",
    "filter_by_id",
    "segment_match_key",
    "global_context",
    "number_for_text",
    "revival_days",
    "write_body",
    "rights",
    "forbidden_body",
    "region",
}

USER = {"identifyId": "kari-204", "propertyKeys": ["AP-DEMODEMODEMO-2"]}


def test_every_quirk_has_a_test_here() -> None:
    assert {quirk.name for quirk in QUIRKS} == TESTED
    assert {name for name, _ in describe("aptrinsic").quirks} >= TESTED


def test_fresh_scroll_ids_give_the_same_page_again() -> None:
    with playing(quirks={"scroll_id": "fresh"}) as px:
        pages = list(px.pages("/v1/users", {"pageSize": 80}))
        ids = [page["scrollId"] for page in pages]
        assert len(set(ids)) == len(ids)
        again = [px.get("/v1/users", {"scrollId": ids[0]}) for _ in range(2)]
        assert [page["users"] for page in again] == [pages[1]["users"]] * 2
        assert [row["id"] for page in pages for row in page["users"]] == [row["id"] for row in px.rows("/v1/users")]


@pytest.mark.parametrize(
    ("value", "ends"), [("empty", [False, False, True]), ("last", [False, True]), ("never", [False, False, False])]
)
def test_the_scroll_id_is_null_on_an_empty_page_on_the_last_or_never(value: str, ends: list[bool]) -> None:
    with playing(quirks={"scroll_end": value}) as px:
        pages = list(px.pages("/v1/users", {"pageSize": 100}))
        assert [page["scrollId"] is None for page in pages] == ends
        assert sum(len(page["users"]) for page in pages) == 200


def test_a_scroll_shows_the_list_as_it_was_at_its_first_page() -> None:
    with playing(rows=40) as px:
        before = px.rows("/v1/users")
        first = px.get("/v1/users", {"pageSize": 10})
        px.write("DELETE", f"/v1/users/{before[2]['id']}")
        px.write("DELETE", f"/v1/users/{before[20]['id']}")
        px.write("PUT", f"/v1/users/{before[30]['id']}", {"role": "owner"})
        px.write("POST", "/v1/users", USER)
        following = [px.get("/v1/users", {"scrollId": first["scrollId"]})["users"] for _ in range(3)]
        assert [*first["users"], *(row for page in following for row in page)] == before
        assert len(px.rows("/v1/users")) == 39


def test_a_live_scroll_loses_rows_that_move_up_and_doubles_rows_that_move_down() -> None:
    with playing(rows=40, quirks={"scrolling": "live"}) as px:
        before = [row["id"] for row in px.rows("/v1/users")]
        first = px.get("/v1/users", {"pageSize": 10})
        px.write("DELETE", f"/v1/users/{before[2]}")
        second = px.get("/v1/users", {"scrollId": first["scrollId"]})
        assert [row["id"] for row in second["users"]] == before[11:21], "one is never shown"

        newest = px.get("/v1/events/pageView", {"pageSize": 2, "sort": "-date", **_all_of_autumn()})
        px.emulator.control.add_event("page_view", before[5], END_MS - 1)
        following = px.get("/v1/events/pageView", {"scrollId": newest["scrollId"]})
        assert following["results"][0] == newest["results"][1], "one is shown twice"


def _all_of_autumn() -> dict[str, str]:
    return {"filter": f"date>={END_MS - 90 * DAY_MS};date<{END_MS}"}


def test_a_scroll_is_forgotten_some_time_after_its_last_use() -> None:
    with playing() as px:
        scroll_id = px.get("/v1/users")["scrollId"]
        for _ in range(3):
            px.clock.forward(seconds=299)
            px.get("/v1/users", {"scrollId": scroll_id})
        px.clock.forward(seconds=301)
        assert px.refusal("GET", "/v1/users", {"scrollId": scroll_id}, status=400)["message"] == "Invalid scrollId"
    with playing(quirks={"scroll_life_s": "0"}) as px:
        scroll_id = px.get("/v1/users")["scrollId"]
        px.clock.forward(days=30)
        assert px.get("/v1/users", {"scrollId": scroll_id})["users"]


def test_inflated_totals_count_more_than_is_handed_out() -> None:
    with playing(quirks={"total_hits": "inflated", "scroll_end": "never"}) as px:
        pages = list(px.pages("/v1/users", {"pageSize": 100}))
        assert pages[-1]["users"] == []
        assert pages[-1]["totalHits"] > sum(len(page["users"]) for page in pages)


def test_the_duplicate_guard_refuses_a_url_again_within_two_seconds_unless_it_scrolls() -> None:
    with playing(quirks={"duplicate_guard": "1"}) as px:
        for path in ("/v1/users", "/v1/segment"):
            px.get(path, {"pageSize": 5})
            px.get(path, {"pageSize": 6})
            error = px.refusal("GET", path, {"pageSize": 5}, status=429)
            assert error["message"] == "Duplicate request blocked. Please wait before retrying"
            px.clock.forward(seconds=2)
            first = px.get(path, {"pageSize": 5})
        users = px.get("/v1/users", {"pageSize": 5})
        for _ in range(3):
            assert len(px.get("/v1/users", {"scrollId": users["scrollId"]})["users"]) == 5
        assert first["segments"]
    with playing() as px:
        assert px.get("/v1/users") != px.get("/v1/users"), "only the scroll ids differ"


@pytest.mark.parametrize(("value", "header"), [("0", None), ("1", "1")])
def test_a_refusal_for_a_limit_says_how_long_to_wait_or_not(value: str, header: str | None) -> None:
    with playing(quirks={"retry_after": value, "limit_per_second": "2"}, limited=True) as px:
        px.get("/v1/segment")
        px.get("/v1/segment")
        refused = px.send("GET", "/v1/segment")
        assert refused.status_code == 429
        assert refused.headers.get("retry-after") == header


def test_a_list_without_a_date_may_show_everything() -> None:
    with playing(rows=30, quirks={"default_window": "none"}) as px:
        for path in EVENT_PATHS:
            assert px.rows(path) == px.history(path)


def test_the_filter_by_last_modified_date_may_be_ignored() -> None:
    since = {"filter": f"lastModifiedDate>={END_MS - 30 * DAY_MS}"}
    with playing(quirks={"modified_filter": "ignored"}) as px:
        assert px.rows("/v1/users", since) == px.rows("/v1/users")
        assert px.rows("/v1/accounts", since) == px.rows("/v1/accounts")
        both = px.rows("/v1/users", {"filter": f"{since['filter']};score>70"})
        assert both == px.rows("/v1/users", {"filter": "score>70"})


def test_the_sort_by_last_modified_date_may_be_ignored() -> None:
    with playing(quirks={"modified_sort": "ignored"}) as px:
        assert px.rows("/v1/users", {"sort": "lastModifiedDate"}) == px.rows("/v1/users")
        assert px.rows("/v1/users", {"sort": "-email"}) != px.rows("/v1/users")


def test_the_filter_by_id_is_taken_or_refused(px: Px) -> None:
    assert [row["id"] for row in px.rows("/v1/users", {"filter": "id==u-000003"})] == ["u-000003"]
    with playing(quirks={"filter_by_id": "refused"}) as other:
        other.refusal("GET", "/v1/users", {"filter": "id==u-000003"}, status=400)
        assert other.rows("/v1/accounts", {"filter": "id==acct-0001"})


def test_the_list_of_segment_matches_has_either_key(px: Px) -> None:
    assert "featureMatchEvents" in px.get("/v1/events/segment_match")
    with playing(quirks={"segment_match_key": "segmentMatchEvents"}) as other:
        assert "segmentMatchEvents" in other.get("/v1/events/segment_match")
        assert "featureMatchEvents" in other.get("/v1/events/feature_match")


@pytest.mark.parametrize(("value", "kind"), [("object", dict), ("array", list), ("null", type(None))])
def test_the_global_context_is_an_object_an_array_or_null(value: str, kind: type) -> None:
    with playing(rows=30, quirks={"global_context": value}) as px:
        px.write(
            "POST", "/v1/events/custom", {"eventName": "e", "identifyId": "i", "propertyKey": "p", "userType": "USER"}
        )
        for path in EVENT_PATHS:
            assert {type(row["globalContext"]) for row in px.history(path)} == {kind}


def test_a_number_for_a_text_is_read_as_its_text_or_refused() -> None:
    numbers = {**USER, "title": 7, "phone": 4.5, "role": True}
    with playing(rows=5) as px:
        px.write("POST", "/v1/users", numbers)
        user = px.get("/v1/users/kari-204")
        assert (user["title"], user["phone"], user["role"]) == ("7", "4.5", "true")
    with playing(rows=5, quirks={"number_for_text": "refused"}) as px:
        px.refusal("POST", "/v1/users", json=numbers, status=400)


@pytest.mark.parametrize(("days", "returns"), [("7", True), ("3", False), ("0", False)])
def test_a_deleted_user_comes_back_within_some_days(days: str, returns: bool) -> None:  # noqa: FBT001 - a case of the table
    with playing(rows=5, quirks={"revival_days": days}) as px:
        before = px.get("/v1/users/u-000001")
        px.write("DELETE", "/v1/users/u-000001")
        px.clock.forward(days=5)
        px.write("POST", "/v1/users", {**USER, "identifyId": "u-000001"})
        after = px.get("/v1/users/u-000001")
        assert (after["aptrinsicId"] == before["aptrinsicId"]) == returns
        assert (after["email"] == before["email"]) == returns


def test_a_write_answers_with_nothing_or_with_the_documented_wrapper() -> None:
    with playing(rows=5) as px:
        assert px.write("POST", "/v1/users", USER).content == b""
        assert px.write("DELETE", "/v1/users/u-000001").content == b""
    with playing(rows=5, quirks={"write_body": "envelope"}) as px:
        created = px.write("POST", "/v1/users", USER)
        assert created.json() == {"body": None, "statusCode": "CREATED", "statusCodeValue": 201}
        assert px.write("PUT", "/v1/users/kari-204", {"role": "x"}).content == b""


def test_a_key_without_a_right_is_forbidden_what_needs_it() -> None:
    with playing(rows=5, quirks={"rights": "no-read"}) as px:
        assert px.refusal("GET", "/v1/users", status=403)["status"] == "FORBIDDEN"
        px.refusal("POST", "/v1/user/preferences", json={"identifyId": "u-000001"}, status=403)
        px.write("POST", "/v1/users", USER)
    with playing(rows=5, quirks={"rights": "no-write"}) as px:
        px.refusal("POST", "/v1/users", json=USER, status=403)
        px.refusal("DELETE", "/v1/users/u-000001", status=403)
        assert px.get("/v1/users/u-000001")
    with playing(rows=5, quirks={"rights": "no-launch"}) as px:
        engagement = px.get("/v1/engagement")["engagements"][0]["id"]
        start = {"engagementId": engagement, "state": "START"}
        px.refusal("PUT", "/v1/engagement/state", json=start, status=403)
        px.write("PUT", "/v1/engagement/state", {**start, "envs": ["QA"]})
        px.write("PUT", "/v1/engagement/state", {**start, "state": "PAUSE"})


def test_a_missing_right_may_be_told_in_html() -> None:
    with playing(rows=5, quirks={"rights": "no-read", "forbidden_body": "html"}) as px:
        refused = px.send("GET", "/v1/users")
        assert refused.status_code == 403
        assert refused.headers["content-type"].startswith("text/html")
        assert refused.text.startswith("<html>")


@pytest.mark.parametrize("status", ["401", "404"])
def test_a_key_of_another_region_is_refused(status: str) -> None:
    with playing(rows=5, quirks={"region": status}) as px:
        assert {px.send("GET", path).status_code for path in ("/v1/users", "/v2/feature_ext")} == {int(status)}


def test_quirks_of_scrolling_hold_for_event_lists_too() -> None:
    with playing(rows=60, quirks={"scroll_id": "fresh", "scroll_end": "last"}) as px:
        for path in EVENT_PATHS:
            for window in windows(END_MS - 360 * DAY_MS, END_MS):
                pages = list(px.pages(path, {"filter": window, "pageSize": 5, "sort": "-date"}))
                assert pages[-1]["scrollId"] is None
                assert sum(len(page[LIST_KEYS[path]]) for page in pages) == pages[0]["totalHits"]
