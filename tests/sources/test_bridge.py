"""A plain generator reads from an asynchronous one that runs ahead of it, but not far."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncGenerator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedloom.http import Client, Key
from feedloom.http.observe import Silent
from feedloom.sources.bridge import iterate
from feedloom.vendors import VENDORS

WAIT_S = 10


async def numbers(count: int) -> AsyncGenerator[int, None]:
    for number in range(count):
        yield number


def fetching() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "feedloom-fetch"]


@settings(max_examples=20)
@given(count=st.integers(0, 40), ahead=st.integers(1, 5))
def test_items_come_in_order_and_the_thread_ends_with_them(count: int, ahead: int) -> None:
    assert list(iterate(lambda: numbers(count), ahead=ahead)) == list(range(count))
    assert not fetching()


def test_an_error_comes_after_the_items_before_it() -> None:
    async def failing() -> AsyncGenerator[int, None]:
        yield 1
        yield 2
        raise LookupError("gone")

    reader = iterate(failing)
    assert [next(reader), next(reader)] == [1, 2]
    with pytest.raises(LookupError, match="gone"):
        next(reader)
    assert not fetching()


def test_a_generator_that_is_cancelled_from_within_is_an_error_and_no_endless_wait() -> None:
    async def cancelled() -> AsyncGenerator[int, None]:
        yield 1
        raise asyncio.CancelledError

    reader = iterate(cancelled)
    assert next(reader) == 1
    with pytest.raises(asyncio.CancelledError):
        next(reader)
    assert not fetching()


def test_stopping_early_cancels_the_generator_and_waits_for_its_end() -> None:
    ended = []

    async def endless() -> AsyncGenerator[int, None]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("closed")

    reader = iterate(endless)
    assert next(reader) == 1
    reader.close()
    assert ended == ["closed"]
    assert not fetching()


def test_stopping_early_ends_a_generator_that_always_has_more() -> None:
    async def endless() -> AsyncGenerator[int, None]:
        number = 0
        while True:
            yield number
            number += 1

    reader = iterate(endless)
    assert [next(reader) for _ in range(10)] == list(range(10))
    reader.close()
    assert not fetching()


@pytest.mark.parametrize("ahead", [1, 4])
def test_the_generator_runs_ahead_by_so_many_items_and_no_more(ahead: int) -> None:
    taken = 0
    ahead_by = []
    is_ahead = threading.Event()

    async def watched() -> AsyncGenerator[int, None]:
        for number in range(60):
            ahead_by.append(number - taken)
            if number == ahead:
                is_ahead.set()
            yield number

    reader = iterate(watched, ahead=ahead)
    for _ in reader:
        assert is_ahead.wait(WAIT_S)
        taken += 1
    assert max(ahead_by) <= ahead + 1


def test_a_reader_that_is_never_asked_starts_no_thread() -> None:
    iterate(lambda: numbers(3))
    assert not fetching()


def test_a_stop_ends_a_back_off_at_once_and_keeps_the_items_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedloom.sources.bridge._LAST_ITEM_S", 0.1)
    stop = threading.Event()

    class StopWhenItWaits(Silent):
        def on_wait(self, reason: str, seconds: float) -> None:
            assert "no connection" in reason
            assert seconds > WAIT_S
            stop.set()

    async def pages() -> AsyncGenerator[str, None]:
        yield "before"
        vendor, observer = VENDORS["refiner"], StopWhenItWaits()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        client = Client(vendor, Key("k", "a test"), base_url=url, observer=observer, random=lambda: 60.0)
        async with client:
            await client.check_key()
        yield "never"

    started_s = time.monotonic()
    assert list(iterate(pages, stop=stop)) == ["before"]
    assert time.monotonic() - started_s < WAIT_S
    assert not fetching()


def test_a_stop_takes_nothing_from_an_error_of_the_generator() -> None:
    stop = threading.Event()
    stop.set()

    async def failing() -> AsyncGenerator[int, None]:
        yield 1
        raise LookupError("gone")

    reader = iterate(failing, stop=stop)
    assert next(reader) == 1
    with pytest.raises(LookupError, match="gone"):
        next(reader)
