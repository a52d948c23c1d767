"""Rate limits as the vendor keeps them: so many requests in a sliding window."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

_MOST_SUBJECTS = 10_000


class SlidingWindow:
    """Counts the requests of each subject (a key, a user) in the last ``seconds``; refused requests do not count.

    ``clock_s`` gives seconds that never run backwards.
    """

    def __init__(self, *, requests: int, seconds: int, clock_s: Callable[[], float]) -> None:
        self._requests = requests
        self._seconds = seconds
        self._clock_s = clock_s
        self._times: dict[str, deque[float]] = {}

    def wait_s(self, subject: str) -> int:
        """Whole seconds until *subject* may call again; 0 lets the request through and counts it."""
        now = self._clock_s()
        times = self._times.get(subject)
        if times is None:
            self._forget_idle(now)
            times = self._times[subject] = deque()
        while times and times[0] <= now - self._seconds:
            times.popleft()
        if len(times) >= self._requests:
            return max(1, math.ceil(times[0] + self._seconds - now))
        times.append(now)
        return 0

    def _forget_idle(self, now: float) -> None:
        if len(self._times) < _MOST_SUBJECTS:
            return
        self._times = {
            subject: times for subject, times in self._times.items() if times and times[-1] > now - self._seconds
        }
