"""A way to ask an emulated Gainsight PX in the same process: requests go through its ASGI application, not a port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from feedloom.emulator import Emulator, create_emulator

END = datetime(2026, 11, 1, tzinfo=UTC)
START = END - timedelta(days=730)
DAY_MS = 86_400_000

LIST_KEYS = {
    "/v1/users": "users",
    "/v1/accounts": "accounts",
    "/v1/events/custom": "customEvents",
    "/v1/events/pageView": "results",
    "/v1/events/session": "sessionInitializedEvents",
    "/v1/events/engagementView": "results",
    "/v1/events/feature_match": "featureMatchEvents",
    "/v1/events/segment_match": "featureMatchEvents",
    "/v1/events/identify": "identifyEvents",
    "/v1/events/email": "results",
    "/v1/events/formSubmit": "results",
    "/v1/events/lead": "results",
    "/v1/survey/responses": "results",
    "/v1/admin/monitoring/engagement_collisions": "engagementCollisions",
    "/v1/admin/monitoring/engagement_errors": "engagementErrorSummaries",
}
"""Path -> key of the list, for all lists that scroll. Source: aptrinsic-notes, section 1."""

EVENT_PATHS = tuple(path for path in LIST_KEYS if "/events/" in path or "/survey/" in path)
TEN_KINDS = tuple(path for path in EVENT_PATHS if "/events/" in path)


def ms(moment: datetime) -> int:
    """Epoch milliseconds."""
    return int(moment.timestamp() * 1000)


START_MS, END_MS = ms(START), ms(END)


class Clock:
    """A clock that stands still until it is moved; it starts five days after the end of the made-up history."""

    def __init__(self) -> None:
        self.moment = END + timedelta(days=5)

    def __call__(self) -> datetime:
        """The moment."""
        return self.moment

    def forward(self, **by: float) -> None:
        """Move on by a ``timedelta``."""
        self.moment += timedelta(**by)

    @property
    def ms(self) -> int:
        """The moment in epoch milliseconds."""
        return ms(self.moment)


@dataclass(frozen=True)
class Px:
    """One emulator, and a client that holds its key."""

    emulator: Emulator
    client: httpx2.AsyncClient
    runner: asyncio.Runner
    clock: Clock

    def send(self, method: str, path: str, params: Any = None, *, json: Any = None, **more: Any) -> httpx2.Response:
        """Send one request."""
        if json is not None:
            more["json"] = json
        return self.runner.run(self.client.request(method, path, params=params, **more))

    def get(self, path: str, params: Any = None, **more: Any) -> Any:
        """The JSON of a GET, which has to succeed."""
        return succeeded(self.send("GET", path, params, **more)).json()

    def write(self, method: str, path: str, json: Any = None, params: Any = None) -> httpx2.Response:
        """Send a body; has to succeed."""
        return succeeded(self.send(method, path, params, json=json))

    def pages(self, path: str, params: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """Every page of a scroll, until one is empty or the id is null."""
        page = self.get(path, params)
        yield page
        while page[LIST_KEYS[path]] and page["scrollId"] is not None:
            page = self.get(path, {"scrollId": page["scrollId"]})
            yield page

    def rows(self, path: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Every row of a scroll."""
        asked = {"pageSize": 1000, **(params or {})}
        return [row for page in self.pages(path, asked) for row in page[LIST_KEYS[path]]]

    def history(self, path: str, *, groups: Sequence[str] = (), **params: Any) -> list[dict[str, Any]]:
        """Every row of a list of events, window by window."""
        found = []
        for window in windows(START_MS, self.clock.ms + 1):
            filters = [f"{group};{window}" for group in groups] or [window]
            found += self.rows(path, {"filter": filters, **params})
        return found

    def refusal(self, method: str, path: str, params: Any = None, *, status: int, json: Any = None) -> dict[str, Any]:
        """The inner error of a request that has to be refused with *status*."""
        response = self.send(method, path, params, json=json)
        assert response.status_code == status, (response.status_code, response.text)
        error: dict[str, Any] = response.json()["externalapierror"]
        assert set(error) == {"status", "message", "debugMessage", "subErrors"}
        return error


def windows(start_ms: int, end_ms: int, *, days: int = 180) -> Iterator[str]:
    """Filters on the date that together cover the time from *start_ms* on, before *end_ms*."""
    while start_ms < end_ms:
        stop_ms = min(start_ms + days * DAY_MS, end_ms)
        yield f"date>={start_ms};date<{stop_ms}"
        start_ms = stop_ms


def succeeded(response: httpx2.Response) -> httpx2.Response:
    """*response*, which has to be a success."""
    assert response.is_success, (response.status_code, response.text)
    return response


@contextmanager
def playing(
    *,
    rows: int = 200,
    seed: int = 7,
    faults: Sequence[str] = (),
    quirks: Mapping[str, str] | None = None,
    clock_s: Callable[[], float] = lambda: 0.0,
    limited: bool = False,
) -> Iterator[Px]:
    """An emulator without limits on requests, unless it is to be *limited*."""
    clock = Clock()
    free = {} if limited else {"limit_per_second": "0", "limit_per_day": "0"}
    emulator = create_emulator(
        "aptrinsic",
        rows=rows,
        seed=seed,
        faults=faults,
        quirks={**free, **(quirks or {})},
        now=clock,
        clock_s=clock_s,
    )
    client = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=emulator.app),
        base_url="http://emulator",
        headers={"X-APTRINSIC-API-KEY": emulator.key},
    )
    with asyncio.Runner() as runner:
        try:
            yield Px(emulator=emulator, client=client, runner=runner, clock=clock)
        finally:
            runner.run(client.aclose())
            emulator.close()
