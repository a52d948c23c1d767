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
from feedloom.http.ledger import Ledger, Ticket
from feedloom.http.limits import Wait, limits_of

if TYPE_CHECKING:
    from feedloom.catalogue import Endpoint, Limit

    from .conftest import Seen, Stage

DAY_S = 86_400


class CountingTransport(httpx2.AsyncBaseTransport):
    """Answers everything, after giving others their turn, and counts how many requests are under way."""

    def __init__(self, *, first_eight: int | None = 200) -> None:
        self.under_way = self.most = self.answered = 0
        self.under_way_at: list[int] = []
        self._first_eight = first_eight

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Take part in the counting; the first eight get the status asked for, or time out where it is None."""
        self.under_way += 1
        self.under_way_at.append(self.under_way)
        self.most = max(self.most, self.under_way)
        number = len(self.under_way_at)
        for _ in range(20):
            await asyncio.sleep(0)
        self.under_way -= 1
        self.answered += 1
        status = self._first_eight if number <= 8 else 200
        if status is None:
            raise httpx2.ReadTimeout("slow", request=request)
        return httpx2.Response(status, json={})


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


def taken(limits: Limits, endpoint: Endpoint, values: dict[str, Any] | None = None) -> Ticket:
    """The ticket of a call that may leave now."""
    found = limits.take(endpoint, values or {})
    assert isinstance(found, Ticket)
    return found


def held_s(limits: Limits, endpoint: Endpoint, values: dict[str, Any] | None = None) -> float:
    """How long a call has to wait that may not leave now."""
    found = limits.take(endpoint, values or {})
    assert isinstance(found, Wait)
    return found.seconds


def test_a_request_waits_until_the_window_has_room(stage: Stage) -> None:
    times = leaving_times(stage, 7, stage.limit(3, 60))

    assert times[:3] == [0, 0, 0]
    assert all(60 <= time <= 60.6 for time in times[3:6])
    assert 120 <= times[6] <= 121.2
    assert {reason for reason, _ in stage.notes.waits} == {"the limit 'calls'"}


def test_every_limit_holds_at_once(stage: Stage) -> None:
    times = leaving_times(stage, 9, stage.limit(2, 1), stage.limit(4, 60, name="minute"))

    assert times == pytest.approx([0, 0, 1, 1, 60, 60, 61, 61, 120], abs=1.3)
    assert times[4] >= 60
    assert times[8] >= 120


@settings(max_examples=50, deadline=None)
@given(
    requests=st.integers(1, 6),
    seconds=st.integers(1, 60),
    calls=st.lists(st.tuples(st.floats(0, 30), st.floats(0, 3)), max_size=40),
)
def test_no_window_of_the_vendors_holds_more_requests_than_allowed_wherever_between_departure_and_answer_it_sees_them(
    new_stage: type[Stage], requests: int, seconds: int, calls: list[tuple[float, float]]
) -> None:
    stage = new_stage()
    limits = Limits((stage.limit(requests, seconds),), clock=stage.clock)
    seen: list[float] = []

    async def run() -> None:
        for gap, latency in calls:
            stage.clock.now_s += gap
            ticket = await limits.acquire(stage.endpoint(), {}, sleep=stage.clock.sleep, on_wait=lambda *_: None)
            stage.clock.now_s += latency
            seen.append(stage.clock.now_s)
            limits.settle(ticket)

    asyncio.run(run())
    assert all(bisect_right(seen, start + seconds - 0.002) - index <= requests for index, start in enumerate(seen))


def test_a_request_that_is_not_answered_yet_takes_up_room(stage: Stage) -> None:
    limits = Limits((stage.limit(1, 1),), clock=stage.clock)
    ticket = taken(limits, stage.endpoint())
    stage.clock.now_s += 30
    assert held_s(limits, stage.endpoint()) == pytest.approx(1, abs=0.02)
    limits.settle(ticket)
    stage.clock.now_s += 1.02
    taken(limits, stage.endpoint())


def test_a_request_whose_process_died_is_forgotten_a_minute_after_its_window(stage: Stage) -> None:
    limits = Limits((stage.limit(1, 1),), clock=stage.clock)
    taken(limits, stage.endpoint())
    stage.clock.now_s += 60.9
    assert held_s(limits, stage.endpoint()) > 0
    stage.clock.now_s += 0.2
    taken(limits, stage.endpoint())


def test_each_user_has_a_window_of_its_own_named_by_the_first_parameter_given(stage: Stage) -> None:
    limit = stage.limit(1, 60, name="per user", per="user", user_params=("id", "email"))
    limits = Limits((limit,), clock=stage.clock)
    contact, others = stage.endpoint(per_user=True), stage.endpoint()

    for endpoint, values in (
        (contact, {"id": "1"}),
        (contact, {"id": "2"}),
        (contact, {"email": "1"}),
        (contact, {"uuid": "1"}),
        (contact, {"uuid": "1"}),
        (others, {"id": "1"}),
    ):
        taken(limits, endpoint, values)
    wait = limits.take(contact, {"id": "1", "email": "2"})

    assert isinstance(wait, Wait)
    assert wait.limit is limit
    assert 60 <= wait.seconds <= 121


def test_a_call_that_one_limit_holds_back_uses_up_no_other(stage: Stage) -> None:
    per_user = stage.limit(1, 60, name="per user", per="user", user_params=("id",))
    limits = Limits((stage.limit(2, 60), per_user), clock=stage.clock)
    contact = stage.endpoint(per_user=True)

    taken(limits, contact, {"id": "1"})
    assert all(held_s(limits, contact, {"id": "1"}) > 0 for _ in range(5))

    taken(limits, contact, {"id": "2"})


def test_users_who_have_been_idle_for_a_window_are_forgotten(stage: Stage) -> None:
    ledger = Ledger()
    limits = Limits((stage.limit(5, 60, per="user", user_params=("id",)),), ledger=ledger, clock=stage.clock)
    contact = stage.endpoint(per_user=True)

    for number in range(1000):
        limits.settle(taken(limits, contact, {"id": str(number)}))
        stage.clock.now_s += 1

    assert len(ledger.names()) <= 125


def test_a_days_limit_is_kept_by_the_quarter_of_an_hour_and_never_early(stage: Stage) -> None:
    limits = Limits((stage.limit(500, DAY_S),), clock=stage.clock)
    for _ in range(500):
        limits.settle(taken(limits, stage.endpoint()))
        stage.clock.now_s += 1

    wait_s = held_s(limits, stage.endpoint())
    assert DAY_S - 500 <= wait_s <= DAY_S + 864
    stage.clock.now_s += wait_s - 0.002
    assert held_s(limits, stage.endpoint()) > 0
    stage.clock.now_s += 0.003
    taken(limits, stage.endpoint())


def test_a_limit_that_stays_used_up_is_an_error_that_says_for_how_long(stage: Stage) -> None:
    with pytest.raises(RateLimitedError, match="'a day' of 2 requests in 86,400 s is used up") as caught:
        leaving_times(stage, 3, stage.limit(2, DAY_S, name="a day"))

    assert caught.value.retry_after_s == pytest.approx(DAY_S, abs=865)
    assert stage.clock.slept_s == []
    assert len(stage.seen) == 2


def test_a_clock_that_is_set_back_forgets_rather_than_waits_for_the_future(stage: Stage) -> None:
    limits = Limits((stage.limit(1, 1),), clock=stage.clock)
    limits.settle(taken(limits, stage.endpoint()))
    stage.clock.now_s -= 3600
    taken(limits, stage.endpoint())


def test_all_clients_of_a_key_at_a_host_share_its_limits(stage: Stage) -> None:
    stage.client([], limits=(stage.limit(2, 60),))
    vendor = stage.vendor
    one, two = Key("sk-one", "a test"), Key("sk-two", "a test")

    shared = limits_of(vendor, one, host="us.acme.test")

    assert limits_of(vendor, Key("sk-one", "elsewhere"), host="us.acme.test") is shared
    assert limits_of(vendor, two, host="us.acme.test") is not shared
    assert limits_of(vendor, one, host="127.0.0.1:4000") is not shared
    assert [Client(vendor, one)._limits(one) for _ in range(2)] == [shared, shared]
    assert Client(vendor, one, base_url="http://127.0.0.1:4000/v1")._limits(one) is not shared


def test_threads_take_from_one_window(stage: Stage) -> None:
    limits = Limits((stage.limit(100, 60),), clock=stage.clock)
    things = stage.endpoint()
    found: list[bool] = []

    def take() -> None:
        found.extend(isinstance(limits.take(things, {}), Ticket) for _ in range(50))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert found.count(True) == 100


# What the vendor itself asks for


def test_a_pause_that_the_vendor_asked_for_holds_back_every_other_call_of_the_key(stage: Stage) -> None:
    things, others = stage.endpoint(), stage.endpoint(name="list_others", path="/others")
    arrived: dict[str, float] = {}
    refused = asyncio.Event()
    start_s = stage.clock.now_s

    def answer(seen: Seen) -> JSONResponse:
        if not refused.is_set():
            refused.set()
            return JSONResponse({}, 429, {"Retry-After": "20"})
        arrived[seen.path] = stage.clock.now_s - start_s
        return JSONResponse({})

    async def run() -> None:
        async with stage.client(answer, things, others, limits=(stage.limit(1000, 60),), attempts=2) as client:
            first = asyncio.create_task(client.call(things, {}))
            await refused.wait()
            await asyncio.gather(first, client.call(others, {}))

    asyncio.run(run())
    assert arrived == {"/v1/things": pytest.approx(20, abs=0.1), "/v1/others": pytest.approx(20, abs=0.1)}


def test_a_pause_of_one_user_holds_back_no_other(stage: Stage) -> None:
    per_user = stage.limit(80, 60, name="per user", per="user", user_params=("id",))
    limits = Limits((stage.limit(100, 60), per_user), clock=stage.clock)
    contact = stage.endpoint(per_user=True)

    limits.pause(contact, {"id": "1"}, 30)

    assert held_s(limits, contact, {"id": "1"}) == 30
    taken(limits, contact, {"id": "2"})
    taken(limits, stage.endpoint())
    stage.clock.now_s += 30
    taken(limits, contact, {"id": "1"})


def test_a_pause_without_sense_lasts_an_hour_at_most_and_is_an_error_that_says_who_asked_for_it(stage: Stage) -> None:
    limits = Limits((stage.limit(100, 60),), clock=stage.clock)
    limits.pause(stage.endpoint(), {}, 1e9)
    assert held_s(limits, stage.endpoint()) == 3600
    with pytest.raises(RateLimitedError, match="the vendor asked for a pause") as caught:
        asyncio.run(limits.acquire(stage.endpoint(), {}, sleep=stage.clock.sleep, on_wait=lambda *_: None))
    assert caught.value.retry_after_s == 3600
    stage.clock.now_s += 3600
    taken(limits, stage.endpoint())


def test_retries_count_against_the_limits_too(stage: Stage) -> None:
    things = stage.endpoint()
    script: list[Any] = [JSONResponse({}, 503), JSONResponse({}, 503), JSONResponse({})]

    async def run() -> None:
        async with stage.client(script, things, limits=(stage.limit(1, 60),)) as client:
            await client.call(things, {})

    asyncio.run(run())
    assert stage.clock.now_s - 1_767_225_600 == pytest.approx(120, abs=1.3)


def test_no_more_requests_are_under_way_than_there_are_connections(stage: Stage) -> None:
    things = stage.endpoint(Param(name="n", type="integer"))
    transport = CountingTransport()

    async def run() -> None:
        async with stage.client([], things, connections=3, transport=transport) as client:
            await asyncio.gather(*(client.call(things, {"n": n}) for n in range(12)))

    asyncio.run(run())
    assert (transport.answered, transport.most) == (12, 3)


@pytest.mark.parametrize("trouble", [429, 500, 503, None])
def test_fewer_requests_are_under_way_after_the_vendor_did_not_keep_up(stage: Stage, trouble: int | None) -> None:
    things = stage.endpoint(Param(name="n", type="integer"))
    transport = CountingTransport(first_eight=trouble)

    async def run() -> None:
        async with stage.client([], things, transport=transport) as client:
            await asyncio.gather(*(client.call(things, {"n": n}) for n in range(20)))

    asyncio.run(run())
    assert transport.answered == 28
    assert transport.under_way_at[:8] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert max(transport.under_way_at[8:12]) <= 4
