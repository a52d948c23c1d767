"""The tables made from Refiner's lists, and how each is kept up to date.

Source: refiner-notes, "Lists: order and filters" and "Incremental sync".
"""

from __future__ import annotations

from datetime import timedelta

from feedloom.catalogue import (
    Embedded,
    FanOut,
    LongAnswers,
    Parts,
    Pass,
    Questions,
    Revisit,
    Single,
    Slices,
    Table,
    Window,
)

_PARTS = 24
"""Windows of a first load; at 300 ms a page, twenty pages under way use up the vendor's 4,000 requests a minute."""

_ASPECTS = ("text", "type", "scale", "options")
"""What of a question is compared. Source: refiner.openapi, Form.config and FormHistoryEntry: the shape is not promised,
and one unproven example reads form_elements with id, type, text, required and options. No source shows how a scale is
written; a member of that name is compared where there is one."""

_SHOWN = "last_shown_at"
_RECEIVED = "last_data_reception_at"

RESPONSES = Table(
    name="responses",
    endpoint="list_responses",
    summary="Survey responses, partial responses and views, one row each.",
    primary_key=("uuid",),
    window=Window(
        # With include=all the vendor's window compares the last showing, so a view of last month that is answered today
        # is not in today's "all" window: the partials pass, which compares the last reception, finds it.
        passes=(
            Pass(name="all", params={"include": "all"}, column=_SHOWN),
            Pass(name="partials", params={"include": "partials"}, column=_RECEIVED, first=False),
        ),
        style="params",
        time="space",
        look_back=timedelta(days=1),
        parts=_PARTS,
        optional=True,
        # A survey that is shown again moves to that showing. Source: refiner-notes, "Incremental sync".
        moves=True,
    ),
    open_maps=("data", "contact.attributes"),
    long_answers=LongAnswers(name="answers", path="data", keys={"response_uuid": "uuid"}, map_column="question"),
    embedded=(
        Embedded(
            path="contact",
            table="contacts",
            key="uuid",
            fields=(
                "remote_id",
                "email",
                "display_name",
                "account.uuid",
                "account.remote_id",
                "account.display_name",
                "account.domain",
            ),
            param="search",
            is_owner=True,
        ),
        Embedded(path="form", table="forms", key="uuid", fields=("name",), param="form_uuid"),
    ),
    # No call reads one response: it is found among those of its contact. Source: refiner.openapi, search.
    single=Single(endpoint="list_responses", column="contact.uuid", param="search", params={"include": "all"}),
    parts=Parts(period="month", column="form.uuid", param="form_uuid"),
    # Late dismissals, tags and attributes of contacts move no date. Source: refiner-notes, "Incremental sync".
    revisit=Revisit(back=timedelta(days=30), every=timedelta(days=7)),
)

CONTACTS = Table(
    name="contacts",
    endpoint="list_contacts",
    summary="Everybody known to the environment, with attributes, segments and account.",
    primary_key=("uuid",),
    write="replace",
    open_maps=("attributes", "account.attributes"),
    single=Single(endpoint="get_contact", column="uuid", param="uuid"),
)

CONTACT = Table(
    name="contact",
    endpoint="get_contact",
    summary="Single contacts, looked up by id, email or uuid.",
    primary_key=("uuid",),
    open_maps=("attributes", "account.attributes"),
    arguments=("id", "email", "uuid"),
    selected=False,
)

FORMS = Table(
    name="forms",
    endpoint="list_forms",
    summary="Every survey, archived ones too, with its counters and configuration.",
    primary_key=("uuid",),
    write="replace",
    params={"list": "all_with_archived", "include_info": 1, "include_config": 1},
    json_columns=("config",),
    questions=Questions(form="uuid", title="name", path="config.form_elements", key="id", aspects=_ASPECTS),
)

FORM_HISTORY = Table(
    name="form_history",
    endpoint="list_form_history",
    summary="Earlier versions of each survey.",
    primary_key=("form_uuid", "uuid"),
    fan_out=FanOut(table="forms", params={"form_uuid": "uuid"}, carry={"form_uuid": "uuid"}),
    json_columns=("snapshot",),
    questions=Questions(
        form="form_uuid",
        title="snapshot.name",
        path="snapshot.config.form_elements",
        key="id",
        aspects=_ASPECTS,
        moment="created_at",
    ),
)

SEGMENTS = Table(
    name="segments",
    endpoint="list_segments",
    summary="The user segments of the environment.",
    primary_key=("uuid",),
    write="replace",
)

ACCOUNT = Table(
    name="account",
    endpoint="get_account",
    summary="The plan and its usage counters, one row a run, kept as history.",
    write="append",
    read_at="read_at",
)

REPORTING = Table(
    name="reporting",
    endpoint="get_reporting",
    summary="The vendor's own figures for each report type, survey and month.",
    primary_key=("report_type", "form_uuid", "month"),
    fan_out=FanOut(table="forms", params={"form_uuids": "uuid"}, carry={"form_uuid": "uuid"}),
    slices=Slices(
        param="type",
        column="report_type",
        values=("nps", "csat", "ratings", "distribution", "count"),
        since="first_form_view_at",
        until="last_form_view_at",
        trailing_months=2,
    ),
    long_answers=LongAnswers(
        name="values",
        path="data",
        keys={"report_type": "report_type", "form_uuid": "form_uuid", "month": "month"},
        map_column="label",
        instead=True,
    ),
)

TABLES: tuple[Table, ...] = (CONTACTS, FORMS, RESPONSES, SEGMENTS, ACCOUNT, FORM_HISTORY, REPORTING, CONTACT)
