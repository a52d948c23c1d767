"""Where the sources on Refiner disagree, and the switch for each side. Defaults are those that the notes advise.

Source: refiner-notes, all sections, summed up in "Contradictions in one place".
"""

from __future__ import annotations

from feedloom.emulator.quirks import Quirk

ABSENT, PRESENT = "absent", "present"
NO, YES = "0", "1"

QUIRKS: tuple[Quirk, ...] = (
    Quirk(
        name="page_length_default",
        summary="Rows on a page when the request does not say; sources give 100 and 50.",
        default="100",
        maximum=1000,
    ),
    Quirk(
        name="first_page_cursor",
        summary="Whether a page that was asked for without a cursor offers the cursor of the next one.",
        default=PRESENT,
        choices=(PRESENT, ABSENT),
    ),
    Quirk(
        name="page_and_cursor",
        summary="Which one counts when a request carries both page and page_cursor.",
        default="cursor",
        choices=("cursor", "page"),
    ),
    Quirk(
        name="end_cursor",
        summary="How the last page says that no page follows: a cursor that is null, or none.",
        default="null",
        choices=("null", ABSENT),
    ),
    Quirk(
        name="segments_cursor",
        summary="Whether the list of segments has cursors, as one source shows.",
        default=ABSENT,
        choices=(ABSENT, PRESENT),
    ),
    Quirk(
        name="contacts_order",
        summary="Which end of the contacts comes first when they are ordered by a moment.",
        default="newest",
        choices=("newest", "oldest"),
    ),
    Quirk(
        name="empty_map",
        summary="How a map without entries is written: as {} or as [].",
        default="object",
        choices=("object", "list"),
    ),
    Quirk(
        name="numbers",
        summary="Whether numbers and truth values in answers and traits are written as text or as themselves.",
        default="text",
        choices=("text", "number"),
    ),
    Quirk(
        name="several_choices",
        summary="Whether several choices are a list or one text with the choices joined by a comma.",
        default="list",
        choices=("list", "text"),
    ),
    Quirk(
        name="tags_on_read",
        summary="Whether responses show their tags.",
        default=ABSENT,
        choices=(ABSENT, PRESENT),
    ),
    Quirk(
        name="tags_write",
        summary="Whether tagging a response adds to the tags it has or replaces them.",
        default="add",
        choices=("add", "replace"),
    ),
    Quirk(
        name="ungrouped_account",
        summary="How a contact without an account is shown: null, or an account without names.",
        default="null",
        choices=("null", "object"),
    ),
    Quirk(
        name="folder",
        summary="How the folder of a survey is shown: an object, its name, or always null.",
        default="object",
        choices=("object", "text", "null"),
    ),
    Quirk(
        name="unverified_fields",
        summary="Whether fields that only weak sources show are present.",
        default=ABSENT,
        choices=(ABSENT, PRESENT),
    ),
    Quirk(
        name="identify_status",
        summary="The status that identify-user answers with.",
        default="200",
        choices=("200", "201", "202"),
    ),
    Quirk(
        name="identify_is_seeing",
        summary="Whether identify-user moves the time at which the contact was last seen.",
        default=YES,
        choices=(YES, NO),
    ),
    Quirk(
        name="event_tracking",
        summary="Whether the plan has event tracking; without it track-event answers 403.",
        default=YES,
        choices=(YES, NO),
    ),
    Quirk(
        name="delete_by_uuid",
        summary="Whether a contact can be deleted by uuid, which the newest source leaves out.",
        default=YES,
        choices=(YES, NO),
    ),
    Quirk(
        name="segment_key",
        summary="The key by which sync-segment names the segment in its answer.",
        default="segment_uuid",
        choices=("segment_uuid", "segment_uid"),
    ),
    Quirk(
        name="unknown_key_status",
        summary="The status that a well-formed but unknown key is answered with.",
        default="404",
        choices=("404", "400"),
    ),
    Quirk(
        name="error_key",
        summary="The key under which an error body holds its text.",
        default="error",
        choices=("error", "message"),
    ),
    Quirk(
        name="reported_responses",
        summary="Whether reports count unfinished responses too, or finished ones only.",
        default="partials",
        choices=("partials", "completed"),
    ),
    Quirk(
        name="imported_date",
        summary="Which moments of a stored response take its past date: all, or all but the reception of data.",
        default="all",
        choices=("all", "shown"),
    ),
)
