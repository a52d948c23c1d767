"""Waits for asynchronous work only as long as nobody has stopped the run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from feedloom.sources.shaping import StoppedError

Result = TypeVar("Result")

_POLL_S = 0.05
_LAST_ANSWER_S = 1.0
"""What is under way when the run is stopped may still end in this time, as the page at hand does."""


def until_stopped(work: Coroutine[Any, Any, Result], *, stop: threading.Event, what: str) -> Result:
    """The result of *work*; once *stop* is set it has one more second, however long it would wait for the vendor.

    Raises StoppedError with *what* was under way when that second is over, and whatever *work* raises.
    """
    return asyncio.run(_watched(work, stop, what))


async def _watched(work: Coroutine[Any, Any, Result], stop: threading.Event, what: str) -> Result:
    task = asyncio.ensure_future(work)
    left_s = _LAST_ANSWER_S
    while not task.done() and left_s > 0:
        await asyncio.wait([task], timeout=_POLL_S)
        if stop.is_set():
            left_s -= _POLL_S
    if task.done():
        return task.result()
    task.cancel()
    await asyncio.wait([task])
    raise StoppedError(what)
