# ruff: noqa: INP001  # a package here would hide the standard library's http, since tests/ is on the path
"""Requests leave no faster than the vendor allows, counted over each key and each user."""

from __future__ import annotations

import asyncio
import threading
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import JSONResponse

from feedloom.catalogue import Param
from feedloom.errors import RateLimitedError
from feedloom.http import Client, Key, Limits
from feedloom.http.limits import limits_of, make_meter

if TYPE_CHECKING:
    from feedloom.catalogue import Limit

    from .conftest import Seen, Stage

DAY_S = 86_400


class CountingTransport(httpx2.AsyncBaseTransport):
    """Answers everything, after giving others their turn, and counts how many requests are under way."""

    def __init__(self) -> None:
        self.under_way = self.most = self.answered = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:  # noqa: ARG002  # all get the same
        """Take part in the counting."""
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        for _ in range(20):
            await asyncio.sleep(0)
        self.under_way -= 1
        self.answered += 1
        return httpx2.Response(200, json={})


def leaving_times(stage: Stage, calls: int, *limits: Limit) -> list[float]:
    """When each of several calls made at once reached the vendor, in seconds from the start."""
    start_s, times = stage.clock.now_s, []
    things = stage.endpoint()

    def answer(_: Seen) -> JSONResponse:
        times.append(stage.clock.now_s - start_s)
        return JSONResponse({})

    async def run() -> None:
        async with stage.client(answer, things, limits=limits) as client:
            for _ in range(calls):
                await client.call(things, {})

    asyncio.run(run())
    return times


def test_a_request_waits_until_the_window_has_room(stage: Stage) -> None:
    times = leaving_times(stage, 7, stage.limit(3, 60))

    assert times == pytest.approx([0, 0, 0, 60, 60, 60, 120], abs=0.1)
    assert {reason for reason, _ in stage.notes.waits} == {"the limit 'calls'"}


def test_every_limit_holds_at_once(stage: Stage) -> None:
    times = leaving_times(stage, 9, stage.limit(2, 1), stage.limit(4, 60, name="minute"))

    assert times == pytest.approx([0, 0, 1, 1, 60, 60, 61, 61, 120], abs=0.1)


@settings(max_examples=50)
@given(requests=st.integers(1, 6), seconds=st.integers(1, 60), gaps=st.lists(st.floats(0, 30), max_size=40))
def test_no_window_ever_holds_more_requests_than_allowed(
    new_stage: type[Stage], requests: int, seconds: int, gaps: list[float]
) -> None:
    stage = new_stage()
    limits = Limits((stage.limit(requests, seconds),), clock=stage.clock)
    left: list[float] = []

    async def run() -> None:
        for gap in gaps:
            stage.clock.now_s += gap
            await limits.acquire(stage.endpoint(), {}, sleep=stage.clock.sleep, on_wait=lambda _reason, _seconds: None)
            left.append(stage.clock.now_s)

    asyncio.run(run())
    assert all(bisect_right(left, start + seconds - 0.01) - index <= requests for index, start in enumerate(left))


def test_each_user_has_a_window_of_its_own_named_by_the_first_parameter_given(stage: Stage) -> None:
    limit = stage.limit(1, 60, name="per user", per="user", user_params=("id", "email"))
    limits = Limits((limit,), clock=stage.clock)
    contact, others = stage.endpoint(per_user=True), stage.endpoint()

    assert limits.take(contact, {"id": "1"}) is None
    assert limits.take(contact, {"id": "2"}) is None
    assert limits.take(contact, {"email": "1"}) is None
    assert limits.take(contact, {"uuid": "1"}) is None
    assert limits.take(others, {"id": "1"}) is None
    wait = limits.take(contact, {"id": "1", "email": "2"})

    assert wait is not None
    assert wait[0] is limit
    assert wait[1] == pytest.approx(60, abs=0.1)


def test_a_call_that_one_limit_holds_back_uses_up_no_other(stage: Stage) -> None:
    per_user = stage.limit(1, 60, name="per user", per="user", user_params=("id",))
    limits = Limits((stage.limit(2, 60), per_user), clock=stage.clock)
    contact = stage.endpoint(per_user=True)

    limits.take(contact, {"id": "1"})
    assert all(limits.take(contact, {"id": "1"}) is not None for _ in range(5))

    assert limits.take(contact, {"id": "2"}) is None


def test_users_who_have_been_idle_for_a_window_are_forgotten(stage: Stage) -> None:
    limits = Limits((stage.limit(5, 60, per="user", user_params=("id",)),), clock=stage.clock)
    contact = stage.endpoint(per_user=True)

    for number in range(1000):
        limits.take(contact, {"id": str(number)})
        stage.clock.now_s += 1

    assert limits.users_remembered <= 62


def test_a_days_limit_is_kept_in_little_memory_and_never_early(stage: Stage) -> None:
    meter = make_meter(stage.limit(10_000, DAY_S))
    start_ms = 30_000

    for number in range(10_000):
        assert meter.wait_ms(start_ms + number) == 0
        meter.count(start_ms + number)

    wait_ms = meter.wait_ms(start_ms + 10_000)
    assert DAY_S * 1000 - 10_000 <= wait_ms <= (DAY_S + 60) * 1000
    assert meter.wait_ms(start_ms + 10_000 + wait_ms - 1) == 1
    assert meter.wait_ms(start_ms + 10_000 + wait_ms) == 0


def test_a_limit_that_stays_used_up_is_an_error_that_says_for_how_long(stage: Stage) -> None:
    with pytest.raises(RateLimitedError, match="'a day' of 2 requests in 86,400 s is used up") as caught:
        leaving_times(stage, 3, stage.limit(2, DAY_S, name="a day"))

    assert caught.value.retry_after_s == pytest.approx(DAY_S, abs=61)
    assert stage.clock.slept_s == []
    assert len(stage.seen) == 2


def test_another_meter_can_take_the_place_of_memory(stage: Stage) -> None:
    class Closed:
        def wait_ms(self, now_ms: int) -> int:
            return 5000 if now_ms < start_ms + 5000 else 0

        def count(self, now_ms: int) -> None:
            assert now_ms >= start_ms + 5000

    start_ms = int(stage.clock() * 1000)
    limits = Limits((stage.limit(2, 60),), meter=lambda _: Closed(), clock=stage.clock)

    assert limits.take(stage.endpoint(), {}) is not None
    stage.clock.now_s += 5
    assert limits.take(stage.endpoint(), {}) is None


def test_all_clients_of_a_key_share_its_limits(stage: Stage) -> None:
    stage.client([], limits=(stage.limit(2, 60),))
    vendor = stage.vendor

    shared = limits_of(vendor, Key("sk-one", "a test"))

    assert limits_of(vendor, Key("sk-one", "elsewhere")) is shared
    assert limits_of(vendor, Key("sk-two", "a test")) is not shared
    assert [Client(vendor, Key("sk-one", "a test"))._limits for _ in range(2)] == [shared, shared]


def test_threads_take_from_one_window(stage: Stage) -> None:
    limits = Limits((stage.limit(100, 60),), clock=stage.clock)
    things = stage.endpoint()
    taken: list[bool] = []

    def take() -> None:
        taken.extend(limits.take(things, {}) is None for _ in range(50))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert taken.count(True) == 100


def test_retries_count_against_the_limits_too(stage: Stage) -> None:
    things = stage.endpoint()
    script: list[Any] = [JSONResponse({}, 503), JSONResponse({}, 503), JSONResponse({})]

    async def run() -> None:
        async with stage.client(script, things, limits=(stage.limit(1, 60),)) as client:
            await client.call(things, {})

    asyncio.run(run())
    assert stage.clock.now_s - 1_767_225_600 == pytest.approx(120, abs=0.1)


def test_no_more_requests_are_under_way_than_there_are_connections(stage: Stage) -> None:
    things = stage.endpoint(Param(name="n", type="integer"))
    transport = CountingTransport()

    async def run() -> None:
        async with stage.client([], things, connections=3, transport=transport) as client:
            await asyncio.gather(*(client.call(things, {"n": n}) for n in range(12)))

    asyncio.run(run())
    assert (transport.answered, transport.most) == (12, 3)
