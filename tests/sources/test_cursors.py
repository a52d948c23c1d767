"""How far a table is complete, kept as plain JSON beside its rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedloom.sources import cursors
from feedloom.sources.planning import Cursor

zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.none() | st.datetimes(timezones=zones)


@given(since=moments, through=moments)
def test_a_cursor_comes_back_from_json_as_it_was_kept(since: datetime | None, through: datetime | None) -> None:
    state: dict[str, Any] = {}
    cursors.save(cursors.place(state, {}), Cursor(since=since, through=through))
    assert cursors.load(cursors.place(json.loads(json.dumps(state)), {})) == Cursor(since=since, through=through)


def test_nothing_kept_is_a_new_cursor() -> None:
    assert cursors.load(cursors.place({}, {})) == Cursor()


def test_keeping_a_cursor_forgets_the_one_before() -> None:
    kept: dict[str, Any] = {}
    cursors.save(kept, Cursor(since=datetime(2026, 1, 1, tzinfo=UTC), through=datetime(2026, 2, 1, tzinfo=UTC)))
    cursors.save(kept, Cursor(through=datetime(2026, 3, 1, tzinfo=UTC)))
    assert kept == {"through": "2026-03-01T00:00:00+00:00"}


def test_reading_with_filters_has_a_cursor_of_its_own() -> None:
    state: dict[str, Any] = {}
    whole = Cursor(through=datetime(2026, 1, 1, tzinfo=UTC))
    cursors.save(cursors.place(state, {}), whole)
    assert cursors.load(cursors.place(state, {"form_uuids": ["f1"]})) == Cursor()
    cursors.save(cursors.place(state, {"form_uuids": ["f1"]}), Cursor(through=datetime(2026, 2, 1, tzinfo=UTC)))
    assert cursors.load(cursors.place(state, {})) == whole


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": 1}, {"a": 1, "b": 1}, False),
        ({"a": datetime(2026, 1, 1, tzinfo=UTC)}, {"a": datetime(2026, 1, 1, tzinfo=UTC)}, True),
    ],
)
def test_a_cursor_belongs_to_what_is_filtered_for(one: dict[str, Any], other: dict[str, Any], *, same: bool) -> None:
    state: dict[str, Any] = {}
    cursors.save(cursors.place(state, one), Cursor(through=datetime(2026, 1, 1, tzinfo=UTC)))
    assert (cursors.load(cursors.place(state, other)) != Cursor()) is same
