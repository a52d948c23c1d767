"""Parameters, fields, paging and evidence that several operations of Refiner share.

Place of input: Refiner merges URL parameters, form fields and a JSON body on every verb; here GET and DELETE send
theirs in the URL and POST in the body. Source: refiner-notes, Transport, auth, limits.
"""

from __future__ import annotations

from dataclasses import replace

from feedloom.catalogue import CursorPaging, Field, Known, NumberPaging, Param, Source

CHECKED = "2026-10"

PAGE = Param(
    name="page", type="integer", default=1, minimum=1, summary="Number of the page, ignored beside a page cursor."
)
PAGE_LENGTH = Param(
    name="page_length",
    type="integer",
    default=100,
    minimum=1,
    maximum=1000,
    summary="Rows per page, always sent because sources disagree on the default (100 or 50).",
)
PAGE_CURSOR = Param(
    name="page_cursor", summary="The next_page_cursor of the page before, advised above about 10,000 rows."
)
BY_NUMBER = NumberPaging(
    number_param="page",
    first_number=1,
    size_param="page_length",
    size_default=100,
    size_max=1000,
    last_number="pagination.last_page",
    total="pagination.items_count",
)
"""Forms, their history and segments come by page number only. Source: refiner-notes, Pagination."""

BY_CURSOR = CursorPaging(
    cursor_param="page_cursor",
    next="pagination.next_page_cursor",
    size_param="page_length",
    size_default=100,
    size_max=1000,
    total="pagination.items_count",
    number_param="page",
    last_number="pagination.last_page",
)
"""Responses and contacts come by cursor; whether the first page always offers one is not known, so that page numbers
stand by. Source: refiner-notes, Pagination."""

FORM_UUID = Param(name="form_uuid", format="uuid", summary="One survey.")
FORM_UUIDS = Param(name="form_uuids", encoding="list", format="uuid", summary="Several surveys.")
SEGMENT_UUID = Param(name="segment_uuid", format="uuid", summary="Only users who are in this segment today.")
SEGMENT_UUIDS = Param(
    name="segment_uuids", encoding="list", format="uuid", summary="Only users in any of these segments."
)
DATE_RANGE_START = Param(
    name="date_range_start",
    summary="Start, inclusive, as date, date and time, or ISO 8601, in UTC when it names no zone.",
)
DATE_RANGE_END = Param(name="date_range_end", summary="End, exclusive, written like the start.")
RESPONSE_DATA = Param(
    name="response_data",
    type="object",
    encoding="map",
    summary="Answers that all must match, question identifier to value.",
    known=Known.SEEN_IN_CODE,
)
CONTACT_DATA = Param(
    name="contact_data",
    type="object",
    encoding="map",
    summary="Contact traits that all must match.",
    known=Known.SEEN_IN_CODE,
)
ACCOUNT_DATA = Param(
    name="account_data",
    type="object",
    encoding="map",
    summary="Account traits that all must match.",
    known=Known.SEEN_IN_CODE,
)
USER_ID = Param(name="id", summary="The customer's own id of the user, which comes back as remote_id.")
USER_EMAIL = Param(name="email", summary="Email address of the user, which several contacts may share.")
CONTACT_UUID = Param(name="uuid", format="uuid", summary="The uuid Refiner gave the contact.")

MESSAGE = (Field(name="message", summary="A confirmation in words."),)

ACCOUNT_SHORT = (
    Field(name="uuid"),
    Field(name="remote_id", nullable=True, summary="The customer's own id of the account, null when ungrouped."),
    Field(name="display_name", nullable=True),
    Field(name="domain", nullable=True),
)


def documented(*where: str, note: str = "") -> Source:
    """Evidence of an operation that Refiner's reference has a section for."""
    return Source(where=where, checked=CHECKED, known=Known.DOCUMENTED, note=note)


def seen_in_code(*where: str, note: str = "") -> Source:
    """Evidence of an operation that only public code shows."""
    return Source(where=where, checked=CHECKED, known=Known.SEEN_IN_CODE, note=note)


def moment(name: str, *, nullable: bool = True, summary: str = "", known: Known = Known.DOCUMENTED) -> Field:
    """A timestamp field.

    Samples show ``YYYY-MM-DD HH:MM:SS`` on responses and ISO 8601 on contacts and accounts; every field is read either
    way. Source: refiner-notes, Dates and time zones.
    """
    return Field(name=name, type="timestamp", time="iso_or_space", nullable=nullable, summary=summary, known=known)


def inside(parent: str, fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """The same fields one level down, below the path *parent*."""
    return tuple(replace(field, name=f"{parent}.{field.name}") for field in fields)


def in_body(*params: Param) -> tuple[Param, ...]:
    """The same parameters, sent in the body."""
    return tuple(replace(param, place="body") for param in params)


def must(param: Param) -> Param:
    """The same parameter where Refiner refuses the call without it."""
    return replace(param, required=True)
