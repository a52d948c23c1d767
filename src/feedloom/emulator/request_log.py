"""What an emulator was asked: the latest requests one by one, and counts of all of them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass

MOST_KEPT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRequest:
    """One request below the base path; ``endpoint`` is the operation's name, empty when nothing is there."""

    method: str
    path: str
    query: str
    status: int
    endpoint: str


class RequestLog:
    """Iterates over the latest 10,000 requests, oldest first.

    Attributes:
        total: How many requests came in all.
        by_endpoint: How many each operation got.
        by_status: How many were answered with each status.
    """

    def __init__(self) -> None:
        self._latest: deque[SeenRequest] = deque(maxlen=MOST_KEPT)
        self.total = 0
        self.by_endpoint: Counter[str] = Counter()
        self.by_status: Counter[int] = Counter()

    def __iter__(self) -> Iterator[SeenRequest]:
        return iter(tuple(self._latest))

    def __len__(self) -> int:
        return len(self._latest)

    def __getitem__(self, position: int) -> SeenRequest:
        return self._latest[position]

    def note(self, seen: SeenRequest) -> None:
        """Add one request."""
        self._latest.append(seen)
        self.total += 1
        self.by_endpoint[seen.endpoint] += 1
        self.by_status[seen.status] += 1

    def clear(self) -> None:
        """Forget every request and every count."""
        self._latest.clear()
        self.total = 0
        self.by_endpoint.clear()
        self.by_status.clear()
