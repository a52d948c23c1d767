"""Scores from counts, and how far to trust them: closed formulas, nothing read and nothing kept.

All scores are on their usual scale: NPS from -100 to 100, shares from 0 to 100. Intervals are two-sided, 95 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

Z: Final = 1.959964
"""The normal deviate of a two-sided 95 % interval."""

_ADDED_TO_ALL: Final = 3.0
_ADDED_TO_ENDS: Final = 0.75


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the true score lies with 95 % confidence, both ends included."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """How many answered 9 or 10 (promoters), 7 or 8 (passives) and 0 to 6 (detractors)."""

    promoters: int
    passives: int
    detractors: int

    @property
    def answers(self) -> int:
        """How many answered."""
        return self.promoters + self.passives + self.detractors


def nps(counts: Promotion) -> float | None:
    """Share of promoters minus share of detractors; None without answers."""
    if counts.answers == 0:
        return None
    return 100 * (counts.promoters - counts.detractors) / counts.answers


def nps_interval(counts: Promotion) -> Interval | None:
    """The adjusted Wald interval of the NPS, cut at -100 and 100; None without answers.

    Three answers are added, spread evenly over the ends, which keeps small samples honest; the score itself stays as it
    is. Source: Rocks 2016, The American Statistician.
    """
    if counts.answers == 0:
        return None
    centre, error = _adjusted(counts)
    return Interval(max(-100.0, 100 * (centre - Z * error)), min(100.0, 100 * (centre + Z * error)))


def nps_differs(before: Promotion, after: Promotion) -> bool | None:
    """Whether two NPS of different people lie further apart than chance takes them; None where one has no answers."""
    first, second = nps(before), nps(after)
    if first is None or second is None:
        return None
    error = math.hypot(_adjusted(before)[1], _adjusted(after)[1])
    return abs(first - second) > 100 * Z * error


def share(part: int, answers: int) -> float | None:
    """*part* of *answers* in percent (CSAT: the satisfied; CES: those who found it easy); None without answers."""
    return None if answers == 0 else 100 * part / answers


def share_interval(part: int, answers: int) -> Interval | None:
    """The Wilson interval of a share in percent; None without answers.

    Raises ValueError when *part* is negative or more than *answers*.
    """
    if not 0 <= part <= answers:
        raise ValueError(f"{part} is no part of {answers}")
    if answers == 0:
        return None
    found, squared = part / answers, Z * Z
    centre = found + squared / (2 * answers)
    reach = Z * math.sqrt(found * (1 - found) / answers + squared / (4 * answers * answers))
    scale = 100 / (1 + squared / answers)
    return Interval(max(0.0, (centre - reach) * scale), min(100.0, (centre + reach) * scale))


def _adjusted(counts: Promotion) -> tuple[float, float]:
    """The centre and the standard error of the adjusted NPS, as fractions."""
    answers = counts.answers + _ADDED_TO_ALL
    promoters, detractors = counts.promoters + _ADDED_TO_ENDS, counts.detractors + _ADDED_TO_ENDS
    centre = (promoters - detractors) / answers
    return centre, math.sqrt(((promoters + detractors) / answers - centre * centre) / answers)
