"""What differences mean, from evidence alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedloom.audit.checks import GRAVITY, Verdict, gravest
from feedloom.audit.judging import Found, Rows, judge_fields, judge_gone, judge_rows, judge_unseen
from feedloom.audit.pieces import cut
from feedloom.audit.reports import distance, taken_apart

LATE = datetime(2026, 11, 1, tzinfo=UTC)
BEFORE, AFTER = LATE - timedelta(seconds=1), LATE + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("moment", "late_from", "verdict"),
    [
        (LATE, LATE, "late data"),
        (AFTER, LATE, "late data"),
        (BEFORE, LATE, "mismatch"),
        (None, LATE, "mismatch"),
        (AFTER, None, "mismatch"),
    ],
)
def test_a_row_that_is_only_there_is_late_from_the_look_back_on(
    moment: datetime | None, late_from: datetime | None, verdict: Verdict
) -> None:
    assert judge_unseen(moment, late_from) == verdict


def test_a_row_that_is_only_here_was_deleted_or_moved_on() -> None:
    assert judge_gone(Found(is_there=False), LATE) == "deleted at source"
    assert judge_gone(Found(is_there=True, newest=AFTER), LATE) == "late data"
    assert judge_gone(Found(is_there=True, newest=BEFORE), LATE) == "mismatch"


@pytest.mark.parametrize(
    ("rows", "verdict", "why"),
    [
        (Rows(counted=3, listed=3), "matches", "agreed when"),
        (Rows(counted=4, listed=3), "other counting rule", "counts 4 rows and lists 3"),
        (Rows(unseen={"a": AFTER}, counted=3, listed=3), "late data", "1 newer than the last sync"),
        (Rows(unseen={"a": AFTER, "b": BEFORE}, counted=3, listed=3), "mismatch", "1 not explained; 1 newer"),
        (Rows(gone={"a": Found(is_there=False)}, counted=3, listed=3), "deleted at source", "1 deleted"),
        (Rows(gone={"a": Found(is_there=False), "b": None}, counted=3, listed=3), "deleted at source", "2 deleted"),
        (
            Rows(
                gone={"a": Found(is_there=False), "b": Found(is_there=True, newest=AFTER), "c": None},
                counted=3,
                listed=3,
            ),
            "mismatch",
            "1 not explained; 1 newer than the last sync, or inside its look-back; 1 deleted",
        ),
    ],
)
def test_the_gravest_row_decides_over_a_part_and_all_are_told(rows: Rows, verdict: Verdict, why: str) -> None:
    found, reason = judge_rows(rows, LATE)
    assert found == verdict
    assert why in reason


@pytest.mark.parametrize(
    ("changed_there", "is_read_again", "newest", "verdict"),
    [
        (False, True, AFTER, "mismatch"),
        (True, True, None, "late data"),
        (True, False, AFTER, "late data"),
        (True, False, BEFORE, "mismatch"),
        (None, True, None, "mismatch"),
        (None, False, AFTER, "late data"),
    ],
)
def test_fields_that_differ(
    newest: datetime | None, verdict: Verdict, *, changed_there: bool | None, is_read_again: bool
) -> None:
    found = judge_fields(changed_there=changed_there, is_read_again=is_read_again, newest=newest, late_from=LATE)
    assert found == verdict


@given(st.lists(st.sampled_from(GRAVITY)))
def test_the_gravest_of_several_is_the_last_of_their_order(verdicts: list[Verdict]) -> None:
    assert gravest(verdicts) == (max(verdicts, key=GRAVITY.index) if verdicts else "matches")


@given(
    days=st.dictionaries(st.integers(20_000, 20_200), st.integers(1, 9), max_size=30),
    period=st.sampled_from(["day", "month"]),
    is_open=st.booleans(),
)
def test_pieces_hold_every_row_once_and_lie_inside_the_span_in_order(
    days: dict[int, int], period: str, *, is_open: bool
) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    since = epoch + timedelta(days=min(days, default=20_000), hours=5)
    through = epoch + timedelta(days=max(days, default=20_000), hours=23)
    found = cut((None if is_open else since, through), days, period=period)  # type: ignore[arg-type] # one of the two
    assert sum(piece.here for piece in found) == sum(days.values())
    edges = [edge for piece in found for edge in (piece.start, piece.end) if edge is not None]
    assert edges == sorted(edges)
    assert all(piece.start is not None and piece.start < piece.end <= through for piece in found)
    assert is_open or all(piece.start is not None and piece.start >= since for piece in found)


def test_joined_choices_are_taken_apart_only_where_nothing_is_passed_over() -> None:
    choices = {"A": 3, "B, C": 2}
    assert taken_apart({"A, B, C": 2, "A": 1}, choices) == choices
    assert taken_apart({"A, something else": 1}, choices) is None


def test_the_distance_of_figures_is_that_of_the_name_that_differs_most() -> None:
    assert distance({"a": 1, "b": 5}, {"a": 2, "c": 9}) == 9
    assert distance({}, {}) == 0
