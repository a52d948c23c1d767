"""Aggregated results, counted by a plain loop over every row: a second opinion on what the lists say.

Source: refiner-notes, Reporting. Assumed: answers belong to the window that holds their last reception, views to the
one that holds their last showing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from feedloom.emulator.moments import iso_text
from feedloom.emulator.timeline import END_S, START_S
from feedloom.vendors.refiner.emulator.environment import Environment
from feedloom.vendors.refiner.emulator.filters import (
    Arguments,
    forms_argument,
    moment_argument,
    response_matcher,
)
from feedloom.vendors.refiner.emulator.records import Response
from feedloom.vendors.refiner.emulator.refusal import bad_request
from feedloom.vendors.refiner.emulator.surveys import SCALES, Question, QuestionKind

_DAY_S = 86_400
_DEFAULT_DAYS = 7
_MONTHS_KEPT = 256
_SUITED: dict[str, tuple[QuestionKind, ...]] = {
    "nps": ("nps",),
    "csat": ("csat",),
    "ratings": ("rating", "ces"),
    "distribution": ("single", "several"),
}
_PROMOTER_FROM, _PASSIVE_FROM = 9, 7
_CSAT_GROUPS = ("very_unsatisfied", "unsatisfied", "neutral", "satisfied", "very_satisfied")


@dataclass(slots=True)
class Tally:
    """Views, responses and answers of one form: per identifier, how often each value was given and by how many."""

    views: int = 0
    responses: int = 0
    values: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    answered: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Count what *other* counted, too."""
        self.views += other.views
        self.responses += other.responses
        for identifier, values in other.values.items():
            self.values[identifier].update(values)
        self.answered.update(other.answered)


_Matches = Callable[[Response], bool]


class Reports:
    """Makes reports; counts of untouched rows are kept per month until something changes."""

    def __init__(self, *, environment: Environment, counts_partials: bool) -> None:
        self._environment = environment
        self._counts_partials = counts_partials
        self._version = -1
        self._months: dict[tuple[int, int], dict[int, Tally]] = {}

    def report(self, arguments: Arguments) -> dict[str, Any]:
        """The report that a call asks for."""
        start_s, end_s, last_s = self._window(arguments)
        forms = forms_argument(environment=self._environment, arguments=arguments)
        total = Tally()
        for form, tally in self._tallies(start_s=start_s, end_s=end_s, arguments=arguments):
            if forms is None or form in forms:
                total.add(tally)
        figures = self._figures(kind=arguments["type"], total=total, arguments=arguments)
        return {**figures, "date_range_start": iso_text(start_s), "date_range_end": iso_text(last_s)}

    def _window(self, arguments: Arguments) -> tuple[int, int, int]:
        """Start, end (exclusive) and the end as it is shown; the last seven days and today when left out."""
        now_s = self._environment.now_s()
        start_s = moment_argument(arguments=arguments, name="date_range_start")
        end_s = moment_argument(arguments=arguments, name="date_range_end")
        tomorrow_s = now_s - now_s % _DAY_S + _DAY_S
        shown_end_s = end_s if end_s is not None else tomorrow_s - 1
        end_s = end_s if end_s is not None else tomorrow_s
        if start_s is None:
            start_s = end_s - end_s % _DAY_S - (_DEFAULT_DAYS + 1) * _DAY_S
        if start_s > end_s:
            raise bad_request("date_range_start lies after date_range_end")
        return start_s, end_s, shown_end_s

    def _tallies(self, *, start_s: int, end_s: int, arguments: Arguments) -> Iterator[tuple[int, Tally]]:
        matches = response_matcher(environment=self._environment, arguments=arguments)
        written = self._environment.responses.written()
        yield from self._counted(written, start_s=start_s, end_s=end_s, matches=matches).items()
        if self._version != self._environment.version:
            self._version = self._environment.version
            self._months.clear()
        for month in _months(max(start_s, START_S), min(end_s, END_S)):
            if matches is not None:
                yield from self._base(*month, matches=matches).items()
                continue
            if month not in self._months:
                if len(self._months) >= _MONTHS_KEPT:
                    self._months.clear()
                self._months[month] = self._base(*month, matches=None)
            yield from self._months[month].items()

    def _base(self, start_s: int, end_s: int, *, matches: _Matches | None) -> dict[int, Tally]:
        world, responses = self._environment.world, self._environment.responses
        first = max(0, world.timeline.first_from(start_s) - 1)
        rows = (
            world.response(row) for row in range(first, world.timeline.first_from(end_s)) if responses.is_untouched(row)
        )
        return self._counted(rows, start_s=start_s, end_s=end_s, matches=matches)

    def _counted(
        self, rows: Iterable[Response], *, start_s: int, end_s: int, matches: _Matches | None
    ) -> dict[int, Tally]:
        tallies: defaultdict[int, Tally] = defaultdict(Tally)
        for response in rows:
            if matches is not None and not matches(response):
                continue
            tally = tallies[response.form]
            if start_s <= response.last_shown_s < end_s:
                tally.views += 1
            counts = response.completed_s is not None or self._counts_partials
            if counts and response.last_data_s is not None and start_s <= response.last_data_s < end_s:
                tally.responses += 1
                self._count_answers(tally, response)
        return tallies

    def _count_answers(self, tally: Tally, response: Response) -> None:
        questions = {question.identifier: question for question in self._environment.forms.all[response.form].questions}
        for identifier, value in response.data.items():
            if value is None:
                continue
            tally.answered[identifier] += 1
            tally.values[identifier].update(_chosen(value, questions.get(identifier)))

    def _figures(self, *, kind: str, total: Tally, arguments: Arguments) -> dict[str, Any]:
        if kind == "count":
            return {"views": total.views, "responses": total.responses}
        identifiers = self._identifiers(kind=kind, arguments=arguments)
        values: Counter[str] = Counter()
        for identifier in identifiers:
            values.update(total.values.get(identifier, {}))
        if kind == "distribution":
            responses = sum(total.answered[identifier] for identifier in identifiers)
            return {"data": dict(values), "datapoints": sum(values.values()), "responses": responses}
        scores = {int(value): number for value, number in values.items() if value.lstrip("-").isdigit()}
        if kind == "nps":
            return _nps(scores)
        return _csat(scores) if kind == "csat" else _ratings(scores, self._highest(identifiers))

    def _identifiers(self, *, kind: str, arguments: Arguments) -> list[str]:
        asked = arguments.get("question_identifiers")
        if asked:
            return list(dict.fromkeys(asked))
        return list(
            dict.fromkeys(question.identifier for question in self._questions() if question.kind in _SUITED[kind])
        )

    def _highest(self, identifiers: Iterable[str]) -> int:
        """The highest score that any of the questions takes."""
        wanted = set(identifiers)
        tops = (
            SCALES[question.kind][1]
            for question in self._questions()
            if question.identifier in wanted and question.kind in SCALES
        )
        return max(tops, default=0)

    def _questions(self) -> Iterator[Question]:
        for form in self._environment.forms.all:
            yield from form.questions


def _chosen(value: Any, question: Question | None) -> list[str]:
    """The single values in one answer; several choices that were joined to one text are taken apart again."""
    if isinstance(value, list):
        return [str(item) for item in value]
    if question is not None and question.kind == "several":
        return [text for text, _ in question.options if f", {text}, " in f", {value}, "]
    return [str(value)]


def _nps(scores: Mapping[int, int]) -> dict[str, Any]:
    low, high = SCALES["nps"]
    valid = {score: number for score, number in scores.items() if low <= score <= high}
    count = sum(valid.values())
    promoters = sum(number for score, number in valid.items() if score >= _PROMOTER_FROM)
    detractors = sum(number for score, number in valid.items() if score < _PASSIVE_FROM)
    return {
        "data": {"detractors": detractors, "passives": count - promoters - detractors, "promoters": promoters},
        "count": count,
        "nps": _rounded(100 * (promoters - detractors), count, places=0),
    }


def _csat(scores: Mapping[int, int]) -> dict[str, Any]:
    low, high = SCALES["csat"]
    groups = {name: scores.get(score, 0) for name, score in zip(_CSAT_GROUPS, range(low, high + 1), strict=True)}
    count = sum(groups.values())
    positive = groups["satisfied"] + groups["very_satisfied"]
    return {"data": groups, "count": count, "csat": _rounded(100 * positive, count, places=0)}


def _ratings(scores: Mapping[int, int], highest: int) -> dict[str, Any]:
    shown = {str(score): scores.get(score, 0) for score in sorted({*range(1, highest + 1), *scores})}
    count = sum(scores.values())
    total = sum(score * number for score, number in scores.items())
    return {"data": shown, "count": count, "sum": total, "average": _rounded(total, count, places=2)}


def _rounded(dividend: int, divisor: int, *, places: int) -> float | None:
    """The quotient, halves rounded away from zero; None when there is nothing to divide by."""
    if divisor == 0:
        return None
    quotient = (Decimal(dividend) / Decimal(divisor)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return float(quotient) if places else int(quotient)


def _months(start_s: int, end_s: int) -> Iterator[tuple[int, int]]:
    """The range cut at the first of each month, in seconds since 1970."""
    while start_s < end_s:
        moment = datetime.fromtimestamp(start_s, tz=UTC)
        following = datetime(moment.year + moment.month // 12, moment.month % 12 + 1, 1, tzinfo=UTC)
        border_s = min(end_s, int(following.timestamp()))
        yield start_s, border_s
        start_s = border_s
