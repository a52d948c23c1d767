"""The measures by name: which rows each counts, what its value is, how sure it is, and the rule in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from dlt.dataset import Dataset

from feedloom.errors import InputError
from feedloom.feedback.queries import Table
from feedloom.feedback.scores import Interval, Promotion, Repeated, nps, nps_interval, share, share_interval
from feedloom.feedback.selection import Include, Selection
from feedloom.feedback.tally import (
    CES_SCALES,
    CSAT_SCALES,
    NPS_SCALE,
    Grouping,
    Repeats,
    Scale,
    tally_responses,
    tally_scores,
    tally_views,
)

Measure: TypeAlias = Literal["nps", "csat", "ces", "response_rate", "counts"]

SCORES: Final = ("nps", "csat", "ces")
"""Measures of the answers to a question; the others are of responses."""

FEWEST: Final = 5
"""Persons below which a score is held back: it says little, and may tell who answered."""

SMALL: Final = 30
"""Persons below which a score is only a hint."""

_FIGURES: Final = ("answers", "persons", "good", "bad", "squares", "products", "sizes")


def scale_of(measure: Measure, highest: int | None) -> Scale:
    """The scale of a score whose *highest* answer is given, or the usual one; InputError for one it does not have."""
    match measure:
        case "nps" if highest is None:
            return NPS_SCALE
        case "csat" if (highest or 0) in CSAT_SCALES:
            return CSAT_SCALES[highest or 0]
        case "ces" if (highest or 7) in CES_SCALES:
            return CES_SCALES[highest or 7]
    raise InputError(
        f"{measure} has no scale that ends at {highest}", hint="leave scale out, or give 5 or 7 for csat and ces",
        code="FL234",
    )  # fmt: skip


def tally(
    dataset: Dataset,
    measure: Measure,
    selection: Selection,
    *,
    scale: Scale | None,
    grouping: Grouping | None,
    repeats: Repeats,
) -> Table:
    """What *measure* is made of: a row for each group, or one in all."""
    if scale is not None:
        return tally_scores(dataset, selection, scale, grouping=grouping, repeats=repeats)
    if measure == "response_rate":
        return tally_views(dataset, selection, grouping=grouping)
    return tally_responses(dataset, selection, grouping=grouping)


def estimate(measure: Measure, row: Mapping[str, Any]) -> dict[str, Any]:
    """``value``, ``interval`` (95 %), ``n``, ``persons``, and what was left out, of one row of a tally.

    NPS is from -100 to 100, shares from 0 to 100, all to one decimal; both are None for fewer than ``FEWEST`` persons,
    and ``sample`` says so. Counts are exact and have no interval.
    """
    counts = {name: int(row[name]) for name in _FIGURES}
    n, persons, good, bad = (counts[name] for name in ("answers", "persons", "good", "bad"))
    found: dict[str, Any] = {"value": n, "interval": None, "n": n, "persons": persons}
    if measure == "counts":
        return found | {"finished": good} | _left_out(row)
    worth = Repeated(**counts).worth
    if measure == "nps":
        promotion = Promotion(promoters=good, passives=n - good - bad, detractors=bad)
        value, interval = nps(promotion), nps_interval(promotion, worth=worth)
        parts = {"promoters": good, "passives": n - good - bad, "detractors": bad}
    else:
        value, interval = share(good, n), share_interval(good, n, worth=worth)
        parts = {"answered" if measure == "response_rate" else "satisfied" if measure == "csat" else "easy": good}
    if persons < FEWEST:
        return found | {"value": None, "sample": f"too few: under {FEWEST} persons"} | _left_out(row)
    caution = {"sample": f"small: under {SMALL} persons"} if persons < SMALL else {}
    return found | {"value": _rounded(value), "interval": _ends(interval)} | parts | caution | _left_out(row)


def rule_of(measure: Measure, *, scale: Scale | None, include: Include, repeats: Repeats) -> str:
    """How *measure* counts, in words."""
    finished = include == "completed"
    whose = "finished responses only" if finished else "all responses with answers, finished or not"
    if measure == "counts":
        return f"Responses with answers; {whose}; dated by the last answer, UTC."
    if measure == "response_rate" or scale is None:
        what = "finished" if finished else "answered, finished or not"
        return f"Percent of views that were {what}; of views and not of invitations; dated by the last view, UTC."
    people = (
        "latest answer per person in each group; a person counts once"
        if repeats == "latest"
        else "every answer; the interval takes the answers of one person together"
    )
    return f"{_meaning(measure, scale)}; {whose}; {people}; dated by the last answer, UTC."


def _meaning(measure: Measure, scale: Scale) -> str:
    everything = f"whole numbers from {scale.lowest} to {scale.highest}"
    good = f"{scale.good_from} to {scale.highest}"
    match measure:
        case "nps":
            return f"Percent of {good} less percent of {scale.lowest} to {scale.bad_to}, of {everything}; 0 counts"
        case "csat":
            neutral = "; 0 is neutral and counts" if scale.lowest < 0 else ""
            return f"Percent of {good} (satisfied), of {everything}{neutral}; no mean"
        case _:
            return f"Percent of {good} (easy), of {everything}; the highest answer is taken for the easiest"


def _left_out(row: Mapping[str, Any]) -> dict[str, Any]:
    """How many answers do not count, and why; nothing where all do."""
    names = {"unfinished": "unfinished", "outside": "outside the scale"}
    found = {words: int(row[name]) for name, words in names.items() if int(row[name])}
    return {"left_out": found} if found else {}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _ends(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [round(interval.low, 1), round(interval.high, 1)]
