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
_NO_SPREAD: Final = 1e-12


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


def nps_interval(counts: Promotion, *, worth: float | None = None) -> Interval | None:
    """The adjusted Wald interval of the NPS, cut at -100 and 100; None without answers.

    Three answers are added, spread evenly over the ends, which keeps small samples honest; the score itself stays as it
    is. *worth* is how many independent answers these are worth. Source: Rocks 2016, The American Statistician.
    """
    if counts.answers == 0:
        return None
    centre, error = _adjusted(counts, worth)
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


def share_interval(part: int, answers: int, *, worth: float | None = None) -> Interval | None:
    """The Wilson interval of a share in percent; None without answers.

    *worth* is how many independent answers these are worth. Raises ValueError when *part* is negative or more than
    *answers*.
    """
    if not 0 <= part <= answers:
        raise ValueError(f"{part} is no part of {answers}")
    if answers == 0:
        return None
    found, squared, size = part / answers, Z * Z, worth or answers
    centre = found + squared / (2 * size)
    reach = Z * math.sqrt(found * (1 - found) / size + squared / (4 * size * size))
    scale = 100 / (1 + squared / size)
    return Interval(max(0.0, (centre - reach) * scale), min(100.0, (centre + reach) * scale))


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """Answers of persons who may have answered more than once; the net of a person is good answers less bad ones.

    Attributes:
        answers, persons: How many.
        good, bad: How many of the answers.
        squares: Sum over persons of the net squared.
        products: Sum over persons of the net times the number of answers.
        sizes: Sum over persons of the number of answers squared.
    """

    answers: int
    persons: int
    good: int
    bad: int
    squares: int
    products: int
    sizes: int

    @property
    def worth(self) -> float:
        """How many independent answers these are worth, from 1 to ``answers``; 0 without answers.

        The variance of the mean as it would be if all answers were independent, divided by the one that the spread of
        the persons shows (linearised, with persons as clusters), is by how much they are worth less. Where everybody
        answered alike there is no spread to learn from, and the answers of a person are taken to be one.
        """
        if self.answers in (0, self.persons):
            return float(self.answers)
        if self.persons == 1:
            return 1.0
        mean = (self.good - self.bad) / self.answers
        alone = (self.good + self.bad) / self.answers - mean * mean
        between = self.squares - 2 * mean * self.products + mean * mean * self.sizes
        if alone <= _NO_SPREAD:
            return self.answers * self.answers / self.sizes
        if between <= _NO_SPREAD:
            return float(self.answers)
        together = between * self.persons / (self.persons - 1) / self.answers**2
        return min(float(self.answers), max(1.0, alone / together))


def _adjusted(counts: Promotion, worth: float | None = None) -> tuple[float, float]:
    """The centre and the standard error of the adjusted NPS, as fractions."""
    size = worth or counts.answers
    answers = size + _ADDED_TO_ALL
    promoters = counts.promoters * size / counts.answers + _ADDED_TO_ENDS
    detractors = counts.detractors * size / counts.answers + _ADDED_TO_ENDS
    centre = (promoters - detractors) / answers
    return centre, math.sqrt(((promoters + detractors) / answers - centre * centre) / answers)
