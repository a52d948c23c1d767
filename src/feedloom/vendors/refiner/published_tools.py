"""Refiner's tools as a published toolkit names them: same slugs, arguments and envelope.

Source: the toolkit's generated types, in which each answer is ``{data, error, successful}``, and the report's fields
stand at the top. The three that write take one identifier, where its schemas let a call have two or none.
"""

from __future__ import annotations

from feedloom.catalogue import Argument, Choice, Tool, WriteTool
from feedloom.vendors.refiner.tools import (
    CONTACT_OPTIONAL,
    CONTACT_STRANGERS,
    FORM_OPTIONAL,
    RESPONSE_OPTIONAL,
    RESPONSE_STRANGERS,
)

_ID = Argument(name="id", nullable=True)
_EMAIL = Argument(name="email", nullable=True)
_UUID = Argument(name="uuid", nullable=True)
_PAGE = Argument(name="page", type="integer", default=1, minimum=1, maximum=1_000_000)
_PAGE_CURSOR = Argument(name="page_cursor", nullable=True)
_PAGE_LENGTH = Argument(name="page_length", type="integer", default=50, minimum=1, maximum=1000)
_START = Argument(name="date_range_start", type="moment", nullable=True)
_END = Argument(name="date_range_end", type="moment", nullable=True)

TOOLS: tuple[Tool, ...] = (
    Tool(
        name="REFINER_GET_ACCOUNT_INFO",
        title="Get account info",
        description="Plan, usage counters and environments of the Refiner account.",
        choices={"": Choice(endpoint="get_account")},
        style="published",
    ),
    Tool(
        name="REFINER_GET_CONTACT",
        title="Get contact",
        description="One contact by exactly one of id, email and uuid.",
        choices={"": Choice(endpoint="get_contact", optional=CONTACT_OPTIONAL, strangers=CONTACT_STRANGERS)},
        arguments=(_EMAIL, _ID, _UUID),
        exactly_one=("id", "email", "uuid"),
        style="published",
    ),
    Tool(
        name="REFINER_GET_CONTACTS",
        title="Get contacts",
        description="A page of contacts.",
        choices={"": Choice(endpoint="list_contacts", optional=CONTACT_OPTIONAL, strangers=CONTACT_STRANGERS)},
        arguments=(
            Argument(name="form_uuid", nullable=True),
            Argument(name="segment_uuid", nullable=True),
            Argument(
                name="order_by",
                default="first_seen_at",
                enum=("first_seen_at", "last_seen_at", "last_form_submission_at"),
            ),
            _PAGE,
            _PAGE_CURSOR,
            _PAGE_LENGTH,
        ),
        style="published",
    ),
    Tool(
        name="REFINER_GET_FORMS",
        title="Get forms",
        description="A page of surveys.",
        choices={
            "": Choice(
                endpoint="list_forms",
                optional=(
                    *FORM_OPTIONAL,
                    "channels",
                    "created_at",
                    "updated_at",
                    "published_at",
                    "archived_at",
                    "first_form_view_at",
                    "last_form_view_at",
                    "responses_count",
                    "views_count",
                ),
            )
        },
        arguments=(
            Argument(name="list", default="all", enum=("all", "published", "drafts", "archived", "all_with_archived")),
            Argument(name="include_config", type="boolean", default=False),
            Argument(name="include_info", type="boolean", default=False),
            _PAGE,
            _PAGE_LENGTH,
        ),
        style="published",
    ),
    Tool(
        name="REFINER_GET_REPORTING",
        title="Get reporting",
        description="Aggregated survey figures of one type.",
        choices={"": Choice(endpoint="get_reporting", strangers=("data",))},
        arguments=(
            Argument(name="type", required=True, enum=("nps", "csat", "ratings", "distribution", "count")),
            _START,
            _END,
            Argument(name="form_uuids", type="texts", nullable=True),
            Argument(name="question_identifiers", type="texts", nullable=True),
            Argument(name="segment_uuids", type="texts", nullable=True),
            Argument(name="tag_uuids", type="texts", nullable=True),
        ),
        style="published_flat",
        null_fields=("data", "count", "nps", "csat", "average", "sum", "datapoints", "responses", "views"),
    ),
    Tool(
        name="REFINER_GET_RESPONSES",
        title="Get survey responses",
        description="A page of survey responses.",
        choices={"": Choice(endpoint="list_responses", optional=RESPONSE_OPTIONAL, strangers=RESPONSE_STRANGERS)},
        arguments=(
            _START,
            _END,
            Argument(name="form_uuid", nullable=True),
            Argument(name="form_uuids", type="texts", nullable=True),
            Argument(name="segment_uuid", nullable=True),
            Argument(name="segment_uuids", type="texts", nullable=True),
            Argument(name="include", default="completed", enum=("completed", "partials", "all")),
            Argument(name="search", nullable=True),
            Argument(name="with_attributes", type="boolean", default=False),
            _PAGE,
            _PAGE_CURSOR,
            _PAGE_LENGTH,
        ),
        style="published",
    ),
    Tool(
        name="REFINER_GET_SEGMENTS",
        title="Get segments",
        description="A page of user segments.",
        choices={"": Choice(endpoint="list_segments")},
        arguments=(_PAGE, _PAGE_LENGTH),
        style="published",
    ),
)
"""``page_cursor`` of segments is left out: other sources page them by number (see ``list_segments``)."""

WRITE_TOOLS: tuple[WriteTool, ...] = (
    WriteTool(
        name="REFINER_DELETE_CONTACT",
        title="Delete contact",
        description="Deletes a contact and all its responses, after a person approves.",
        action="delete_contact",
        arguments=(_EMAIL, _ID, _UUID),
        exactly_one=("id", "email", "uuid"),
        is_destructive=True,
        style="published",
        answer=("message",),
    ),
    WriteTool(
        name="REFINER_TRACK_EVENT",
        title="Track event",
        description="Records an event for a known contact, after a person approves.",
        action="track_event",
        arguments=(
            Argument(name="event", required=True),
            _ID,
            _EMAIL,
        ),
        exactly_one=("id", "email"),
        style="published",
        answer=("message",),
    ),
    WriteTool(
        name="REFINER_UPDATE_CONTACT",
        title="Update contact",
        description="Updates a known contact, after a person approves; never creates one.",
        action="update_contact",
        arguments=(
            _ID,
            _EMAIL,
            Argument(name="attributes", type="map", nullable=True),
            Argument(name="account", type="map", nullable=True),
        ),
        exactly_one=("id", "email"),
        is_destructive=True,
        style="published",
        answer=("contact_uuid", "message"),
    ),
)
