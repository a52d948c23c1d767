"""Contacts, their events and their segments. Source: refiner-notes, Contacts, traits, accounts, segments."""

from __future__ import annotations

from feedloom.catalogue import Endpoint, Field, Known, Param
from feedloom.vendors.refiner.endpoints_shared import (
    ACCOUNT_SHORT,
    BY_CURSOR,
    BY_NUMBER,
    CONTACT_UUID,
    FORM_UUID,
    MESSAGE,
    PAGE,
    PAGE_CURSOR,
    PAGE_LENGTH,
    SEGMENT_UUID,
    USER_EMAIL,
    USER_ID,
    documented,
    in_body,
    inside,
    moment,
    must,
    seen_in_code,
)

ACCOUNT_FIELDS = (
    *ACCOUNT_SHORT,
    moment("first_seen_at"),
    moment("last_seen_at"),
    Field(name="attributes", type="map", summary="Account traits."),
)

CONTACT_FIELDS = (
    Field(name="uuid"),
    Field(
        name="remote_id", nullable=True, summary="The customer's own id, null for users known by email or not at all."
    ),
    Field(name="email", nullable=True),
    Field(name="display_name", nullable=True),
    moment("first_seen_at"),
    moment("last_seen_at"),
    Field(name="attributes", type="map", summary="Traits, automatic metadata and the latest answers in one flat map."),
    Field(name="segments", type="list"),
    Field(name="segments[].uuid"),
    Field(name="segments[].name"),
    moment("segments[].created_at", known=Known.ASSUMED, summary="Read by one client and missing from its own sample."),
    Field(name="account", type="object", nullable=True),
    *inside("account", ACCOUNT_FIELDS),
    moment(
        "last_form_submission_at",
        known=Known.ASSUMED,
        summary="Read here by one example, known for sure as a key of attributes.",
    ),
    moment("last_tracking_event_at", known=Known.ASSUMED, summary="Read here by one example only."),
)

CONTACT_ENDPOINTS = (
    Endpoint(
        name="list_contacts",
        operation_id="listContacts",
        method="GET",
        path="/contacts",
        summary="List contacts with their attributes, segments and account.",
        source=documented(
            "https://refiner.io/docs/api/#get-contacts (anchor cited by PipedreamHQ/pipedream and MindCloud)",
            "segevsh/w6w-apps apps/refiner/actions/contact-list.ts",
            "Composio toolkit types, REFINER_GET_CONTACTS",
            "metorial/integrations integrations/refiner/src/tools/list-contacts.ts",
            "fivetran/fivetran_connector_sdk connectors/refiner/connector.py (states that no date filter exists)",
            note="There is no date range. That order_by sorts moments newest first and text upwards is assumed.",
        ),
        params=(
            Param(
                name="order_by",
                default="first_seen_at",
                enum=("first_seen_at", "last_seen_at", "last_form_submission_at", "display_name", "email"),
                summary="Field to sort by, where one source alone shows display_name and email.",
            ),
            FORM_UUID,
            SEGMENT_UUID,
            Param(name="search", summary="Matches email, the customer's own id or name."),
            PAGE,
            PAGE_LENGTH,
            PAGE_CURSOR,
        ),
        records="items",
        is_list=True,
        paging=BY_CURSOR,
        fields=CONTACT_FIELDS,
    ),
    Endpoint(
        name="get_contact",
        operation_id="getContact",
        method="GET",
        path="/contact",
        summary="Read one contact by id, email or uuid.",
        source=documented(
            "https://refiner.io/docs/api/#get-contact (anchor cited by MindCloud)",
            "segevsh/w6w-apps apps/refiner/actions/contact-get.ts",
            "Composio toolkit types, REFINER_GET_CONTACT",
            note="Several contacts can share an email; id is the safer key.",
        ),
        params=(USER_ID, USER_EMAIL, CONTACT_UUID),
        one_of=(("id", "email", "uuid"),),
        per_user=True,
        fields=CONTACT_FIELDS,
    ),
    Endpoint(
        name="delete_contact",
        operation_id="deleteContact",
        method="DELETE",
        path="/contact",
        summary="Delete a contact and all of its survey responses.",
        source=documented(
            "https://refiner.io/docs/api/#delete-contact (anchor cited by MindCloud)",
            "segevsh/w6w-apps apps/refiner/actions/contact-delete.ts",
            "metorial/integrations integrations/refiner (specification text on deletion)",
            note="The newest Composio text leaves uuid out; three other sources accept it.",
        ),
        effect="delete",
        params=(USER_ID, USER_EMAIL, CONTACT_UUID),
        one_of=(("id", "email", "uuid"),),
        per_user=True,
        fields=MESSAGE,
    ),
    Endpoint(
        name="identify_user",
        operation_id="identifyUser",
        method="POST",
        path="/identify-user",
        summary="Create or update a contact, its traits and its account.",
        source=documented(
            "https://refiner.io/docs/api (identify user section, opening read directly)",
            "https://refiner.io/docs/api/#group-users (anchor cited by rudderlabs/rudder-transformer)",
            "segevsh/w6w-apps apps/refiner/actions/contact-identify.ts",
            "Composio toolkit types, REFINER_UPDATE_CONTACT",
            "rudderlabs/rudder-transformer src/v0/destinations/refiner",
            note=(
                "The user is looked up by id, else by email. Public test doubles answer 200, 201 and 202. "
                "Further keys are traits: text, integers within +/-2147483647 or booleans; a slug that ends in _at or "
                "_date is read as a date."
            ),
        ),
        effect="write",
        params=in_body(
            USER_ID,
            USER_EMAIL,
            Param(name="name", summary="Becomes display_name."),
            Param(name="account", type="object", summary="Account of the user, with its id, name and traits."),
        ),
        one_of=(("id", "email"),),
        open_body=True,
        per_user=True,
        fields=(*MESSAGE, Field(name="contact_uuid")),
        success=(200, 201, 202),
    ),
)

_EVENT_PARAMS = in_body(USER_ID, USER_EMAIL, must(Param(name="event", summary="Name of the event.")))

EVENT_ENDPOINTS = (
    Endpoint(
        name="track_event",
        operation_id="trackEvent",
        method="POST",
        path="/track-event",
        summary="Record a named event for a user, who is created when unknown.",
        source=documented(
            "https://refiner.io/docs/api/#track-event (anchor cited by PipedreamHQ/pipedream and MindCloud)",
            "segevsh/w6w-apps apps/refiner/actions/event-track.ts",
            "segmentio/segment-docs src/connections/destinations/catalog/refiner/index.md (attributes are dropped)",
            "metorial/integrations integrations/refiner (plan note)",
            note="Event properties are not stored. Not on the lowest plan; that it answers 403 there is assumed.",
        ),
        effect="write",
        repeatable=False,
        params=_EVENT_PARAMS,
        one_of=(("id", "email"),),
        per_user=True,
        fields=MESSAGE,
    ),
    Endpoint(
        name="track_event_legacy",
        operation_id="trackEventLegacy",
        method="POST",
        path="/track",
        summary="Record an event by an older path that one destination alone uses.",
        source=seen_in_code(
            "rudderlabs/rudder-transformer src/v0/destinations/refiner/config.js",
            "rudderlabs/rudder-transformer test/integrations/destinations/refiner/processor/trackTestData.ts",
            note="Not in the vendor's reference; what it answers is assumed.",
        ),
        effect="write",
        repeatable=False,
        params=_EVENT_PARAMS,
        one_of=(("id", "email"),),
        per_user=True,
        fields=MESSAGE,
        deprecated=True,
    ),
)

_MEMBERSHIP_FIELDS = (
    *MESSAGE,
    Field(name="contact_uuid"),
    Field(name="segment_uuid"),
    Field(name="segment_uid", known=Known.ASSUMED, summary="Spelling of segment_uuid that two readers show."),
)

SEGMENT_ENDPOINTS = (
    Endpoint(
        name="list_segments",
        operation_id="listSegments",
        method="GET",
        path="/segments",
        summary="List user segments by name.",
        source=documented(
            "https://refiner.io/docs/api/#get-segments (anchor cited by MindCloud)",
            "segevsh/w6w-apps apps/refiner/actions/segment-list.ts",
            "Composio toolkit types, REFINER_GET_SEGMENTS",
            "archiewood/fivetran-erds ddl/refiner.sql (table segment)",
            note="Composio alone shows a cursor here. Members are read by list_contacts with segment_uuid.",
        ),
        params=(
            PAGE,
            PAGE_LENGTH,
            Param(
                name="page_cursor",
                summary="Shown by one source, where the others go by page number.",
                known=Known.ASSUMED,
                deprecated=True,
            ),
        ),
        records="items",
        is_list=True,
        paging=BY_NUMBER,
        fields=(
            Field(name="uuid"),
            Field(name="name"),
            Field(name="is_manual", type="boolean", summary="Users are put in by hand or by the API."),
            Field(name="contacts_count", type="integer", known=Known.ASSUMED),
        ),
    ),
    Endpoint(
        name="add_user_to_segment",
        operation_id="addUserToSegment",
        method="POST",
        path="/sync-segment",
        summary="Put a user, who is created when unknown, into a manual segment.",
        source=documented(
            "https://refiner.io/docs/api/#link-users (anchor cited by MindCloud)",
            "segevsh/w6w-apps apps/refiner/actions/segment-add-contact.ts",
            "metorial/integrations integrations/refiner/src/tools/manage-segment.ts",
        ),
        effect="write",
        params=in_body(
            USER_ID, USER_EMAIL, must(Param(name="segment_uuid", format="uuid", summary="The manual segment."))
        ),
        one_of=(("id", "email"),),
        per_user=True,
        fields=_MEMBERSHIP_FIELDS,
    ),
    Endpoint(
        name="remove_user_from_segment",
        operation_id="removeUserFromSegment",
        method="DELETE",
        path="/sync-segment",
        summary="Take a user out of a manual segment.",
        source=documented(
            "https://refiner.io/docs/api/#link-users (anchor cited by MindCloud)",
            "segevsh/w6w-apps apps/refiner/actions/segment-remove-contact.ts (query parameters)",
            "metorial/integrations integrations/refiner/src/lib/client.ts (body)",
        ),
        effect="write",
        params=(
            USER_ID,
            USER_EMAIL,
            must(Param(name="segment_uuid", format="uuid", summary="The manual segment.")),
        ),
        one_of=(("id", "email"),),
        per_user=True,
        fields=_MEMBERSHIP_FIELDS,
    ),
)
