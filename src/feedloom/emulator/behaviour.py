"""What the engine asks of a vendor: a blueprint to build from, and a behaviour that answers calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import RLock
from typing import Any, Literal

import orjson

from feedloom.catalogue import Endpoint, Limit
from feedloom.emulator.arguments import Given
from feedloom.emulator.cache import AnswerCache
from feedloom.emulator.quirks import Quirk, Quirks


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is sent back for one request.

    ``cacheable`` answers depend on nothing but the request and the vendor's data, not on the time of day.
    """

    body: bytes
    status: int = 200
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    cacheable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request that passed every check.

    Attributes:
        endpoint: The operation asked for.
        arguments: Parameter -> value, of the type its description asks for; left out ones are absent.
        extras: The further keys of a body whose keys are open.
        faults: The names of the faults that happen to it.
    """

    endpoint: Endpoint
    arguments: Mapping[str, Any]
    extras: Mapping[str, Any]
    faults: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an emulator of any vendor is built from.

    Attributes:
        rows: Size of the made-up data, counted in rows of the vendor's largest list.
        seed: The same seed gives the same data, byte for byte.
        key: The one API key that works.
        quirks: How the vendor behaves where sources disagree.
        now: The time of writes, with zone.
        lock: Held while the data are read or changed; whoever does so other than through a call takes it first.
        cache: Keeps answers, and parts of answers that a vendor's own keys name.
    """

    rows: int
    seed: int
    key: str
    quirks: Quirks
    now: Callable[[], datetime]
    lock: RLock
    cache: AnswerCache[Answer]


class Behaviour(ABC):
    """A vendor's side of an emulator. Its methods are called one at a time, never from two threads at once.

    Attributes:
        base_path: Where the API starts, without trailing slash; may be empty.
        endpoints: Every operation that is served.
        places: ``merged`` vendors take any input from URL and body alike; with ``apart`` each has its place.
        openapi_file: The vendor's OpenAPI description in YAML.
        key: The one API key that works.
        control: What tests may do to the data that no call of the API can.
        keyless: Names of the operations that ask for no key.
        tells_wait: A refusal because of a limit says in Retry-After how long to wait.
    """

    base_path: str
    endpoints: tuple[Endpoint, ...]
    places: Literal["merged", "apart"]
    openapi_file: Path
    key: str
    control: Any
    keyless: frozenset[str] = frozenset()
    tells_wait: bool = True

    @property
    def url_path(self) -> str:
        """What the URL given to users ends in; not ``base_path`` where the paths of the endpoints hold a version."""
        return self.base_path

    @property
    @abstractmethod
    def version(self) -> int:
        """A number that is another one after each write."""

    @abstractmethod
    def take_key(self, *, headers: Mapping[str, str], given: dict[str, Given]) -> str | None:
        """The key a request carries, removed from *given* when it came as a parameter; header names are lower case."""

    @abstractmethod
    def refuse_key(self, key: str | None) -> Answer | None:
        """The answer to a bad key; None when the key is good."""

    @abstractmethod
    def error(self, *, status: int, message: str) -> Answer:
        """An error in the vendor's own shape."""

    def prepared(self, *, endpoint: Endpoint, given: Mapping[str, Given]) -> Mapping[str, Given]:  # noqa: ARG002 - the usual vendor takes inputs as they come
        """The inputs of a call for *endpoint* as the vendor reads them, before they are checked."""
        return given

    @abstractmethod
    def answer(self, call: Call) -> Answer:
        """Do what *call* asks for."""

    @abstractmethod
    def add_row(self) -> None:
        """Add one row to the vendor's largest list, as its customers do while somebody reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """What ``feedloom.vendors.<slug>.emulator`` offers as ``BLUEPRINT``.

    ``limits`` are those of the emulated vendor, which may be laxer than what a client keeps to.
    """

    title: str
    quirks: tuple[Quirk, ...]
    limits: tuple[Limit, ...]
    build: Callable[[Settings], Behaviour]


def json_answer(value: object, *, status: int = 200, cacheable: bool = False) -> Answer:
    """*value* as a JSON answer; ``orjson.Fragment`` members are taken as they are."""
    return Answer(body=orjson.dumps(value), status=status, cacheable=cacheable)
