"""Runs a generator ahead of its reader, in a thread beside."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar

Item = TypeVar("Item")

_POLL_S = 0.05


def run_ahead(items: Generator[Item, None, None], *, ahead: int = 1) -> Iterator[Item]:
    """What *items* yields, in its order, made by a thread that is at most *ahead* items in front of the reader.

    An error is raised here after the items before it. When the reader is closed early, so is *items*, before this
    returns.
    """
    handed: queue.Queue[Any] = queue.Queue(maxsize=ahead)
    stopped = threading.Event()
    thread = threading.Thread(target=_fill, args=(items, handed, stopped), name="feedloom-shape", daemon=True)
    thread.start()
    try:
        while not isinstance(item := handed.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stopped.set()
        thread.join()


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None


def _fill(items: Generator[Any, None, None], handed: queue.Queue[Any], stopped: threading.Event) -> None:
    error: BaseException | None = None
    try:
        with closing(items):
            for item in items:
                if not _put(handed, item, stopped):
                    return
    except BaseException as problem:  # noqa: BLE001 - it is raised where the items are read
        error = problem
    _put(handed, _End(error), stopped)


def _put(handed: queue.Queue[Any], item: Any, stopped: threading.Event) -> bool:
    """Hand *item* on; False when nobody reads any more."""
    while not stopped.is_set():
        try:
            handed.put(item, timeout=_POLL_S)
        except queue.Full:
            continue
        return True
    return False
