"""Scores and intervals: worked cases, laws, and a simulation that the intervals hold the truth as often as they say."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedloom.feedback.scores import Promotion, Repeated, nps, nps_differs, nps_interval, share, share_interval

counts = st.builds(
    Promotion,
    promoters=st.integers(0, 10_000),
    passives=st.integers(0, 10_000),
    detractors=st.integers(0, 10_000),
)


@pytest.mark.parametrize(
    ("promoters", "passives", "detractors", "score"),
    [(6, 12, 4, 9.0909), (1, 0, 0, 100), (0, 0, 3, -100), (0, 5, 0, 0), (47, 25, 28, 19)],
)
def test_the_nps_is_the_share_of_promoters_less_that_of_detractors(
    promoters: int, passives: int, detractors: int, score: float
) -> None:
    found = nps(Promotion(promoters=promoters, passives=passives, detractors=detractors))
    assert found == pytest.approx(score, abs=1e-4)


def test_no_answers_make_no_score_and_no_interval() -> None:
    nobody = Promotion(promoters=0, passives=0, detractors=0)
    somebody = Promotion(promoters=1, passives=0, detractors=0)
    assert nps(nobody) is None
    assert nps_interval(nobody) is None
    assert nps_differs(nobody, somebody) is None
    assert share(0, 0) is None
    assert share_interval(0, 0) is None


def test_a_part_larger_than_its_whole_is_refused() -> None:
    with pytest.raises(ValueError, match="3 is no part of 2"):
        share_interval(3, 2)


@pytest.mark.parametrize(("part", "answers", "low", "high"), [(8, 10, 49.0, 94.3), (45, 50, 78.6, 95.7)])
def test_wilson_intervals_that_others_have_published(part: int, answers: int, low: float, high: float) -> None:
    found = share_interval(part, answers)
    assert found is not None
    assert found.low == pytest.approx(low, abs=0.05)
    assert found.high == pytest.approx(high, abs=0.05)


@pytest.mark.parametrize(("answers", "reach"), [(30, 27), (50, 22), (100, 15), (200, 11), (400, 8), (1000, 5)])
def test_how_wide_an_nps_interval_is(answers: int, reach: float) -> None:
    found = nps_interval(Promotion(promoters=answers // 2, passives=answers * 3 // 10, detractors=answers // 5))
    assert found is not None
    assert (found.high - found.low) / 2 == pytest.approx(reach, abs=1)


@given(counts)
def test_an_interval_lies_on_the_scale_and_holds_its_adjusted_centre(one: Promotion) -> None:
    score, interval = nps(one), nps_interval(one)
    if score is None or interval is None:
        assert one.answers == 0
        return
    assert -100 <= interval.low <= interval.high <= 100
    assert interval.low <= score * one.answers / (one.answers + 3) <= interval.high


@given(counts)
def test_swapping_promoters_and_detractors_mirrors_the_score(one: Promotion) -> None:
    mirrored = Promotion(promoters=one.detractors, passives=one.passives, detractors=one.promoters)
    score, other = nps(one), nps(mirrored)
    assert score == (None if other is None else pytest.approx(-other))


@given(counts)
def test_a_passive_more_never_moves_the_score_away_from_zero(one: Promotion) -> None:
    more = Promotion(promoters=one.promoters, passives=one.passives + 1, detractors=one.detractors)
    assert abs(nps(more) or 0) <= abs(nps(one) or 0)


@given(counts, counts)
def test_a_difference_is_the_same_from_both_sides_and_none_to_itself(one: Promotion, other: Promotion) -> None:
    assert nps_differs(one, other) == nps_differs(other, one)
    assert not nps_differs(one, one)


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_a_wilson_interval_holds_the_share(part: int, rest: int) -> None:
    found, interval = share(part, part + rest), share_interval(part, part + rest)
    if found is None or interval is None:
        assert part + rest == 0
        return
    assert interval.low - 1e-9 <= found <= interval.high + 1e-9
    assert 0 <= interval.low <= interval.high <= 100


@pytest.mark.parametrize(("answers", "promoters", "detractors"), [(5, 0.9, 0.02), (10, 0.5, 0.2), (100, 0.7, 0.05)])
def test_about_95_of_100_intervals_hold_the_truth(answers: int, promoters: float, detractors: float) -> None:
    dice = random.Random(1)  # noqa: S311 - a simulation
    truth, held, rounds = 100 * (promoters - detractors), 0, 2000
    for _ in range(rounds):
        drawn = [dice.random() for _ in range(answers)]
        good = sum(one < promoters for one in drawn)
        bad = sum(one >= 1 - detractors for one in drawn)
        interval = nps_interval(Promotion(promoters=good, passives=answers - good - bad, detractors=bad))
        held += interval is not None and interval.low <= truth <= interval.high
    assert 0.90 <= held / rounds <= 0.985


def repeated(people: list[tuple[int, int, int]]) -> Repeated:
    """The sums over persons, each of whom gave good, bad and other answers."""
    sizes = [sum(person) for person in people]
    nets = [good - bad for good, bad, _ in people]
    return Repeated(
        answers=sum(sizes),
        persons=len(people),
        good=sum(good for good, _, _ in people),
        bad=sum(bad for _, bad, _ in people),
        squares=sum(net * net for net in nets),
        products=sum(net * size for net, size in zip(nets, sizes, strict=True)),
        sizes=sum(size * size for size in sizes),
    )


persons = st.tuples(*[st.integers(0, 5)] * 3).filter(any)


@given(st.lists(persons, min_size=1, max_size=40))
def test_answers_are_worth_at_least_one_and_at_most_as_many_as_they_are(people: list[tuple[int, int, int]]) -> None:
    sums = repeated(people)
    assert 1 <= sums.worth <= sums.answers


@given(st.lists(st.sampled_from([(1, 0, 0), (0, 1, 0), (0, 0, 1)]), min_size=1, max_size=40), st.integers(2, 9))
def test_a_person_who_repeats_an_answer_tells_no_more(people: list[tuple[int, int, int]], times: int) -> None:
    again = repeated([(good * times, bad * times, other * times) for good, bad, other in people])
    assert repeated(people).worth == len(people)
    assert again.worth == pytest.approx(max(1, len(people) - 1 if len({*people}) > 1 else len(people)), rel=1e-6)


def test_intervals_hold_the_truth_when_people_answer_more_than_once() -> None:
    """Eighty persons, four answers each, most of them the same: rows alone would hold it three times of four."""
    chance = random.Random(7)  # noqa: S311 - a simulation
    weights = (0.5, 0.2, 0.3)
    held = {"persons": 0, "rows": 0}
    rounds = 400
    for _ in range(rounds):
        people = []
        for _ in range(80):
            own = chance.choices(range(3), weights)[0]
            given = [own if chance.random() < 0.8 else chance.choices(range(3), weights)[0] for _ in range(4)]
            people.append((given.count(0), given.count(1), given.count(2)))
        sums = repeated(people)
        counts = Promotion(promoters=sums.good, detractors=sums.bad, passives=sums.answers - sums.good - sums.bad)
        for name, worth in (("persons", sums.worth), ("rows", None)):
            interval = nps_interval(counts, worth=worth)
            assert interval is not None
            held[name] += interval.low <= 30 <= interval.high
    assert held["persons"] / rounds >= 0.92
    assert held["rows"] / rounds <= 0.85
