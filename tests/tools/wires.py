"""The ways in which a client of the Model Context Protocol reaches the server: in process, over stdio and over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import Literal, TypeAlias

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from feedloom.tools.every import every_tool
from feedloom.tools.server import make_server

Mode: TypeAlias = Literal["auto", "legacy"]
Wire: TypeAlias = Literal["in process", "stdio", "http"]
Connect: TypeAlias = Callable[[], AbstractAsyncContextManager[Client]]

MODES: tuple[Mode, ...] = ("auto", "legacy")
WIRES: tuple[Wire, ...] = ("in process", "stdio", "http")
TOKEN = "token-of-the-test"
LONGEST_START_S = 30
_LONGEST_CALL_S = 300
"""What the SDK's own HTTP client allows: a call waits for the limits of a vendor."""

_ALL = ("--toolsets", "context,refiner,aptrinsic,warehouse,sync,composio")


@contextmanager
def connecting(folder: Path, wire: Wire, mode: Mode) -> Iterator[Connect]:
    """What opens a client of all tools that read, in *folder*, by that wire, speaking as of that era."""
    with served_over_http(folder, *_ALL) if wire == "http" else nullcontext("") as url:

        def connect() -> AbstractAsyncContextManager[Client]:
            if wire == "in process":
                return Client(make_server(every_tool()), mode=mode)
            return over_http(url, mode) if wire == "http" else Client(stdio(folder, *_ALL), mode=mode)

        yield connect


def stdio(folder: Path, *arguments: str) -> StdioServerParameters:
    """How a client starts a server in *folder*."""
    return StdioServerParameters(
        command=sys.executable, args=["-m", "feedloom", "mcp", *arguments], env=dict(os.environ), cwd=folder
    )


@asynccontextmanager
async def over_http(url: str, mode: Mode) -> AsyncIterator[Client]:
    """A client of the server at *url* that has its token."""
    async with (
        httpx2.AsyncClient(
            headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=_LONGEST_CALL_S
        ) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


@contextmanager
def served_over_http(folder: Path, *arguments: str) -> Iterator[str]:
    """The URL of a server in *folder*, on a port of this machine."""
    with subprocess.Popen(  # noqa: S603 - the server under test
        [sys.executable, "-m", "feedloom", "mcp", "--http", "--port", "0", *arguments],
        cwd=folder,
        env={**os.environ, "FEEDLOOM__MCP_TOKEN": TOKEN},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stderr is not None
        try:
            line = server.stderr.readline()
            assert TOKEN not in line + server.stderr.readline()
            url = line.split()[1].rstrip(";")
            _wait_for(url)
            yield url
        finally:
            server.terminate()
            server.wait(LONGEST_START_S)


def _wait_for(url: str) -> None:
    until_s = time.monotonic() + LONGEST_START_S
    while True:
        try:
            httpx2.get(url, trust_env=False)
        except httpx2.TransportError:
            if time.monotonic() > until_s:
                raise
        else:
            return
