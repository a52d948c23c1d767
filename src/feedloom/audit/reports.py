"""The types of report that Refiner makes: what each holds, the same figures here, and which questions it suits.

Source: refiner-notes, Reporting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from feedloom.feedback import count_of, csat_of, distribution_of, nps_of, ratings_of
from feedloom.feedback.metrics import CSAT_VALUES, By
from feedloom.feedback.queries import Table
from feedloom.feedback.scores import Promotion, nps, share
from feedloom.feedback.selection import Include

RULES: Final[Mapping[Include, str]] = {
    "partials": "everything with answers counts, finished or not",
    "completed": "only finished responses count",
}
"""How the vendor may count, likeliest first; which one is not known."""

USUAL: Final[Include] = "partials"

Figures: TypeAlias = dict[str, int]
"""Name -> whole number; of a distribution, value -> how often it was chosen."""

_MOST_VALUES: Final = 30
"""A question with more different values is free text, which no report counts."""

_HIGHEST_NPS: Final = 10

_TOLERANCE: Final = 0.5
"""Scores are rounded, to which place is not known; the counts they are made of are compared exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One type of report.

    Attributes:
        name: The vendor's.
        metric: Makes the same figures here.
        by: What they are grouped by here.
        figures: Names of its figures; empty for a distribution, where they are answers.
    """

    name: str
    metric: Callable[..., Table]
    by: tuple[By, ...] = ("form", "question")
    figures: tuple[str, ...] = ()

    @property
    def nothing(self) -> Figures:
        """The figures where nothing was counted."""
        return dict.fromkeys(self.figures, 0)

    def read(self, report: Mapping[str, Any]) -> Figures:
        """The figures of a report."""
        data = report.get("data") or {}
        if not self.figures:
            return {str(value): int(number) for value, number in data.items() if number}
        return {name: int((data if name in data else report).get(name) or 0) for name in self.figures}


COUNT: Final = Kind(name="count", metric=count_of, by=("form",), figures=("responses", "views"))
KINDS: Final = (
    COUNT,
    Kind(name="nps", metric=nps_of, figures=("promoters", "passives", "detractors", "count")),
    Kind(name="csat", metric=csat_of, figures=(*CSAT_VALUES, "count")),
    Kind(name="ratings", metric=ratings_of, figures=("count", "sum")),
    Kind(name="distribution", metric=distribution_of),
)


def suits(kind: Kind, question: Mapping[str, Any]) -> bool:
    """Whether the answers to a question, a row of ``answered_questions``, are such as *kind* counts.

    How the vendor writes values that are neither texts nor numbers is not known, so a distribution with such is no use.
    """
    if kind.name == "distribution":
        return 0 < int(question["distinct_values"]) <= _MOST_VALUES and not question["others"]
    if not question["scores"] or question["scores"] != question["datapoints"]:
        return False
    low, high = float(question["lowest"]), float(question["highest"])
    if kind.name == "csat":
        return min(CSAT_VALUES.values()) <= low and high <= max(CSAT_VALUES.values())
    return low >= 0 and (kind.name == "ratings" or high <= _HIGHEST_NPS)


def wrong_score(kind: Kind, report: Mapping[str, Any]) -> str:
    """What is wrong with the score that the vendor makes of its own counts; empty when nothing is."""
    figures = kind.read(report)
    expected: float | None = None
    match kind.name:
        case "nps":
            expected = nps(Promotion(**{name: figures[name] for name in ("promoters", "passives", "detractors")}))
        case "csat":
            expected = share(figures["satisfied"] + figures["very_satisfied"], figures["count"])
        case "ratings" if figures["count"]:
            expected = figures["sum"] / figures["count"]
    given = report.get("average" if kind.name == "ratings" else kind.name)
    if expected is None or not isinstance(given, int | float) or abs(given - expected) <= _TOLERANCE:
        return ""
    return f"the vendor says {given:g}, and its own counts make {expected:.1f}"


def best_rule(agreeing: Mapping[Include, int]) -> Include:
    """The rule under which most figures agree; the likeliest of those that explain as many."""
    return max(RULES, key=lambda rule: agreeing[rule])


def taken_apart(figures: Figures, choices: Collection[str]) -> Figures | None:
    """A distribution in which *choices* that are joined to one text count one by one.

    None where a text holds anything but choices, so that nothing is passed over.
    """
    found: Counter[str] = Counter()
    for text, number in figures.items():
        inside = [choice for choice in choices if f", {choice}, " in f", {text}, "]
        if len(", ".join(inside)) != len(text):
            return None
        for choice in inside:
            found[choice] += number
    return dict(found)


def distance(there: Figures, here: Figures) -> int:
    """The largest difference between two figures of the same name."""
    return max((abs(there.get(name, 0) - here.get(name, 0)) for name in {*there, *here}), default=0)
