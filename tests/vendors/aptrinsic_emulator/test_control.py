"""Changes that no call can make, and that every list agrees on what was written however it is read."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from typing import Any

import pytest

from feedloom.errors import InputError
from vendors.aptrinsic_emulator.stage import DAY_MS, END_MS, EVENT_PATHS, LIST_KEYS, START_MS, Px, playing

KINDS = {
    "page_view": "/v1/events/pageView",
    "session": "/v1/events/session",
    "feature_match": "/v1/events/feature_match",
    "custom": "/v1/events/custom",
    "engagement_view": "/v1/events/engagementView",
    "identify": "/v1/events/identify",
    "segment_match": "/v1/events/segment_match",
    "email": "/v1/events/email",
    "form_submit": "/v1/events/formSubmit",
    "lead": "/v1/events/lead",
    "list_survey_responses": "/v1/survey/responses",
}


@pytest.mark.parametrize(("kind", "path"), KINDS.items())
def test_a_late_event_appears_where_its_date_puts_it(kind: str, path: str) -> None:
    with playing(rows=60) as px:
        before = px.history(path)
        user = px.get("/v1/users/u-000001")
        date_ms = START_MS + 333 * DAY_MS
        row = px.emulator.control.add_event(kind, "u-000001", date_ms)
        assert set(row) >= set(before[0]) - {"inferredLocation"} - _varying(before)
        window = {"filter": f"date>={date_ms - 60 * DAY_MS};date<={date_ms + 60 * DAY_MS}"}
        by_date = px.rows(path, {**window, "sort": "date"})
        assert row in by_date
        assert [one["date"] for one in by_date] == sorted(one["date"] for one in by_date)
        assert px.rows(path, {**window, "sort": "-date"}) == by_date[::-1]
        assert px.rows(path, window)[-1] == row, "unsorted lists are in the order of recording"
        assert len(px.history(path)) == len(before) + 1
        assert px.get("/v1/users/u-000001") == user or user["lastSeenDate"] < date_ms


def _varying(rows: list[dict[str, Any]]) -> set[str]:
    """Keys that not all rows have."""
    return {key for row in rows for key in row if not all(key in other for other in rows)}


def test_an_event_takes_the_fields_it_is_given() -> None:
    with playing(rows=20) as px:
        feature_id = px.get("/v1/feature")["features"][1]["id"]
        row = px.emulator.control.add_event("feature_match", "u-000001", featureId=feature_id, accountId="acme-7")
        assert row["eventId"].endswith(f"-{feature_id}")
        assert (row["accountId"], row["date"]) == ("acme-7", px.clock.ms)
        with pytest.raises(InputError, match="no kind of event called 'click'") as refused:
            px.emulator.control.add_event("click", "u-000001")
        assert "page_view" in refused.value.hint


def test_a_row_on_the_very_millisecond_of_another_is_ordered_by_id() -> None:
    with playing(rows=60) as px:
        path = "/v1/events/session"
        known = px.history(path)[5]
        for _ in range(4):
            px.emulator.control.add_event("session", "u-000001", known["date"])
        rows = px.rows(path, {"filter": f"date=={known['date']}", "sort": "date"})
        assert len(rows) == 5
        assert [row["eventId"] for row in rows] == sorted(row["eventId"] for row in rows)


def test_a_user_who_is_touched_was_seen_and_changed_now() -> None:
    with playing(rows=20) as px:
        before = px.get("/v1/users/u-000001")
        px.emulator.control.touch_user("u-000001")
        after = px.get("/v1/users/u-000001")
        assert after["lastSeenDate"] == after["lastModifiedDate"] == px.clock.ms
        assert after["numberOfVisits"] == before["numberOfVisits"] + 1
        with pytest.raises(InputError, match="no user 'nobody'"):
            px.emulator.control.touch_user("nobody")


def test_changing_one_user_over_and_over_takes_no_room() -> None:
    with playing(rows=20) as px:
        tracemalloc.start()
        try:
            for _ in range(3_000):
                px.clock.forward(seconds=1)
                px.emulator.control.touch_user("u-000001")
            held_bytes, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert held_bytes < 3_000_000
        assert px.get("/v1/users/u-000001")["numberOfVisits"] >= 3_000


def everything(px: Px) -> dict[str, list[Any]]:
    lists = {path: px.rows(path) for path in ("/v1/users", "/v1/accounts")}
    return lists | {path: px.history(path) for path in EVENT_PATHS}


def test_the_same_random_writes_make_the_same_changes() -> None:
    def told(seed: int) -> tuple[Counter[str], dict[str, list[Any]]]:
        with playing(rows=60) as px:
            return px.emulator.control.random_writes(150, seed, deletes=True), everything(px)

    counted, lists = told(1)
    assert (counted, lists) == told(1)
    assert lists != told(2)[1]
    assert set(counted) >= {"create_user", "late_event", "delete_user", "delete_account", "touch_user", "content"}


@pytest.mark.parametrize("deletes", [False, True])
def test_after_random_writes_every_way_of_reading_agrees(*, deletes: bool) -> None:
    with playing(rows=120) as px:
        before = everything(px)
        for seed in range(3):
            px.clock.forward(hours=1)
            px.emulator.control.random_writes(200, seed, deletes=deletes)
        after = everything(px)
        for path in EVENT_PATHS:
            ids = [row["eventId"] for row in after[path]]
            assert len(ids) == len(set(ids))
            assert set(ids) > {row["eventId"] for row in before[path]}
            assert px.history(path, sort="date") == sorted(after[path], key=lambda row: (row["date"], row["eventId"]))
        users = after["/v1/users"]
        assert len({user["id"] for user in users}) == len(users)
        assert sorted(px.rows("/v1/users", {"sort": "-lastModifiedDate"}), key=_id) == sorted(users, key=_id)
        for user in users:
            assert px.get(f"/v1/users/{user['id']}") == user
        members = Counter(user["accountId"] for user in users)
        for account in after["/v1/accounts"]:
            assert px.get(f"/v1/accounts/{account['id']}") == account
            assert account["numberOfUsers"] == members[account["id"]]
        gone = {user["id"] for user in before["/v1/users"]} - {user["id"] for user in users}
        assert bool(gone) == deletes


def _id(row: dict[str, Any]) -> str:
    identify_id: str = row["id"]
    return identify_id


@pytest.mark.parametrize("path", ["/v1/users", "/v1/accounts"])
def test_whatever_shows_in_a_record_moves_its_moment_of_change(path: str) -> None:
    with playing(rows=120) as px:
        before = {row["id"]: row for row in px.rows(path)}
        since_ms = px.clock.ms
        px.emulator.control.random_writes(300, 5)
        changed = [row for row in px.rows(path) if before.get(row["id"]) != row]
        assert changed
        found = px.rows(path, {"filter": f"lastModifiedDate>={since_ms}"})
        assert found == changed


def test_a_scroll_opened_before_random_writes_shows_none_of_them() -> None:
    with playing(rows=120) as px:
        before = px.rows("/v1/users"), px.rows("/v1/users", {"sort": "email"})
        first = px.get("/v1/users", {"pageSize": 20}), px.get("/v1/users", {"pageSize": 20, "sort": "email"})
        px.emulator.control.random_writes(400, 9, deletes=True)
        for page, expected in zip(first, before, strict=True):
            rows = page["users"]
            while page["users"]:
                page = px.get("/v1/users", {"scrollId": page["scrollId"]})  # noqa: PLW2901 - the next page takes its place
                rows = [*rows, *page["users"]]
            assert rows == expected


def test_windows_of_monitoring_are_not_moved_by_writes() -> None:
    with playing(rows=120) as px:
        asked = {"dateRangeStart": END_MS - 180 * DAY_MS, "dateRangeEnd": END_MS}
        paths = [path for path in LIST_KEYS if "/monitoring/" in path]
        before = [px.rows(path, asked) for path in paths]
        px.emulator.control.random_writes(100, 3)
        assert [px.rows(path, asked) for path in paths] == before
