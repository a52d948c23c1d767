"""The responses that a selection means, and their answers, as ibis expressions that every metric builds on."""

from __future__ import annotations

import ibis
from dlt.dataset import Dataset
from ibis.expr import types as ir

from feedloom.errors import InputError
from feedloom.feedback.queries import Table, moment, table
from feedloom.feedback.selection import Selection

RESPONSES, ANSWERS, TAGS = "responses", "responses__answers", "responses__tags"
CONTACTS, CONTACT_SEGMENTS = "contacts", "contacts__segments"


def selected_answers(dataset: Dataset, selection: Selection) -> Table:
    """The answers of the selected responses, a row for each choice; an answer of null is none, and no choice."""
    found = selected_responses(dataset, selection)
    found = found.filter(counts_as_answered(found, selection))
    answers = table(
        dataset, ANSWERS, "response_uuid", "question", "position", "value_text", "value_number", "value_json"
    )
    answers = answers.filter((answers.value_json != "null") | (answers.position > 0))
    if selection.questions:
        answers = answers.filter(answers.question.isin(selection.questions))
    kept = found.select(
        "uuid", "form", "form_name", "person", "contact__uuid", "last_data_reception_at", "completed_at"
    )
    return answers.inner_join(kept, answers.response_uuid == kept.uuid).drop("uuid")


def selected_responses(dataset: Dataset, selection: Selection) -> Table:
    """The responses meant, whenever they were shown or answered; ``person`` is the response where nobody is known."""
    found = table(
        dataset,
        RESPONSES,
        "uuid",
        "form__uuid",
        "form__name",
        "contact__uuid",
        "last_shown_at",
        "last_data_reception_at",
        "completed_at",
        "_dlt_id",
    ).rename(form="form__uuid", form_name="form__name")
    found = found.mutate(person=ibis.coalesce(found.contact__uuid, found.uuid))
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


def counts_as_answered(found: Table, selection: Selection) -> ir.BooleanValue:
    """Whether a response was answered in the range, and finished where the selection asks for that."""
    answered = lies_inside(found.last_data_reception_at, selection)
    return answered if selection.include == "partials" else answered & found.completed_at.notnull()


def lies_inside(column: ir.Value, selection: Selection) -> ir.BooleanValue:
    """Whether the moment in *column* is known and lies in the range."""
    inside = column.notnull()
    if selection.start is not None:
        inside &= column >= moment(selection.start)
    if selection.end is not None:
        inside &= column < moment(selection.end)
    return inside


def number_of(condition: ir.BooleanValue) -> ir.IntegerScalar:
    """How often *condition* holds; 0 where nothing is there to hold it."""
    return ibis.ifelse(condition, 1, 0).sum().fill_null(0)
