"""The tables made from Gainsight PX's lists, and how each is kept up to date.

Nothing tells of deletions but a list that is read whole. The vendor has no list of external segments, so that only
those come whose ids are named. The custom events of running engagements have no table, as they are asked for by product
key.

Source: aptrinsic-notes, sections 4 (incremental sync) and 5 (keys of rows).
"""

from __future__ import annotations

from datetime import timedelta

from feedloom.catalogue import FanOut, MapTypes, Parts, Pass, Revisit, Single, Table, Window

_ONE_DAY = timedelta(days=1)
_HISTORY = timedelta(days=730)
_LONGEST_MONITORING_RANGE = timedelta(days=180)

# The vendor takes 190 days; 180 is what a client in use sends.
_LONGEST_EVENT_RANGE = timedelta(days=180)

_EVENT_PARTS = 16
"""Two years make windows of 46 days: one page at 300 ms would else be what a backfill waits for."""

_LATE_EVENTS = Revisit(back=timedelta(days=14), every=timedelta(days=7))
"""No count of the vendor's tells of events that come later than the look-back: so those up to a week late are seen."""

_DELETIONS = Revisit(every=timedelta(days=7))
"""Nothing tells of users and accounts that are gone: their whole list does."""

_LONGEST_ADOPTION_RANGE = timedelta(days=7)


def _event_table(
    *,
    name: str,
    endpoint: str,
    summary: str,
    match_key: tuple[str, ...] = (),
    open_maps: tuple[str, ...] = (),
    free_shapes: tuple[str, ...] = (),
) -> Table:
    """A list of events, read by date, oldest first; late ones may carry a date of the day before.

    Events never change, so that whatever comes in while they are read moves none of them forward in a live scroll.
    *match_key* is added to the key where one event can make several rows; *free_shapes* to the columns kept as JSON,
    which the global context always is: it is documented as an object and seen as a list too.
    """
    return Table(
        name=name,
        endpoint=endpoint,
        summary=summary,
        primary_key=("eventId", *match_key),
        window=Window(
            passes=(Pass(name="date", column="date"),),
            style="filter",
            time="epoch_ms",
            look_back=_ONE_DAY,
            longest=_LONGEST_EVENT_RANGE,
            parts=_EVENT_PARTS,
            history=_HISTORY,
        ),
        open_maps=open_maps,
        json_columns=("globalContext", *free_shapes),
        single=Single(endpoint=endpoint, column="date"),
        parts=Parts(period="day"),
        revisit=_LATE_EVENTS,
    )


def _changes() -> Window:
    """Records changed since the last run, newest first; the first run reads all, in the vendor's own order.

    Clients in use filter users by lastSeenDate and sort accounts by lastModifiedDate; the filter by lastModifiedDate is
    documented in general terms only, hence disputed.
    """
    return Window(
        passes=(Pass(name="changed", column="lastModifiedDate"),),
        style="filter",
        time="epoch_ms",
        look_back=_ONE_DAY,
        optional=True,
        disputed=True,
    )


def _attribute_types(of: str) -> MapTypes:
    """Source: aptrinsic-notes, section 5: DATE_TIME comes as epoch milliseconds."""
    return MapTypes(
        path="customAttributes",
        endpoint="list_attributes",
        params={"type": of},
        key="apiName",
        type="type",
        kinds={"STRING": "text", "NUMBER": "double", "BOOLEAN": "bool", "DATE_TIME": "timestamp"},
    )


_PEOPLE_TABLES = (
    Table(
        name="users",
        endpoint="list_users",
        summary="The people who are tracked.",
        primary_key=("aptrinsicId",),
        window=_changes(),
        open_maps=("customAttributes",),
        map_types=_attribute_types("user"),
        single=Single(endpoint="get_user", column="identifyId", param="identifyId"),
        revisit=_DELETIONS,
    ),
    Table(
        name="accounts",
        endpoint="list_accounts",
        summary="The companies that users belong to.",
        primary_key=("id",),
        window=_changes(),
        open_maps=("customAttributes",),
        map_types=_attribute_types("account"),
        single=Single(endpoint="get_account", column="id", param="accountId"),
        revisit=_DELETIONS,
    ),
    Table(
        name="user_preferences",
        endpoint="get_user_preferences",
        summary="What each user agreed to see and to have tracked, asked for user by user.",
        primary_key=("identifyId",),
        fan_out=FanOut(table="users", params={"identifyId": "identifyId"}, carry={"identifyId": "identifyId"}),
        selected=False,
    ),
)

_EVENT_TABLES = (
    _event_table(
        name="events_custom",
        endpoint="list_custom_events",
        summary="Custom events, as the application reports them.",
        open_maps=("attributes",),
    ),
    _event_table(
        name="events_page_view",
        endpoint="list_page_view_events",
        summary="Page views.",
        free_shapes=("queryParams",),
    ),
    _event_table(name="events_session", endpoint="list_session_events", summary="Session starts."),
    _event_table(
        name="events_engagement_view",
        endpoint="list_engagement_view_events",
        summary="Views of engagements and clicks in them.",
    ),
    _event_table(
        name="events_feature_match",
        endpoint="list_feature_match_events",
        summary="Uses of product features, one row for each feature that an action matched.",
        match_key=("featureId",),
    ),
    _event_table(
        name="events_segment_match",
        endpoint="list_segment_match_events",
        summary="Matches of users with segments.",
        match_key=("segmentId",),
    ),
    _event_table(name="events_identify", endpoint="list_identify_events", summary="Identify calls."),
    _event_table(
        name="events_email",
        endpoint="list_email_events",
        summary="What happened to e-mails that engagements sent.",
    ),
    _event_table(
        name="events_form_submit",
        endpoint="list_form_submit_events",
        summary="Form submissions.",
        open_maps=("formData",),
        free_shapes=("queryParams",),
    ),
    _event_table(name="events_lead", endpoint="list_lead_events", summary="Lead events."),
    _event_table(
        name="survey_responses",
        endpoint="list_survey_responses",
        summary="Survey responses, one row for each answered question, tied together by executionId.",
    ),
)

_CONTENT_TABLES = (
    Table(
        name="articles",
        endpoint="list_articles",
        summary="Articles, without their text.",
        primary_key=("id",),
        write="replace",
    ),
    Table(
        name="engagements",
        endpoint="list_engagements",
        summary="The guides, dialogs, e-mails and surveys that are shown to users.",
        primary_key=("id",),
        write="replace",
    ),
    Table(
        name="engagements_extended",
        endpoint="list_engagements_extended",
        summary="Engagements with the custom events of their audience rules.",
        primary_key=("id",),
        write="replace",
    ),
    Table(
        name="feature_flags",
        endpoint="list_features",
        summary="Product features (parts of the product, not feature flags).",
        primary_key=("id",),
        write="replace",
        aliases=("features",),
    ),
    Table(
        name="segments",
        endpoint="list_segments",
        summary="The segments of users.",
        primary_key=("id",),
        write="replace",
    ),
    # Source: openapi.yaml, "/v1/external_segment": writes only, with ids that update_membership calls segment ids.
    Table(
        name="external_segments",
        endpoint="get_segment",
        summary="Segments that are fed from outside, of which the vendor has no list: those whose ids are named, each "
        "answered, as is assumed and nowhere documented, like a segment of its own.",
        primary_key=("id",),
        arguments=("segmentId",),
        selected=False,
    ),
    Table(
        name="kcbot",
        endpoint="list_knowledge_center_bots",
        summary="Knowledge-center bots.",
        primary_key=("id",),
        write="replace",
    ),
    Table(
        name="feature_adoption",
        endpoint="get_feature_adoption",
        summary="Use of each product feature, counted over consecutive ranges of at most seven days.",
        primary_key=("featureId", "dateRangeStart", "dateRangeEnd"),
        # No look-back: ranges that overlap would count uses twice.
        window=Window(
            passes=(Pass(name="range", column="dateRangeStart"),),
            style="params",
            time="epoch_ms",
            look_back=timedelta(0),
            longest=_LONGEST_ADOPTION_RANGE,
            history=_LONGEST_ADOPTION_RANGE,
            whole_days=True,
        ),
        fan_out=FanOut(table="feature_flags", params={"featureId": "id"}, carry={}),
    ),
)

_ADMINISTRATION_TABLES = (
    Table(
        name="admin_integrations",
        endpoint="list_integration_statuses",
        summary="The integrations and how their last runs went.",
        primary_key=("integrationSyncName",),
        write="replace",
    ),
    Table(
        name="user_attributes",
        endpoint="list_attributes",
        summary="The attributes that users can have.",
        primary_key=("id",),
        write="replace",
        params={"type": "user"},
    ),
    Table(
        name="account_attributes",
        endpoint="list_attributes",
        summary="The attributes that accounts can have.",
        primary_key=("id",),
        write="replace",
        params={"type": "account"},
    ),
    Table(
        name="engagement_collisions",
        endpoint="list_engagement_collisions",
        summary="Moments at which several engagements qualified and one was shown.",
        primary_key=("engagementId", "propertyKey", "triggeredDate", "viewedByUser"),
        window=Window(
            passes=(Pass(name="triggered", column="triggeredDate"),),
            style="params",
            time="epoch_ms",
            look_back=_ONE_DAY,
            longest=_LONGEST_MONITORING_RANGE,
            history=_HISTORY,
        ),
    ),
    Table(
        name="engagement_errors",
        endpoint="list_engagement_errors",
        summary="Engagements that had errors, each row a sum over one of the consecutive ranges that were read.",
        primary_key=("engagementId", "propertyKey", "lastOccurrenceDate"),
        # No look-back: ranges that overlap would count errors twice.
        window=Window(
            passes=(Pass(name="last_occurrence", column="lastOccurrenceDate"),),
            style="params",
            time="epoch_ms",
            look_back=timedelta(0),
            longest=_LONGEST_MONITORING_RANGE,
            history=_LONGEST_MONITORING_RANGE,
            whole_days=True,
        ),
    ),
    Table(
        name="engagement_error_details",
        endpoint="list_engagement_error_details",
        summary="The errors of each engagement that had some, from its first one on.",
        primary_key=("engagementId", "stepNumber", "errorType", "value"),
        write="replace",
        params={"groupByBrowser": False},
        fan_out=FanOut(
            table="engagement_errors",
            params={"engagementId": "engagementId", "dateRangeStart": "firstOccurrenceDate"},
            carry={},
        ),
    ),
    Table(
        name="subscription",
        endpoint="get_subscription",
        summary="The subscription and its products.",
        primary_key=("id",),
        write="replace",
    ),
)

TABLES: tuple[Table, ...] = (*_PEOPLE_TABLES, *_EVENT_TABLES, *_CONTENT_TABLES, *_ADMINISTRATION_TABLES)
