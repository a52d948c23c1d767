"""The date range of event lists: what is assumed without one, and how long it may be."""

from __future__ import annotations

import pytest

from vendors.aptrinsic_emulator.stage import DAY_MS, END_MS, EVENT_PATHS, LIST_KEYS, Px, playing

TOO_LONG = "Exceeded date range190days"


@pytest.mark.parametrize("path", EVENT_PATHS)
def test_without_a_date_only_the_last_day_is_shown(path: str) -> None:
    with playing(rows=3000) as px:
        assert px.get(path)[LIST_KEYS[path]] == [], "the clock stands some days after the last event"
        px.clock.moment -= px.clock.moment - px.clock.moment.fromtimestamp(END_MS / 1000, tz=px.clock.moment.tzinfo)
        bounded = px.rows(path, {"filter": f"date>={END_MS - DAY_MS};date<={END_MS}"})
        assert px.rows(path) == bounded


def test_the_last_day_is_assumed_beside_other_terms_and_in_each_group() -> None:
    with playing(rows=3000) as px:
        px.clock.forward(days=-5)
        last_day = px.rows("/v1/events/pageView")
        assert last_day
        known = last_day[0]["identifyId"]
        of_one = px.rows("/v1/events/pageView", {"filter": f"identifyId=={known}"})
        assert of_one == [row for row in last_day if row["identifyId"] == known]
        month = f"date>={END_MS - 60 * DAY_MS};date<{END_MS - 30 * DAY_MS}"
        either = px.rows("/v1/events/pageView", {"filter": [month, f"identifyId=={known}"]})
        assert either == [*px.rows("/v1/events/pageView", {"filter": month}), *of_one]


@pytest.mark.parametrize("path", EVENT_PATHS)
def test_a_range_of_190_days_is_taken_and_a_longer_one_is_not(px: Px, path: str) -> None:
    start_ms = END_MS - 190 * DAY_MS
    assert px.get(path, {"filter": f"date>={start_ms};date<{END_MS}"})["totalHits"] > 0
    error = px.refusal("GET", path, {"filter": f"date>={start_ms};date<{END_MS + 1}"}, status=400)
    assert error == {"status": "BAD_REQUEST", "message": TOO_LONG, "debugMessage": None, "subErrors": None}


def test_an_open_end_is_now_and_an_open_start_a_day_before_the_end(px: Px) -> None:
    path = "/v1/events/pageView"
    since_ms = px.clock.ms - 190 * DAY_MS
    assert px.rows(path, {"filter": f"date>={since_ms}"}) == px.rows(
        path, {"filter": f"date>={since_ms};date<{px.clock.ms}"}
    )
    assert px.refusal("GET", path, {"filter": f"date>={since_ms - 1}"}, status=400)["message"] == TOO_LONG
    until_ms = END_MS - 9 * DAY_MS
    assert px.rows(path, {"filter": f"date<{until_ms}"}) == px.rows(
        path, {"filter": f"date>={until_ms - DAY_MS};date<{until_ms}"}
    )


def test_each_group_of_a_filter_is_held_against_the_limit(px: Px) -> None:
    fine = f"date>={END_MS - DAY_MS};date<{END_MS}"
    long = f"date>={END_MS - 300 * DAY_MS};date<{END_MS}"
    assert px.refusal("GET", "/v1/events/custom", {"filter": [fine, long]}, status=400)["message"] == TOO_LONG


def test_groups_far_apart_may_span_more_than_the_limit_together(px: Px) -> None:
    path = "/v1/events/pageView"
    near, far = (f"date>={at_ms};date<{at_ms + 90 * DAY_MS}" for at_ms in (END_MS - 90 * DAY_MS, END_MS - 600 * DAY_MS))
    together = px.rows(path, {"filter": [near, far]})
    assert together == [*px.rows(path, {"filter": far}), *px.rows(path, {"filter": near})]


def test_bounds_are_inclusive_or_not_as_their_signs_say(px: Px) -> None:
    path = "/v1/events/session"
    rows = px.rows(path, {"filter": f"date>={END_MS - 100 * DAY_MS};date<{END_MS}"})
    first, last = rows[3]["date"], rows[9]["date"]
    spans = {
        f"date>={first};date<{last}": rows[3:9],
        f"date>{first};date<={last}": rows[4:10],
        f"date=={first}": rows[3:4],
        f"date>={last};date<{first}": [],
    }
    for text, expected in spans.items():
        assert px.rows(path, {"filter": text}) == expected


def test_custom_events_take_their_range_as_parameters_too(px: Px) -> None:
    start_ms, end_ms = END_MS - 100 * DAY_MS, END_MS - 50 * DAY_MS
    expected = px.rows("/v1/events/custom", {"filter": f"date>={start_ms};date<{end_ms}"})
    asked = {"dateRangeStart": str(start_ms), "dateRangeEnd": str(end_ms)}
    assert px.rows("/v1/events/custom", asked) == expected
    wide = {"dateRangeStart": str(END_MS - 200 * DAY_MS), "dateRangeEnd": str(END_MS)}
    assert px.refusal("GET", "/v1/events/custom", wide, status=400)["message"] == TOO_LONG
    px.refusal("GET", "/v1/events/custom", {"dateRangeStart": "yesterday"}, status=400)


@pytest.mark.parametrize("name", ["engagement_collisions", "engagement_errors"])
def test_monitoring_takes_180_days(px: Px, name: str) -> None:
    path = f"/v1/admin/monitoring/{name}"
    start_ms = END_MS - 180 * DAY_MS
    assert px.get(path, {"dateRangeStart": start_ms, "dateRangeEnd": END_MS})["totalHits"] > 0
    long = {"dateRangeStart": start_ms - 1, "dateRangeEnd": END_MS}
    assert px.refusal("GET", path, long, status=400)["message"] == "Exceeded date range180days"
    assert px.rows(path) == px.rows(path, {"dateRangeStart": px.clock.ms - 180 * DAY_MS, "dateRangeEnd": px.clock.ms})


def test_adoption_takes_seven_days_and_ends_now_when_nothing_is_said(px: Px) -> None:
    feature_id = px.get("/v1/feature")["features"][1]["id"]
    path = f"/v1/feature/adoption/{feature_id}"
    found = px.get(path)
    assert (found["dateRangeStart"], found["dateRangeEnd"]) == (px.clock.ms - 7 * DAY_MS, px.clock.ms)
    long = {"dateRangeStart": END_MS - 7 * DAY_MS - 1, "dateRangeEnd": END_MS}
    assert px.refusal("GET", path, long, status=400)["message"] == "Exceeded date range7days"
    px.refusal("GET", "/v1/feature/adoption/nothing", status=404)
