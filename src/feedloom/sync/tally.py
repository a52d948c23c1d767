"""Counts the requests, pages and waits of a run, by minute too, and passes them on to whoever shows progress."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol, TypeAlias

from feedloom.catalogue import Endpoint
from feedloom.http import Observer, Page


class Progress(Protocol):
    """Whoever shows how far a run is; called from the thread that fetches."""

    def begin(self, table: str) -> None:
        """The reading of *table* begins."""

    def rows(self, table: str, count: int, total: int | None) -> None:
        """*count* more rows of *table* came, of *total* in all where the vendor says so."""

    def wait(self, reason: str, seconds: float) -> None:
        """Nothing is sent for *seconds*, because of *reason*."""

    def end(self, table: str) -> None:
        """The table is loaded."""


class Quiet:
    """Shows nothing."""

    def begin(self, table: str) -> None:
        """Do nothing."""

    def rows(self, table: str, count: int, total: int | None) -> None:
        """Do nothing."""

    def wait(self, reason: str, seconds: float) -> None:
        """Do nothing."""

    def end(self, table: str) -> None:
        """Do nothing."""


Minute: TypeAlias = tuple[datetime, str, int]
"""A minute in UTC, the name of an endpoint and the status of its answers, 0 for none."""


@dataclass(slots=True)
class Requests:
    """Some requests: how many, and how long they took together."""

    requests: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Tally:
    """An observer of the HTTP client that keeps count.

    Attributes:
        progress: Whoever shows it.
        requests: Requests sent, retries included.
        retries: How many of them were retries.
        waited_s: Seconds spent waiting for limits.
        new_key: Where another key was found after the one in use was refused; empty for never.
        minutes: The requests by minute, endpoint and status.
    """

    progress: Progress = field(default_factory=Quiet)
    requests: int = 0
    retries: int = 0
    waited_s: float = 0.0
    new_key: str = ""
    minutes: dict[Minute, Requests] = field(default_factory=dict)
    _table: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, table: str) -> None:
        """Count what follows for *table*."""
        self._table = table
        self.progress.begin(table)

    def end(self, table: str) -> None:
        """The table is loaded."""
        self.progress.end(table)

    def on_request(self, endpoint: Endpoint, status: int | None, seconds: float) -> None:
        """Count a request."""
        minute = datetime.now(UTC).replace(second=0, microsecond=0)
        with self._lock:
            self.requests += 1
            counted = self.minutes.setdefault((minute, endpoint.name, status or 0), Requests())
            counted.requests += 1
            counted.seconds += seconds

    def without_rows(self) -> Observer:
        """The same tally for requests that only ask for a count: they are counted, and their rows are not shown."""
        return _RequestsOnly(self)

    def on_page(self, page: Page) -> None:
        """Pass on the page's rows."""
        self.progress.rows(self._table, len(page), page.total)

    def on_wait(self, reason: str, seconds: float) -> None:
        """Count a wait."""
        with self._lock:
            self.waited_s += seconds
        self.progress.wait(reason, seconds)

    def on_retry(self, endpoint: Endpoint, reason: str, attempt: int) -> None:  # noqa: ARG002 - Observer
        """Count a retry."""
        with self._lock:
            self.retries += 1

    def on_new_key(self, endpoint: Endpoint, origin: str) -> None:  # noqa: ARG002 - Observer
        """Keep where it was found."""
        self.new_key = origin


@dataclass(frozen=True, slots=True)
class _RequestsOnly:
    _tally: Tally

    def on_request(self, endpoint: Endpoint, status: int | None, seconds: float) -> None:
        self._tally.on_request(endpoint, status, seconds)

    def on_page(self, page: Page) -> None:
        pass

    def on_wait(self, reason: str, seconds: float) -> None:
        self._tally.on_wait(reason, seconds)

    def on_retry(self, endpoint: Endpoint, reason: str, attempt: int) -> None:
        self._tally.on_retry(endpoint, reason, attempt)

    def on_new_key(self, endpoint: Endpoint, origin: str) -> None:
        self._tally.on_new_key(endpoint, origin)
