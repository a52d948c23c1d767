"""The ten kinds of events and the survey responses: how many there are, and what the rows of each hold.

Source of the shapes: openapi.yaml, the event schemas; aptrinsic-notes, sections 1 and 5.
"""

from __future__ import annotations

from typing import Any

from feedloom.vendors.aptrinsic.emulator.engagements import SCALES, SHOWN_AS, Piece
from feedloom.vendors.aptrinsic.emulator.event_base import EventKind, Happening, Scenery
from feedloom.vendors.aptrinsic.emulator.moods import contentment, scores, spread
from feedloom.vendors.aptrinsic.emulator.places import LANGUAGES, PLACES, SCREENS
from feedloom.vendors.aptrinsic.emulator.visits import DAY_MS, day_of

HOST = "app.loomdemo.example"
EVENTS_PER_USER = 10

_PAGES: tuple[tuple[str, str, str, dict[str, list[str]]], ...] = (
    ("/home", "", "Home", {}),
    ("/reports", "tab=1", "Reports", {"tab": ["1"]}),
    ("/reports/weekly", "tab=2&sort=-date", "Weekly report", {"tab": ["2"], "sort": ["-date"]}),
    ("/projects/42/board", "", "Board", {}),
    ("/search", "q=usage%20of%20%22seats%22", "Search", {"q": ['usage of "seats"']}),
    ("/settings/profile", "", "Profil & Sprache", {}),
    ("/billing", "tag=a&tag=b", "Billing", {"tag": ["a", "b"]}),
    ("/отчёты", "от=2025", "Отчёты", {"от": ["2025"]}),
)
_PAGE_TABLE = spread((70, 50, 22, 48, 26, 14, 14, 12))
_REFERRERS = ("", "", "", "https://www.loomdemo.example/pricing", "https://mail.example/")
_WORDS = ("usage", "=1+1", "seats; roles", "Überblick", '"exact words"', "отчёт", "")
_CUSTOM_EVENTS = (
    "Report Exported",
    "Plan Changed",
    "Invite Sent",
    "Project Created",
    "Search Performed",
    "Отчёт создан",
)
_FORMATS = ("csv", "xlsx", "pdf")
_COMMENTS = (
    "", "", "Quick and clear", "The exports save me hours", "Too slow on Mondays", "Нет экспорта в PDF", "=SUM(1;2)",
    "Gut, aber die Suche findet nichts", "First line\nsecond line", "👍",
)  # fmt: skip
_TRACKS = ("EMAIL_TRACK_PROCESSED", "EMAIL_TRACK_DELIVERED", "EMAIL_TRACK_OPEN", "EMAIL_TRACK_CLICK")
_PROCESSED, _DELIVERED, _OPENED = range(3)
_SINGLE_SURVEYS = tuple(SCALES)
_SURVEY_TABLE = spread((140, 40, 44, 32))
_QUESTIONS = ("SINGLE_CHOICE", "MULTI_CHOICE", "OPEN_TEXT")


def _custom(_: Scenery, one: Happening) -> dict[str, Any]:
    happy = contentment(day_of(one.date_ms), one.subject.plan)
    weights = (20 + happy, 8, 14, 24, 40, 10)
    name = _CUSTOM_EVENTS[spread(tuple(map(float, weights)))[one.roll[0]]]
    return {
        "eventName": name,
        "attributes": _attributes(name=name, one=one),
        "url": f"https://{HOST}{_PAGES[one.roll[1] % len(_PAGES)][0]}",
        "referrer": "",
        "remoteHost": one.subject.remote_host,
    }


def _attributes(*, name: str, one: Happening) -> dict[str, Any]:
    """Flat values of every kind; what was nested is text. Source: aptrinsic-notes, section 5."""
    roll = one.roll
    match name:
        case "Report Exported":
            return {"format": _FORMATS[roll[2] % 3], "rows": roll[3] * 25, "scheduled": roll[4] & 1 == 0}
        case "Plan Changed":
            return {"from": "free", "to": one.subject.plan, "effective": one.date_ms - one.date_ms % DAY_MS}
        case "Invite Sent":
            return {"role": "editor", "Anzahl": roll[2] % 5, "invite_id": int.from_bytes(roll[8:15], "little")}
        case "Project Created":
            return {"template": None if roll[2] & 1 else "kanban", "settings": '{"color":"red","tags":["a","b"]}'}
        case "Search Performed":
            return {"q": _WORDS[roll[2] % len(_WORDS)], "tookMs": roll[3] + 0.5, "took_ms": roll[3]}
        case _:
            return {"название": "Продажи", "🎯": roll[2] % 10}


def _page_view(_: Scenery, one: Happening) -> dict[str, Any]:
    path, query, title, params = _PAGES[_PAGE_TABLE[one.roll[0]]]
    width, height = SCREENS[one.roll[1] % len(SCREENS)]
    return {
        "scheme": "https",
        "host": HOST,
        "path": path,
        "queryString": query,
        "hash": "#top" if one.roll[2] < 20 else "",  # noqa: PLR2004 - of 256
        "queryParams": params,
        "remoteHost": one.subject.remote_host,
        "referrer": _REFERRERS[one.roll[3] % len(_REFERRERS)],
        "screenHeight": height,
        "screenWidth": width,
        "languages": LANGUAGES[one.subject.country],
        "pageTitle": title,
    }


def _form(scenery: Scenery, one: Happening) -> dict[str, Any]:
    data = {"q": _WORDS[one.roll[4] % len(_WORDS)], "agreed": "true"}
    if one.roll[5] & 1:
        data["Straße"] = "Ring 1"
    return {**_page_view(scenery, one), "formData": data}


def _session(_: Scenery, one: Happening) -> dict[str, Any]:
    return {"remoteHost": one.subject.remote_host, "inferredLocation": PLACES[one.subject.country]}


def _feature(scenery: Scenery, one: Happening) -> dict[str, Any]:
    """One of the burst's features is drawn, and others with it; they come in the order of their ids."""
    features = scenery.features
    happy = contentment(day_of(one.date_ms), one.subject.plan)
    drawn = features.used(byte=one.roll[0], contentment=happy)
    places = sorted((drawn + 7 * rank) % features.usable_count for rank in range(one.size))
    feature_id = features.usable(places[one.rank])
    return {"eventId": f"{one.event_id}-{feature_id}", "featureId": feature_id}


def _segment(scenery: Scenery, one: Happening) -> dict[str, Any]:
    return {"segmentId": scenery.segments[one.roll[0] % len(scenery.segments)]}


def _email_address(_: Scenery, one: Happening) -> dict[str, Any]:
    return {"email": one.subject.email}


def _email(scenery: Scenery, one: Happening) -> dict[str, Any]:
    emails = scenery.engagements.emails
    burst = one.position - one.rank
    stage = one.rank if one.roll[0] > 12 else _PROCESSED  # noqa: PLR2004 - of 256
    bounced = one.rank == _DELIVERED and one.roll[1] < 10  # noqa: PLR2004 - of 256
    opened = stage >= _OPENED
    return {
        "engagementId": emails[burst % len(emails)].id,
        "email": one.subject.email,
        "emailTrackType": "EMAIL_TRACK_BOUNCE" if bounced else _TRACKS[stage],
        "status": "5.1.1" if bounced else "",
        "reason": "550 no such mailbox" if bounced else "",
        "bounceType": "DELIVER_BOUNCE" if bounced else "EMPTY_BOUNCE_TYPE",
        "mtaResponse": "250 OK" if stage == _DELIVERED and not bounced else "",
        "attempt": "1" if one.rank else "",
        "linkIndex": 0,
        "linkType": "EMPTY_LINK_TYPE",
        "linkUrl": "",
        "executionDate": one.visit.start_ms,
        **({"inferredLocation": PLACES[one.subject.country]} if opened else {}),
    }


def _engagement_view(scenery: Scenery, one: Happening) -> dict[str, Any]:
    """The first row of a burst is the view, the next is the click that ends it."""
    views = scenery.engagements.views
    burst = one.position - one.rank
    piece = views[burst * 13 % len(views)]
    clicked = one.rank > 0
    state = "COMPLETED" if clicked else "VIEWED"
    row = _shown(scenery=scenery, one=one, piece=piece, number=2 * burst)
    row["engagementTrackType"] = "ENGAGEMENT_CLICK" if clicked else "ENGAGEMENT_VIEW"
    row["sequenceNumber"] = one.rank + 1
    if piece.type == "IN_APP_GUIDE":
        row |= {"guideState": state, "stepId": f"s{one.rank + 1}"}
    elif piece.type == "IN_APP_CAROUSEL":
        row |= {"carouselState": state, "slideId": f"slide-{one.rank + 1}"}
    elif piece.type.endswith("_SURVEY"):
        row["surveyState"] = state
    if clicked:
        row["linkUrl"] = f"https://{HOST}/help"
    return row


def _survey(scenery: Scenery, one: Happening) -> dict[str, Any]:
    """A burst of one row is a survey with one question, longer bursts are those with a row for each question."""
    kind = _SINGLE_SURVEYS[_SURVEY_TABLE[one.roll[0]]] if one.size == 1 else "MULTIPLE_QUESTION"
    pieces = scenery.engagements.surveys[kind]
    burst = one.position - one.rank
    piece = pieces[(burst + one.size) % len(pieces)]
    row = _shown(scenery=scenery, one=one, piece=piece, number=2 * burst + 1)
    row |= {
        "engagementTrackType": "ENGAGEMENT_VIEW",
        "surveyState": "COMPLETED",
        "contactMeAllowed": one.roll[1] & 1 == 0,
    }
    happy = contentment(day_of(one.date_ms), one.subject.plan)
    for single, (low, high) in SCALES.items():
        if single == kind:
            row["score"] = scores(happy, low, high)[one.roll[2]]
    question = "" if one.size == 1 else _QUESTIONS[one.rank]
    says = one.size == 1 or question == "OPEN_TEXT"
    row["comment"] = _COMMENTS[one.roll[3] % len(_COMMENTS)] if says else ""
    row["questionType"] = question
    row["selectionIds"] = _selected(question=question, byte=one.roll[4])
    if question:
        row["sequenceNumber"] = one.rank + 1
    return row


def _selected(*, question: str, byte: int) -> list[str]:
    if question == "SINGLE_CHOICE":
        return [f"a{byte % 4}"]
    if question == "MULTI_CHOICE":
        return [f"b{choice}" for choice in range(5) if byte >> choice & 1]
    return []


def _shown(*, scenery: Scenery, one: Happening, piece: Piece, number: int) -> dict[str, Any]:
    """What the rows of the execution with that *number* have in common."""
    return {
        "engagementId": piece.id,
        "contentId": f"c-{piece.id}",
        "contentType": SHOWN_AS[piece.type],
        "executionDate": one.visit.start_ms,
        "executionId": scenery.executions.uuid(index=number, moment_s=one.visit.start_ms // 1000),
        "viewEventId": "",
        "path": _PAGES[number % len(_PAGES)][0],
    }


PAGE_VIEWS = "list_page_view_events"
SESSIONS = "list_session_events"
CUSTOM_EVENTS = "list_custom_events"
FEATURE_MATCHES = "list_feature_match_events"
SEGMENT_MATCHES = "list_segment_match_events"
EMAILS = "list_email_events"
SURVEY_RESPONSES = "list_survey_responses"

KINDS: tuple[EventKind, ...] = (
    EventKind(list_name=PAGE_VIEWS, number=0, event_type="PAGE_VIEW", share=None, fill=_page_view),
    EventKind(list_name=SESSIONS, number=1, event_type="SESSION_STARTED", share=120, is_anchored=True, fill=_session),
    EventKind(
        list_name=FEATURE_MATCHES,
        number=2,
        event_type="FEATURE_MATCH",
        share=210,
        bursts=(1, 2, 1, 3, 1),
        apart_ms=0,
        fill=_feature,
    ),
    EventKind(list_name=CUSTOM_EVENTS, number=3, event_type="CUSTOM", share=90, fill=_custom),
    EventKind(
        list_name="list_engagement_view_events",
        number=4,
        event_type="ENGAGEMENT",
        share=50,
        bursts=(1, 2, 1, 2),
        apart_ms=9_000,
        fill=_engagement_view,
    ),
    EventKind(list_name="list_identify_events", number=5, event_type="IDENTIFY", share=30, fill=_email_address),
    EventKind(list_name=SEGMENT_MATCHES, number=6, event_type="SEGMENT_MATCH", share=25, fill=_segment),
    EventKind(
        list_name=EMAILS,
        number=7,
        event_type="EMAIL",
        share=20,
        bursts=(3, 2, 3, 4),
        apart_ms=60_000,
        in_session=False,
        fill=_email,
    ),
    EventKind(list_name="list_form_submit_events", number=8, event_type="FORM_SUBMIT", share=10, fill=_form),
    EventKind(list_name="list_lead_events", number=9, event_type="LEAD", share=5, fill=_email_address),
    EventKind(
        list_name=SURVEY_RESPONSES,
        number=10,
        event_type="SURVEY",
        share=25,
        bursts=(1, 1, 3, 1, 2, 1),
        fill=_survey,
    ),
)


def counts(*, users: int) -> dict[str, int]:
    """How many rows the base data have of each kind: ten events for each user, and the survey responses beside them."""
    found = {kind.list_name: users * kind.share // 100 for kind in KINDS if kind.share is not None}
    others = sum(count for name, count in found.items() if name != SURVEY_RESPONSES)
    return {PAGE_VIEWS: users * EVENTS_PER_USER - others, **found}
