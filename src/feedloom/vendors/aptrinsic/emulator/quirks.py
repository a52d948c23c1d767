"""Where the sources on Gainsight PX disagree or are silent, and the switch for each side.

Defaults are what the notes advise.

Source: aptrinsic-notes, sections 2, 5, 6, 9 and 10.
"""

from __future__ import annotations

from feedloom.emulator.quirks import Quirk

NO, YES = "0", "1"
HONOURED, IGNORED = "honoured", "ignored"
TAKEN, REFUSED = "taken", "refused"

QUIRKS: tuple[Quirk, ...] = (
    Quirk(
        name="scroll_id",
        summary="Whether a scroll has one id, which moves on at each call, or a fresh one for each page.",
        default="constant",
        choices=("constant", "fresh"),
    ),
    Quirk(
        name="scroll_end",
        summary="When the scroll id is null: on an empty page, on the last page with rows, or never.",
        default="empty",
        choices=("empty", "last", "never"),
    ),
    Quirk(
        name="scrolling",
        summary="Whether a scroll shows the rows as they were at its first page or as they are now.",
        default="snapshot",
        choices=("snapshot", "live"),
    ),
    Quirk(
        name="scroll_life_s",
        summary="Seconds after its last use at which a scroll is forgotten; 0 for never.",
        default="300",
    ),
    Quirk(
        name="total_hits",
        summary="Whether totalHits counts the rows handed out or more than those.",
        default="exact",
        choices=("exact", "inflated"),
    ),
    Quirk(
        name="duplicate_guard",
        summary="Refuse a read that repeats the URL of one within the last 2 seconds, unless it carries a scroll id.",
        default=NO,
        choices=(NO, YES),
    ),
    Quirk(
        name="retry_after",
        summary="Whether a refusal because of a limit says how long to wait.",
        default=NO,
        choices=(NO, YES),
    ),
    Quirk(
        name="default_window",
        summary="What a list of events holds when no date is given: the last day, or everything.",
        default="day",
        choices=("day", "none"),
    ),
    Quirk(
        name="modified_filter",
        summary="Whether the filter by lastModifiedDate works on users and accounts.",
        default=HONOURED,
        choices=(HONOURED, IGNORED),
    ),
    Quirk(
        name="modified_sort",
        summary="Whether the sort by lastModifiedDate works on users and accounts.",
        default=HONOURED,
        choices=(HONOURED, IGNORED),
    ),
    Quirk(
        name="filter_by_id",
        summary="Whether users can be filtered by id, which the sources deny and show.",
        default=TAKEN,
        choices=(TAKEN, REFUSED),
    ),
    Quirk(
        name="segment_match_key",
        summary="The key of the list of segment matches, of which one would expect the other.",
        default="featureMatchEvents",
        choices=("featureMatchEvents", "segmentMatchEvents"),
    ),
    Quirk(
        name="global_context",
        summary="How the global context of events is written.",
        default="object",
        choices=("object", "array", "null"),
    ),
    Quirk(
        name="number_for_text",
        summary="Whether a body may hold a number or a truth value where a text is asked for.",
        default=TAKEN,
        choices=(TAKEN, REFUSED),
    ),
    Quirk(
        name="revival_days",
        summary="Days within which a deleted user comes back when made or changed again.",
        default="7",
        maximum=3650,
    ),
    Quirk(
        name="write_body",
        summary="What a successful write answers with: nothing, or the wrapper that the vendor documents.",
        default="empty",
        choices=("empty", "envelope"),
    ),
    Quirk(
        name="rights",
        summary="The rights of the key: all, or all but Read, Write or Production Launch.",
        default="all",
        choices=("all", "no-read", "no-write", "no-launch"),
    ),
    Quirk(
        name="forbidden_body",
        summary="How a missing right is told: as JSON, or as a page of HTML.",
        default="json",
        choices=("json", "html"),
    ),
    Quirk(
        name="region",
        summary="Whether the key belongs to this region; when not, the status of every answer.",
        default="right",
        choices=("right", "401", "404"),
    ),
)
