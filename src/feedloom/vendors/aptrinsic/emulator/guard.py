"""The guard against the same read twice in a short time. Source: aptrinsic-notes, sections 2 and 10."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from feedloom.emulator.behaviour import Call
from feedloom.vendors.aptrinsic.emulator.refusal import RefusalError

_WITHIN_S = 2.0
_MOST_KEPT = 4_096


class DuplicateGuard:
    """Refuses a call that repeats one let through less than two seconds before, unless it carries a scroll id."""

    def __init__(self, *, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._passed_s: dict[bytes, float] = {}

    def check(self, call: Call) -> None:
        """Refuse *call*, or let it through and remember it."""
        if call.arguments.get("scrollId"):
            return
        now_s = self._clock_s()
        name = orjson.dumps([call.endpoint.name, call.arguments], option=orjson.OPT_SORT_KEYS)
        if now_s - self._passed_s.get(name, now_s - _WITHIN_S) < _WITHIN_S:
            raise RefusalError(status=429, message="Duplicate request blocked. Please wait before retrying")
        if len(self._passed_s) >= _MOST_KEPT:
            self._passed_s = {key: at_s for key, at_s in self._passed_s.items() if now_s - at_s < _WITHIN_S}
        self._passed_s[name] = now_s
