"""Gainsight PX administration: attributes, monitoring of engagements and integrations, the subscription.

Source: openapi.yaml, paths below /v1/admin; aptrinsic-notes, sections 1, 2, 4 and 9.
"""

from __future__ import annotations

from feedloom.catalogue import Endpoint, Field, Param
from feedloom.vendors.aptrinsic.builders import (
    DATE_RANGE,
    DATE_RANGE_PARAMS,
    PAGE_NUMBER,
    PROPERTY_KEY,
    SCROLL_ID,
    assumed,
    moment,
    nested,
    number_paging,
    number_params,
    page_size,
    scroll_paging,
    source,
)
from feedloom.vendors.aptrinsic.engagements import ENGAGEMENT_ID, ENGAGEMENT_TYPE_SUMMARY

_ATTRIBUTE_FIELDS = (
    Field(name="id"),
    Field(name="name", summary="The name people see."),
    Field(name="apiName", summary="Key in customAttributes, or name of the field for a default attribute."),
    Field(name="internalName"),
    Field(name="description"),
    Field(name="type", summary="STRING, DATE_TIME, BOOLEAN or NUMBER."),
    Field(name="state", summary="ENABLED, DISABLED or DELETED."),
    Field(name="origin", summary="CUSTOM or DEFAULT."),
    moment(name="createdDate"),
    moment(name="modifiedDate"),
    Field(name="defaultValue"),
)

_MONITORED_ENGAGEMENT = (
    Field(name="engagementId"),
    Field(name="engagementName"),
    Field(name="propertyKey"),
    Field(name="engagementType", summary=ENGAGEMENT_TYPE_SUMMARY),
)
_COLLISION_FIELDS = (
    *_MONITORED_ENGAGEMENT,
    Field(name="otherQualifiedEngagementNames", type="list"),
    Field(name="views", type="integer"),
    Field(name="priorityRule"),
    moment(name="triggeredDate", summary="When it collided.", zero_is_null=False),
    Field(name="viewedByUser"),
)
_ERROR_FIELDS = (
    *_MONITORED_ENGAGEMENT,
    moment(name="firstOccurrenceDate", summary="First error."),
    moment(name="lastOccurrenceDate", summary="Last error.", zero_is_null=False),
    Field(name="views", type="integer"),
    Field(name="ratio", type="number", summary="Errors per view."),
    Field(name="errorCount", type="integer"),
)
_ERROR_DETAIL_FIELDS = (
    Field(name="engagementId"),
    Field(name="stepName"),
    Field(name="stepNumber", type="integer"),
    Field(name="errorCount", type="integer"),
    Field(name="errorType"),
    Field(name="value"),
    Field(name="browser"),
)
_INTEGRATION_FIELDS = (
    Field(name="integrationSyncName"),
    Field(name="currentStatus", summary="UP or DOWN."),
    moment(name="lastSuccessfulDate", summary="Last good run."),
    Field(name="lastError", nullable=True),
    Field(name="numberOfRecordsProcessed", type="integer"),
)

_PRODUCT_KEY_PARTS = (Field(name="channel"), Field(name="productKey"), Field(name="url"))
_PRODUCT_PARTS = (
    Field(name="name"),
    Field(name="description"),
    *nested(Field(name="productKeys", type="list"), _PRODUCT_KEY_PARTS),
)
_SUBSCRIPTION_FIELDS = (
    Field(name="id"),
    Field(name="name"),
    Field(name="iconUrl"),
    Field(name="timeZone"),
    Field(name="website"),
    Field(name="description"),
    *nested(Field(name="products", type="list"), _PRODUCT_PARTS),
)
_SUBSCRIPTION_USER_FIELDS = assumed(
    (
        Field(name="id"),
        Field(name="firstName"),
        Field(name="lastName"),
        Field(name="email"),
        moment(name="lastSuccessfulLoginTimestamp", summary="Last login to PX itself."),
    )
)

_MONITORING_PARAMS = (
    *DATE_RANGE_PARAMS,
    PAGE_NUMBER,
    page_size(default=25, maximum=1000),
    PROPERTY_KEY,
    SCROLL_ID,
)
_MONITORING_PAGING = scroll_paging(only_null_ends=True)
_MONITORING_NOTE = (
    "At most 180 days between start and end. The vendor's example of a second page sends pageNumber and scrollId "
    "together; the scroll alone is taken to be enough."
)

ATTRIBUTE_ENDPOINTS = (
    Endpoint(
        name="list_attributes",
        operation_id="listAttributes",
        method="GET",
        path="/v1/admin/model/{type}/attributes",
        summary="List the attributes of users or of accounts.",
        source=source(
            "vendor-swagger",
            "airbyte",
            "px-data-loader",
            "airflow-hook",
            note="sfdcContactId and globalUnsubscribe are not among them.",
        ),
        params=(
            Param(
                name="type",
                place="path",
                required=True,
                enum=("user", "account"),
                summary="Whose attributes.",
            ),
        ),
        is_list=True,
        fields=_ATTRIBUTE_FIELDS,
    ),
)

MONITORING_ENDPOINTS = (
    Endpoint(
        name="list_engagement_collisions",
        operation_id="listEngagementCollisions",
        method="GET",
        path="/v1/admin/monitoring/engagement_collisions",
        summary="List collisions of engagements over at most 180 days.",
        source=source("vendor-swagger", "fivetran", note=_MONITORING_NOTE),
        params=_MONITORING_PARAMS,
        records="engagementCollisions",
        is_list=True,
        paging=_MONITORING_PAGING,
        window=DATE_RANGE,
        fields=_COLLISION_FIELDS,
    ),
    Endpoint(
        name="list_engagement_errors",
        operation_id="listEngagementErrors",
        method="GET",
        path="/v1/admin/monitoring/engagement_errors",
        summary="List engagements that had errors, summed up over at most 180 days.",
        source=source("vendor-swagger", "fivetran", note=_MONITORING_NOTE),
        params=_MONITORING_PARAMS,
        records="engagementErrorSummaries",
        is_list=True,
        paging=_MONITORING_PAGING,
        window=DATE_RANGE,
        fields=_ERROR_FIELDS,
    ),
    Endpoint(
        name="list_engagement_error_details",
        operation_id="listEngagementErrorDetails",
        method="GET",
        path="/v1/admin/monitoring/engagement_error_details/{engagementId}",
        summary="List the errors of one engagement.",
        source=source("vendor-swagger", "fivetran"),
        params=(
            ENGAGEMENT_ID,
            *DATE_RANGE_PARAMS,
            Param(name="groupByBrowser", type="boolean", summary="Group by browser when true, by error when false."),
        ),
        records="engagementErrorDetails",
        is_list=True,
        window=DATE_RANGE,
        fields=_ERROR_DETAIL_FIELDS,
    ),
    Endpoint(
        name="list_integration_statuses",
        operation_id="listIntegrationStatuses",
        method="GET",
        path="/v1/admin/monitoring/integrations",
        summary="List the integrations and how their last runs went.",
        source=source("vendor-swagger", "fivetran"),
        records="integrationStatuses",
        is_list=True,
        fields=_INTEGRATION_FIELDS,
    ),
)

SUBSCRIPTION_ENDPOINTS = (
    Endpoint(
        name="get_subscription",
        operation_id="getSubscription",
        method="GET",
        path="/v1/admin/subscription",
        summary="Get the subscription and its products.",
        source=source("vendor-swagger", "fivetran", "airflow-hook"),
        fields=_SUBSCRIPTION_FIELDS,
    ),
    Endpoint(
        name="list_subscription_users_not_seen_after",
        operation_id="listSubscriptionUsersNotSeenAfter",
        method="GET",
        path="/v1/admin/subscription/users/notSeenAfter",
        summary="List users of the PX console itself who were not seen after a moment.",
        source=source(
            "vendor-swagger",
            note="The vendor's file names SubscriptionDetail as the answer, but defines a page of users and uses it "
            "nowhere else; the page is taken to be meant.",
        ),
        params=(
            Param(name="notSeenAfterTimestamp", type="integer", required=True, summary="Epoch milliseconds."),
            *number_params(size_default=200, size_max=1000),
        ),
        records="subscriptionUsers",
        is_list=True,
        paging=number_paging(size_default=200, size_max=1000),
        fields=_SUBSCRIPTION_USER_FIELDS,
    ),
)

ADMINISTRATION_ENDPOINTS = (*ATTRIBUTE_ENDPOINTS, *MONITORING_ENDPOINTS, *SUBSCRIPTION_ENDPOINTS)
