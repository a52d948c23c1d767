# ruff: noqa: INP001  # a package here would hide the standard library's http, since tests/ is on the path
"""Over real sockets: connections that break, stall or never come about end in words, and soon."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from feedloom.catalogue import Endpoint, ScrollPaging
from feedloom.errors import RetryLaterError
from feedloom.http import Answer, OutcomeUnknownError, Page, ScrollLostError

if TYPE_CHECKING:
    from .conftest import Stage

Writer = asyncio.StreamWriter
Behaviour = Callable[[Writer], Awaitable[None]]

PAGE = b'{"items": [{"id": 1}], "scroll": "a"}'
SCROLL = ScrollPaging(scroll_param="scroll", next="scroll", size_param="size", size_default=1, size_max=1)


def head(length: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % length


async def good(writer: Writer) -> None:
    writer.write(head(len(PAGE)) + PAGE)
    await writer.drain()


async def nothing(_: Writer) -> None:
    """Close without a word."""


async def half(writer: Writer) -> None:
    writer.write(head(len(PAGE)) + PAGE[:20])
    await writer.drain()


async def half_a_head(writer: Writer) -> None:
    writer.write(head(5)[:30])
    await writer.drain()


async def no_http(writer: Writer) -> None:
    writer.write(b"220 mail.example.com ESMTP\r\n\r\n")
    await writer.drain()


async def reset(writer: Writer) -> None:
    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def silence(_: Writer) -> None:
    await asyncio.sleep(30)


async def trickle(writer: Writer) -> None:
    writer.write(head(10_000))
    while not writer.is_closing():
        writer.write(b" ")
        await asyncio.sleep(0.02)


class Server:
    """Treats each connection as the next of *behaviours* says, the last one for all that follow."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self._behaviours = list(behaviours)
        self.requests = 0

    async def serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        """One connection, closed after one request."""
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.requests += 1
            behaviour = self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]
            await behaviour(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def against(server: Server, work: Callable[[str], Awaitable[Answer | list[Page]]]) -> None:
    """Run *work* with the base URL of *server*."""

    async def run() -> None:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        try:
            await work(f"http://127.0.0.1:{port}/v1")
        finally:
            listening.close()
            current = asyncio.current_task()
            for task in asyncio.all_tasks() - {current}:
                task.cancel()

    asyncio.run(run())


def calling(stage: Stage, endpoint: Endpoint) -> Callable[[str], Awaitable[Answer]]:
    async def work(base_url: str) -> Answer:
        over_tcp = stage.client([], endpoint, base_url=base_url, transport=None, attempts=2, timeout_s=0.2)
        async with over_tcp as client:
            return await client.call(endpoint, {})

    return work


BROKEN = [nothing, half, half_a_head, no_http, reset, silence]


@pytest.mark.parametrize("behaviour", BROKEN)
def test_a_call_survives_one_broken_connection(stage: Stage, behaviour: Behaviour) -> None:
    server = Server(behaviour, good)

    against(server, calling(stage, stage.endpoint()))

    assert server.requests == 2
    assert [status for _, status in stage.notes.requests] == [None, 200]


@pytest.mark.parametrize("behaviour", BROKEN)
def test_a_connection_that_keeps_breaking_is_an_error_and_soon(stage: Stage, behaviour: Behaviour) -> None:
    started_s = time.monotonic()

    with pytest.raises(RetryLaterError, match=r"Acme kept failing at list_things .*2 attempts"):
        against(Server(behaviour), calling(stage, stage.endpoint()))

    assert time.monotonic() - started_s < 5


@pytest.mark.parametrize("behaviour", BROKEN)
def test_a_write_whose_connection_breaks_has_an_unknown_outcome(stage: Stage, behaviour: Behaviour) -> None:
    server = Server(behaviour, good)
    event = stage.endpoint(name="create_event", effect="write", repeatable=False)

    with pytest.raises(OutcomeUnknownError, match="create_event"):
        against(server, calling(stage, event))

    assert server.requests == 1


@pytest.mark.parametrize("behaviour", BROKEN)
def test_a_page_of_a_scroll_whose_connection_breaks_is_lost(stage: Stage, behaviour: Behaviour) -> None:
    server = Server(good, behaviour, good)
    listed = stage.endpoint(paging=SCROLL)

    async def work(base_url: str) -> list[Page]:
        async with stage.client([], listed, base_url=base_url, transport=None, timeout_s=0.2) as client:
            return [page async for page in client.pages(listed, {})]

    with pytest.raises(ScrollLostError, match=r"list_things .* is lost"):
        against(server, work)

    assert server.requests == 2


def test_an_answer_that_never_stops_trickling_in_is_given_up(stage: Stage) -> None:
    async def work(base_url: str) -> Answer:
        things = stage.endpoint()
        over_tcp = stage.client([], things, base_url=base_url, transport=None, attempts=1, timeout_s=0.1)
        async with over_tcp as client:
            return await client.call(things, {})

    with pytest.raises(RetryLaterError, match=r"no whole answer within the timeout"):
        against(Server(trickle), work)


def test_a_closed_port_is_named(stage: Stage) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with pytest.raises(RetryLaterError, match=rf"cannot be reached for list_things .*127\.0\.0\.1:{port}"):
        asyncio.run(as_coroutine(calling(stage, stage.endpoint())(f"http://127.0.0.1:{port}")))


def test_a_proxy_of_the_environment_is_used(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(good)

    async def work(base_url: str) -> Answer:
        monkeypatch.setenv("HTTP_PROXY", base_url.removesuffix("/v1"))
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        return await calling(stage, stage.endpoint())("http://us.acme.test/v1")

    against(server, work)

    assert server.requests == 1


async def as_coroutine(awaitable: Awaitable[Answer]) -> Answer:
    return await awaitable
