"""Gainsight PX features and segments: the tree of product features, the groups of users, and groups fed from outside.

Features are parts of the product, not feature flags. Neither features nor segments hold a date.

Source: openapi.yaml, paths below /v1/feature, /v2/feature_ext, /v1/segment and /v1/external_segment;
aptrinsic-notes, sections 1, 5, 8 and 9.
"""

from __future__ import annotations

from feedloom.catalogue import Endpoint, Field, Param
from feedloom.vendors.aptrinsic.builders import (
    DATE_RANGE,
    DATE_RANGE_PARAMS,
    ENVELOPE_NOTE,
    PROPERTY_KEY,
    WRITE_ENVELOPE,
    assumed,
    in_body,
    moment,
    nested,
    number_paging,
    number_params,
    path_param,
    source,
)

_FEATURE_FIELDS = (
    Field(name="id"),
    Field(name="name"),
    Field(name="type", summary="FEATURE or MODULE."),
    Field(name="parentFeatureId"),
    Field(name="propertyKey"),
    Field(name="status", summary="ACTIVATED or DELETED."),
    *nested(Field(name="featureLabels", type="list"), (Field(name="id"), Field(name="name"), Field(name="color"))),
)
_MAPPED_ELEMENT_PARTS = (
    Field(name="id"),
    Field(name="name"),
    Field(name="eventType", summary="CLICK, LINK, FORM, PAGE_VIEW, CUSTOM_EVENT or SCREEN."),
    Field(name="state", summary="ENABLED, DISABLED or DELETED."),
    Field(name="type", summary="EVENT, TAG, URL, CUSTOM_EVENT, TEXT_ELEMENT or SCREEN."),
)
_EXTENDED_FIELDS = (
    *_FEATURE_FIELDS,
    *nested(Field(name="mappedElements", type="list"), _MAPPED_ELEMENT_PARTS),
)
_ADOPTION_FIELDS = assumed(
    (
        Field(name="featureId"),
        Field(name="featureName"),
        moment(name="dateRangeStart", zero_is_null=False),
        moment(name="dateRangeEnd", zero_is_null=False),
        Field(name="propertyKey"),
        Field(name="totalEventCount", type="integer"),
        Field(name="uniqueUserCount", type="integer"),
        Field(name="uniqueAccountCount", type="integer"),
    )
)
_SEGMENT_FIELDS = (Field(name="id"), Field(name="name"))
_EXTERNAL_SEGMENT_FIELDS = (
    Field(name="id"),
    Field(name="externalId"),
    Field(name="name"),
    Field(name="description"),
)

_FEATURE_ID = path_param(name="featureId", summary="Feature id.")
_PAGING = number_paging(size_default=25, size_max=200)
_PAGE_PARAMS = number_params(size_default=25, size_max=200)

FEATURE_ENDPOINTS = (
    Endpoint(
        name="list_features",
        operation_id="listFeatures",
        method="GET",
        path="/v1/feature",
        summary="List product features, deleted ones possibly among them.",
        source=source("vendor-swagger", "posthog", "airbyte", "widen-tap", "fivetran", "polymetrics"),
        params=(*_PAGE_PARAMS, PROPERTY_KEY),
        records="features",
        is_list=True,
        paging=_PAGING,
        fields=_FEATURE_FIELDS,
    ),
    Endpoint(
        name="list_features_extended",
        operation_id="listFeaturesExtended",
        method="GET",
        path="/v2/feature_ext",
        summary="List product features with the elements mapped to them.",
        source=source("vendor-swagger", "c8y-sync"),
        params=(*_PAGE_PARAMS, PROPERTY_KEY),
        records="features",
        is_list=True,
        paging=_PAGING,
        fields=_EXTENDED_FIELDS,
    ),
    Endpoint(
        name="get_feature",
        operation_id="getFeature",
        method="GET",
        path="/v1/feature/{featureId}",
        summary="Get one feature.",
        source=source("vendor-swagger"),
        params=(_FEATURE_ID,),
        fields=_FEATURE_FIELDS,
    ),
    Endpoint(
        name="get_feature_adoption",
        operation_id="getFeatureAdoption",
        method="GET",
        path="/v1/feature/adoption/{featureId}",
        summary="Count the use of a feature over at most seven days, ending now unless said otherwise.",
        source=source(
            "vendor-swagger",
            note="The vendor's file names Feature as the answer, but defines FeatureAdoption and uses it nowhere "
            "else; the latter is taken to be meant.",
        ),
        params=(_FEATURE_ID, *DATE_RANGE_PARAMS, PROPERTY_KEY),
        window=DATE_RANGE,
        fields=_ADOPTION_FIELDS,
    ),
    Endpoint(
        name="update_feature",
        operation_id="updateFeature",
        method="PUT",
        path="/v1/feature/{featureId}",
        summary="Rename or move a feature.",
        source=source("vendor-swagger"),
        effect="write",
        params=(
            _FEATURE_ID,
            *in_body(
                (
                    Param(name="name"),
                    Param(name="parentFeatureId", summary="ROOT moves it to the top of the tree."),
                )
            ),
        ),
        success=(204,),
    ),
    Endpoint(
        name="backfill_feature",
        operation_id="backfillFeature",
        method="POST",
        path="/v1/feature/backfill/{featureId}",
        summary="Ask for a backfill of a feature.",
        source=source("vendor-swagger", note=ENVELOPE_NOTE),
        effect="write",
        repeatable=False,
        params=(_FEATURE_ID,),
        fields=WRITE_ENVELOPE,
        success=(200, 204),
    ),
)

SEGMENT_ENDPOINTS = (
    Endpoint(
        name="list_segments",
        operation_id="listSegments",
        method="GET",
        path="/v1/segment",
        summary="List segments.",
        source=source("vendor-swagger", "posthog", "airbyte", "widen-tap", "fivetran", "polymetrics"),
        params=_PAGE_PARAMS,
        records="segments",
        is_list=True,
        paging=_PAGING,
        fields=_SEGMENT_FIELDS,
    ),
    Endpoint(
        name="get_segment",
        operation_id="getSegment",
        method="GET",
        path="/v1/segment/{segmentId}",
        summary="Get one segment.",
        source=source("vendor-swagger"),
        params=(path_param(name="segmentId", summary="Segment id."),),
        fields=_SEGMENT_FIELDS,
    ),
)

_EXTERNAL_SEGMENT_PARAMS = in_body(
    (
        Param(name="id"),
        Param(name="externalId", summary="Id in the system that feeds it."),
        Param(name="name"),
        Param(name="description"),
    )
)

EXTERNAL_SEGMENT_ENDPOINTS = (
    Endpoint(
        name="create_external_segment",
        operation_id="createExternalSegment",
        method="POST",
        path="/v1/external_segment/metadata",
        summary="Create a segment that is fed from outside.",
        source=source("vendor-swagger", "adobe-aep"),
        effect="write",
        repeatable=False,
        params=(
            Param(name="failIfExists", type="boolean", default=False, summary="When true an existing one is an error."),
            *_EXTERNAL_SEGMENT_PARAMS,
        ),
        fields=_EXTERNAL_SEGMENT_FIELDS,
    ),
    Endpoint(
        name="update_external_segment",
        operation_id="updateExternalSegment",
        method="PUT",
        path="/v1/external_segment/metadata",
        summary="Change a segment that is fed from outside.",
        source=source("vendor-swagger", "adobe-aep"),
        effect="write",
        params=_EXTERNAL_SEGMENT_PARAMS,
        fields=_EXTERNAL_SEGMENT_FIELDS,
    ),
    Endpoint(
        name="update_external_segment_membership",
        operation_id="updateExternalSegmentMembership",
        method="POST",
        path="/v1/external_segment/update_membership",
        summary="Add members to segments that are fed from outside, and remove some.",
        source=source("vendor-swagger", "adobe-aep"),
        effect="write",
        repeatable=False,
        params=in_body(
            (
                Param(
                    name="add",
                    type="object",
                    encoding="list",
                    summary="Objects of segmentId, identities and lastQualificationTime (ISO 8601).",
                ),
                Param(name="remove", type="object", encoding="list", summary="Objects as in add."),
                Param(name="identityType", enum=("IDENTIFY_ID", "GLOBAL_ID")),
            ),
            required=("add", "remove"),
        ),
    ),
)
