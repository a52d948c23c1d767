"""Pacing: no request leaves before every limit of the vendor has room for it.

Each limit counts requests in a sliding window. Short windows are kept exactly, by pyrate-limiter's log of moments; a
day would need a million of those, so long ones are counted in slices. The buckets of pyrate-limiter are used without
its ``Limiter``, which cannot take from several buckets at once or not at all, and sleeps inside its lock.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, Protocol, cast

from pyrate_limiter import InMemoryBucket, Rate, RateItem

from feedloom.catalogue import Endpoint, Limit, Vendor
from feedloom.errors import RateLimitedError
from feedloom.http.auth import Key
from feedloom.http.stored import StoredMeter, state_folder

LONG_WINDOW_S: Final = 3600
LONGEST_WAIT_S: Final = 900.0

_SLICES: Final = 1440


class Meter(Protocol):
    """Counts the requests of one limit; what a store shared by several processes has to offer to take its place."""

    def wait_ms(self, now_ms: int) -> int:
        """Milliseconds until the next request fits; 0 when it fits now."""

    def count(self, now_ms: int) -> None:
        """Record a request that fits and is about to leave."""


class ExactMeter:
    """Remembers the moment of each request of the window."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit.requests
        self._bucket = InMemoryBucket([Rate(limit.requests, limit.seconds * 1000)])

    def wait_ms(self, now_ms: int) -> int:
        """Milliseconds until the oldest request that is in the way has left the window; 0 when there is room."""
        self._bucket.leak(now_ms)
        if self._bucket.count() < self._limit:
            return 0
        refused = RateItem("request", now_ms)
        self._bucket.put(refused)
        return cast("int", self._bucket.waiting(refused))

    def count(self, now_ms: int) -> None:
        """Record a request."""
        self._bucket.put(RateItem("request", now_ms))


class SlicedMeter:
    """Counts a long window in 1,440 slices (a day by the minute), in bounded memory.

    A request leaves the window together with its whole slice, so up to one slice late and never early.
    """

    def __init__(self, limit: Limit) -> None:
        self._limit = limit.requests
        self._slice_ms = limit.seconds * 1000 // _SLICES
        self._slices: deque[list[int]] = deque()
        self._counted = 0

    def wait_ms(self, now_ms: int) -> int:
        """Milliseconds until the oldest slice has left the window; 0 when there is room."""
        while self._slices and self._leaves_ms() <= now_ms:
            self._counted -= self._slices.popleft()[1]
        return 0 if self._counted < self._limit else self._leaves_ms() - now_ms

    def count(self, now_ms: int) -> None:
        """Record a request."""
        number = now_ms // self._slice_ms
        if not self._slices or self._slices[-1][0] != number:
            self._slices.append([number, 0])
        self._slices[-1][1] += 1
        self._counted += 1

    def _leaves_ms(self) -> int:
        return (self._slices[0][0] + 1 + _SLICES) * self._slice_ms


def make_meter(limit: Limit) -> Meter:
    """A meter in the memory of this process."""
    return SlicedMeter(limit) if limit.seconds > LONG_WINDOW_S else ExactMeter(limit)


def _lasting_meter(limit: Limit, owner: str) -> Meter:
    """A meter whose count outlives the process where the limit does; in memory where no file can be kept."""
    if limit.seconds <= LONG_WINDOW_S:
        return ExactMeter(limit)
    try:
        return StoredMeter(limit, budget=f"{owner}:{limit.name}", folder=state_folder())
    except (OSError, sqlite3.Error):
        return SlicedMeter(limit)


@dataclass(slots=True)
class _User:
    meter: Meter
    last_ms: int


class Limits:
    """All limits of one key, for every client, thread and event loop of the process that uses it.

    Args:
        limits: What the vendor allows.
        meter: Makes the counter of a limit.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        limits: tuple[Limit, ...],
        *,
        meter: Callable[[Limit], Meter] = make_meter,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = meter
        self._clock = clock
        self._lock = threading.Lock()
        self._keys = [(limit, meter(limit)) for limit in limits if limit.per == "key"]
        self._users = [(limit, OrderedDict[tuple[str, str], _User]()) for limit in limits if limit.per == "user"]

    @property
    def users_remembered(self) -> int:
        """How many users have a counter; those that made no call for a whole window have none."""
        return sum(len(users) for _, users in self._users)

    def take(self, endpoint: Endpoint, values: Mapping[str, Any]) -> tuple[Limit, float] | None:
        """Count a call against all its limits, or against none: then the limit in the way and the seconds to wait."""
        with self._lock:
            now_ms = int(self._clock() * 1000)
            meters = [*self._keys, *self._meters_of_user(endpoint, values, now_ms)]
            waits = [(limit, meter.wait_ms(now_ms)) for limit, meter in meters]
            limit, wait_ms = max(waits, key=lambda wait: wait[1], default=(None, 0))
            if limit is not None and wait_ms > 0:
                return limit, wait_ms / 1000
            for _, meter in meters:
                meter.count(now_ms)
            return None

    async def acquire(
        self,
        endpoint: Endpoint,
        values: Mapping[str, Any],
        *,
        sleep: Callable[[float], Awaitable[object]],
        on_wait: Callable[[str, float], None],
    ) -> None:
        """Return when a call with these *values* may leave.

        Raises RateLimitedError rather than wait longer than 15 minutes in all.
        """
        waited_s = 0.0
        while (wait := self.take(endpoint, values)) is not None:
            limit, wait_s = wait
            if waited_s + wait_s > LONGEST_WAIT_S:
                raise _used_up(endpoint, limit, wait_s)
            on_wait(f"the limit {limit.name!r}", wait_s)
            await sleep(wait_s)
            waited_s += wait_s

    def _meters_of_user(self, endpoint: Endpoint, values: Mapping[str, Any], now_ms: int) -> list[tuple[Limit, Meter]]:
        if not endpoint.per_user:
            return []
        meters = []
        for limit, users in self._users:
            _forget_idle(users, now_ms - limit.seconds * 1000)
            name = next((name for name in limit.user_params if values.get(name) is not None), None)
            if name is not None:
                who = (name, str(values[name]))
                user = users.pop(who, None) or _User(self._make(limit), now_ms)
                user.last_ms = now_ms
                users[who] = user
                meters.append((limit, user.meter))
        return meters


def limits_of(vendor: Vendor, key: Key) -> Limits:
    """The limits of the key, the same ones for every client in this process."""
    identity = (vendor.slug, vendor.limits, blake2b(key.value.encode(), digest_size=16).digest())
    with _shared_lock:
        if identity not in _shared:
            owner = f"{vendor.slug}:{identity[2].hex()}"
            _shared[identity] = Limits(vendor.limits, meter=lambda limit: _lasting_meter(limit, owner))
        return _shared[identity]


_shared: dict[tuple[str, tuple[Limit, ...], bytes], Limits] = {}
_shared_lock = threading.Lock()


def _forget_idle(users: OrderedDict[tuple[str, str], _User], since_ms: int) -> None:
    """Drop the users, longest idle first, that have nothing left in their window."""
    while users and next(iter(users.values())).last_ms < since_ms:
        users.popitem(last=False)


def _used_up(endpoint: Endpoint, limit: Limit, wait_s: float) -> RateLimitedError:
    message = (
        f"{endpoint.name} was not called: the limit {limit.name!r} of {limit.requests:,} requests "
        f"in {limit.seconds:,} s is used up"
    )
    hint = f"Run it again in {wait_s:.0f} s, or lower the number of calls."
    return RateLimitedError(message, hint=hint, where=endpoint.name, retry_after_s=wait_s)
