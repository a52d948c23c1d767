"""Which calls a table needs: windows, halves, months, and how far the cursor may move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feedloom.catalogue import Endpoint, Pass, ScrollPaging, Window
from feedloom.errors import InputError
from feedloom.sources.planning import (
    Cursor,
    Proof,
    Range,
    Read,
    advance,
    back_months,
    months,
    next_month,
    pieces,
    plan_windows,
    span_to_read,
)
from sources.fakes import NOW, SOURCE

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

DATED = Endpoint(
    name="list_visits",
    operation_id="listVisits",
    method="GET",
    path="/visits",
    summary="Visits.",
    source=SOURCE,
    records="visits",
    is_list=True,
    paging=ScrollPaging(scroll_param="scroll", next="scroll", size_param="size", size_default=10, size_max=100),
    window=("from", "until"),
)
FILTERED = replace(DATED, window=None, filter_param="filter", sort_param="sort")
BY_PARAMS = Window(
    passes=(
        Pass(name="shown", column="shown", params={"include": "all"}),
        Pass(name="answered", column="answered", params={"include": "partials"}, first=False),
    ),
    style="params",
    time="iso",
    look_back=DAY,
)
BY_FILTER = Window(passes=(Pass(name="date", column="date"),), style="filter", time="epoch_ms", look_back=DAY)
DISPUTED = replace(BY_FILTER, optional=True, disputed=True)

moments = st.datetimes(datetime(1960, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zone below
lengths = st.timedeltas(min_value=timedelta(minutes=1), max_value=timedelta(days=400))


def ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def assert_tiled(bounds: Sequence[tuple[datetime, datetime]], since: datetime, end: datetime) -> None:
    assert bounds[0][0] == since
    assert bounds[-1][1] == end
    assert all(before[1] == after[0] for before, after in pairwise(bounds))
    assert all(start < stop for start, stop in bounds)


@given(since=moments, length=lengths, parts=st.integers(1, 60))
def test_pieces_cover_a_range_without_gap_or_overlap(since: datetime, length: timedelta, parts: int) -> None:
    longest = max(length / parts, timedelta(microseconds=1))
    found = [(start, end) for start, end in pieces(since, since + length, longest) if start is not None]
    assert_tiled(found, since, since + length)
    assert all(end - start <= longest for start, end in found)


@pytest.mark.parametrize(("since", "longest"), [(None, DAY), (NOW - 9 * DAY, None), (None, None)])
def test_a_range_without_beginning_or_limit_is_one_piece(since: datetime | None, longest: timedelta | None) -> None:
    assert list(pieces(since, NOW, longest)) == [(since, NOW)]


@given(start=st.none() | moments, end=st.none() | moments, through=st.none() | moments, now=moments)
def test_a_span_ends_in_whole_seconds_and_never_after_now(
    start: datetime | None, end: datetime | None, through: datetime | None, now: datetime
) -> None:
    wanted = (
        Range(start=start) if start is not None and end is not None and start >= end else Range(start=start, end=end)
    )
    since, until = span_to_read(BY_PARAMS, Cursor(through=through), wanted, now)
    assert until <= now
    assert wanted.end is None or until <= wanted.end
    assert until.microsecond == 0
    if start is not None:
        assert since is not None
        assert timedelta(0) <= start - since < timedelta(seconds=1)


def test_a_first_load_goes_back_as_far_as_the_table_has_history() -> None:
    assert span_to_read(BY_PARAMS, Cursor(), Range(), NOW) == (None, NOW)
    recent = replace(BY_PARAMS, history=10 * DAY)
    assert span_to_read(recent, Cursor(), Range(), NOW) == (NOW - 10 * DAY, NOW)


def test_a_later_load_starts_a_look_back_before_the_end_of_the_last() -> None:
    kept = Cursor(through=NOW - 5 * DAY)
    assert span_to_read(BY_PARAMS, kept, Range(), NOW) == (NOW - 6 * DAY, NOW)


def test_a_start_that_is_asked_for_counts_more_than_cursor_and_history() -> None:
    wanted = Range(start=NOW - 30 * DAY, end=NOW - DAY)
    kept = Cursor(through=NOW - 5 * DAY)
    assert span_to_read(replace(BY_PARAMS, history=DAY), kept, wanted, NOW) == (NOW - 30 * DAY, NOW - DAY)


def test_a_first_load_by_last_change_takes_all_whatever_the_start() -> None:
    wanted = Range(start=NOW - 30 * DAY)
    assert span_to_read(DISPUTED, Cursor(), wanted, NOW) == (None, NOW)
    assert span_to_read(DISPUTED, Cursor(through=NOW - DAY), wanted, NOW) == (NOW - 30 * DAY, NOW)


def test_a_table_of_sums_is_read_by_whole_days() -> None:
    window, midnight = replace(BY_PARAMS, whole_days=True, look_back=timedelta(0)), NOW.replace(hour=0)
    first = span_to_read(window, Cursor(), Range(), NOW)
    assert first == (None, midnight)
    assert span_to_read(window, advance(Cursor(), first), Range(), NOW + HOUR) == (midnight, midnight)
    assert span_to_read(window, advance(Cursor(), first), Range(), NOW + DAY) == (midnight, midnight + DAY)


def test_an_end_in_the_future_is_now() -> None:
    assert span_to_read(BY_PARAMS, Cursor(), Range(end=NOW + DAY), NOW) == (None, NOW)


@pytest.mark.parametrize("name", ["start", "end"])
def test_a_range_without_zone_is_refused(name: str) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - the mistake
    with pytest.raises(InputError, match=f"{name} has no time zone") as caught:
        Range(**{name: naive})
    assert "+00:00" in caught.value.hint


@given(moments, st.timedeltas(min_value=timedelta(0), max_value=DAY))
def test_a_range_that_ends_before_it_starts_is_refused(moment: datetime, back: timedelta) -> None:
    with pytest.raises(InputError, match="is not before end"):
        Range(start=moment, end=moment - back)


def test_a_first_load_reads_the_passes_that_see_everything_and_later_ones_read_all() -> None:
    span = (NOW - DAY, NOW)
    first = plan_windows(BY_PARAMS, DATED, span, {"form": "f"}, first=True)
    later = plan_windows(BY_PARAMS, DATED, span, {"form": "f"}, first=False)
    bounds = {"from": NOW - DAY, "until": NOW, "form": "f"}
    assert [read.params for read in first] == [{"include": "all", **bounds}]
    assert [read.params for read in later] == [{"include": "all", **bounds}, {"include": "partials", **bounds}]


def test_the_beginning_of_time_is_no_parameter() -> None:
    (read,) = plan_windows(BY_PARAMS, DATED, (None, NOW), {}, first=True)
    assert read.params == {"include": "all", "until": NOW}
    assert read.halves() is None


def test_a_users_parameter_counts_more_than_that_of_a_pass() -> None:
    (read,) = plan_windows(BY_PARAMS, DATED, (None, NOW), {"include": "completed"}, first=True)
    assert read.params["include"] == "completed"


def test_bounds_in_epoch_milliseconds_are_numbers() -> None:
    window = replace(BY_PARAMS, time="epoch_ms")
    (read,) = plan_windows(window, DATED, (NOW - HOUR, NOW), {}, first=True)
    assert (read.params["from"], read.params["until"]) == (ms(NOW - HOUR), ms(NOW))


@pytest.mark.parametrize("since", [NOW, NOW + DAY])
def test_an_empty_span_needs_no_call(since: datetime) -> None:
    assert plan_windows(BY_PARAMS, DATED, (since, NOW), {}, first=True) == []


@given(since=moments, length=lengths, longest=st.integers(1, 50), first=st.booleans())
def test_the_windows_of_each_pass_cover_the_span_oldest_first(
    since: datetime, length: timedelta, longest: int, *, first: bool
) -> None:
    window = replace(BY_PARAMS, longest=length / longest)
    reads = plan_windows(window, DATED, (since, since + length), {}, first=first)
    for step in BY_PARAMS.passes[: 1 if first else 2]:
        bounds = [
            (read.params["from"], read.params["until"])
            for read in reads
            if read.params["include"] == step.params["include"]
        ]
        assert_tiled(bounds, since, since + length)
        assert bounds == [read.bounds for read in reads if read.params["include"] == step.params["include"]]


@given(since=moments, seconds=st.integers(1, 10**8), parts=st.integers(1, 40), longest=st.none() | lengths)
@example(since=NOW, seconds=2 * 86_400 + 1, parts=2, longest=None)
def test_a_long_span_is_cut_into_parts_of_a_day_or_more(
    since: datetime, seconds: int, parts: int, longest: timedelta | None
) -> None:
    length = timedelta(seconds=seconds)
    window = replace(BY_FILTER, parts=parts, longest=longest)
    bounds = [
        read.bounds
        for read in plan_windows(window, FILTERED, (since, since + length), {}, first=True)
        if read.bounds is not None
    ]
    assert_tiled(bounds, since, since + length)
    lasting = [end - start for start, end in bounds]
    assert longest is None or max(lasting) <= longest
    if longest is None:
        assert len(bounds) <= parts
        assert parts == 1 or all(one >= DAY for one in lasting[:-1])


def test_an_endpoint_without_date_range_cannot_be_read_by_one() -> None:
    with pytest.raises(ValueError, match="list_visits has no window"):
        plan_windows(BY_PARAMS, FILTERED, (NOW - DAY, NOW), {}, first=True)


@given(since=moments, length=lengths)
@example(since=EPOCH - timedelta(milliseconds=1), length=DAY)
def test_a_filter_compares_whole_milliseconds_rounded_down(since: datetime, length: timedelta) -> None:
    (read,) = plan_windows(BY_FILTER, FILTERED, (since, since + length), {}, first=False)
    assert read.params == {"filter": [f"date>={ms(since)};date<{ms(since + length)}"], "sort": "date"}


def test_a_filter_from_the_beginning_has_an_end_only() -> None:
    (read,) = plan_windows(BY_FILTER, FILTERED, (None, NOW), {}, first=True)
    assert read.params == {"filter": [f"date<{ms(NOW)}"], "sort": "date"}


def test_each_group_of_a_users_filter_is_joined_with_the_window() -> None:
    params = {"filter": ["score>3;", "", "plan==pro;seats>9"]}
    (read,) = plan_windows(BY_FILTER, FILTERED, (NOW - DAY, NOW), params, first=False)
    window = f"date>={ms(NOW - DAY)};date<{ms(NOW)}"
    assert read.params["filter"] == [f"score>3;{window}", f"plan==pro;seats>9;{window}"]


def test_the_first_load_of_an_optional_window_leaves_the_filter_out() -> None:
    (read,) = plan_windows(DISPUTED, FILTERED, (None, NOW), {"filter": ["score>3"]}, first=True)
    assert read == Read(params={"filter": ["score>3"]})


def test_a_disputed_filter_has_no_end_and_is_read_newest_first_with_proof() -> None:
    params = {"filter": ["score>3", "plan==pro"]}
    (read,) = plan_windows(DISPUTED, FILTERED, (NOW - DAY, NOW), params, first=False)
    since = ms(NOW - DAY)
    assert read.params == {"filter": [f"score>3;date>={since}", f"plan==pro;date>={since}"], "sort": "-date"}
    assert read.proof == Proof(column="date", least=since, otherwise=params)
    assert read.halves() is None
    (plain,) = plan_windows(DISPUTED, FILTERED, (NOW - DAY, NOW), {}, first=False)
    assert plain.params["filter"] == [f"date>={since}"]


@pytest.mark.parametrize(
    ("values", "ignored"),
    [
        ([], ""),
        ([5], ""),
        ([9, 5, 5], ""),
        ([5, 9], "sort"),
        ([5, 4], "filter"),
        ([4, 9], "filter"),
        ([5, None], "filter"),
        (["9", 5], "filter"),
    ],
)
def test_a_first_page_shows_whether_filter_and_order_are_kept(values: list[Any], ignored: str) -> None:
    rows = [{} if value is None else {"date": value} for value in values]
    proof = Proof(column="date", least=5, otherwise={})
    assert proof.ignored(rows, is_first=True) == ignored
    assert proof.ignored(rows, is_first=False) == (ignored if ignored == "filter" else "")


@pytest.mark.parametrize(("window", "endpoint"), [(BY_PARAMS, DATED), (BY_FILTER, FILTERED)])
@given(since=moments, length=lengths)
def test_the_halves_of_a_read_see_together_what_it_sees(
    window: Window, endpoint: Endpoint, since: datetime, length: timedelta
) -> None:
    (read,) = plan_windows(window, endpoint, (since, since + length), {"form": "f"}, first=True)
    halves = read.halves()
    assert halves is not None
    assert_tiled([half.bounds for half in halves if half.bounds is not None], since, since + length)
    changing = {"from", "until", "filter"}
    for half in halves:
        assert {k: v for k, v in half.params.items() if k not in changing} == {
            k: v for k, v in read.params.items() if k not in changing
        }


@given(since=moments, length=lengths)
def test_halving_ends_at_windows_of_less_than_a_minute(since: datetime, length: timedelta) -> None:
    (read,) = plan_windows(BY_FILTER, FILTERED, (since, since + length), {}, first=False)
    for _ in range(40):
        halves = read.halves()
        if halves is None:
            break
        read = halves[1]
    assert read.halves() is None
    assert read.bounds is not None
    assert read.bounds[1] - read.bounds[0] < timedelta(minutes=1)


hours = st.integers(-5, 60)
spans = st.tuples(st.none() | hours, st.integers(0, 60))


def hour(number: int | None) -> datetime | None:
    return None if number is None else NOW + number * HOUR


def covered(since: datetime | None, through: datetime | None) -> set[int]:
    """The hours in [since, through); the beginning is ten hours before the first that spans can name."""
    first = -15 if since is None else (since - NOW) // HOUR
    return set() if through is None else set(range(first, (through - NOW) // HOUR))


@given(st.lists(spans, max_size=8))
@example([(50, 10), (5, 12)])
def test_a_cursor_covers_only_what_was_loaded_and_never_shrinks(loaded: list[tuple[int | None, int]]) -> None:
    cursor, seen = Cursor(), set[int]()
    for since, through in loaded:
        span = (hour(since), NOW + through * HOUR)
        before = covered(cursor.since, cursor.through)
        seen |= covered(*span)
        cursor = advance(cursor, span)
        after = covered(cursor.since, cursor.through)
        assert before <= after <= seen
        assert after >= covered(*span) or not (covered(*span) & before)


def test_a_span_that_touches_what_is_loaded_extends_it_on_either_side() -> None:
    kept = Cursor(since=NOW, through=NOW + HOUR)
    assert advance(kept, (NOW + HOUR, NOW + 2 * HOUR)) == Cursor(since=NOW, through=NOW + 2 * HOUR)
    assert advance(kept, (NOW - HOUR, NOW)) == Cursor(since=NOW - HOUR, through=NOW + HOUR)
    assert advance(kept, (None, NOW)) == Cursor(through=NOW + HOUR)


@pytest.mark.parametrize(
    "span", [(NOW + 2 * HOUR, NOW + 3 * HOUR), (NOW - 3 * HOUR, NOW - HOUR), (NOW + 9 * HOUR, NOW)]
)
def test_a_span_beyond_a_gap_or_an_empty_one_leaves_the_cursor(span: tuple[datetime, datetime]) -> None:
    kept = Cursor(since=NOW, through=NOW + HOUR)
    assert advance(kept, span) == kept


def test_a_first_load_of_nothing_leaves_no_cursor() -> None:
    assert advance(Cursor(), (NOW + DAY, NOW)) == Cursor()


@given(moments, st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=1000)), st.integers(-12, 12))
def test_months_are_all_first_days_that_a_range_touches_in_utc(since: datetime, length: timedelta, zone: int) -> None:
    there = timezone(timedelta(hours=zone))
    found = months(since.astimezone(there), (since + length).astimezone(there))
    assert found[0] == since.date().replace(day=1)
    assert found[-1] == (since + length).date().replace(day=1)
    assert all(next_month(before) == after for before, after in pairwise(found))


def test_a_range_that_ends_before_its_first_month_has_none() -> None:
    assert months(NOW, NOW - timedelta(days=40)) == []


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 40))
def test_going_back_months_undoes_going_forward(day: date, count: int) -> None:
    later = day.replace(day=1)
    for _ in range(count):
        later = next_month(later)
    assert back_months(later, count) == day.replace(day=1)
