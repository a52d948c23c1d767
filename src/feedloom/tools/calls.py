"""Calls of a vendor on behalf of tools: on one shared client a vendor, watched and in time.

Reads go through a client that refuses whatever is no GET. A client that may write is made only where writes are
allowed, when an approved change is about to be sent.

Limits are waited out, passing faults tried again and rotated keys found by the client; what it did is noted in the
verification of the call at hand.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Self

from feedloom.catalogue import Endpoint, Vendor
from feedloom.config import find_setting
from feedloom.errors import RateLimitedError, RetryLaterError
from feedloom.http import Answer, Client, KeyHolder, Page
from feedloom.tools.verification import Verification

_TOO_MANY = 429
_REFUSED = 4
"""First digit of the statuses that say that a request was not carried out."""


@dataclass(slots=True, kw_only=True)
class Watch:
    """The call at hand: until when it may take, and what is noted of it.

    ``unclear`` counts requests that the vendor did not plainly refuse; ``plan`` and ``approval`` name the change it is
    about and the channel through which it was approved.
    """

    deadline_s: float
    verification: Verification
    is_limited: bool = False
    began_s: float = field(default_factory=time.monotonic)
    unclear: int = 0
    plan: str = ""
    approval: str = ""

    @property
    def left_s(self) -> float:
        """Seconds until it has to be over."""
        return self.deadline_s - time.monotonic()


WATCH: ContextVar[Watch] = ContextVar("feedloom_tool_call")


class _Watching:
    """Notes what a client does in the watch of the task that it does it for."""

    def on_request(self, endpoint: Endpoint, status: int | None, seconds: float) -> None:  # noqa: ARG002 - the protocol's
        watch = WATCH.get()
        watch.verification.attempts += 1
        watch.is_limited = status == _TOO_MANY
        watch.unclear += status is None or status // 100 != _REFUSED

    def on_page(self, page: Page) -> None:
        """Pages are checked by those who asked for them."""

    def on_wait(self, reason: str, seconds: float) -> None:
        watch = WATCH.get()
        watch.is_limited = watch.is_limited or reason.startswith("the limit")
        if seconds <= watch.left_s:
            watch.verification.waited_s += seconds

    def on_retry(self, endpoint: Endpoint, reason: str, attempt: int) -> None:  # noqa: ARG002 - the protocol's
        watch = WATCH.get()
        watch.verification.heal("rate_limit" if watch.is_limited else "transient")

    def on_new_key(self, endpoint: Endpoint, origin: str) -> None:  # noqa: ARG002 - the protocol's
        WATCH.get().verification.heal("key")


class Calls:
    """Asks vendors; an asynchronous context manager, for as many tasks of one event loop as one likes."""

    def __init__(self, *, may_write: bool = False) -> None:
        self._may_write = may_write
        self._keys: dict[str, KeyHolder] = {}
        self._clients: dict[tuple[str, bool], Client] = {}
        self._stack = AsyncExitStack()
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        self._clients.clear()
        await self._stack.aclose()

    async def call(self, vendor: Vendor, endpoint: Endpoint, params: Mapping[str, Any]) -> Answer:
        """The answer to one call; raises what ``Client.call`` raises."""
        _check_reads(endpoint)
        return await (await self._client(vendor)).call(endpoint, params)

    async def rows(
        self, vendor: Vendor, endpoint: Endpoint, params: Mapping[str, Any], *, count: int, page_size: int
    ) -> tuple[list[Page], bool]:
        """The first pages of a list, until they hold *count* rows, and whether that is all of it."""
        _check_reads(endpoint)
        client = await self._client(vendor)
        pages: list[Page] = []
        async for page in client.pages(endpoint, params, page_size=page_size):
            pages.append(page)
            if page.is_last or sum(map(len, pages)) >= count:
                return pages, page.is_last
        return pages, True

    async def write(self, vendor: Vendor, endpoint: Endpoint, params: Mapping[str, Any]) -> Answer:
        """The answer to one call that changes something; raises ValueError where that is not allowed."""
        if not self._may_write:
            raise ValueError(f"{endpoint.name} does more than read, and writes are off")
        return await (await self._client(vendor, writes=True)).call(endpoint, params)

    async def check_key(self, vendor: Vendor) -> Answer:
        """The answer of the vendor's cheapest call."""
        return await (await self._client(vendor)).check_key()

    async def _client(self, vendor: Vendor, *, writes: bool = False) -> Client:
        """An open client of *vendor*; all of one vendor share its key."""
        from feedloom.sources.keys import hold_needed_key  # noqa: PLC0415 - dlt takes a second to import

        async with self._lock:
            if vendor.slug not in self._keys:
                self._keys[vendor.slug] = hold_needed_key(vendor)
            if (vendor.slug, writes) not in self._clients:
                client = Client(
                    vendor,
                    self._keys[vendor.slug],
                    base_url=_setting(vendor, "base_url"),
                    server=_region(vendor),
                    observer=_Watching(),
                    reads_only=not writes,
                    sleep=_sleep_in_time,
                )
                self._clients[vendor.slug, writes] = await self._stack.enter_async_context(client)
            return self._clients[vendor.slug, writes]


def _check_reads(endpoint: Endpoint) -> None:
    """Tools that read can do nothing else, whatever their description says."""
    if endpoint.effect != "read" or endpoint.method != "GET":
        raise ValueError(f"{endpoint.name} does more than read")


async def _sleep_in_time(seconds: float) -> None:
    """Wait, or give up at once when that would take longer than the call at hand may."""
    watch = WATCH.get()
    if seconds > watch.left_s:
        kind = RateLimitedError if watch.is_limited else RetryLaterError
        raise kind("the call would take too long", hint="Repeat it later.", retry_after_s=seconds)
    await asyncio.sleep(seconds)


def _setting(vendor: Vendor, name: str) -> str | None:
    found = find_setting(vendor.source_name, name)
    return None if found is None else str(found.value)


def _region(vendor: Vendor) -> str | None:
    region = _setting(vendor, "region")
    return region if region in vendor.servers else None
