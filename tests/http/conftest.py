# ruff: noqa: INP001  # a package here would hide the standard library's http, since tests/ is on the path
"""A vendor made up for these tests: endpoints to call, answers as a test tells, a clock that only sleeps move."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from feedloom.catalogue import Auth, Endpoint, KeyRefusal, Known, Limit, Paging, Param, Source, Vendor
from feedloom.http import Answer, Client, Key, Limits, Page, Value

SOURCE = Source(where=("made up",), checked="2026-01", known=Known.ASSUMED)
KEY = "sk-live-7f3a9c/1+2b"
METHODS = ["GET", "POST", "PUT", "DELETE"]


@dataclass(frozen=True)
class Seen:
    """One request as the vendor got it."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes


Reply = Response | Exception
Script = Callable[[Seen], Reply] | Sequence[Reply]


@dataclass
class Clock:
    """Time that passes only while somebody sleeps; seconds since 1970, from 2026-01-01T00:00:00Z."""

    now_s: float = 1_767_225_600.0
    slept_s: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        """Now."""
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.slept_s.append(seconds)
        self.now_s += seconds


@dataclass
class Notes:
    """An observer that writes everything down."""

    requests: list[tuple[str, int | None]] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    waits: list[tuple[str, float]] = field(default_factory=list)
    retries: list[tuple[str, int]] = field(default_factory=list)
    new_keys: list[tuple[str, str]] = field(default_factory=list)

    def on_request(self, endpoint: Endpoint, status: int | None, seconds: float) -> None:
        """One request."""
        assert seconds >= 0
        self.requests.append((endpoint.name, status))

    def on_page(self, page: Page) -> None:
        """One page."""
        self.pages.append(page)

    def on_wait(self, reason: str, seconds: float) -> None:
        """One wait."""
        self.waits.append((reason, seconds))

    def on_retry(self, endpoint: Endpoint, reason: str, attempt: int) -> None:
        """One retry."""
        assert reason
        self.retries.append((endpoint.name, attempt))

    def on_new_key(self, endpoint: Endpoint, origin: str) -> None:
        """Another key."""
        self.new_keys.append((endpoint.name, origin))


class Stage:
    """One test's vendor, clock and client."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.notes = Notes()
        self.seen: list[Seen] = []
        self.key = Key(KEY, "environment variable ACME_KEY")
        self.vendor = Vendor(
            slug="acme",
            title="Acme",
            source_name="acme_source",
            dataset="acme",
            servers={"us": "http://us.acme.test/v1", "eu": "http://eu.acme.test/v1", "files": "http://files.acme.test"},
            auth=(
                Auth(name="bearer", kind="bearer", source=SOURCE),
                Auth(name="header", kind="header", field="X-ACME-KEY", source=SOURCE),
                Auth(name="param", kind="param", field="api_key", source=SOURCE),
                Auth(name="basic", kind="basic", source=SOURCE),
            ),
            key_page="Settings > API",
            probe="list_things",
            limits=(),
            refusals=(
                KeyRefusal(status=403, reason="it lacks the right to read", words="no RIGHT"),
                KeyRefusal(status=404, reason="it is unknown or was revoked", words="api key not valid"),
            ),
            error_paths=("error.sub[].message", "error.message", "message"),
            endpoints=(),
        )

    def endpoint(
        self,
        *params: Param,
        name: str = "list_things",
        path: str = "/things",
        records: str = "",
        paging: Paging | None = None,
        **more: Any,
    ) -> Endpoint:
        """An endpoint; with *paging* it is a list under ``items``."""
        if paging is not None:
            more = {"paging": paging, "is_list": True, **more}
            records = records or "items"
        more = {"method": "GET", "operation_id": name, "summary": "Things.", "source": SOURCE, **more}
        return Endpoint(name=name, path=path, records=records, params=params, **more)

    def limit(self, requests: int, seconds: int, **more: Any) -> Limit:
        """A limit of the vendor, per key unless *more* says otherwise."""
        return Limit(
            **{"name": "calls", "requests": requests, "seconds": seconds, "per": "key", "source": SOURCE, **more}
        )

    def client(self, script: Script, *endpoints: Endpoint, limits: tuple[Limit, ...] = (), **options: Any) -> Client:
        """A client of the vendor, which answers as *script* tells: by a function, or by one reply after the other.

        *holder* has the key in place of the stage's, *shared* takes the limits that all clients of the key share.
        """
        self.vendor = replace(self.vendor, endpoints=endpoints, limits=limits)
        answers: Iterator[Reply] | None = None if callable(script) else iter(script)

        async def answer(request: Request) -> Response:
            seen = Seen(
                method=request.method,
                path=request.scope["raw_path"].decode(),
                query=parse_qsl(request.url.query, keep_blank_values=True),
                headers=request.headers,
                body=await request.body(),
            )
            self.seen.append(seen)
            reply = script(seen) if callable(script) else next(answers or iter(()))
            if isinstance(reply, Exception):
                raise reply
            return reply

        app = Starlette(routes=[Route("/{path:path}", answer, methods=METHODS)])
        settings: dict[str, Any] = {
            "transport": httpx2.ASGITransport(app=app),
            "limits": Limits(limits, clock=self.clock),
            "observer": self.notes,
            "clock": self.clock,
            "sleep": self.clock.sleep,
            "random": lambda: 0.5,
        }
        if options.pop("shared", False):
            del settings["limits"]
        return Client(self.vendor, options.pop("holder", self.key), **{**settings, **options})

    def call(
        self,
        endpoint: Endpoint,
        params: Mapping[str, Value] | None = None,
        script: Script | None = None,
        **options: Any,
    ) -> Answer:
        """The answer to one call; without *script* the vendor says ``{}``."""

        async def run() -> Answer:
            async with self.client(script or (lambda _: JSONResponse({})), endpoint, **options) as client:
                return await client.call(endpoint, params or {})

        return asyncio.run(run())

    def read(
        self,
        endpoint: Endpoint,
        script: Script,
        *,
        params: Mapping[str, Value] | None = None,
        page_size: int | None = None,
        **options: Any,
    ) -> list[Page]:
        """Every page of a list."""

        async def run() -> list[Page]:
            async with self.client(script, endpoint, **options) as client:
                return [page async for page in client.pages(endpoint, params or {}, page_size=page_size)]

        return asyncio.run(run())


@pytest.fixture(scope="session")
def new_stage() -> type[Stage]:
    """Makes stages, for tests that need many."""
    return Stage


@pytest.fixture
def stage() -> Stage:
    """One stage."""
    return Stage()
