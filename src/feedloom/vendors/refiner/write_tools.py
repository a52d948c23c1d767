"""The tools that change something at Refiner. None of them sends anything before a person has approved of it."""

from __future__ import annotations

from feedloom.catalogue import Argument, WriteTool

_ID = Argument(name="id", summary="The customer's own id")
_EMAIL = Argument(name="email")
MOST_TAGS = 20
"""Source: refiner.openapi.yaml, tagResponse."""

WRITE_TOOLS: tuple[WriteTool, ...] = (
    WriteTool(
        name="refiner_update_contact",
        title="Update contact",
        description="Plans to set traits, or the account, of one contact. A person approves; the values are then read "
        "back. `name` sets the display name.",
        action="update_contact",
        arguments=(
            _ID,
            _EMAIL,
            Argument(name="attributes", type="map", summary="Traits to set; no identifiers"),
            Argument(name="account", type="map", summary="Its `id`, `name` and traits"),
            Argument(name="create_if_missing", type="boolean", default=False),
        ),
        exactly_one=("id", "email"),
        is_destructive=True,
    ),
    WriteTool(
        name="refiner_track_event",
        title="Track event",
        description="Plans to record an event for a known contact. Events cannot be read back.",
        action="track_event",
        arguments=(Argument(name="event", required=True), _ID, _EMAIL),
        exactly_one=("id", "email"),
    ),
    WriteTool(
        name="refiner_tag_response",
        title="Tag response",
        description="Plans to add tags to one response.",
        action="tag_response",
        arguments=(
            Argument(name="response_uuid", required=True),
            Argument(name="contact_uuid", summary="Whose response it is; it is found by this"),
            Argument(name="tags", type="texts", required=True, minimum=1, maximum=MOST_TAGS),
        ),
    ),
    WriteTool(
        name="refiner_set_segment",
        title="Set segment",
        description="Plans to put a known contact into a manual segment, or to take it out.",
        action="set_segment",
        arguments=(
            Argument(name="segment_uuid", required=True),
            Argument(name="member", type="boolean", required=True),
            _ID,
            _EMAIL,
        ),
        exactly_one=("id", "email"),
    ),
    WriteTool(
        name="refiner_delete_contact",
        title="Delete contact",
        description="Plans to delete one contact; the plan says how many responses go with it. Cannot be undone.",
        action="delete_contact",
        arguments=(_ID, _EMAIL, Argument(name="uuid")),
        exactly_one=("id", "email", "uuid"),
        is_destructive=True,
    ),
)
