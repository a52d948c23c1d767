"""Survey responses and the reports made from them. Source: refiner-notes, Responses and Reporting."""

from __future__ import annotations

from feedloom.catalogue import Endpoint, Field, Known, Param
from feedloom.vendors.refiner.endpoints_shared import (
    ACCOUNT_DATA,
    ACCOUNT_SHORT,
    BY_CURSOR,
    CONTACT_DATA,
    DATE_RANGE_END,
    DATE_RANGE_START,
    FORM_UUID,
    FORM_UUIDS,
    MESSAGE,
    PAGE,
    PAGE_CURSOR,
    PAGE_LENGTH,
    RESPONSE_DATA,
    SEGMENT_UUID,
    SEGMENT_UUIDS,
    USER_EMAIL,
    USER_ID,
    documented,
    in_body,
    inside,
    moment,
    must,
)

RESPONSE_FIELDS = (
    Field(name="uuid"),
    moment("first_shown_at"),
    moment("last_shown_at", summary="What the date range compares with include=all."),
    Field(name="show_counter", type="integer", summary="How often the survey was displayed."),
    moment("first_data_reception_at", summary="Null for a view without answers."),
    moment("last_data_reception_at", summary="What the date range compares unless include=all."),
    moment("completed_at", summary="Null for partial responses and for views."),
    moment("received_at", summary="Equals completed_at in the vendor's sample, its exact meaning is not documented."),
    moment("dismissed_at"),
    Field(name="form", type="object"),
    Field(name="form.uuid"),
    Field(name="form.name"),
    Field(
        name="data",
        type="map",
        summary="Answers by question identifier, with contextual data, where an empty map may be written as a list.",
    ),
    Field(name="contact", type="object"),
    Field(name="contact.uuid"),
    Field(name="contact.remote_id", nullable=True, summary="Null for anonymous users."),
    Field(name="contact.email", nullable=True),
    Field(name="contact.display_name", nullable=True),
    Field(
        name="contact.attributes", type="map", summary="Attributes as of today, present only with with_attributes=1."
    ),
    Field(name="contact.account", type="object", nullable=True),
    *inside("contact.account", ACCOUNT_SHORT),
    Field(
        name="tags",
        type="list",
        known=Known.ASSUMED,
        summary="Names or objects, shown by two weak sources and absent from the vendor's sample.",
    ),
)

RESPONSE_ENDPOINTS = (
    Endpoint(
        name="list_responses",
        operation_id="listResponses",
        method="GET",
        path="/responses",
        summary="List survey responses and survey views, newest first.",
        source=documented(
            "https://refiner.io/docs/api/#get-responses (anchor cited by PipedreamHQ/pipedream and MindCloud)",
            "segevsh/w6w-apps apps/refiner/actions/response-list.ts",
            "mindcloud-inc/universal-api-reference apis/r/refiner/native-api/actions/list-responses.md",
            "Composio toolkit types, REFINER_GET_RESPONSES",
            "metorial/integrations integrations/refiner/src/lib/client.ts",
            "PipedreamHQ/pipedream components/refiner/sources/new-survey-completion",
            note=(
                "The date range compares last_data_reception_at, with include=all last_shown_at; "
                "by which column newest first is meant is assumed to be the same one. "
                "One adapter writes date_start and date_end, which no document confirms."
            ),
        ),
        params=(
            FORM_UUID,
            FORM_UUIDS,
            SEGMENT_UUID,
            SEGMENT_UUIDS,
            Param(
                name="tag_uuid",
                format="uuid",
                summary="Only responses that carry this tag.",
                known=Known.SEEN_IN_CODE,
            ),
            DATE_RANGE_START,
            DATE_RANGE_END,
            Param(
                name="include",
                default="completed",
                enum=("completed", "partials", "all"),
                summary="Finished surveys, everything with answers, or every view of a survey.",
            ),
            Param(name="search", summary="Matches the contact's own id, Refiner uuid, email or name."),
            Param(
                name="with_attributes",
                type="boolean",
                encoding="flag",
                default=False,
                summary="Adds contact.attributes, which makes the answer much larger.",
            ),
            RESPONSE_DATA,
            CONTACT_DATA,
            ACCOUNT_DATA,
            PAGE,
            PAGE_LENGTH,
            PAGE_CURSOR,
            Param(
                name="date_start",
                summary="Spelling of date_range_start in one third-party adapter.",
                known=Known.ASSUMED,
                deprecated=True,
            ),
            Param(
                name="date_end",
                summary="Spelling of date_range_end in one third-party adapter.",
                known=Known.ASSUMED,
                deprecated=True,
            ),
        ),
        records="items",
        is_list=True,
        paging=BY_CURSOR,
        window=("date_range_start", "date_range_end"),
        fields=RESPONSE_FIELDS,
    ),
    Endpoint(
        name="store_response",
        operation_id="storeResponse",
        method="POST",
        path="/responses",
        summary="Store one survey response for a user.",
        source=documented(
            "https://refiner.io/docs/api/#store-responses (anchor cited by MindCloud)",
            "segevsh/w6w-apps apps/refiner/actions/response-store.ts",
            "metorial/integrations integrations/refiner/src/tools/store-response.ts",
            "mindcloud-inc/universal-api-reference apis/r/refiner/native-api/actions/store-responses.md",
            note="That an unknown user is created is assumed; what a recognised duplicate is answered is not known.",
        ),
        effect="write",
        repeatable=False,
        params=in_body(
            USER_ID,
            USER_EMAIL,
            Param(
                name="uuid",
                format="uuid",
                summary="The uuid Refiner gave the contact, shown by one source only.",
                known=Known.SEEN_IN_CODE,
            ),
            must(Param(name="form_uuid", format="uuid", summary="The survey, which must exist.")),
            Param(name="date", summary="When the answer was given, now when left out."),
            Param(
                name="prevent_duplicates",
                type="boolean",
                default=True,
                summary="False stores an identical response again.",
            ),
            Param(name="tags", encoding="list", maximum=20, summary="Names of tags for the response."),
            Param(name="account", type="object", summary="Account of the user, with its id and traits."),
        ),
        one_of=(("id", "email", "uuid"),),
        open_body=True,
        per_user=True,
        fields=(*MESSAGE, Field(name="uuid", summary="The response.")),
    ),
    Endpoint(
        name="tag_response",
        operation_id="tagResponse",
        method="POST",
        path="/responses/tags",
        summary="Add tags to one response by their names.",
        source=documented(
            "https://refiner.io/docs/api/#tag-responses (anchor cited by MindCloud)",
            "segevsh/w6w-apps apps/refiner/actions/response-tag.ts",
            "metorial/integrations integrations/refiner/src/tools/tag-response.ts",
            "mindcloud-inc/universal-api-reference apis/r/refiner/native-api/actions/tag-responses.md",
            note='Every source says "add"; one page says "updates". That new names become tags is assumed.',
        ),
        effect="write",
        params=in_body(
            must(Param(name="uuid", format="uuid", summary="The response.")),
            must(Param(name="tags", encoding="list", minimum=1, maximum=20, summary="Names of the tags.")),
        ),
        fields=MESSAGE,
    ),
)

REPORT_FIELDS = (
    Field(
        name="data",
        type="map",
        nullable=True,
        summary="Counts by value for ratings and distribution, by the keys below for nps and csat, absent for count.",
    ),
    *(
        Field(name=f"data.{group}", type="integer", nullable=True, summary="Of nps.")
        for group in ("detractors", "passives", "promoters")
    ),
    *(
        Field(name=f"data.{group}", type="integer", nullable=True, summary="Of csat.")
        for group in ("very_unsatisfied", "unsatisfied", "neutral", "satisfied", "very_satisfied")
    ),
    Field(name="count", type="integer", nullable=True, summary="Answers counted by nps, csat and ratings."),
    Field(
        name="nps",
        type="number",
        nullable=True,
        summary="Percent promoters minus percent detractors, whole in the one sample seen.",
    ),
    Field(name="csat", type="number", nullable=True, summary="Positive answers divided by all answers, times 100."),
    Field(name="sum", type="number", nullable=True, summary="Of ratings."),
    Field(name="average", type="number", nullable=True, summary="Of ratings."),
    Field(
        name="datapoints",
        type="integer",
        nullable=True,
        summary="Values counted by distribution, more than responses when several choices are allowed.",
    ),
    Field(name="responses", type="integer", nullable=True, summary="Of distribution and count."),
    Field(name="views", type="integer", nullable=True, summary="Of count."),
    moment("date_range_start", nullable=False),
    moment("date_range_end", nullable=False),
)

REPORTING_ENDPOINTS = (
    Endpoint(
        name="get_reporting",
        operation_id="getReporting",
        method="GET",
        path="/reporting",
        summary="Read one set of survey figures, whose shape depends on the type asked for.",
        source=documented(
            "https://refiner.io/docs/api/#get-reporting (anchor cited by MindCloud)",
            "segevsh/w6w-apps apps/refiner/actions/report-get.ts",
            "Composio toolkit types, REFINER_GET_REPORTING",
            "metorial/integrations integrations/refiner/src/tools/get-reporting.ts",
            "archiewood/fivetran-erds ddl/refiner.sql (five report tables)",
            note=(
                "Without dates the range is the last seven days up to the end of today. "
                "There is no grouping by day or by survey: each slice takes a call. "
                "How csat and average are rounded is not known."
            ),
        ),
        params=(
            must(
                Param(
                    name="type", enum=("nps", "csat", "ratings", "distribution", "count"), summary="The kind of report."
                )
            ),
            Param(
                name="question_identifiers",
                encoding="list",
                summary="Questions to count, when left out every one that suits the type.",
            ),
            FORM_UUIDS,
            SEGMENT_UUIDS,
            Param(name="tag_uuids", encoding="list", format="uuid", summary="Only responses with any of these tags."),
            DATE_RANGE_START,
            DATE_RANGE_END,
            RESPONSE_DATA,
            CONTACT_DATA,
            ACCOUNT_DATA,
        ),
        window=("date_range_start", "date_range_end"),
        fields=REPORT_FIELDS,
    ),
)
