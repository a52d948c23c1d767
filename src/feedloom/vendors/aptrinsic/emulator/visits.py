"""Who visits the product, and when: arithmetic in both directions, from which nearly all invented events follow.

Users come in blocks of 20, visits in rounds of 24. Between them, 14 users of a block pay 24 visits, each of which comes
at a lag of its own behind the block's number; the other six users never come. Past the last round the visits start over
from the first, so that all users are known from the beginning.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from functools import cache, lru_cache
from itertools import accumulate
from typing import NamedTuple

from feedloom.emulator.timeline import DAYS, END_S, START, START_S

START_MS = START_S * 1000
END_MS = END_S * 1000
DAY_MS = 86_400_000

BLOCK = 20
ROUND = 24

_HOUR_MS = 3_600_000
_PHASES, _PHASE_STEP = 1_000, 618
"""In each hour the first moment comes another number of thousandths of the way to the second."""

_LONGEST_VISIT_MS = 20 * 60_000
_VISITS_KEPT = 4_096

_GROWTH = 0.8
_WEEKDAYS = (1.0, 1.06, 1.05, 1.0, 0.88, 0.34, 0.3)
_HOURS = (2, 1, 1, 1, 1, 2, 4, 8, 14, 20, 22, 20, 15, 18, 21, 20, 17, 13, 9, 7, 6, 5, 4, 3)
_QUIET_MONTHS = {8: 0.8}
_QUIET_NEW_YEAR = 0.55

_VISITS_OF_PLACE = (1, 0, 2, 1, 0, 1, 4, 0, 1, 1, 0, 2, 1, 0, 1, 1, 5, 1, 2, 0)
"""How often the user at each place of a block comes."""

_PLACE_OF_SLOT = tuple(place for place, visits in enumerate(_VISITS_OF_PLACE) for _ in range(visits))
_SLOTS_OF_PLACE = tuple(tuple(slot for slot in range(ROUND) if _PLACE_OF_SLOT[slot] == place) for place in range(BLOCK))
_GOLDEN = 0.618_034
_LAGS = tuple(slot * _GOLDEN % 1 for slot in range(ROUND))
"""Share of all rounds by which each slot of a round lags behind the block that it belongs to."""


class Rhythm:
    """Spreads ``rows`` moments over the history as busy people do: by working hours, weeks, seasons, and growing."""

    def __init__(self, *, rows: int) -> None:
        self._rows = rows
        self._starts = [int(share * rows) for share in _busyness()]

    def at_ms(self, row: int) -> int:
        """When *row* happens, epoch milliseconds; later than the row before. The end of history for ``rows``."""
        if row >= self._rows:
            return END_MS
        hour = bisect_right(self._starts, row) - 1
        first, following = self._starts[hour], self._starts[hour + 1]
        steps = (row - first) * _PHASES + hour * _PHASE_STEP % _PHASES
        return START_MS + hour * _HOUR_MS + steps * _HOUR_MS // ((following - first) * _PHASES)


class Visit(NamedTuple):
    """One visit of the user at a position; everything that happens in it does so before it is ``length_ms`` old."""

    number: int
    user: int
    start_ms: int
    length_ms: int


class Visits:
    """The visits of ``users`` users, six for each five of them, in order of time; none lasts until the next begins.

    ``visit(number)`` gives the visit with that number; the latest ones are kept.
    """

    def __init__(self, *, users: int) -> None:
        self._users = users
        self._rounds = -(-users // BLOCK)
        self.count = users * 6 // 5
        self._lags = tuple(int(self._rounds * lag) for lag in _LAGS)
        self._rhythm = Rhythm(rows=self.count)
        self.visit = lru_cache(maxsize=_VISITS_KEPT)(self._visit)

    def of_user(self, user: int) -> list[int]:
        """The numbers of the visits of *user*, in order."""
        numbers = []
        for owner in range(user, self._rounds * BLOCK, self._users):
            block, place = divmod(owner, BLOCK)
            numbers += [(block + self._lags[slot]) % self._rounds * ROUND + slot for slot in _SLOTS_OF_PLACE[place]]
        return sorted(number for number in numbers if number < self.count)

    def _visit(self, number: int) -> Visit:
        turn, slot = divmod(number, ROUND)
        owner = (turn - self._lags[slot]) % self._rounds * BLOCK + _PLACE_OF_SLOT[slot]
        start_ms = self._rhythm.at_ms(number)
        length_ms = min(self._rhythm.at_ms(number + 1) - start_ms, _LONGEST_VISIT_MS)
        return Visit(number, owner % self._users, start_ms, length_ms)


def day_of(moment_ms: int) -> int:
    """The day of the history that *moment_ms* falls on; negative before it."""
    return (moment_ms - START_MS) // DAY_MS


@cache
def _busyness() -> tuple[float, ...]:
    """The share of all activity before each hour of the history, and 1 at its end."""
    weights = [_day_weight(day) * hour for day in range(DAYS) for hour in _HOURS]
    reached = list(accumulate(weights))
    return (0.0, *(one / reached[-1] for one in reached))


def _day_weight(day: int) -> float:
    date = START.fromordinal(START.toordinal() + day)
    around_new_year = (date.month == 12 and date.day >= 20) or (date.month == 1 and date.day <= 5)  # noqa: PLR2004 - dates
    season = _QUIET_NEW_YEAR if around_new_year else _QUIET_MONTHS.get(date.month, 1.0)
    wave = 1 + 0.05 * math.sin(2 * math.pi * day / 91)
    return (1 + _GROWTH * day / DAYS) * _WEEKDAYS[date.weekday()] * season * wave
