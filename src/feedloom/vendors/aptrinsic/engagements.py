"""Gainsight PX engagements: the guides, dialogs, e-mails and surveys that are shown to users.

Source: openapi.yaml, paths below /v1/engagement and /rte/v1/engagement; aptrinsic-notes, sections 1, 5 and 10.
"""

from __future__ import annotations

from feedloom.catalogue import Endpoint, Field, Param
from feedloom.vendors.aptrinsic.builders import (
    ENVELOPE_NOTE,
    LANGUAGE_PARTS,
    WRITE_ENVELOPE,
    in_body,
    nested,
    number_paging,
    number_params,
    path_param,
    source,
)

ENVIRONMENTS = ("PRODUCTION", "INTEGRATION", "QA", "STAGE")
STATE_CHANGES = ("START", "PAUSE")

ENGAGEMENT_TYPE_SUMMARY = (
    "EMAIL, OUT_BOUND_EMAIL, or IN_APP_ with DIALOG, CAROUSEL, GUIDE, NOTIFICATION, NPS_SURVEY, CES_SURVEY, "
    "RATING_SURVEY, BOOLEAN_SURVEY or MULTIPLE_QUESTION_SURVEY."
)

_COMMON = (
    Field(name="id"),
    Field(name="name"),
    Field(name="description"),
    Field(name="type", summary=ENGAGEMENT_TYPE_SUMMARY),
    Field(name="state", summary="IN_PROGRESS, STARTED, PAUSED, FAILED, EDITING or COMPLETED."),
    Field(name="propertyKeys", type="list", summary="Product keys, whose last number marks the environment."),
    Field(name="envs", type="list", summary="Environments, in mixed case here and in capitals in writes."),
)
_ENGAGEMENT_FIELDS = (
    *_COMMON,
    Field(name="defaultLanguage"),
    *nested(Field(name="languages", type="list"), LANGUAGE_PARTS),
    Field(name="translationState"),
)
_CUSTOM_EVENTS = nested(
    Field(name="customEvents", type="list", summary="Custom events that the audience rules name."),
    (Field(name="name"), Field(name="properties", type="list")),
)
_EXTENDED_FIELDS = (*_COMMON, *_CUSTOM_EVENTS)
_ENV_CHANGE_FIELDS = (Field(name="errors", type="list"), Field(name="status", type="integer"))

_CONTENT_TYPES = (
    "IN_APP_DIALOG",
    "IN_APP_CAROUSEL",
    "IN_APP_GUIDE",
    "IN_APP_NOTIFICATION",
    "OUT_BOUND_EMAIL",
    "IN_APP_NPS_SURVEY",
    "IN_APP_CES_SURVEY",
    "IN_APP_RATING_SURVEY",
    "IN_APP_BOOLEAN_SURVEY",
    "IN_APP_MULTIPLE_QUESTION_SURVEY",
    "UNRECOGNIZE",
)
_CONTENT_TYPES_PARAM = Param(
    name="contentTypes", encoding="repeat", enum=_CONTENT_TYPES, summary="Only engagements of these types."
)

ENGAGEMENT_ID = path_param(name="engagementId", summary="Engagement id.")
_ENGAGEMENT_ID_IN_BODY = Param(name="engagementId", summary="Engagement id.")

_PAGING = number_paging(size_default=200, size_max=500)
_PAGE_PARAMS = number_params(size_default=200, size_max=500)

_READS = (
    Endpoint(
        name="list_engagements",
        operation_id="listEngagements",
        method="GET",
        path="/v1/engagement",
        summary="List engagements, which hold no date of any kind.",
        source=source(
            "vendor-swagger",
            "posthog",
            "airbyte",
            "widen-tap",
            "fivetran",
            note="A filter sent by a client in use has no effect here.",
        ),
        params=(
            _CONTENT_TYPES_PARAM,
            Param(name="createdById", summary="Only those made by this user of the PX console."),
            *_PAGE_PARAMS,
        ),
        records="engagements",
        is_list=True,
        paging=_PAGING,
        fields=_ENGAGEMENT_FIELDS,
    ),
    Endpoint(
        name="list_engagements_extended",
        operation_id="listEngagementsExtended",
        method="GET",
        path="/v1/engagement/extended",
        summary="List engagements with the custom events of their audience rules.",
        source=source("vendor-swagger", "airflow-hook"),
        params=(_CONTENT_TYPES_PARAM, *_PAGE_PARAMS),
        records="engagements",
        is_list=True,
        paging=_PAGING,
        fields=_EXTENDED_FIELDS,
    ),
    Endpoint(
        name="get_engagement",
        operation_id="getEngagement",
        method="GET",
        path="/v1/engagement/{engagementId}",
        summary="Get one engagement.",
        source=source("vendor-swagger"),
        params=(ENGAGEMENT_ID,),
        fields=_ENGAGEMENT_FIELDS,
    ),
    Endpoint(
        name="get_survey_metadata",
        operation_id="getSurveyMetadata",
        method="GET",
        path="/v1/engagement/metadata/survey",
        summary="Get the survey of an engagement, presumably its questions and the ids of their answers.",
        source=source("vendor-swagger", note="Listed by the vendor without description or shape of the answer."),
        params=(Param(name="engagementId", required=True, summary="Engagement id."),),
    ),
    Endpoint(
        name="list_engagement_rule_events",
        operation_id="listEngagementRuleEvents",
        method="GET",
        path="/rte/v1/engagement/rules",
        summary="List the custom events that running engagements use, as browsers ask for them, without a key.",
        source=source("vendor-support", note="Public and not part of the REST API proper; it takes no API key."),
        params=(
            Param(name="p", required=True, summary="Product key."),
            Param(name="t", required=True, enum=("CUSTOM_EVENTS",), summary="Always the same."),
        ),
        records="customEvents",
        is_list=True,
        fields=(Field(name="name"), Field(name="properties", type="list")),
        server="esp",
    ),
)

_WRITES = (
    Endpoint(
        name="set_engagement_state",
        operation_id="setEngagementState",
        method="PUT",
        path="/v1/engagement/state",
        summary="Start or pause an engagement; starting in production needs a key with the Production Launch right.",
        source=source("vendor-swagger", "vendor-java-sdk", note=ENVELOPE_NOTE),
        effect="write",
        params=in_body(
            (
                _ENGAGEMENT_ID_IN_BODY,
                Param(name="state", enum=STATE_CHANGES),
                Param(
                    name="envs",
                    encoding="list",
                    default="PRODUCTION",
                    enum=ENVIRONMENTS,
                    summary="Environments to start in.",
                ),
            ),
            required=("engagementId", "state"),
        ),
        fields=WRITE_ENVELOPE,
    ),
    Endpoint(
        name="set_engagement_env",
        operation_id="setEngagementEnv",
        method="PUT",
        path="/v1/engagement/env",
        summary="Move an engagement to one environment.",
        source=source("vendor-swagger"),
        effect="write",
        params=in_body(
            (
                _ENGAGEMENT_ID_IN_BODY,
                Param(
                    name="env",
                    enum=("Production", "Stage", "QA", "Integration"),
                    summary="Environment, in capitals or not.",
                ),
            ),
            required=("engagementId", "env"),
        ),
        fields=_ENV_CHANGE_FIELDS,
    ),
    Endpoint(
        name="set_engagement_envs",
        operation_id="setEngagementEnvs",
        method="PUT",
        path="/v1/engagement/envs",
        summary="Move an engagement to several environments.",
        source=source("vendor-swagger"),
        effect="write",
        params=in_body(
            (_ENGAGEMENT_ID_IN_BODY, Param(name="envs", encoding="list", enum=ENVIRONMENTS)),
            required=("engagementId", "envs"),
        ),
        fields=_ENV_CHANGE_FIELDS,
    ),
    Endpoint(
        name="delete_engagement",
        operation_id="deleteEngagement",
        method="DELETE",
        path="/v1/engagement/{engagementId}",
        summary="Delete one engagement.",
        source=source("vendor-swagger", note=ENVELOPE_NOTE),
        effect="delete",
        params=(ENGAGEMENT_ID,),
        fields=WRITE_ENVELOPE,
    ),
)

ENGAGEMENT_ENDPOINTS = (*_READS, *_WRITES)
