"""How many requests are under way at once: more while the vendor keeps up, half when it does not.

``Concurrency`` decides and touches nothing; ``Gate`` lets as many through as it says.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

FIRST: Final = 8

_SLOWER: Final = 2.0
_SLACK_S: Final = 0.02
_FORGETTING: Final = 0.05


class Concurrency:
    """A number that grows by one with each round of answers and halves with a failure, from 1 to *most*.

    A round is as many answers as the number says. It lets the number grow where its fastest answer took no more than
    twice the smoothed minimum, since one slow endpoint among fast ones says nothing of the vendor. Requests that left
    before the last halving cannot halve it again: they are failures of the same moment. It starts at 8, which no
    vendor minds.

    Args:
        most: Its upper bound, at least 1.
    """

    def __init__(self, *, most: int) -> None:
        self.limit = min(FIRST, most)
        self._most = most
        self._halved_at_s = float("-inf")
        self._answers = 0
        self._fastest_s = float("inf")
        self._usual_s: float | None = None

    def answered(self, *, left_at_s: float, now_s: float) -> None:
        """An answer came at *now_s* to a request that left at *left_at_s*, by any clock that does not run backwards."""
        self._answers += 1
        self._fastest_s = min(self._fastest_s, max(0.0, now_s - left_at_s))
        if self._answers < self.limit:
            return
        if self._keeps_up():
            self.limit = min(self._most, self.limit + 1)
        self._begin_round()

    def failed(self, *, left_at_s: float, now_s: float) -> None:
        """A request that left at *left_at_s* was known at *now_s* to be refused for now, to have failed or got lost."""
        if left_at_s < self._halved_at_s:
            return
        self.limit = max(1, self.limit // 2)
        self._halved_at_s = now_s
        self._begin_round()

    def _keeps_up(self) -> bool:
        """Whether the round was about as fast as usual; remembers how fast it was."""
        if self._usual_s is None:
            self._usual_s = self._fastest_s
        keeps_up = self._fastest_s <= self._usual_s * _SLOWER + _SLACK_S
        faster = self._fastest_s < self._usual_s
        self._usual_s += (self._fastest_s - self._usual_s) * (1.0 if faster else _FORGETTING)
        return keeps_up

    def _begin_round(self) -> None:
        self._answers = 0
        self._fastest_s = float("inf")


class Gate:
    """Lets as many tasks of one event loop through at once as a ``Concurrency`` says, first come, first served."""

    def __init__(self, concurrency: Concurrency) -> None:
        self._concurrency = concurrency
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Waits for a place, which is held inside the ``async with`` block."""
        mine = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        self._admit()
        try:
            await mine
            yield
        finally:
            if not mine.cancelled():
                self._under_way -= 1
            self._admit()

    def _admit(self) -> None:
        while self._waiting and self._under_way < self._concurrency.limit:
            first = self._waiting.popleft()
            if not first.done():
                first.set_result(None)
                self._under_way += 1
