"""Refiner's report types as ibis expressions over the loaded tables, counted the way the vendor counts.

Each makes a table that the destination computes: one row of figures, or a row for each value; *by* makes such rows for
each survey (``form``) and question (``question``) that has some. Answers belong to the
window that holds their last reception, views to the one that holds their last showing. Scores are taken from counts
with ``feedback.scores``, so that every figure can be added up again.

Source: refiner-notes, Reporting; that window is assumed there, and so is whether unfinished responses count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import ibis
from dlt.dataset import Dataset
from ibis.expr import types as ir

from feedloom.errors import InputError
from feedloom.feedback.queries import Table, moment, table
from feedloom.feedback.selection import Selection

_EXACT = 2.0**53
_PROMOTER_FROM, _PASSIVE_FROM, _HIGHEST_NPS = 9, 7, 10
CSAT_VALUES = {"very_unsatisfied": -2, "unsatisfied": -1, "neutral": 0, "satisfied": 1, "very_satisfied": 2}
"""The vendor's name of each group -> the value of its answers. Source: refiner-notes, Responses."""

By: TypeAlias = Literal["form", "question"]

RESPONSES, ANSWERS, TAGS = "responses", "responses__answers", "responses__tags"
CONTACTS, CONTACT_SEGMENTS = "contacts", "contacts__segments"


def nps_of(dataset: Dataset, selection: Selection, *, by: Sequence[By] = ()) -> Table:
    """One row: ``promoters``, ``passives``, ``detractors``, ``count``; whole numbers from 0 to 10 count."""
    answers = _answers(dataset, selection)
    scores = answers.filter(answers.value_number.isin(range(_HIGHEST_NPS + 1)))
    score = scores.value_number
    return scores.aggregate(
        by=[*by],
        promoters=_number_of(score >= _PROMOTER_FROM),
        passives=_number_of((score >= _PASSIVE_FROM) & (score < _PROMOTER_FROM)),
        detractors=_number_of(score < _PASSIVE_FROM),
        count=scores.count(),
    )


def csat_of(dataset: Dataset, selection: Selection, *, by: Sequence[By] = ()) -> Table:
    """One row: the five groups by their names, ``satisfied_count`` (above neutral) and ``count``."""
    answers = _answers(dataset, selection)
    scores = answers.filter(answers.value_number.isin(CSAT_VALUES.values()))
    groups = {name: _number_of(scores.value_number == value) for name, value in CSAT_VALUES.items()}
    return scores.aggregate(
        by=[*by], **groups, satisfied_count=_number_of(scores.value_number > 0), count=scores.count()
    )


def ratings_of(dataset: Dataset, selection: Selection, *, by: Sequence[By] = ()) -> Table:
    """One row: ``count``, ``sum`` and ``average`` of whole numbers; null average without answers."""
    answers = _answers(dataset, selection)
    scores = answers.filter(_is_whole(answers.value_number))
    score = scores.value_number
    return scores.aggregate(by=[*by], count=scores.count(), sum=score.sum().fill_null(0), average=score.mean())


def distribution_of(dataset: Dataset, selection: Selection, *, by: Sequence[By] = ()) -> Table:
    """A row for each value: ``value`` as text and ``datapoints``, how often it was chosen."""
    chosen = _answers(dataset, selection)
    chosen = chosen.filter(chosen.position.notnull())
    values = chosen.group_by(*by, value=chosen.value_text).aggregate(datapoints=chosen.count())
    return values.order_by(*by, "value")


def answered_questions(dataset: Dataset, selection: Selection) -> Table:
    """A row for each survey and question: ``form``, ``question``, and how they were answered.

    ``responses`` answered it, with ``datapoints`` choices of ``distinct_values``; ``scores`` of them are whole numbers,
    from ``lowest`` to ``highest``, and ``others`` neither text nor number.
    """
    answers = _answers(dataset, selection)
    is_score = _is_whole(answers.value_number)
    return (
        answers.group_by("form", "question")
        .aggregate(
            responses=answers.response_uuid.nunique(),
            datapoints=answers.position.count(),
            others=_number_of(answers.value_number.isnull() & ~answers.value_json.startswith('"')),
            distinct_values=answers.value_text.nunique(),
            scores=_number_of(is_score),
            lowest=answers.value_number.min(where=is_score),
            highest=answers.value_number.max(where=is_score),
        )
        .order_by("form", "question")
    )


def count_of(dataset: Dataset, selection: Selection, *, by: Sequence[By] = ()) -> Table:
    """One row: ``responses`` with answers and ``views``."""
    found = _selected(dataset, selection)
    return found.aggregate(
        by=[*by],
        responses=_number_of(_counts_as_answered(found, selection)),
        views=_number_of(_lies_inside(found.last_shown_at, selection)),
    )


def _answers(dataset: Dataset, selection: Selection) -> Table:
    """The answers of the selected responses, a row for each choice; an answer of null is none, and no choice."""
    found = _selected(dataset, selection)
    found = found.filter(_counts_as_answered(found, selection))
    answers = table(
        dataset, ANSWERS, "response_uuid", "question", "position", "value_text", "value_number", "value_json"
    )
    answers = answers.filter((answers.value_json != "null") | (answers.position > 0))
    if selection.questions:
        answers = answers.filter(answers.question.isin(selection.questions))
    return answers.inner_join(found.select("uuid", "form"), answers.response_uuid == found.uuid).drop("uuid")


def _selected(dataset: Dataset, selection: Selection) -> Table:
    """The responses meant, whenever they were shown or answered."""
    found = table(
        dataset,
        RESPONSES,
        "uuid",
        "form__uuid",
        "contact__uuid",
        "last_shown_at",
        "last_data_reception_at",
        "completed_at",
        "_dlt_id",
    ).rename(form="form__uuid")
    if selection.forms:
        found = found.filter(found.form.isin(selection.forms))
    if selection.without:
        found = found.filter(found.uuid.notin(selection.without))
    if selection.segments:
        members = _members(dataset, selection.segments)
        found = found.semi_join(members, found.contact__uuid == members.uuid)
    if selection.tags:
        tagged = _tagged(dataset, selection.tags)
        found = found.semi_join(tagged, found._dlt_id == tagged._dlt_parent_id)  # noqa: SLF001 - a column of dlt's
    return found


def _members(dataset: Dataset, segments: tuple[str, ...]) -> Table:
    contacts = table(dataset, CONTACTS, "uuid", "_dlt_id")
    inside = table(dataset, CONTACT_SEGMENTS, "uuid", "_dlt_parent_id").rename(segment="uuid")
    inside = inside.filter(inside.segment.isin(segments))
    return contacts.semi_join(inside, contacts._dlt_id == inside._dlt_parent_id)  # noqa: SLF001 - columns of dlt's


def _tagged(dataset: Dataset, tags: tuple[str, ...]) -> Table:
    if TAGS not in dataset.tables:
        raise InputError(
            "the responses that were loaded carry no tags",
            hint="Refiner lists tags with responses in some environments only; leave the tag out",
            where=TAGS,
            code="FL233",
        )
    found = table(dataset, TAGS, "value", "_dlt_parent_id")
    return found.filter(found.value.isin(tags))


def _counts_as_answered(found: Table, selection: Selection) -> ir.BooleanValue:
    answered = _lies_inside(found.last_data_reception_at, selection)
    return answered if selection.include == "partials" else answered & found.completed_at.notnull()


def _lies_inside(column: ir.Value, selection: Selection) -> ir.BooleanValue:
    inside = column.notnull()
    if selection.start is not None:
        inside &= column >= moment(selection.start)
    if selection.end is not None:
        inside &= column < moment(selection.end)
    return inside


def _is_whole(number: ir.Value) -> ir.BooleanValue:
    """Whether *number* is whole; one past the exact ones is not, and would overflow where it is rounded."""
    exact = ibis.ifelse(number.abs() < _EXACT, number, ibis.null())
    return exact.notnull() & (exact == exact.floor())


def _number_of(condition: ir.BooleanValue) -> ir.IntegerScalar:
    """How often *condition* holds; 0 where nothing is there to hold it."""
    return ibis.ifelse(condition, 1, 0).sum().fill_null(0)
