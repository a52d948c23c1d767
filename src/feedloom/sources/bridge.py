"""Lets dlt's plain generators read from asynchronous ones, ahead of their use, in a thread beside."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")

_POLL_S = 0.05
_FULL_S = 0.002
_LAST_ITEM_S = 1.0


def iterate(
    start: Callable[[], AsyncGenerator[Item, None]], *, ahead: int = 4, stop: threading.Event | None = None
) -> Generator[Item, None, None]:
    """What the asynchronous generator made by *start* yields, in its order.

    It runs in an event loop in a thread of its own and gets at most *ahead* items in front of the reader, so that
    fetching goes on while rows are written and memory stays bounded. An error is raised here after the items before it.
    When the reader is closed early, the generator is cancelled and its connections are closed before this returns.
    When *stop* is set, so is it, unless the next item comes within a second: this ends however long the generator would
    wait, and whoever set *stop* knows that it is not complete.
    """
    pump = _Pump(start, ahead, stop or threading.Event())
    thread = threading.Thread(target=lambda: asyncio.run(pump.run()), name="feedloom-fetch", daemon=True)
    thread.start()
    try:
        while not isinstance(item := pump.items.get(), _End):
            yield item
        if item.error is not None and not (pump.gave_up and isinstance(item.error, asyncio.CancelledError)):
            raise item.error
    finally:
        pump.stopped.set()
        thread.join()


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None


class _Pump(Generic[Item]):
    """Moves items from the asynchronous side to the queue that the plain side reads."""

    def __init__(self, start: Callable[[], AsyncGenerator[Item, None]], ahead: int, stop: threading.Event) -> None:
        self.items: queue.Queue[Any] = queue.Queue(maxsize=ahead)
        self.stopped = threading.Event()
        self.gave_up = False
        self._start = start
        self._stop = stop

    async def run(self) -> None:
        task = asyncio.ensure_future(self._move())
        since_stop_s = 0.0
        while not task.done():
            await asyncio.wait([task], timeout=_POLL_S)
            if self._stop.is_set() and self.items.empty():
                since_stop_s += _POLL_S
            if since_stop_s >= _LAST_ITEM_S and not task.done():
                self.gave_up = True
            if self.stopped.is_set() or self.gave_up:
                task.cancel()
        await self._put(_End(asyncio.CancelledError() if task.cancelled() else task.exception()))

    async def _move(self) -> None:
        async with aclosing(self._start()) as source:
            async for item in source:
                await self._put(item)
                if self.stopped.is_set():
                    return

    async def _put(self, item: Any) -> None:
        while not self.stopped.is_set():
            try:
                self.items.put_nowait(item)
            except queue.Full:
                await asyncio.sleep(_FULL_S)
            else:
                return
