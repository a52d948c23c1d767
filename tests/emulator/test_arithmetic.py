"""The arithmetic by which rows are found without a table of them: time, decks, identifiers, moments."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedloom.emulator.decks import Decks
from feedloom.emulator.identifiers import Identifiers
from feedloom.emulator.moments import iso_text, read_moment_s, space_text
from feedloom.emulator.timeline import END_S, START_S, Timeline

SECONDS = st.integers(min_value=0, max_value=4_000_000_000)


@given(rows=st.integers(1, 50_000_000), data=st.data())
def test_the_first_row_from_a_moment_is_the_one_whose_predecessor_is_earlier(rows: int, data: st.DataObject) -> None:
    timeline = Timeline(rows=rows)
    moment = data.draw(st.integers(START_S - 10, END_S + 10))
    row = timeline.first_from(moment)
    assert row == rows or timeline.at(row) >= moment
    assert row == 0 or timeline.at(row - 1) < moment


@given(rows=st.integers(1, 50_000_000), data=st.data())
def test_rows_lie_within_the_history_at_least_a_step_apart(rows: int, data: st.DataObject) -> None:
    timeline = Timeline(rows=rows)
    row = data.draw(st.integers(0, rows - 1))
    assert START_S <= timeline.at(row) < END_S
    assert row == 0 or timeline.at(row) - timeline.at(row - 1) >= timeline.step


@given(rows=st.integers(1, 3000), seed=st.integers(0, 99), shares=st.lists(st.floats(0.01, 1), min_size=2, max_size=9))
def test_decks_count_what_they_deal(rows: int, seed: int, shares: list[float]) -> None:
    total = sum(shares)
    decks = Decks(rows=rows, seed=seed, shares=lambda _: [share / total for share in shares])
    dealt = Counter(decks.category(row) for row in range(rows))
    counted: Counter[int] = Counter()
    for number in range(-(-rows // decks.size)):
        counted.update(dict(enumerate(decks.counts(number))))
    assert +counted == +dealt


def test_decks_keep_to_the_shares() -> None:
    decks = Decks(rows=20_000, seed=1, shares=lambda _: [0.5, 0.3, 0.2])
    dealt = Counter(decks.category(row) for row in range(20_000))
    assert [round(dealt[category] / 20_000, 2) for category in range(3)] == [0.5, 0.3, 0.2]


@given(seed=st.integers(0, 10**6), kind=st.integers(0, 15), index=st.integers(0, 2**48 - 1), moment_s=SECONDS)
def test_a_uuid_gives_back_its_index(seed: int, kind: int, index: int, moment_s: int) -> None:
    identifiers = Identifiers(seed=seed, kind=kind)
    uuid = identifiers.uuid(index=index, moment_s=moment_s)
    assert identifiers.index(uuid) == index
    assert Identifiers(seed=seed, kind=(kind + 1) % 16).index(uuid) is None


@pytest.mark.parametrize("text", ["", "9a41e0b0", "9a41e0b0-3850-41ef-8d0f-1f7b2c6a9e33"])
def test_other_texts_are_no_uuid_of_ours(text: str) -> None:
    assert Identifiers(seed=1, kind=1).index(text) is None


@given(moment_s=SECONDS)
def test_moments_are_read_as_they_were_written(moment_s: int) -> None:
    assert read_moment_s(space_text(moment_s)) == moment_s
    assert read_moment_s(iso_text(moment_s)) == moment_s


def test_moments_are_written_in_the_two_forms_of_the_vendors() -> None:
    moment_s = int(datetime(2024, 7, 2, 9, 15, 10, tzinfo=UTC).timestamp())
    assert space_text(moment_s) == "2024-07-02 09:15:10"
    assert iso_text(moment_s) == "2024-07-02T09:15:10.000000Z"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-02-01", datetime(2026, 2, 1, tzinfo=UTC)),
        ("2026-02-01 10:00:00", datetime(2026, 2, 1, 10, tzinfo=UTC)),
        ("2026-02-01T10:00:00.9Z", datetime(2026, 2, 1, 10, tzinfo=UTC)),
        ("2026-02-01T10:00:00+02:00", datetime(2026, 2, 1, 10, tzinfo=timezone(timedelta(hours=2)))),
    ],
)
def test_a_moment_without_a_zone_is_utc(text: str, moment: datetime) -> None:
    assert read_moment_s(text) == int(moment.timestamp())


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "9"])
def test_other_texts_are_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_moment_s(text)
