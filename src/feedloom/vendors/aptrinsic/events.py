"""Gainsight PX events: ten lists of what users did, the survey responses, and the call that records a custom event.

A list read without a date range holds the last day only; a range of more than 190 days is refused.

Source: openapi.yaml, paths below /v1/events and /v1/survey; aptrinsic-notes, sections 1, 3, 4 and 5.
"""

from __future__ import annotations

from feedloom.catalogue import Endpoint, Field, FilterField, Param
from feedloom.vendors.aptrinsic.builders import (
    DATE_RANGE,
    ENVELOPE_NOTE,
    SCROLL_PARAMS,
    USER_TYPES,
    WRITE_ENVELOPE,
    filterable,
    in_body,
    scroll_paging,
    source,
)
from feedloom.vendors.aptrinsic.event_rows import (
    CUSTOM_FIELDS,
    EMAIL_FIELDS,
    ENGAGEMENT_VIEW_FIELDS,
    FEATURE_MATCH_FIELDS,
    FORM_SUBMIT_FIELDS,
    IDENTIFY_FIELDS,
    LEAD_FIELDS,
    PAGE_VIEW_FIELDS,
    SEGMENT_MATCH_FIELDS,
    SESSION_FIELDS,
)

_BY_ACCOUNT_AND_DATE = ("accountId", "date")
_BY_DATE = ("date",)
_USER_ID_EXACTLY = FilterField(name="identifyId", operators=("==",))

_DATE_RANGE_AS_TEXT = (
    Param(name="dateRangeStart", summary="Start, epoch milliseconds as text; documented for no other list of events."),
    Param(name="dateRangeEnd", summary="End, epoch milliseconds as text."),
)


def _event_list(
    *,
    name: str,
    operation_id: str,
    path: str,
    summary: str,
    evidence: tuple[str, ...],
    records: str,
    filter_fields: tuple[FilterField, ...],
    fields: tuple[Field, ...],
    sort_fields: tuple[str, ...] = _BY_ACCOUNT_AND_DATE,
    params: tuple[Param, ...] = (),
    window: tuple[str, str] | None = None,
    note: str = "",
) -> Endpoint:
    """A scrolling list of events, with the filter and the sort that all of them take."""
    return Endpoint(
        name=name,
        operation_id=operation_id,
        method="GET",
        path=path,
        summary=summary,
        source=source(*evidence, note=note),
        params=(*params, *SCROLL_PARAMS),
        records=records,
        is_list=True,
        paging=scroll_paging(),
        filter_param="filter",
        filter_fields=filter_fields,
        sort_param="sort",
        sort_fields=sort_fields,
        window=window,
        fields=fields,
    )


_LISTS = (
    _event_list(
        name="list_custom_events",
        operation_id="listCustomEvents",
        path="/v1/events/custom",
        summary="List custom events.",
        evidence=("vendor-swagger", "posthog", "widen-tap", "fivetran", "c8y-sync", "airflow-hook"),
        records="customEvents",
        filter_fields=filterable("identifyId", "eventName", "date"),
        fields=CUSTOM_FIELDS,
        params=_DATE_RANGE_AS_TEXT,
        window=DATE_RANGE,
        note="A client in use filters by accountId too, which is not documented here.",
    ),
    _event_list(
        name="list_page_view_events",
        operation_id="listPageViewEvents",
        path="/v1/events/pageView",
        summary="List page views.",
        evidence=("vendor-swagger", "posthog", "widen-tap", "fivetran", "c8y-sync", "airflow-hook"),
        records="results",
        filter_fields=filterable("identifyId", "accountId", "date", "path", "queryString", "pageTitle", "host"),
        fields=PAGE_VIEW_FIELDS,
    ),
    _event_list(
        name="list_session_events",
        operation_id="listSessionEvents",
        path="/v1/events/session",
        summary="List session starts.",
        evidence=("vendor-swagger", "posthog", "widen-tap", "fivetran", "c8y-sync", "airflow-hook"),
        records="sessionInitializedEvents",
        filter_fields=filterable("identifyId", "accountId", "date"),
        fields=SESSION_FIELDS,
    ),
    _event_list(
        name="list_engagement_view_events",
        operation_id="listEngagementViewEvents",
        path="/v1/events/engagementView",
        summary="List views of engagements and clicks in them.",
        evidence=("vendor-swagger", "posthog", "widen-tap", "fivetran", "airflow-hook"),
        records="results",
        filter_fields=filterable(
            "identifyId", "accountId", "date", "contentType", "carouselState", "guideState", "surveyState"
        ),
        fields=ENGAGEMENT_VIEW_FIELDS,
    ),
    _event_list(
        name="list_feature_match_events",
        operation_id="listFeatureMatchEvents",
        path="/v1/events/feature_match",
        summary="List matches of features, one row for each feature that an action matched.",
        evidence=(
            "vendor-swagger",
            "posthog",
            "widen-tap",
            "fivetran",
            "c8y-sync",
            "manifest-proxy",
            "airflow-hook",
        ),
        records="featureMatchEvents",
        filter_fields=(*filterable("featureId"), _USER_ID_EXACTLY, *filterable("accountId", "date")),
        fields=FEATURE_MATCH_FIELDS,
        note="Some proxies send a date range as parameters; its effect is unknown.",
    ),
    _event_list(
        name="list_segment_match_events",
        operation_id="listSegmentMatchEvents",
        path="/v1/events/segment_match",
        summary="List matches of segments.",
        evidence=("vendor-swagger", "posthog", "widen-tap", "fivetran", "airflow-hook"),
        records="featureMatchEvents",
        filter_fields=(*filterable("segmentId"), _USER_ID_EXACTLY, *filterable("accountId", "date")),
        fields=SEGMENT_MATCH_FIELDS,
        note="The list stands under featureMatchEvents here too, as three sources agree.",
    ),
    _event_list(
        name="list_identify_events",
        operation_id="listIdentifyEvents",
        path="/v1/events/identify",
        summary="List identify calls.",
        evidence=("vendor-swagger", "posthog", "widen-tap", "fivetran", "airflow-hook"),
        records="identifyEvents",
        filter_fields=filterable("identifyId", "email", "date"),
        fields=IDENTIFY_FIELDS,
    ),
    _event_list(
        name="list_email_events",
        operation_id="listEmailEvents",
        path="/v1/events/email",
        summary="List what happened to e-mails that engagements sent.",
        evidence=("vendor-swagger", "widen-tap", "fivetran", "airflow-hook"),
        records="results",
        filter_fields=filterable("identifyId", "date", "email", "engagementId", "emailTrackType", "executionDate"),
        sort_fields=_BY_DATE,
        fields=EMAIL_FIELDS,
    ),
    _event_list(
        name="list_form_submit_events",
        operation_id="listFormSubmitEvents",
        path="/v1/events/formSubmit",
        summary="List form submissions.",
        evidence=("vendor-swagger", "widen-tap", "fivetran", "airflow-hook"),
        records="results",
        filter_fields=filterable("identifyId", "accountId", "date"),
        sort_fields=_BY_DATE,
        fields=FORM_SUBMIT_FIELDS,
    ),
    _event_list(
        name="list_lead_events",
        operation_id="listLeadEvents",
        path="/v1/events/lead",
        summary="List lead events.",
        evidence=("vendor-swagger", "widen-tap", "fivetran", "airflow-hook"),
        records="results",
        filter_fields=filterable("identifyId", "email", "date"),
        fields=LEAD_FIELDS,
    ),
    _event_list(
        name="list_survey_responses",
        operation_id="listSurveyResponses",
        path="/v1/survey/responses",
        summary="List survey responses, one row for each answered question.",
        evidence=("vendor-swagger", "posthog", "widen-tap", "fivetran", "airflow-hook", "rterakedis-gist"),
        records="results",
        filter_fields=filterable("identifyId", "accountId", "date", "contentType"),
        fields=ENGAGEMENT_VIEW_FIELDS,
        note="engagementId is no documented field of the filter; that the one-day default holds here is assumed.",
    ),
)

_CREATE_CUSTOM_EVENT = Endpoint(
    name="create_custom_event",
    operation_id="createCustomEvent",
    method="POST",
    path="/v1/events/custom",
    summary="Record one custom event.",
    source=source(
        "vendor-swagger",
        "px-data-loader",
        "rudderstack",
        note=f"There is no key against doubles: a repeated call makes a second event. {ENVELOPE_NOTE}",
    ),
    effect="write",
    repeatable=False,
    params=in_body(
        (
            Param(name="eventName"),
            Param(name="identifyId", summary="The user, by the id the application gave."),
            Param(name="propertyKey", summary="Product key."),
            Param(name="userType", enum=USER_TYPES),
            Param(name="date", type="integer", summary="When it happened, epoch milliseconds."),
            Param(name="eventType"),
            Param(name="sessionId", type="any", summary="Documented as text; a client in use sends a number too."),
            Param(name="accountId"),
            Param(name="globalContext", type="any"),
            Param(name="attributes", type="object", summary="Flat map; nested values should be sent as text."),
            Param(name="url"),
            Param(name="referrer"),
            Param(name="remoteHost"),
        ),
        required=("eventName", "identifyId", "propertyKey", "userType"),
    ),
    fields=WRITE_ENVELOPE,
    success=(201,),
)

EVENT_ENDPOINTS = (*_LISTS, _CREATE_CUSTOM_EVENT)
