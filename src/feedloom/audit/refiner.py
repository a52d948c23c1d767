"""Refiner's own figures against the database: ``GET /reporting`` and the counters of surveys.

Source: refiner-notes, Reporting and Forms. Whether reports count unfinished responses is not known, nor whether several
choices joined to one text are taken apart: each rule is tried, and the one that explains most figures is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeAlias

from dlt.dataset import Dataset

from feedloom.audit.asking import all_of
from feedloom.audit.checks import Check, Verdict, request_of
from feedloom.audit.counting import Evidence, newer_checks
from feedloom.audit.reports import (
    COUNT,
    KINDS,
    RULES,
    USUAL,
    Figures,
    Kind,
    best_rule,
    distance,
    suits,
    taken_apart,
    wrong_score,
)
from feedloom.audit.subject import Subject
from feedloom.feedback import Selection, answered_questions, count_of, read_rows, text_of
from feedloom.feedback.queries import table
from feedloom.feedback.rows import ANSWERS
from feedloom.feedback.selection import Include

_BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Earlier than any survey: without a start the report is about the last seven days."""

_UNEXPLAINED: Final = "no deletion, late row or counting rule that was tried explains it"
_FORMS: Final = "forms"

Place: TypeAlias = tuple[str, str]
"""A survey's uuid and a question's identifier, which is empty for figures of the whole survey."""


async def refiner_checks(subject: Subject, dataset: Dataset, evidence: Evidence) -> list[Check]:
    """The reports and counters that rest on the responses, whose counts brought *evidence* to light.

    Reports that nothing explains are made again, with the responses in mind that came while the audit ran.
    """
    loaded = subject.loaded
    if loaded.through is None:
        return []
    selection = Selection(start=loaded.since or _BEGINNING, end=loaded.through)
    reports = _Reports(subject, dataset, evidence, selection)
    checks = await reports.all_checks()
    if any(check.verdict == "mismatch" for check in checks) and await newer_checks(subject, dataset, evidence):
        checks = await reports.all_checks()
    return [*checks, *(await _counters(subject, dataset, evidence) if loaded.since is None else ())]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """One report beside the same figures here.

    Attributes:
        there: The vendor's figures.
        here: Ours, by rule.
        rule: The rule that explains most reports of the kind.
        corrected: Ours by that rule, without the responses that are known to have been deleted or to have moved on.
        late: How many responses of the survey came late.
    """

    kind: Kind
    there: Figures
    here: Mapping[Include, Figures]
    rule: Include
    corrected: Figures
    late: int


class _Reports:
    """Compares reports with the same figures from the database."""

    def __init__(self, subject: Subject, dataset: Dataset, evidence: Evidence, selection: Selection) -> None:
        self._subject = subject
        self._dataset = dataset
        self._evidence = evidence
        self._selection = selection
        self._names = _form_names(dataset)
        self._endpoint = subject.vendor.endpoint("get_reporting")
        has_answers = ANSWERS in dataset.tables
        self._questions = read_rows(dataset, answered_questions(dataset, selection)) if has_answers else []

    async def all_checks(self) -> list[Check]:
        """A check for each report: of each survey, and of each question where the report is about one.

        The rule that explains most reports of all types is taken for all, so that none is explained by chance.
        """
        reports = {kind.name: await self._reports(kind) for kind in KINDS}
        here = {kind.name: {rule: self._figures(kind, rule) for rule in RULES} for kind in KINDS}
        agreeing = dict.fromkeys(RULES, 0)
        for kind in KINDS:
            for rule, figures in here[kind.name].items():
                agreeing[rule] += sum(
                    kind.read(report) == figures.get(place, kind.nothing)
                    for place, report in reports[kind.name].items()
                )
        rule = best_rule(agreeing)
        checks = []
        for kind in KINDS:
            corrected = self._corrected(kind, rule, here[kind.name][rule])
            for place, report in reports[kind.name].items():
                compared = _Compared(
                    kind=kind,
                    there=kind.read(report),
                    here={name: figures.get(place, kind.nothing) for name, figures in here[kind.name].items()},
                    rule=rule,
                    corrected=corrected.get(place, kind.nothing),
                    late=self._evidence.unseen[place[0]],
                )
                checks.append(self._check(place, report, compared))
        return checks

    async def _reports(self, kind: Kind) -> dict[Place, Mapping[str, Any]]:
        """The vendor's reports of one type."""
        places, asker = list(self._places(kind)), self._subject.asker
        answers = await all_of(asker.answer(self._endpoint, self._params(kind, place)) for place in places)
        return {place: answer or {} for place, answer in zip(places, answers, strict=True)}

    def _places(self, kind: Kind) -> Iterator[Place]:
        if kind is COUNT:
            yield from ((form, "") for form in self._names)
            return
        for question in self._questions:
            if suits(kind, question):
                yield question["form"], question["question"]

    def _params(self, kind: Kind, place: Place) -> dict[str, Any]:
        form, question = place
        params: dict[str, Any] = {
            "type": kind.name,
            "form_uuids": [form],
            "date_range_start": self._selection.start,
            "date_range_end": self._selection.end,
        }
        return params | ({"question_identifiers": [question]} if question else {})

    def _figures(self, kind: Kind, rule: Include, *, without: tuple[str, ...] = ()) -> dict[Place, Figures]:
        """The figures of every place, counted by *rule*."""
        if kind is not COUNT and not self._questions:
            return {}
        selection = replace(self._selection, include=rule, without=without)
        found: dict[Place, Figures] = {}
        for row in read_rows(self._dataset, kind.metric(self._dataset, selection, by=kind.by)):
            place = (row["form"], row.get("question", ""))
            if kind.figures:
                found[place] = {name: int(row[name]) for name in kind.figures}
            else:
                found.setdefault(place, {})[row["value"]] = row["datapoints"]
        return found

    def _corrected(self, kind: Kind, rule: Include, usual: Mapping[Place, Figures]) -> Mapping[Place, Figures]:
        """The figures without what was deleted, or left the range: views by their showing, answers by reception."""

        def without(column: str) -> Mapping[Place, Figures]:
            known = self._evidence.deleted | self._evidence.moved[column]
            return self._figures(kind, rule, without=tuple(sorted(known))) if known else usual

        answered = without("last_data_reception_at")
        if kind is not COUNT:
            return answered
        seen = without("last_shown_at")
        return {
            place: {**answered.get(place, kind.nothing), "views": seen.get(place, kind.nothing)["views"]}
            for place in usual
        }

    def _check(self, place: Place, report: Mapping[str, Any], compared: _Compared) -> Check:
        form, question = place
        kind = compared.kind
        verdict, why = self._judge(compared)
        if verdict != "mismatch" and (wrong := wrong_score(kind, report)):
            verdict, why = "mismatch", wrong
        selection = replace(self._selection, forms=(form,), questions=(question,) if question else ())
        return Check(
            table=self._subject.table.name,
            name=kind.name,
            subject=", ".join(text for text in (self._names.get(form, form), question) if text),
            here=compared.here[USUAL],
            there=compared.there,
            verdict=verdict,
            why=why,
            query=lambda: text_of(self._dataset, kind.metric(self._dataset, selection)),
            request=request_of(self._endpoint, self._params(kind, place)),
        )

    def _judge(self, compared: _Compared) -> tuple[Verdict, str]:
        there = compared.there
        verdict: Verdict = "mismatch"
        why = _UNEXPLAINED
        if there == compared.here[USUAL]:
            verdict, why = "matches", ""
        elif there == compared.corrected != compared.here[compared.rule]:
            verdict = "late data" if any(self._evidence.moved.values()) else "deleted at source"
            why = "the vendor's figures are ours without the responses that were deleted or moved on there"
        elif there == compared.here[compared.rule]:
            verdict, why = "other counting rule", f"the vendor's figures are ours where {RULES[compared.rule]}"
        elif not compared.kind.figures and there == taken_apart(compared.corrected, there):
            verdict, why = "other counting rule", "the vendor takes apart several choices that are joined to one text"
        elif compared.late and distance(there, compared.corrected) <= compared.late:
            verdict, why = "late data", f"{compared.late:,} responses came inside the look-back of the last sync"
        elif compared.kind is not COUNT and not any(there.values()):
            verdict, why = "not checked", f"the vendor makes no {compared.kind.name} of this question"
        return verdict, why


async def _counters(subject: Subject, dataset: Dataset, evidence: Evidence) -> list[Check]:
    """``views_count`` and ``responses_count`` of each survey, as the vendor lists them now, against the rows.

    Surveys that give none have no check.
    """
    forms = subject.vendor.table(_FORMS)
    endpoint = subject.vendor.endpoint(forms.endpoint)
    listed = await subject.asker.rows(endpoint, forms.params) or []
    await newer_checks(subject, dataset, evidence)  # the counters may know of responses that came meanwhile
    here = {
        rule: {
            row["form"]: {"views_count": row["views"], "responses_count": row["responses"]}
            for row in read_rows(dataset, count_of(dataset, Selection(include=rule), by=("form",)))
        }
        for rule in RULES
    }

    def ours(rule: Include, form: Mapping[str, Any], names: Mapping[str, int]) -> Figures:
        return {name: here[rule].get(form["uuid"], {}).get(name, 0) for name in names}

    given = [
        (form, {name: form[name] for name in ("views_count", "responses_count") if isinstance(form.get(name), int)})
        for form in listed
    ]
    rule = best_rule({one: sum(there == ours(one, form, there) for form, there in given) for one in RULES})
    request = request_of(endpoint, forms.params)
    checks = []
    for form, there in given:
        late = len(evidence.newer[form["uuid"]]) + evidence.unseen[form["uuid"]]
        verdict, why = _judge_counters(
            there, ours(USUAL, form, there), ours(rule, form, there), rule, late=late, gone=len(evidence.deleted)
        )
        selection = Selection(forms=(form["uuid"],))
        if there:
            checks.append(
                Check(
                    table=subject.table.name,
                    name="counters",
                    subject=str(form.get("name") or form["uuid"]),
                    here=ours(USUAL, form, there),
                    there=there,
                    verdict=verdict,
                    why=why,
                    query=partial(_count_text, dataset, selection),
                    request=request,
                )
            )
    return checks


def _count_text(dataset: Dataset, selection: Selection) -> str:
    return text_of(dataset, count_of(dataset, selection))


def _judge_counters(
    there: Figures, usual: Figures, ruled: Figures, rule: Include, *, late: int, gone: int
) -> tuple[Verdict, str]:
    """The verdict on the counters of a survey, of which *late* responses came late; *gone* were deleted of any."""
    off = distance(there, ruled)
    if there == usual:
        return "matches", ""
    if off == 0:
        return "other counting rule", f"the vendor's counters are ours where {RULES[rule]}"
    if late and off <= late + gone:
        return "late data", f"{late:,} responses of the survey are newer than the last sync"
    if off <= gone:
        return "deleted at source", "responses were deleted at the source"
    return "mismatch", _UNEXPLAINED


def _form_names(dataset: Dataset) -> dict[str, str]:
    """The surveys by uuid: those that are loaded, and those that responses speak of."""
    names: dict[str, str] = {}
    for name, uuid, title in (("responses", "form__uuid", "form__name"), (_FORMS, "uuid", "name")):
        if name in dataset.tables:
            for row in read_rows(dataset, table(dataset, name, uuid, title).distinct()):
                names[row[uuid]] = row[title] or row[uuid]
    return {uuid: names[uuid] for uuid in sorted(uuid for uuid in names if uuid)}
