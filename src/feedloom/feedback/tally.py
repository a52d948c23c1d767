"""Counts answers by group and by person, as one ibis expression for every score.

A person who answers more than once counts once in each group, with the latest answer, or with every answer; what is
needed to know how far the answers of one person go together comes along as sums over persons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

import ibis
from dlt.dataset import Dataset
from ibis.expr import types as ir

from feedloom.feedback.queries import Table, table
from feedloom.feedback.rows import (
    CONTACT_SEGMENTS,
    CONTACTS,
    counts_as_answered,
    lies_inside,
    number_of,
    selected_answers,
    selected_responses,
)
from feedloom.feedback.selection import Selection

By: TypeAlias = Literal["form", "month", "segment", "trait"]
Repeats: TypeAlias = Literal["latest", "all"]

_COUNTED, _UNFINISHED, _OUTSIDE = "counted", "unfinished", "outside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What whole numbers as answers mean; those that are neither *good* nor *bad* count without a side.

    Zero is an answer like any other. Source: refiner-notes, Responses (NPS 0-10; CSAT -2 to 2).
    """

    lowest: int
    highest: int
    good_from: int
    bad_to: int | None = None


NPS_SCALE: Final = Scale(lowest=0, highest=10, good_from=9, bad_to=6)
CSAT_SCALES: Final[Mapping[int, Scale]] = {
    0: Scale(lowest=-2, highest=2, good_from=1),
    5: Scale(lowest=1, highest=5, good_from=4),
    7: Scale(lowest=1, highest=7, good_from=6),
}
"""Highest answer -> scale; 0 stands for the vendor's own, from -2 to 2, whose 0 is neutral."""
CES_SCALES: Final[Mapping[int, Scale]] = {
    7: Scale(lowest=1, highest=7, good_from=5),
    5: Scale(lowest=1, highest=5, good_from=4),
}
"""Highest answer -> scale; the highest answer is taken for the easiest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """What to count by; ``columns`` are those of ``contacts`` that hold a trait, of which a person has one at most."""

    by: By
    columns: tuple[str, ...] = ()


def tally_scores(
    dataset: Dataset, selection: Selection, scale: Scale, *, grouping: Grouping | None = None, repeats: Repeats
) -> Table:
    """A row for each group, or one row in all, of the answers to the questions of *selection*.

    ``group`` and ``label`` name it; ``answers`` count, by ``persons``, ``good`` and ``bad`` of them; ``unfinished`` and
    ``outside`` (no whole number of the scale) do not. ``squares``, ``products`` and ``sizes`` are sums over persons of
    net squared, net times answers, and answers squared, where net is good less bad. ``highest`` is the highest answer.
    """
    answers = selected_answers(dataset, replace(selection, include="partials"))
    value = answers.value_number
    fits = value.isin(range(scale.lowest, scale.highest + 1))
    bad = ibis.literal(False) if scale.bad_to is None else value <= scale.bad_to
    events = answers.select(
        person=answers.person,
        contact=answers.contact__uuid,
        form=answers.form,
        form_name=answers.form_name,
        moment=answers.last_data_reception_at,
        order=answers.response_uuid,
        place=answers.question,
        state=_state(answers, selection, fits.fill_null(False)),
        good=ibis.ifelse(value >= scale.good_from, 1, 0),
        bad=ibis.ifelse(bad, 1, 0),
        value=value,
    )
    return _tallied(dataset, events, grouping, repeats)


def tally_views(dataset: Dataset, selection: Selection, *, grouping: Grouping | None = None) -> Table:
    """The same of the views that began in the range: ``answers`` are views, ``good`` those that were answered.

    A view and its answer are one row of the vendor's, so that never more is answered than was shown.
    """
    found = selected_responses(dataset, selection)
    found = found.filter(lies_inside(found.last_shown_at, selection))
    is_answered = found.completed_at.notnull()
    if selection.include == "partials":
        is_answered |= found.last_data_reception_at.notnull()
    events = _responses(found, found.last_shown_at, good=is_answered, state=ibis.literal(_COUNTED))
    return _tallied(dataset, events, grouping, "all")


def tally_responses(dataset: Dataset, selection: Selection, *, grouping: Grouping | None = None) -> Table:
    """The same of whole responses with answers: ``answers`` are responses, ``good`` the finished ones."""
    found = selected_responses(dataset, selection)
    found = found.filter(counts_as_answered(found, replace(selection, include="partials")))
    state = _state(found, selection, ibis.literal(True))
    events = _responses(found, found.last_data_reception_at, good=found.completed_at.notnull(), state=state)
    return _tallied(dataset, events, grouping, "all")


def _state(rows: Table, selection: Selection, fits: ir.BooleanValue) -> ir.StringValue:
    """Whether a row counts, and if not, why."""
    left_out = rows.completed_at.isnull() if selection.include == "completed" else ibis.literal(False)
    return ibis.cases((left_out, _UNFINISHED), (~fits, _OUTSIDE), else_=_COUNTED)


def _responses(found: Table, moment: ir.Value, *, good: ir.BooleanValue, state: ir.StringValue) -> Table:
    return found.select(
        person=found.person,
        contact=found.contact__uuid,
        form=found.form,
        form_name=found.form_name,
        moment=moment,
        order=found.uuid,
        place=found.form,
        state=state,
        good=ibis.ifelse(good, 1, 0),
        bad=ibis.literal(0),
        value=ibis.literal(1.0),
    )


def _tallied(dataset: Dataset, events: Table, grouping: Grouping | None, repeats: Repeats) -> Table:
    """*events* counted by person, then by group."""
    grouped = _grouped(dataset, events, grouping)
    keys = ["person"] if grouping is None else ["group", "person"]
    if repeats == "latest":
        same = ibis.window(
            group_by=[*(grouped[key] for key in keys), grouped.state],
            order_by=[grouped.moment.desc(), grouped.order.desc(), grouped.place.desc()],
        )
        ranked = grouped.mutate(rank=ibis.row_number().over(same))
        grouped = ranked.filter((ranked.rank == 0) | (ranked.state != _COUNTED))
    counts = grouped.state == _COUNTED
    label = {} if grouping is None else {"label": grouped.label.max()}
    persons = grouped.group_by(*keys).aggregate(
        **label,
        size=number_of(counts),
        good=number_of(counts & (grouped.good == 1)),
        bad=number_of(counts & (grouped.bad == 1)),
        unfinished=number_of(grouped.state == _UNFINISHED),
        outside=number_of(grouped.state == _OUTSIDE),
        highest=grouped.value.max(where=counts),
    )
    net = persons.good - persons.bad
    sums = {
        "answers": persons.size,
        "good": persons.good,
        "bad": persons.bad,
        "unfinished": persons.unfinished,
        "outside": persons.outside,
        "squares": net * net,
        "products": net * persons.size,
        "sizes": persons.size * persons.size,
    }
    totals = {name: value.sum().fill_null(0) for name, value in sums.items()}
    totals["persons"] = number_of(persons.size > 0)
    totals["highest"] = persons.highest.max()
    if grouping is None:
        return persons.aggregate(**totals)
    return persons.group_by("group").aggregate(label=persons.label.max(), **totals).order_by("group")


def _grouped(dataset: Dataset, events: Table, grouping: Grouping | None) -> Table:
    """*events* with the columns ``group`` and ``label``; one that belongs to several groups comes once for each."""
    match grouping:
        case None:
            return events
        case Grouping(by="form"):
            return events.mutate(group=events.form, label=events.form_name)
        case Grouping(by="month"):
            first = events.moment.truncate("M").date().cast("string")
            return events.mutate(group=first, label=first)
        case Grouping(by="segment"):
            contacts = table(dataset, CONTACTS, "uuid", "_dlt_id")
            inside = table(dataset, CONTACT_SEGMENTS, "uuid", "name", "_dlt_parent_id")
            inside = inside.rename(group="uuid", label="name", parent="_dlt_parent_id")
            joined = contacts.inner_join(inside, contacts._dlt_id == inside.parent)  # noqa: SLF001 - a column of dlt's
            members = joined.select("uuid", "group", "label")
            return events.left_join(members, events.contact == members.uuid)
        case Grouping(columns=columns):
            contacts = table(dataset, CONTACTS, "uuid", *columns)
            value = ibis.coalesce(*(contacts[column].cast("string") for column in columns))
            traits = contacts.select("uuid", group=value)
            joined = events.left_join(traits, events.contact == traits.uuid)
            return joined.mutate(label=joined.group)
    raise AssertionError(grouping)
