"""Gainsight PX preferences: what a user agreed to see and to have tracked, in two versions of the API.

A preference that was never set is null. In a write, null and absent keys change nothing.

Source: openapi.yaml, paths below /v1/user/preferences and /v2/user/preferences; aptrinsic-notes, section 6.
"""

from __future__ import annotations

from feedloom.catalogue import Endpoint, Field, Param
from feedloom.vendors.aptrinsic.builders import in_body, source
from feedloom.vendors.aptrinsic.users import IDENTIFY_ID, IDENTIFY_ID_IN_BODY

_NAMES = ("guidedTours", "onboardingBot", "productUpdates", "surveys", "trackUsage")
_NAMES_V2 = (*_NAMES, "trackEmailAnalytics")

_FIELDS = tuple(Field(name=name, type="boolean", nullable=True) for name in _NAMES)
_FIELDS_V2 = tuple(Field(name=name, type="boolean", nullable=True) for name in _NAMES_V2)

_WRITABLE = in_body(Param(name=name, type="boolean") for name in _NAMES)
_WRITABLE_V2 = in_body(Param(name=name, type="boolean") for name in _NAMES_V2)

_BY_BODY_SUMMARY = "Read the preferences of the user named in the body, for ids that cannot stand in a path."
_UPDATE_SUMMARY = "Change the given preferences of one user."
_UPDATE_BY_BODY_SUMMARY = "Change the given preferences of the user named in the body."

_VERSION_1_ENDPOINTS = (
    Endpoint(
        name="get_user_preferences",
        operation_id="getUserPreferences",
        method="GET",
        path="/v1/user/preferences/{identifyId}",
        summary="Read the preferences of one user.",
        source=source("vendor-swagger", "px-data-loader", "vendor-support", "fivetran"),
        params=(IDENTIFY_ID,),
        fields=_FIELDS,
    ),
    Endpoint(
        name="read_user_preferences_by_body",
        operation_id="readUserPreferencesByBody",
        method="POST",
        path="/v1/user/preferences",
        summary=_BY_BODY_SUMMARY,
        source=source("vendor-swagger"),
        params=IDENTIFY_ID_IN_BODY,
        fields=_FIELDS,
    ),
    Endpoint(
        name="update_user_preferences",
        operation_id="updateUserPreferences",
        method="PUT",
        path="/v1/user/preferences/{identifyId}",
        summary=_UPDATE_SUMMARY,
        source=source("vendor-swagger", "px-data-loader", "vendor-support"),
        effect="write",
        params=(IDENTIFY_ID, *_WRITABLE),
        success=(204,),
    ),
    Endpoint(
        name="update_user_preferences_by_body",
        operation_id="updateUserPreferencesByBody",
        method="PUT",
        path="/v1/user/preferences",
        summary=_UPDATE_BY_BODY_SUMMARY,
        source=source("vendor-swagger"),
        effect="write",
        params=(*IDENTIFY_ID_IN_BODY, *_WRITABLE),
        success=(204,),
    ),
)

_VERSION_2_ENDPOINTS = (
    Endpoint(
        name="get_user_preferences_v2",
        operation_id="getUserPreferencesV2",
        method="GET",
        path="/v2/user/preferences/{identifyId}",
        summary="Read the preferences of one user, e-mail tracking among them.",
        source=source("vendor-swagger"),
        params=(IDENTIFY_ID,),
        fields=_FIELDS_V2,
    ),
    Endpoint(
        name="read_user_preferences_by_body_v2",
        operation_id="readUserPreferencesByBodyV2",
        method="POST",
        path="/v2/user/preferences",
        summary=_BY_BODY_SUMMARY,
        source=source("vendor-swagger"),
        params=IDENTIFY_ID_IN_BODY,
        fields=_FIELDS_V2,
    ),
    Endpoint(
        name="update_user_preferences_v2",
        operation_id="updateUserPreferencesV2",
        method="PUT",
        path="/v2/user/preferences/{identifyId}",
        summary=_UPDATE_SUMMARY,
        source=source("vendor-swagger"),
        effect="write",
        params=(IDENTIFY_ID, *_WRITABLE_V2),
        success=(204,),
    ),
    Endpoint(
        name="update_user_preferences_by_body_v2",
        operation_id="updateUserPreferencesByBodyV2",
        method="PUT",
        path="/v2/user/preferences",
        summary=_UPDATE_BY_BODY_SUMMARY,
        source=source("vendor-swagger"),
        effect="write",
        params=(*IDENTIFY_ID_IN_BODY, *_WRITABLE_V2),
        success=(204,),
    ),
)

PREFERENCE_ENDPOINTS = (*_VERSION_1_ENDPOINTS, *_VERSION_2_ENDPOINTS)
