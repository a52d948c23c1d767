"""Gainsight PX users: the people who are tracked, and the denylist of those whose events are dropped.

Source: openapi.yaml, paths below /v1/users; aptrinsic-notes, sections 3 to 6.
"""

from __future__ import annotations

from feedloom.catalogue import Endpoint, Field, FilterField, Known, Param
from feedloom.vendors.aptrinsic.builders import (
    ENVELOPE_NOTE,
    SCROLL_PARAMS,
    USER_TYPES,
    WRITE_ENVELOPE,
    in_body,
    location,
    moment,
    nested,
    path_param,
    scroll_paging,
    source,
)

_GENDERS = ("MALE", "FEMALE", "OTHER", "EMPTY_GENDER")

_CHANNEL_PARTS = (
    Field(name="groupId"),
    Field(name="channel", type="integer"),
    Field(name="environment", type="integer"),
    moment(name="firstSeenDate", summary="First seen on this channel."),
    moment(name="lastSeenDate", summary="Last seen on this channel."),
)

_USER_AGENT_PARTS = (
    Field(name="propertyKey"),
    Field(name="userAgent", type="object"),
    Field(name="userAgent.rawUserAgent"),
    Field(name="userAgent.device"),
    Field(name="userAgent.platformType"),
    Field(name="userAgent.platformVersion"),
    Field(name="userAgent.browserType"),
    Field(name="userAgent.browserVersion"),
)

USER_FIELDS = (
    Field(name="aptrinsicId", summary="Internal UUID of the record, stable and unique."),
    Field(name="identifyId", summary="The id the application gave, matched with case when one user is read."),
    Field(name="id", summary="Copy of identifyId."),
    Field(name="type", summary="LEAD, USER, VISITOR or, when unset, EMPTY_USER_TYPE."),
    Field(name="gender", summary="MALE, FEMALE, OTHER or, when unset, EMPTY_GENDER."),
    Field(name="email"),
    Field(name="firstName"),
    Field(name="lastName"),
    Field(name="title"),
    Field(name="phone"),
    Field(name="role"),
    Field(name="score", type="integer"),
    Field(name="subscriptionId"),
    Field(name="accountId", summary="Id of the account, empty when there is none."),
    Field(name="numberOfVisits", type="integer"),
    moment(name="signUpDate"),
    moment(name="firstVisitDate"),
    moment(name="lastSeenDate", summary="Last activity."),
    moment(name="createDate"),
    moment(name="lastModifiedDate", summary="Last change of the record."),
    *location(name="location", summary="Postal place."),
    Field(name="propertyKeys", type="list", summary="Product keys, whose last number marks the environment."),
    Field(name="customAttributes", type="map", nullable=True, summary="Value of each attribute, by its API name."),
    Field(name="globalUnsubscribe", type="boolean", summary="The person opted out of all PX e-mail."),
    Field(name="sfdcContactId", summary="Id of the contact in Salesforce."),
    *nested(Field(name="channelMetricList", type="list", nullable=True), _CHANNEL_PARTS),
    *nested(Field(name="lastVisitedUserAgentData", type="list", nullable=True), _USER_AGENT_PARTS),
    *location(
        name="lastInferredLocation", summary="Place found from the IP address of the last session.", nullable=True
    ),
    Field(name="globalId", summary="Only on subscriptions with workspaces."),
)

_DENYLIST_FIELDS = (Field(name="denied", type="boolean"), Field(name="identifyId"))

IDENTIFY_ID = path_param(name="identifyId", summary="User id as the application gave it.")
IDENTIFY_ID_IN_BODY = in_body(
    (Param(name="identifyId", summary="User id as the application gave it."),), required=("identifyId",)
)
_HARD_DELETE = Param(
    name="hardDelete", type="boolean", default=False, summary="When true the record can never be revived."
)

_WRITABLE = (
    Param(name="identifyId", summary="The id the application gives."),
    Param(name="type", enum=USER_TYPES),
    Param(name="gender", enum=_GENDERS),
    Param(name="email"),
    Param(name="firstName"),
    Param(name="lastName"),
    Param(name="title"),
    Param(name="phone"),
    Param(name="role"),
    Param(name="score", type="integer"),
    Param(name="subscriptionId"),
    Param(name="accountId", summary="Id of the account."),
    Param(name="signUpDate", type="integer", summary="Epoch milliseconds."),
    Param(name="firstVisitDate", type="integer", summary="Epoch milliseconds."),
    Param(name="location", type="object", summary="Postal place, by the names of its parts."),
    Param(name="propertyKeys", encoding="list", summary="Product keys, at least one."),
    Param(name="customAttributes", type="object", summary="Value of each attribute, by its API name."),
    Param(name="globalUnsubscribe", type="boolean", summary="The person opted out of all PX e-mail."),
    Param(name="sfdcContactId", summary="Id of the contact in Salesforce."),
    Param(name="channelMetricList", type="object", encoding="list"),
    Param(name="lastVisitedUserAgentData", type="object", encoding="list"),
    Param(
        name="createDate",
        type="integer",
        summary="Epoch milliseconds; documented as read-only, yet sent by a client in use.",
        known=Known.SEEN_IN_CODE,
    ),
)

# The path names the user already, under the same name as the body would.
_WRITABLE_BESIDE_PATH = tuple(param for param in _WRITABLE if param.name != IDENTIFY_ID.name)

_PROFILE_ENDPOINTS = (
    Endpoint(
        name="list_users",
        operation_id="listUsers",
        method="GET",
        path="/v1/users",
        summary="List users.",
        source=source(
            "vendor-swagger",
            "posthog",
            "airbyte",
            "widen-tap",
            "fivetran",
            "c8y-sync",
            "airflow-hook",
            "polymetrics",
            "slack-bot",
            "celigo",
            note="Filtering and sorting by lastSeenDate is in use; by lastModifiedDate it is likely but unproven. "
            "Any field can be filtered by, though one statement excepts id, by which an example filters.",
        ),
        params=SCROLL_PARAMS,
        records="users",
        is_list=True,
        paging=scroll_paging(),
        filter_param="filter",
        filter_fields=(FilterField(name="*"),),
        sort_param="sort",
        sort_fields=("*",),
        fields=USER_FIELDS,
    ),
    Endpoint(
        name="get_user",
        operation_id="getUser",
        method="GET",
        path="/v1/users/{identifyId}",
        summary="Get one user.",
        source=source("vendor-swagger", "rudderstack", "pipedream"),
        params=(IDENTIFY_ID,),
        fields=USER_FIELDS,
    ),
    Endpoint(
        name="create_user",
        operation_id="createUser",
        method="POST",
        path="/v1/users",
        summary="Create a user, or revive one deleted within seven days; an id that exists is refused.",
        source=source("vendor-swagger", "px-data-loader", "rudderstack", "hightouch", "pipedream", note=ENVELOPE_NOTE),
        effect="write",
        repeatable=False,
        params=in_body(_WRITABLE, required=("identifyId", "propertyKeys")),
        fields=WRITE_ENVELOPE,
        success=(201,),
    ),
    Endpoint(
        name="update_user",
        operation_id="updateUser",
        method="PUT",
        path="/v1/users/{identifyId}",
        summary="Change the given keys of one user, which must exist or have been deleted within seven days.",
        source=source(
            "vendor-swagger",
            "px-data-loader",
            "rudderstack",
            note="The body may hold identifyId too; what another id there than in the path does is not documented.",
        ),
        effect="write",
        params=(IDENTIFY_ID, *in_body(_WRITABLE_BESIDE_PATH)),
        success=(204,),
    ),
    Endpoint(
        name="update_user_by_body",
        operation_id="updateUserByBody",
        method="PUT",
        path="/v1/users/update",
        summary="Change the user named in the body, for ids that cannot stand in a path.",
        source=source("vendor-swagger"),
        effect="write",
        params=in_body(_WRITABLE, required=("identifyId",)),
        success=(204,),
    ),
    Endpoint(
        name="delete_user",
        operation_id="deleteUser",
        method="DELETE",
        path="/v1/users/{identifyId}",
        summary="Delete one user, who comes back with all events if made or changed again within seven days.",
        source=source("vendor-swagger", "pipedream", "vendor-support", note=ENVELOPE_NOTE),
        effect="delete",
        params=(IDENTIFY_ID, _HARD_DELETE),
        fields=WRITE_ENVELOPE,
        success=(200, 204),
    ),
    Endpoint(
        name="delete_user_by_body",
        operation_id="deleteUserByBody",
        method="DELETE",
        path="/v1/users/delete",
        summary="Delete the user named in the body, for ids that cannot stand in a path.",
        source=source("vendor-swagger", "pipedream", note=ENVELOPE_NOTE),
        effect="delete",
        params=(_HARD_DELETE, *IDENTIFY_ID_IN_BODY),
        fields=WRITE_ENVELOPE,
        success=(200, 204),
    ),
)

_DENYLIST_ENDPOINTS = (
    Endpoint(
        name="get_user_denylist",
        operation_id="getUserDenylist",
        method="GET",
        path="/v1/users/denylist/{identifyId}",
        summary="Tell whether the user is on the denylist.",
        source=source("vendor-swagger", "airflow-hook"),
        params=(IDENTIFY_ID,),
        fields=_DENYLIST_FIELDS,
        success=(200, 204),
    ),
    Endpoint(
        name="set_user_denylist",
        operation_id="setUserDenylist",
        method="PUT",
        path="/v1/users/denylist/{identifyId}",
        summary="Put a user on or off the denylist; while on it, all events of the user are dropped.",
        source=source("vendor-swagger"),
        effect="write",
        params=(IDENTIFY_ID, *in_body((Param(name="denied", type="boolean"),), required=("denied",))),
        success=(200, 204),
    ),
)

USER_ENDPOINTS = (*_PROFILE_ENDPOINTS, *_DENYLIST_ENDPOINTS)
