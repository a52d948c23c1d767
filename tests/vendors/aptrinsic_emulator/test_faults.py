"""What the engine's faults do to lists that scroll."""

from __future__ import annotations

import pytest

from vendors.aptrinsic_emulator.stage import DAY_MS, END_MS, playing


@pytest.mark.parametrize("ids", ["constant", "fresh"])
def test_a_repeated_cursor_hands_out_the_same_rows_once_more(ids: str) -> None:
    with playing(faults=["repeated-cursor=2"], quirks={"scroll_id": ids}) as px:
        pages = [px.get("/v1/users", {"pageSize": 30})]
        for _ in range(4):
            pages.append(px.get("/v1/users", {"scrollId": pages[-1]["scrollId"]}))
        rows = [page["users"] for page in pages]
        assert rows[2] == rows[1]
        assert rows[4] == rows[3]
        assert [*rows[0], *rows[1], *rows[3]] == px.rows("/v1/users")[:90]


def test_a_page_lost_on_the_way_is_gone_from_a_scroll_with_one_id() -> None:
    with playing() as px:
        everything = [row["id"] for row in px.rows("/v1/users")]
        px.emulator.faults.add("empty-page=2@list_users")
        first = px.get("/v1/users", {"pageSize": 50})
        assert px.get("/v1/users", {"scrollId": first["scrollId"]})["users"] == []
        px.emulator.faults.clear()
        third = px.get("/v1/users", {"scrollId": first["scrollId"]})
        assert [row["id"] for row in third["users"]] == everything[100:150]


def test_a_request_refused_by_a_fault_does_not_move_the_scroll() -> None:
    with playing(faults=["500=2@list_users"]) as px:
        first = px.get("/v1/users", {"pageSize": 50})
        assert px.send("GET", "/v1/users", {"scrollId": first["scrollId"]}).status_code == 500
        second = px.get("/v1/users", {"scrollId": first["scrollId"]})
        px.emulator.faults.clear()
        assert [*first["users"], *second["users"]] == px.rows("/v1/users")[:100]


def test_rows_added_while_a_list_is_read_are_seen_by_the_next_reader() -> None:
    with playing(faults=["rows-added"]) as px:
        window = {"filter": f"date>={px.clock.ms - 100 * DAY_MS}", "pageSize": 20, "sort": "date"}
        pages = list(px.pages("/v1/events/pageView", window))
        seen = [row["eventId"] for page in pages for row in page["results"]]
        assert len(seen) == pages[0]["totalHits"]
        assert max(row["date"] for page in pages for row in page["results"]) < END_MS
        px.emulator.faults.clear()
        again = px.rows("/v1/events/pageView", window)
        assert [row["eventId"] for row in again][: len(seen)] == seen
        assert len(again) == len(seen) + len(pages) - 1
        assert {row["date"] for row in again[len(seen) :]} == {px.clock.ms}


@pytest.mark.parametrize("fault", ["429", "429-bare"])
def test_a_fault_that_limits_says_how_long_to_wait_or_not(fault: str) -> None:
    with playing(faults=[f"{fault}=always"]) as px:
        response = px.send("GET", "/v1/users")
        assert response.status_code == 429
        assert ("retry-after" in response.headers) == (fault == "429")


def test_a_revoked_key_is_refused_as_a_wrong_one() -> None:
    with playing(faults=["key-refused=1"]) as px:
        px.get("/v1/users")
        assert px.send("GET", "/v1/users").status_code == 401
