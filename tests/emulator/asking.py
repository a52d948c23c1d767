"""A way to ask an emulator in the same process: requests go through its ASGI application, without a port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from feedloom.emulator import Emulator, create_emulator

NOW = datetime(2026, 11, 5, 12, 0, tzinfo=UTC)
"""When the tests take place: some days after the end of the made-up history."""


class Clock:
    """A clock that moves one second with each look, and further when told to."""

    def __init__(self) -> None:
        self.moment = NOW

    def __call__(self) -> datetime:
        """The moment, one second after the one told before."""
        self.moment += timedelta(seconds=1)
        return self.moment


@dataclass(frozen=True)
class Asking:
    """One emulator, and a client that holds its key."""

    emulator: Emulator
    client: httpx2.AsyncClient
    runner: asyncio.Runner
    clock: Clock

    def send(self, method: str, path: str, params: Any = None, *, json: Any = None, **more: Any) -> httpx2.Response:
        """Send one request to *path* below the base URL."""
        if json is not None:
            more["json"] = json
        return self.runner.run(self.client.request(method, path.lstrip("/"), params=params, **more))

    def get(self, path: str, params: Any = None, **more: Any) -> Any:
        """The JSON of a GET, which has to succeed."""
        return _success(self.send("GET", path, params, **more))

    def post(self, path: str, json: Any, **more: Any) -> Any:
        """The JSON of a POST with a JSON body, which has to succeed."""
        return _success(self.send("POST", path, json=json, **more))

    def delete(self, path: str, params: Any) -> Any:
        """The JSON of a DELETE, which has to succeed."""
        return _success(self.send("DELETE", path, params))

    def pages(self, path: str, params: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """Every page of a list, by cursor."""
        asked = dict(params or {})
        while True:
            page = self.get(path, asked)
            yield page
            cursor = page["pagination"].get("next_page_cursor")
            if cursor is None:
                return
            asked["page_cursor"] = cursor

    def rows(self, path: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Every row of a list, by cursor."""
        return [row for page in self.pages(path, {"page_length": 1000, **(params or {})}) for row in page["items"]]

    def uuids(self, path: str, params: Mapping[str, Any] | None = None) -> list[str]:
        """The uuid of every row of a list, by cursor."""
        return [row["uuid"] for row in self.rows(path, params)]


def _success(response: httpx2.Response) -> Any:
    assert response.is_success, (response.status_code, response.text)
    return response.json()


@contextmanager
def asking(
    *,
    rows: int = 60,
    seed: int = 7,
    faults: Sequence[str] = (),
    quirks: Mapping[str, str] | None = None,
    clock_s: Callable[[], float] = lambda: 0.0,
    limited: bool = False,
    **more: Any,
) -> Iterator[Asking]:
    """An emulator of Refiner without limits on requests, unless it is to be *limited*."""
    clock = Clock()
    free = {} if limited else {"limit_key": "0", "limit_user": "0"}
    emulator = create_emulator(
        "refiner",
        rows=rows,
        seed=seed,
        faults=faults,
        quirks={**free, **(quirks or {})},
        now=clock,
        clock_s=clock_s,
        **more,
    )
    client = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=emulator.app),
        base_url=f"http://emulator{emulator.base_path}",
        headers={"Authorization": f"Bearer {emulator.key}"},
    )
    with asyncio.Runner() as runner:
        try:
            yield Asking(emulator=emulator, client=client, runner=runner, clock=clock)
        finally:
            runner.run(client.aclose())
            emulator.close()
