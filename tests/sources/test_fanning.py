"""Tables that ask once for each row of another table, and once for each month of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedloom.errors import VendorError
from feedloom.http import Client
from feedloom.sources.fanning import FanOutReads, SliceState, slice_state
from feedloom.sources.planning import Read, months
from feedloom.vendors import VENDORS
from sources.fakes import NOW, FakeClient, Row

APTRINSIC = VENDORS["aptrinsic"]
KINDS = ("nps", "csat", "ratings", "distribution", "count")


def planned(
    slug: str,
    table: str,
    rows: Sequence[Row],
    *,
    windows: Sequence[Read] | None = None,
    state: dict[str, Any] | None = None,
    now: datetime = NOW,
) -> tuple[list[Read], FakeClient, SliceState]:
    """The reads of *table* when the table that it walks has these *rows*."""
    known = slice_state(state if state is not None else {})
    vendor = VENDORS[slug]
    client = FakeClient(lambda _: [rows])
    fan_out = FanOutReads(vendor, vendor.table(table), known, now)

    async def reads() -> list[Read]:
        return [read async for read in fan_out.for_each_row(cast("Client", client), windows)]

    return asyncio.run(reads()), client, known


def form(uuid: str, since: str | None, until: str | None = None) -> Row:
    return {"uuid": uuid, "first_form_view_at": since, "last_form_view_at": until}


def asked_months(reads: Sequence[Read], kind: str = "nps") -> list[date]:
    return [read.extra["month"] for read in reads if read.params["type"] == kind]


def test_each_row_asks_for_one_list_and_hands_on_its_key() -> None:
    reads, client, _ = planned("refiner", "form_history", [{"uuid": "f1"}, {"uuid": "f2"}])
    assert reads == [
        Read(params={"form_uuid": "f1"}, extra={"form_uuid": "f1"}),
        Read(params={"form_uuid": "f2"}, extra={"form_uuid": "f2"}),
    ]
    assert client.asked == [{"list": "all_with_archived", "include_info": 1, "include_config": 1}]


def test_each_row_asks_in_each_window() -> None:
    windows = [Read(params={"dateRangeStart": 1}), Read(params={"dateRangeStart": 2})]
    reads, _, _ = planned("aptrinsic", "feature_adoption", [{"id": "a"}, {"id": "b"}], windows=windows)
    assert [(read.params["featureId"], read.params["dateRangeStart"]) for read in reads] == [
        ("a", 1),
        ("a", 2),
        ("b", 1),
        ("b", 2),
    ]


def test_a_walked_list_that_is_not_whole_is_an_error_after_all_that_came() -> None:
    walked: list[Row] = [{"identifyId": "u-1"}]
    fan_out = FanOutReads(APTRINSIC, APTRINSIC.table("user_preferences"), slice_state({}), NOW)
    client = FakeClient(lambda _: [walked, []], total=9)
    reads: list[Read] = []

    async def walk() -> None:
        async for read in fan_out.for_each_row(cast("Client", client)):
            reads.append(read)  # noqa: PERF401 - those before the error count

    with pytest.raises(VendorError, match="the list of users is not whole: the vendor counts 9 rows where 1 came"):
        asyncio.run(walk())
    assert {read.params["identifyId"] for read in reads} == {"u-1"}


def test_the_walked_table_is_read_in_its_own_windows() -> None:
    _, client, _ = planned("aptrinsic", "engagement_error_details", [])
    bounds = [(params["dateRangeStart"], params["dateRangeEnd"]) for params in client.asked]
    midnight_ms = NOW.replace(hour=0).timestamp() * 1000
    assert bounds == [(midnight_ms - 180 * 86_400_000, midnight_ms)]


@pytest.mark.parametrize("missing", [{}, {"identifyId": None}, {"identifyId": ""}])
def test_a_row_without_the_value_that_the_call_needs_is_passed_over(missing: Row) -> None:
    reads, _, _ = planned("aptrinsic", "user_preferences", [missing, {"identifyId": "bob"}])
    assert [read.params for read in reads] == [{"identifyId": "bob"}]


def test_a_value_that_the_call_can_do_without_is_left_out() -> None:
    reads, _, _ = planned("aptrinsic", "engagement_error_details", [{"engagementId": "e", "firstOccurrenceDate": None}])
    assert [read.params for read in reads] == [{"groupByBrowser": False, "engagementId": "e"}]


def test_a_table_that_walks_no_other_has_no_such_reads() -> None:
    with pytest.raises(ValueError, match="contacts does not fan out"):
        planned("refiner", "contacts", [])


def test_each_month_and_kind_of_report_is_a_call() -> None:
    rows = [form("f1", "2026-01-15 08:00:00", "2026-02-10 08:00:00"), form("f2", None), form("f3", "")]
    reads, _, _ = planned("refiner", "reporting", rows)
    assert len(reads) == 3 * len(KINDS)
    assert reads[0].params == {
        "form_uuids": ["f1"],
        "date_range_start": datetime(2026, 1, 1, tzinfo=UTC),
        "date_range_end": datetime(2026, 2, 1, tzinfo=UTC),
        "type": "nps",
    }
    assert reads[0].extra == {"form_uuid": "f1", "report_type": "nps", "month": date(2026, 1, 1)}
    assert {read.params["type"] for read in reads} == set(KINDS)
    assert asked_months(reads) == [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]


@pytest.mark.parametrize("since", ["2026-01-31T22:30:00-02:00", "2026-02-01 00:30:00"])
def test_months_are_those_of_utc(since: str) -> None:
    reads, _, _ = planned("refiner", "reporting", [form("f1", since, since)])
    assert asked_months(reads)[0] == date(2026, 2, 1)


def test_no_month_after_this_one_is_asked_for() -> None:
    reads, _, _ = planned("refiner", "reporting", [form("f1", "2026-03-01 00:00:00", "2026-03-01 10:00:00")])
    assert asked_months(reads) == [date(2026, 3, 1)]


def run_at(now: datetime, rows: Sequence[Row], state: dict[str, Any]) -> list[date]:
    reads, _, known = planned("refiner", "reporting", rows, state=state, now=now)
    known.commit()
    return asked_months(reads)


def test_a_later_run_reads_the_trailing_months_and_a_new_row_all_of_its_own() -> None:
    state: dict[str, Any] = {}
    old = form("f1", "2025-06-05 00:00:00", "2026-03-01 00:00:00")
    assert len(run_at(NOW, [old], state)) == 10
    new = form("f2", "2025-12-24 00:00:00", "2026-03-01 00:00:00")
    trailing = [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]
    assert run_at(NOW, [old, new], state) == [*trailing, date(2025, 12, 1), *trailing]


def test_a_run_that_did_not_finish_counts_for_nothing() -> None:
    state: dict[str, Any] = {}
    old = form("f1", "2025-12-05 00:00:00", "2026-03-01 00:00:00")
    planned("refiner", "reporting", [old], state=state)
    assert len(run_at(NOW, [old], state)) == 4


def test_a_run_that_saw_no_row_keeps_what_is_known() -> None:
    state: dict[str, Any] = {}
    old = form("f1", "2025-12-05 00:00:00", "2026-03-01 00:00:00")
    run_at(NOW, [old], state)
    before = dict(state["slices"])
    run_at(NOW, [], state)
    assert state["slices"] == before


def test_a_row_that_was_away_for_a_while_is_read_from_where_it_was_left() -> None:
    state: dict[str, Any] = {}
    forms = [form("f1", "2025-01-05 00:00:00", "2026-03-01 00:00:00"), form("f2", "2025-01-05 00:00:00", None)]
    run_at(datetime(2025, 2, 10, tzinfo=UTC), forms, state)
    run_at(datetime(2025, 12, 10, tzinfo=UTC), forms[1:], state)
    assert run_at(NOW, forms[:1], state)[0] == date(2025, 1, 1)
    assert asked_months(planned("refiner", "reporting", forms[1:], state=state)[0])[0] == date(2025, 10, 1)


def test_a_full_reading_forgets_which_months_are_known() -> None:
    state: dict[str, Any] = {}
    old = form("f1", "2025-06-05 00:00:00", "2026-03-01 00:00:00")
    run_at(NOW, [old], state)
    slice_state(state, full=True)
    assert len(run_at(NOW, [old], state)) == 10


@given(
    since=st.datetimes(datetime(2024, 1, 1), datetime(2025, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - zone there
    gaps=st.lists(st.integers(0, 400), min_size=1, max_size=5),
)
def test_over_all_runs_each_month_is_read_at_its_end_or_later(since: datetime, gaps: Sequence[int]) -> None:
    state: dict[str, Any] = {}
    now = since
    last_read: Mapping[date, datetime] = {}
    for gap in gaps:
        now = datetime.fromtimestamp(now.timestamp() + gap * 86_400, UTC)
        row = form("f1", since.isoformat(), now.isoformat())
        last_read = {**last_read, **dict.fromkeys(run_at(now, [row], state), now)}
    assert sorted(last_read) == months(since, now)
    for month, moment in last_read.items():
        assert moment.date() >= min(now.date(), date(month.year + month.month // 12, month.month % 12 + 1, 1))
