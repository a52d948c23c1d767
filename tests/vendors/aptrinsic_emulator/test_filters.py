"""Filters and sorts are evaluated as a plain walk over all rows would."""

from __future__ import annotations

import re
from functools import cmp_to_key
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vendors.aptrinsic_emulator.stage import DAY_MS, END_MS, LIST_KEYS, START_MS, Px, playing

USER_FIELDS = {
    "identifyId": "text",
    "email": "text",
    "role": "text",
    "accountId": "text",
    "score": "number",
    "numberOfVisits": "number",
    "lastSeenDate": "number",
    "lastModifiedDate": "number",
    "globalUnsubscribe": "truth",
    "location.city": "text",
    "location.coordinates.latitude": "number",
    "propertyKeys": "text",
    "lastInferredLocation.countryCode": "text",
    "lastVisitedUserAgentData.userAgent.browserType": "text",
    "customAttributes.plan": "any",
    "customAttributes.seats": "any",
    "customAttributes.beta": "any",
    "customAttributes.Größe": "any",
    "customAttributes.🎯 goal": "any",
    "customAttributes.nothing like it": "any",
}
EVENT_FIELDS = {
    "identifyId": "text",
    "accountId": "text",
    "path": "text",
    "queryString": "text",
    "pageTitle": "text",
    "host": "text",
    "screenWidth": "number",
    "languages": "text",
    "queryParams.tab": "any",
    "globalContext.plan": "any",
    "userType": "text",
}
SIGNS = ("==", "!=", "<", "<=", ">", ">=", "~", "!~")


def values_at(row: Any, path: list[str]) -> list[Any]:
    if isinstance(row, list):
        return [value for item in row for value in values_at(item, path)]
    if not path:
        return [] if row is None or isinstance(row, dict) else [row]
    return values_at(row.get(path[0]), path[1:]) if isinstance(row, dict) else []


def field_values(row: Any, field: str) -> list[Any]:
    outer, _, rest = field.partition(".")
    if outer in {"customAttributes", "queryParams"}:
        return values_at(row, [outer, rest])
    return values_at(row, field.split("."))


def number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def glob(pattern: str, text: str) -> bool:
    """Whether *text* is as *pattern*, by trying every way."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(glob(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in {"?", text[0]} and glob(pattern[1:], text[1:])


def compares(value: Any, sign: str, text: str) -> bool:
    if sign == "~":
        return glob(text.casefold(), str(value).casefold())
    wanted: Any
    if isinstance(value, bool):
        wanted = {"true": True, "false": False}.get(text.lower())
    elif isinstance(value, (int, float)):
        wanted = number(text)
    else:
        value, wanted = value.casefold(), text.casefold()
    if wanted is None:
        return False
    outcomes: dict[str, bool] = {
        "==": value == wanted,
        "<": value < wanted,
        "<=": value <= wanted,
        ">": value > wanted,
        ">=": value >= wanted,
    }
    return outcomes[sign]


def holds(row: Any, term: str) -> bool:
    found = re.fullmatch(r"([^=!<>~]+)(==|!=|<=|>=|!~|<|>|~)(.*)", term, re.DOTALL)
    assert found
    field, sign, text = found.groups()
    values = field_values(row, field)
    if sign == "!=":
        return not any(compares(value, "==", text) for value in values)
    if sign == "!~":
        return bool(values) and not any(compares(value, "~", text) for value in values)
    return any(compares(value, sign, text) for value in values)


def fits(row: Any, groups: list[str]) -> bool:
    return any(all(holds(row, term) for term in group.split(";")) for group in groups)


@pytest.fixture(scope="module")
def users(px: Px) -> list[dict[str, Any]]:
    return px.rows("/v1/users")


@pytest.fixture(scope="module")
def views(px: Px) -> list[dict[str, Any]]:
    return px.rows("/v1/events/pageView", {"filter": WINDOW})


WINDOW = f"date>={END_MS - 120 * DAY_MS};date<{END_MS - 20 * DAY_MS}"


@st.composite
def terms(draw: st.DrawFn, fields: dict[str, str], rows: list[dict[str, Any]]) -> str:
    field = draw(st.sampled_from(sorted(fields)))
    kind = fields[field]
    sign = draw(st.sampled_from(SIGNS if kind != "truth" else ("==", "!=")))
    seen = field_values(draw(st.sampled_from(rows)), field)
    text = str(seen[0]) if seen else draw(st.sampled_from(["1", "true", "x"]))
    if kind == "truth":
        text = text.lower()
    elif kind == "number" and sign not in {"~", "!~"}:
        text = str((seen[0] if seen else 0) + draw(st.sampled_from([0, 0, 1, -1])))
    elif sign in {"~", "!~"}:
        cut = draw(st.integers(min_value=0, max_value=len(text)))
        text = draw(st.sampled_from([f"*{text[cut:]}", f"{text[:cut]}*", f"*{text[1:3]}*", text.replace("e", "?")]))
    elif draw(st.booleans()):
        text = text.upper()
    return f"{field}{sign}{text}".replace(";", "?")


@given(data=st.data())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_users_are_filtered_as_a_walk_over_them_would(px: Px, users: list[dict[str, Any]], data: st.DataObject) -> None:
    groups = data.draw(
        st.lists(st.lists(terms(USER_FIELDS, users), min_size=1, max_size=3).map(";".join), min_size=1, max_size=3)
    )
    found = px.rows("/v1/users", {"filter": groups})
    assert [row["id"] for row in found] == [row["id"] for row in users if fits(row, groups)]


@given(data=st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_events_are_filtered_as_a_walk_over_them_would(
    px: Px, views: list[dict[str, Any]], data: st.DataObject
) -> None:
    groups = data.draw(
        st.lists(st.lists(terms(EVENT_FIELDS, views), min_size=1, max_size=2).map(";".join), min_size=1, max_size=2)
    )
    found = px.rows("/v1/events/pageView", {"filter": [f"{group};{WINDOW}" for group in groups]})
    assert [row["eventId"] for row in found] == [row["eventId"] for row in views if fits(row, groups)]


@given(
    keys=st.lists(
        st.tuples(
            st.sampled_from(
                ["lastModifiedDate", "role", "numberOfVisits", "location.city", "customAttributes.seats", "accountId"]
            ),
            st.booleans(),
        ),
        min_size=1,
        max_size=3,
        unique_by=lambda key: key[0],
    )
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_users_are_sorted_by_each_key_and_ties_by_id(
    px: Px, users: list[dict[str, Any]], keys: list[tuple[str, bool]]
) -> None:
    def rank(row: Any, field: str) -> tuple[int, Any]:
        values = field_values(row, field)
        if not values:
            return 0, 0
        return (1, values[0]) if isinstance(values[0], (int, float)) else (2, values[0].casefold())

    def compare(one: Any, other: Any) -> int:
        for field, descends in [*keys, ("identifyId", keys[0][1])]:
            left, right = rank(one, field), rank(other, field)
            if left != right:
                return -1 if (left < right) != descends else 1
        return 0

    sort = ";".join(f"{'-' if descends else ''}{field}" for field, descends in keys)
    expected = sorted(users, key=cmp_to_key(compare))
    assert [row["id"] for row in px.rows("/v1/users", {"sort": sort})] == [row["id"] for row in expected]


def test_events_are_sorted_by_account_and_date(px: Px, views: list[dict[str, Any]]) -> None:
    found = px.rows("/v1/events/pageView", {"filter": WINDOW, "sort": "accountId;-date"})
    expected = sorted(sorted(views, key=lambda row: -row["date"]), key=lambda row: row["accountId"])
    assert [row["eventId"] for row in found] == [row["eventId"] for row in expected]


@pytest.mark.parametrize("path", ["/v1/users", "/v1/accounts"])
def test_records_changed_since_a_moment_come_in_the_order_of_their_change(px: Px, path: str) -> None:
    since_ms = END_MS - 200 * DAY_MS
    found = px.rows(path, {"filter": f"lastModifiedDate>={since_ms}", "sort": "lastModifiedDate"})
    moments = [row["lastModifiedDate"] for row in found]
    assert moments == sorted(moments)
    everything = px.rows(path)
    assert {row["id"] for row in found} == {row["id"] for row in everything if row["lastModifiedDate"] >= since_ms}
    assert [row["id"] for row in found] != [row["id"] for row in everything if row in found], "not the usual order"


def test_ids_that_differ_in_case_are_two_users_with_one_filter_result() -> None:
    with playing(rows=5) as px:
        for identify_id in ("Bob", "bob"):
            px.write("POST", "/v1/users", {"identifyId": identify_id, "propertyKeys": ["AP-1-2"]})
        assert [row["id"] for row in px.rows("/v1/users", {"filter": "identifyId==BOB"})] == ["Bob", "bob"]
        assert px.get("/v1/users/Bob")["id"] == "Bob"
        px.refusal("GET", "/v1/users/BOB", status=404)


def test_wildcards_after_an_equals_sign_are_literal(px: Px) -> None:
    assert not px.rows("/v1/users", {"filter": "email==*"})
    assert len(px.rows("/v1/users", {"filter": "email~*"})) == 200


def test_a_trailing_semicolon_and_empty_parameters_say_nothing(px: Px) -> None:
    plain = px.rows("/v1/users", {"filter": "score>60"})
    assert px.rows("/v1/users", {"filter": "score>60;"}) == plain
    assert px.rows("/v1/users", {"filter": "", "sort": "", "scrollId": ""}) == px.rows("/v1/users")


def test_a_plus_sign_sorts_upwards_even_when_it_arrives_as_a_space(px: Px) -> None:
    plain = px.rows("/v1/users", {"sort": "email"})
    assert px.rows("/v1/users", {"sort": "+email"}) == plain
    assert px.rows("/v1/users", {"sort": " email"}) == plain


def test_dates_are_read_as_milliseconds_and_as_iso_text(px: Px) -> None:
    texts = ("date>=2026-06-01T00:00:00Z;date<2026-07-01", "date>=1780272000000;date<1782864000000")
    pages = [px.rows("/v1/events/pageView", {"filter": text}) for text in texts]
    assert pages[0] == pages[1] != []


def test_fields_beyond_the_documented_ones_are_taken_when_the_rows_have_them(px: Px) -> None:
    window = {"filter": f"accountId~acct-*;{WINDOW}"}
    rows = px.rows("/v1/events/custom", window)
    assert rows
    assert all(row["accountId"].startswith("acct-") for row in rows)
    exported = px.rows("/v1/events/custom", {"filter": f"attributes.format==CSV;{WINDOW}"})
    assert {row["attributes"]["format"] for row in exported} == {"csv"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/v1/users", "lastName=Doe"),
        ("/v1/users", "location.cityName==Köln"),
        ("/v1/users", "location==Köln"),
        ("/v1/users", "nothing==1"),
        ("/v1/users", "==1"),
        ("/v1/users", ";score>1"),
        ("/v1/users", "score>many"),
        ("/v1/users", "score>1_000"),
        ("/v1/users", "lastSeenDate>yesterday"),
        ("/v1/users", "globalUnsubscribe==maybe"),
        ("/v1/events/pageView", "date>soon"),
        ("/v1/events/pageView", "featureId==x"),
        ("/v1/events/feature_match", "identifyId!=u-000001"),
        ("/v1/events/segment_match", "identifyId~u*"),
    ],
)
def test_what_the_language_or_the_list_does_not_know_is_refused(px: Px, path: str, text: str) -> None:
    assert px.refusal("GET", path, {"filter": text}, status=400)["status"] == "BAD_REQUEST"


@pytest.mark.parametrize("sort", ["nothing", "-location", "email;;score", "location.nowhere"])
def test_a_sort_by_what_is_no_field_is_refused(px: Px, sort: str) -> None:
    assert "sort field" in px.refusal("GET", "/v1/users", {"sort": sort}, status=400)["message"]


@pytest.mark.parametrize("path", sorted(set(LIST_KEYS) - {"/v1/users", "/v1/accounts"}))
def test_every_list_of_things_that_happen_bounds_them_by_time(px: Px, path: str) -> None:
    start_ms, end_ms = START_MS + 100 * DAY_MS, START_MS + 160 * DAY_MS
    if "/monitoring/" in path:
        rows = px.rows(path, {"dateRangeStart": start_ms, "dateRangeEnd": end_ms})
        moments = [row["triggeredDate" if "collisions" in path else "lastOccurrenceDate"] for row in rows]
    else:
        moments = [row["date"] for row in px.rows(path, {"filter": f"date>={start_ms};date<{end_ms}"})]
    assert moments
    assert all(start_ms <= moment < end_ms for moment in moments)
