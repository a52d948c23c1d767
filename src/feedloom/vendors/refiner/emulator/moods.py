"""How people feel over time, so that charts of the invented answers are worth a look.

Recommendation rises over the two years with a dip after a bad release in the winter of the second; the plans differ.
Fewer people answer on weekends, in August and around the new year.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache

from feedloom.emulator.people import Plan
from feedloom.emulator.timeline import DAYS, START, START_S

_DAY_S = 86_400
_DIP_DAY = 430
_DIP_WIDTH_DAYS = 32.0
_DIP_DEPTH = 0.28
_PLAN_MOOD: dict[Plan, float] = {"free": -0.06, "pro": 0.02, "enterprise": 0.08}
_SPREAD = 0.21
_STRAY = 0.04
"""Weight of every score, however far from the mood, where the likeliest has 1."""

_LEVELS = 100
_START_WEEKDAY = START.weekday()
_SATURDAY = 5
_WEEKDAYS = 7
_QUIET_MONTHS = {8: 0.8}
_QUIET_NEW_YEAR = 0.6


@lru_cache(maxsize=4 * DAYS)
def mood(day: int, plan: Plan) -> int:
    """The mood of the plan's people on a *day* of the history, from 0 (worst) to 99."""
    progress = day / DAYS
    dip = _DIP_DEPTH * math.exp(-(((day - _DIP_DAY) / _DIP_WIDTH_DAYS) ** 2))
    season = 0.015 * math.sin(2 * math.pi * day / 365)
    level = 0.76 + 0.20 * progress - dip + season + _PLAN_MOOD[plan]
    return min(_LEVELS - 1, max(0, round(level * _LEVELS)))


@cache
def score_table(level: int, low: int, high: int) -> tuple[int, ...]:
    """256 scores between *low* and *high*, equally likely, as people in that mood give them."""
    wide = high - low
    centre = low + wide * level / _LEVELS
    scores = range(low, high + 1)
    weights = [_STRAY + math.exp(-(((score - centre) / (_SPREAD * wide)) ** 2) / 2) for score in scores]
    return spread(tuple(weights), first=low)


@cache
def spread(weights: tuple[float, ...], first: int = 0) -> tuple[int, ...]:
    """256 numbers from *first* on, each as often as its weight says."""
    total = sum(weights)
    table: list[int] = []
    reached = 0.0
    for number, weight in enumerate(weights, start=first):
        reached += weight
        table.extend([number] * (round(256 * reached / total) - len(table)))
    return tuple(table)


def eagerness(moment_s: int) -> float:
    """How readily people answer at *moment_s*: 1.0 on an ordinary working day."""
    day = day_of(moment_s)
    weekend = 0.55 if (_START_WEEKDAY + day) % _WEEKDAYS >= _SATURDAY else 1.0
    return weekend * _season(day)


@lru_cache(maxsize=4 * DAYS)
def _season(day: int) -> float:
    date = START.fromtimestamp(START_S + day * _DAY_S, tz=START.tzinfo).date()
    around_new_year = (date.month == 12 and date.day >= 20) or (date.month == 1 and date.day <= 5)  # noqa: PLR2004 - dates
    return _QUIET_NEW_YEAR if around_new_year else _QUIET_MONTHS.get(date.month, 1.0)


def day_of(moment_s: int) -> int:
    """The day of the history that *moment_s* falls on; negative before it."""
    return (moment_s - START_S) // _DAY_S
