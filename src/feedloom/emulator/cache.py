"""Rendered answers, kept so that a page asked for twice is made once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

DEFAULT_BYTES = 256 * 1024 * 1024


class HasBody(Protocol):
    """What can be kept: something with a body, whose length counts."""

    @property
    def body(self) -> bytes:
        """The bytes that are sent."""


AnswerT = TypeVar("AnswerT", bound=HasBody)


class AnswerCache(Generic[AnswerT]):
    """Answers by request, the least lately used dropped first once their bodies hold more than ``most_bytes``.

    Every answer belongs to one version of the data; the first look under another version empties the cache.
    """

    def __init__(self, *, most_bytes: int = DEFAULT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._version = -1
        self._answers: OrderedDict[Hashable, AnswerT] = OrderedDict()
        self.bytes_held = 0
        self.hits = 0

    def get(self, *, request: Hashable, version: int) -> AnswerT | None:
        """The answer kept for *request* under *version* of the data."""
        if version != self._version:
            self.clear()
            self._version = version
        answer = self._answers.get(request)
        if answer is not None:
            self._answers.move_to_end(request)
            self.hits += 1
        return answer

    def put(self, *, request: Hashable, version: int, answer: AnswerT) -> None:
        """Keep *answer*, unless it alone is larger than the cache or the data have moved on."""
        if version != self._version or len(answer.body) > self._most_bytes or request in self._answers:
            return
        self._answers[request] = answer
        self.bytes_held += len(answer.body)
        while self.bytes_held > self._most_bytes:
            _, dropped = self._answers.popitem(last=False)
            self.bytes_held -= len(dropped.body)

    def clear(self) -> None:
        """Drop everything."""
        self._answers.clear()
        self.bytes_held = 0
