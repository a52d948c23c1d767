"""Pacing: no request leaves before every limit of the vendor has room for it, whichever process asks.

Which budgets a call draws on is decided here; the ledger counts them. pyrate-limiter's SQLite bucket would serve
neither: it reads and writes in two transactions, so that processes together get more than the limit, and has a table
and a look at every row of the window for each budget.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, TypeAlias

from feedloom.catalogue import Endpoint, Limit, Vendor
from feedloom.errors import RateLimitedError
from feedloom.http.auth import Key
from feedloom.http.ledger import Budget, Ledger, Ticket, shared_ledger, state_path

LONGEST_WAIT_S: Final = 900.0


@dataclass(frozen=True, slots=True)
class Wait:
    """A call has to wait: for how long, and for which limit; *is_pause* where the vendor asked for it."""

    limit: Limit
    seconds: float
    is_pause: bool = False

    @property
    def reason(self) -> str:
        """What it waits for, in words that a progress bar shows."""
        return "the vendor asked for a pause" if self.is_pause else f"the limit {self.limit.name!r}"


class Limits:
    """All limits of one key, for every client, thread and event loop that uses it, and every process with its ledger.

    Args:
        limits: What the vendor allows.
        ledger: Counts the requests; None counts them in memory.
        owner: Whose limits they are, in words and digests that may stand in a file.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        limits: tuple[Limit, ...],
        *,
        ledger: Ledger | None = None,
        owner: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger = Ledger() if ledger is None else ledger
        self._owner = owner
        self._clock = clock
        self._of_key = tuple(self._budget(limit, owner) for limit in limits if limit.per == "key")
        self._per_user = tuple(limit for limit in limits if limit.per == "user")
        self._limits = {limit.name: limit for limit in limits}

    def take(self, endpoint: Endpoint, values: Mapping[str, Any]) -> Ticket | Wait:
        """Count a call with these *values* against all its limits, or against none: then it has to wait.

        Who gets a ticket gives it back with ``settle`` when the call is over.
        """
        found = self._ledger.take(self._budgets(endpoint, values), self._now_ms())
        if isinstance(found, Ticket):
            return found
        return Wait(self._limits[found.budget.limit], found.wait_ms / 1000, is_pause=found.is_pause)

    def settle(self, ticket: Ticket) -> None:
        """The call is over, answered or not."""
        self._ledger.settle(ticket, self._now_ms())

    def pause(self, endpoint: Endpoint, values: Mapping[str, Any], seconds: float) -> None:
        """The vendor refused a call with these *values* and wants none like it for so many *seconds*.

        A call that counts against a user holds back those of the same user, any other every call of the key. An hour
        is the most that is kept: then one call finds out whether the vendor still refuses.
        """
        budgets = self._budgets_of_user(endpoint, values) or self._of_key
        now_ms = self._now_ms()
        for budget in budgets:
            self._ledger.pause(budget, now_ms + math.ceil(seconds * 1000), now_ms)

    async def acquire(
        self,
        endpoint: Endpoint,
        values: Mapping[str, Any],
        *,
        sleep: Callable[[float], Awaitable[object]],
        on_wait: Callable[[str, float], None],
    ) -> Ticket:
        """The ticket of a call with these *values*, when it may leave.

        Raises RateLimitedError rather than wait longer than 15 minutes in all.
        """
        waited_s = 0.0
        while isinstance(found := self.take(endpoint, values), Wait):
            if waited_s + found.seconds > LONGEST_WAIT_S:
                raise _used_up(endpoint, found)
            on_wait(found.reason, found.seconds)
            await sleep(found.seconds)
            waited_s += found.seconds
        return found

    def _budgets(self, endpoint: Endpoint, values: Mapping[str, Any]) -> tuple[Budget, ...]:
        return (*self._of_key, *self._budgets_of_user(endpoint, values))

    def _budgets_of_user(self, endpoint: Endpoint, values: Mapping[str, Any]) -> tuple[Budget, ...]:
        """One for each limit per user, where the call counts against one; the first parameter given names the user."""
        if not endpoint.per_user:
            return ()
        budgets = []
        for limit in self._per_user:
            name = next((name for name in limit.user_params if values.get(name) is not None), None)
            if name is not None:
                who = _fingerprint(f"{name}={values[name]}", self._ledger.salt)
                budgets.append(self._budget(limit, f"{self._owner}:{who}"))
        return tuple(budgets)

    def _budget(self, limit: Limit, owner: str) -> Budget:
        return Budget(owner=owner, limit=limit.name, requests=limit.requests, window_ms=limit.seconds * 1000)

    def _now_ms(self) -> int:
        return round(self._clock() * 1000)


def limits_of(vendor: Vendor, key: Key, *, host: str) -> Limits:
    """The limits of the key at *host*, shared by all that call there with it, in this process and others.

    The same key at another host, such as an emulator's, has limits of its own.
    """
    secret = blake2b(key.value.encode(), digest_size=16).digest()
    place = (os.getpid(), str(state_path()))
    identity = (place, vendor.slug, vendor.limits, host, secret)
    with _shared_lock:
        if identity not in _shared:
            if place not in _ledgers:
                _ledgers[place] = shared_ledger()
            ledger = _ledgers[place]
            owner = f"{vendor.slug}:{_fingerprint(f'{host} {key.value}', ledger.salt)}"
            _shared[identity] = Limits(vendor.limits, ledger=ledger, owner=owner)
        return _shared[identity]


_Place: TypeAlias = tuple[int, str]
"""A process and its state folder; a connection that a fork brought along is left alone."""

_shared: dict[tuple[_Place, str, tuple[Limit, ...], str, bytes], Limits] = {}
_ledgers: dict[_Place, Ledger] = {}
_shared_lock = threading.Lock()


def _fingerprint(secret: str, salt: bytes) -> str:
    """Names *secret* without giving it away: keyed with the ledger's own salt, so that no other file has the same."""
    return blake2b(secret.encode(), key=salt, digest_size=16).hexdigest()


def _used_up(endpoint: Endpoint, wait: Wait) -> RateLimitedError:
    limit = wait.limit
    why = f"the limit {limit.name!r} of {limit.requests:,} requests in {limit.seconds:,} s is used up"
    if wait.is_pause:
        why = "the vendor asked for a pause, when it refused a call with this key because of a rate limit"
    hint = f"Run it again in {wait.seconds:.0f} s, or lower the number of calls."
    return RateLimitedError(
        f"{endpoint.name} was not called: {why}", hint=hint, where=endpoint.name, retry_after_s=wait.seconds
    )
