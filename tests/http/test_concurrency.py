# ruff: noqa: INP001  # a package here would hide the standard library's http, since tests/ is on the path
"""The laws of how many requests are under way: within bounds, down at once, up by and by."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from feedloom.http.concurrency import Concurrency, Gate

EVENTS = st.lists(st.tuples(st.booleans(), st.floats(0, 5), st.floats(0, 3)), max_size=200)


@given(most=st.integers(1, 40), events=EVENTS)
def test_it_stays_between_one_and_the_most_and_moves_by_a_step_or_a_half(
    most: int, events: list[tuple[bool, float, float]]
) -> None:
    concurrency, now_s = Concurrency(most=most), 0.0
    for is_answer, gap_s, latency_s in events:
        now_s += gap_s
        before = concurrency.limit
        (concurrency.answered if is_answer else concurrency.failed)(left_at_s=now_s - latency_s, now_s=now_s)
        if is_answer:
            assert before <= concurrency.limit <= min(most, before + 1)
        else:
            assert concurrency.limit in {before, max(1, before // 2)}
        assert 1 <= concurrency.limit <= most


@given(most=st.integers(2, 40), failures=st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_requests_of_one_round_trip_halve_it_once(most: int, failures: list[float]) -> None:
    concurrency = Concurrency(most=most)
    first = concurrency.limit
    for latency_s in sorted(failures):
        concurrency.failed(left_at_s=0.0, now_s=latency_s + 0.001)
    assert concurrency.limit == first // 2
    concurrency.failed(left_at_s=2.0, now_s=3.0)
    assert concurrency.limit == max(1, first // 4)


@given(most=st.integers(1, 40), failures=st.integers(0, 10), latency_s=st.floats(0.001, 5))
def test_it_recovers_from_any_trouble_while_answers_are_as_fast_as_usual(
    most: int, failures: int, latency_s: float
) -> None:
    concurrency, now_s = Concurrency(most=most), 0.0
    for _ in range(failures):
        now_s += 10
        concurrency.failed(left_at_s=now_s - 1, now_s=now_s)
    for _ in range(most * (most + 1) // 2):
        now_s += latency_s
        concurrency.answered(left_at_s=now_s - latency_s, now_s=now_s)
    assert concurrency.limit == most


def test_it_grows_no_more_where_every_answer_takes_longer_and_goes_on_when_they_are_fast_again() -> None:
    concurrency, now_s = Concurrency(most=16), 0.0

    def rounds(latency_s: float, answers: int) -> int:
        nonlocal now_s
        for _ in range(answers):
            now_s += latency_s
            concurrency.answered(left_at_s=now_s - latency_s, now_s=now_s)
        return concurrency.limit

    assert rounds(0.1, 8) == 9
    assert rounds(0.5, 45) == 9
    assert rounds(0.1, 9) == 10


def test_one_slow_endpoint_among_fast_ones_is_no_reason_to_stay_small() -> None:
    concurrency, now_s = Concurrency(most=16), 0.0
    for number in range(200):
        now_s += 1
        concurrency.answered(left_at_s=now_s - (0.1 if number % 4 == 0 else 0.9), now_s=now_s)
    assert concurrency.limit == 16


@given(most=st.integers(1, 12), cancelled=st.sets(st.integers(0, 19)), halved_at=st.integers(0, 19))
def test_the_gate_lets_no_more_through_than_it_says_and_loses_no_place_to_those_who_leave(
    most: int, cancelled: set[int], halved_at: int
) -> None:
    concurrency = Concurrency(most=most)
    under_way, over = 0, []

    async def run() -> int:
        gate, done = Gate(concurrency), 0

        async def work(number: int) -> None:
            nonlocal under_way, done
            async with gate.place():
                under_way += 1
                over.append(under_way > most_now)
                try:
                    await asyncio.sleep(0)
                finally:
                    under_way -= 1
                done += 1
                if number == halved_at:
                    concurrency.failed(left_at_s=float(number), now_s=float(number))

        most_now = concurrency.limit
        tasks = [asyncio.create_task(work(number)) for number in range(20)]
        await asyncio.sleep(0)
        for number in cancelled:
            tasks[number].cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await asyncio.wait_for(task, 5)
        async with asyncio.timeout(5), gate.place():
            return done

    asyncio.run(run())
    assert not any(over)
