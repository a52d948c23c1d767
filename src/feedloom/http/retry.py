"""When a request that failed is sent again, and how long that waits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from feedloom.catalogue import Endpoint
from feedloom.http.answer import read_date

LONGEST_BACKOFF_S: Final = 60.0
LONGEST_TOTAL_S: Final = 900.0


class Kind(Enum):
    """Ways in which a request fails and may yet succeed."""

    UNSENT = "no connection, so nothing was sent"
    LIMITED = "refused before it was processed, because of a rate limit"
    LOST = "sent, perhaps processed, and no whole answer came"
    BROKEN = "the vendor said that it failed"
    GARBLED = "an answer came that cannot be read"


_NEVER_PROCESSED: Final = frozenset({Kind.UNSENT, Kind.LIMITED})
_PERHAPS_TOO_LARGE: Final = frozenset({Kind.LOST, Kind.BROKEN, Kind.GARBLED})
_FIRST_BACKOFF_S: Final = {Kind.LIMITED: 4.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One request that failed.

    ``reason`` ends the sentence "It failed: ..." and holds no key; ``status`` is None where no answer came;
    ``retry_after_s`` is how long the vendor asked to wait.
    """

    kind: Kind
    reason: str
    status: int | None = None
    retry_after_s: float | None = None


def may_repeat(failure: Failure, endpoint: Endpoint, *, consumes: bool) -> bool:
    """Whether sending the request again can do no harm.

    One that was never processed may always be sent again; another only where the endpoint is repeatable and the request
    does not use up a page of a scroll.
    """
    return failure.kind in _NEVER_PROCESSED or (endpoint.repeatable and not consumes)


def blames_size(failure: Failure) -> bool:
    """Whether the answer may have failed because it was too large or took too long.

    A vendor that asks for time says itself what is wrong, and it is not the size.
    """
    return failure.kind in _PERHAPS_TOO_LARGE and failure.retry_after_s is None


class Patience:
    """How often and how long one call is tried: a number of attempts, and 15 minutes of waiting in all.

    Args:
        attempts: Requests in all, at least 1.
        random: Draws from [0, 1).
    """

    def __init__(self, *, attempts: int, random: Callable[[], float]) -> None:
        self.attempts_made = 0
        self._attempts = attempts
        self._random = random
        self._waited_s = 0.0

    def wait_s(self, failure: Failure) -> float | None:
        """Seconds to wait before the next attempt, or None when there is none; counts one failed attempt.

        As long as the vendor asked for, else a random part of a span that doubles each time (full jitter).
        """
        self.attempts_made += 1
        if self.attempts_made >= self._attempts:
            return None
        wait_s = failure.retry_after_s
        if wait_s is None:
            first_s = _FIRST_BACKOFF_S.get(failure.kind, 1.0)
            wait_s = self._random() * min(LONGEST_BACKOFF_S, first_s * 2 ** (self.attempts_made - 1))
        if self._waited_s + wait_s > LONGEST_TOTAL_S:
            return None
        self._waited_s += wait_s
        return wait_s


def read_retry_after(header: str | None, *, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks to wait after *now*; None when there is none or it makes no sense.

    Takes seconds, also with a fraction, and HTTP dates; a date in the past means at once (RFC 9110, section 10.2.3).
    """
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        moment = read_date(header)
        return None if moment is None else max(0.0, (moment - now).total_seconds())
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
