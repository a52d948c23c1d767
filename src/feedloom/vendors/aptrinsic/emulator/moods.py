"""How content people are over time, so that charts of what they do are worth a look.

Contentment rises over the two years, with a dip after a bad release in the winter of the second; the plans differ. The
contented use exports more and give better scores.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache

from feedloom.emulator.people import Plan
from feedloom.emulator.timeline import DAYS

LEVELS = 100

_DIP_DAY = 430
_DIP_WIDTH_DAYS = 24.0
_DIP_DEPTH = 0.16
_PLAN_MOOD: dict[Plan, float] = {"free": -0.06, "pro": 0.02, "enterprise": 0.08}
_SPREAD = 0.21


@lru_cache(maxsize=4 * DAYS)
def contentment(day: int, plan: Plan) -> int:
    """How content the people of a plan are on a *day* of the history, from 0 to 99."""
    dip = _DIP_DEPTH * math.exp(-(((day - _DIP_DAY) / _DIP_WIDTH_DAYS) ** 2))
    level = 0.70 + 0.10 * day / DAYS - dip + _PLAN_MOOD[plan]
    return min(LEVELS - 1, max(0, round(level * LEVELS)))


@cache
def scores(level: int, low: int, high: int) -> tuple[int, ...]:
    """256 scores between *low* and *high*, equally likely, as people of that contentment give them."""
    wide = high - low
    centre = low + wide * level / LEVELS
    return spread(
        tuple(math.exp(-(((score - centre) / (_SPREAD * wide)) ** 2) / 2) for score in range(low, high + 1)), first=low
    )


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
