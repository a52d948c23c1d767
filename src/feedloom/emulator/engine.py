"""An emulator as one object: built from a vendor's blueprint, used in process or behind a port."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any

from starlette.types import ASGIApp

from feedloom.emulator.app import application
from feedloom.emulator.behaviour import Answer, Behaviour, Blueprint, Settings
from feedloom.emulator.cache import DEFAULT_BYTES, AnswerCache
from feedloom.emulator.door import Door, LimitKept
from feedloom.emulator.faults import FAULTS, Faults
from feedloom.emulator.limits import SlidingWindow
from feedloom.emulator.quirks import LENIENT, Quirk, Quirks, limit_quirk
from feedloom.emulator.request_log import RequestLog
from feedloom.errors import InputError

DEFAULT_ROWS = 20_000
DEFAULT_SEED = 7
_MOST_ROWS = 50_000_000
_VENDORS = "feedloom.vendors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What can be switched on an emulator: names with one sentence each, for help texts."""

    faults: tuple[tuple[str, str], ...]
    quirks: tuple[tuple[str, str], ...]


class Emulator:
    """One emulated environment of a vendor.

    Attributes:
        base_path: What the base URL ends in: ``/v1``.
        requests: The latest requests and their counts.
        faults: The faults that are switched on; ``add("500=3")`` and ``clear()`` work at any time.
        control: Changes to the data that no call of the API can make; each vendor has its own.
    """

    def __init__(self, *, behaviour: Behaviour, door: Door, latency_s: float) -> None:
        self._behaviour = behaviour
        self.base_path = behaviour.url_path
        self.requests = RequestLog()
        self.faults = door.faults
        self.control: Any = behaviour.control
        self._door = door
        self._latency_s = latency_s

    @property
    def key(self) -> str:
        """The API key that works; another one that is put here is the one that works from then on."""
        return self._behaviour.key

    @key.setter
    def key(self, key: str) -> None:
        self._behaviour.key = key

    @cached_property
    def app(self) -> ASGIApp:
        """The emulator as an ASGI application, for a transport in the same process."""
        return application(door=self._door, requests=self.requests, latency_s=self._latency_s)

    def close(self) -> None:
        """Let go of every kept answer; the emulator still works, only slower."""
        self._door.cache.clear()


def create_emulator(
    slug: str,
    *,
    rows: int = DEFAULT_ROWS,
    seed: int = DEFAULT_SEED,
    latency_ms: float = 0,
    faults: Iterable[str] = (),
    quirks: Mapping[str, str] | None = None,
    key: str | None = None,
    now: Callable[[], datetime] | None = None,
    clock_s: Callable[[], float] = time.monotonic,
    cache_bytes: int = DEFAULT_BYTES,
) -> Emulator:
    """An emulator of the vendor *slug*.

    Args:
        slug: The vendor: ``refiner`` or ``aptrinsic``.
        rows: Size of the made-up data, counted in rows of the vendor's largest list; up to 50 million.
        seed: The same seed gives the same data, byte for byte.
        latency_ms: How long every answer waits.
        faults: Faults to start with, each ``NAME[=ARG][@ENDPOINT]``.
        quirks: Quirk -> value, where it is not the default.
        key: The API key that works; one made from the seed when left out.
        now: The time of writes, with zone; the clock of this machine when left out.
        clock_s: Seconds for the rate limits, never running backwards.
        cache_bytes: The most that rendered answers may hold.

    Raises:
        InputError: The vendor, a fault or a quirk does not exist, or a value is out of bounds.
    """
    if not 0 <= rows <= _MOST_ROWS:
        raise InputError(f"An emulator cannot have {rows:,} rows.", hint=f"Give a number from 0 to {_MOST_ROWS:,}.")
    if latency_ms < 0:
        raise InputError(f"A latency of {latency_ms} ms is not possible.", hint="Give 0 or more.")
    blueprint = _blueprint(slug)
    key = key or f"emulator-key-000000000000-seed{seed}"
    values = Quirks(known=_quirks(blueprint), chosen=quirks or {})
    lock = threading.RLock()
    cache: AnswerCache[Answer] = AnswerCache(most_bytes=cache_bytes)
    settings = Settings(rows=rows, seed=seed, key=key, quirks=values, now=now or _utc_now, lock=lock, cache=cache)
    behaviour = blueprint.build(settings)
    door = Door(
        behaviour=behaviour,
        faults=Faults(endpoints=(endpoint.name for endpoint in behaviour.endpoints), specs=faults),
        limits=_limits(blueprint=blueprint, quirks=values, clock_s=clock_s),
        cache=cache,
        lock=lock,
        lenient=bool(values.number(LENIENT.name)),
    )
    return Emulator(behaviour=behaviour, door=door, latency_s=latency_ms / 1000)


def describe(slug: str) -> Description:
    """The faults and quirks of the vendor *slug*; raises InputError when it has no emulator."""
    return Description(
        faults=tuple((kind.name, kind.summary) for kind in FAULTS),
        quirks=tuple(
            (quirk.name, f"{quirk.summary} Takes {quirk.values}; {quirk.default} when left out.")
            for quirk in _quirks(_blueprint(slug))
        ),
    )


def emulated_vendors() -> tuple[str, ...]:
    """The slugs of the vendors that have an emulator, sorted."""
    packages = import_module(_VENDORS).__path__
    return tuple(sorted(found.name for found in iter_modules(packages) if _has_emulator(found.name)))


def _has_emulator(slug: str) -> bool:
    return find_spec(f"{_VENDORS}.{slug}") is not None and find_spec(f"{_VENDORS}.{slug}.emulator") is not None


def _blueprint(slug: str) -> Blueprint:
    if slug not in emulated_vendors():
        raise InputError(f"There is no emulator of {slug!r}.", hint=f"Choose from: {', '.join(emulated_vendors())}.")
    blueprint = import_module(f"{_VENDORS}.{slug}.emulator").BLUEPRINT
    if not isinstance(blueprint, Blueprint):
        raise TypeError(f"{_VENDORS}.{slug}.emulator.BLUEPRINT is no Blueprint")
    return blueprint


def _quirks(blueprint: Blueprint) -> tuple[Quirk, ...]:
    return (*blueprint.quirks, LENIENT, *(limit_quirk(limit) for limit in blueprint.limits))


def _limits(*, blueprint: Blueprint, quirks: Quirks, clock_s: Callable[[], float]) -> tuple[LimitKept, ...]:
    kept = []
    for limit in blueprint.limits:
        requests = quirks.number(limit_quirk(limit).name)
        if requests:
            window = SlidingWindow(requests=requests, seconds=limit.seconds, clock_s=clock_s)
            kept.append(LimitKept(window=window, user_params=limit.user_params))
    return tuple(kept)


def _utc_now() -> datetime:
    return datetime.now(tz=UTC)
