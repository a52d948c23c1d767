"""Counts that stand in the lists of forms and segments."""

from __future__ import annotations

from dataclasses import dataclass

from feedloom.vendors.refiner.emulator.environment import Environment
from feedloom.vendors.refiner.emulator.filters import contact_query, response_query
from feedloom.vendors.refiner.emulator.records import Form


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFigures:
    """How often a form was seen and answered, finished or not, and when it was first and last shown."""

    views: int
    responses: int
    first_view_s: int | None
    last_view_s: int | None


def form_figures(*, environment: Environment, form: Form) -> FormFigures:
    """The figures of *form*."""
    listing = environment.responses.by_shown
    seen = response_query(environment=environment, arguments={"form_uuid": form.uuid, "include": "all"})
    answered = response_query(environment=environment, arguments={"form_uuid": form.uuid, "include": "partials"})
    views = listing.count(seen)
    ends = [listing.page(seen, skip=skip, length=1).last_key for skip in (views - 1, 0)] if views else []
    first, last = (key[0] if key is not None else None for key in ends) if ends else (None, None)
    return FormFigures(views=views, responses=listing.count(answered), first_view_s=first, last_view_s=last)


def segment_size(*, environment: Environment, segment: int) -> int:
    """How many contacts are in the segment at that place of the list."""
    contacts = environment.contacts.ordered("first_seen_at")
    query = contact_query(
        environment=environment,
        arguments={"segment_uuid": environment.segment_uuid(segment)},
        seq_at=contacts.seqs.__getitem__,
    )
    return contacts.listing.count(query)
