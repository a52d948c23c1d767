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

from feedloom.feedback.queries import Table
from feedloom.feedback.rows import counts_as_answered, lies_inside, number_of, selected_answers, selected_responses
from feedloom.feedback.selection import Selection

_EXACT = 2.0**53
_PROMOTER_FROM, _PASSIVE_FROM, _HIGHEST_NPS = 9, 7, 10
CSAT_VALUES = {"very_unsatisfied": -2, "unsatisfied": -1, "neutral": 0, "satisfied": 1, "very_satisfied": 2}
"""The vendor's name of each group -> the value of its answers. Source: refiner-notes, Responses."""

By: TypeAlias = Literal["form", "question"]


def nps_of(dataset: Dataset, selection: Selection, *, by: Sequence[By] = ()) -> Table:
    """One row: ``promoters``, ``passives``, ``detractors``, ``count``; whole numbers from 0 to 10 count."""
    answers = selected_answers(dataset, selection)
    scores = answers.filter(answers.value_number.isin(range(_HIGHEST_NPS + 1)))
    score = scores.value_number
    return scores.aggregate(
        by=[*by],
        promoters=number_of(score >= _PROMOTER_FROM),
        passives=number_of((score >= _PASSIVE_FROM) & (score < _PROMOTER_FROM)),
        detractors=number_of(score < _PASSIVE_FROM),
        count=scores.count(),
    )


def csat_of(dataset: Dataset, selection: Selection, *, by: Sequence[By] = ()) -> Table:
    """One row: the five groups by their names, ``satisfied_count`` (above neutral) and ``count``."""
    answers = selected_answers(dataset, selection)
    scores = answers.filter(answers.value_number.isin(CSAT_VALUES.values()))
    groups = {name: number_of(scores.value_number == value) for name, value in CSAT_VALUES.items()}
    return scores.aggregate(
        by=[*by], **groups, satisfied_count=number_of(scores.value_number > 0), count=scores.count()
    )


def ratings_of(dataset: Dataset, selection: Selection, *, by: Sequence[By] = ()) -> Table:
    """One row: ``count``, ``sum`` and ``average`` of whole numbers; null average without answers."""
    answers = selected_answers(dataset, selection)
    scores = answers.filter(_is_whole(answers.value_number))
    score = scores.value_number
    return scores.aggregate(by=[*by], count=scores.count(), sum=score.sum().fill_null(0), average=score.mean())


def distribution_of(dataset: Dataset, selection: Selection, *, by: Sequence[By] = ()) -> Table:
    """A row for each value: ``value`` as text and ``datapoints``, how often it was chosen."""
    chosen = selected_answers(dataset, selection)
    chosen = chosen.filter(chosen.position.notnull())
    values = chosen.group_by(*by, value=chosen.value_text).aggregate(datapoints=chosen.count())
    return values.order_by(*by, "value")


def answered_questions(dataset: Dataset, selection: Selection) -> Table:
    """A row for each survey and question: ``form``, ``question``, and how they were answered.

    ``responses`` answered it, with ``datapoints`` choices of ``distinct_values``; ``scores`` of them are whole numbers,
    from ``lowest`` to ``highest``, and ``others`` neither text nor number.
    """
    answers = selected_answers(dataset, selection)
    is_score = _is_whole(answers.value_number)
    return (
        answers.group_by("form", "question")
        .aggregate(
            responses=answers.response_uuid.nunique(),
            datapoints=answers.position.count(),
            others=number_of(answers.value_number.isnull() & ~answers.value_json.startswith('"')),
            distinct_values=answers.value_text.nunique(),
            scores=number_of(is_score),
            lowest=answers.value_number.min(where=is_score),
            highest=answers.value_number.max(where=is_score),
        )
        .order_by("form", "question")
    )


def count_of(dataset: Dataset, selection: Selection, *, by: Sequence[By] = ()) -> Table:
    """One row: ``responses`` with answers and ``views``."""
    found = selected_responses(dataset, selection)
    return found.aggregate(
        by=[*by],
        responses=number_of(counts_as_answered(found, selection)),
        views=number_of(lies_inside(found.last_shown_at, selection)),
    )


def _is_whole(number: ir.Value) -> ir.BooleanValue:
    """Whether *number* is whole; one past the exact ones is not, and would overflow where it is rounded."""
    exact = ibis.ifelse(number.abs() < _EXACT, number, ibis.null())
    return exact.notnull() & (exact == exact.floor())
