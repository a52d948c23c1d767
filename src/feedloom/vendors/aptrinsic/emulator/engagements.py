"""The guides, surveys and e-mails of the invented product, the segments they are meant for, and their help articles.

Source of the shapes: openapi.yaml, schemas Engagement, EngagementExtended, Segment, Article and KnowledgeCenterBot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from feedloom.emulator.dice import Dice
from feedloom.vendors.aptrinsic.emulator.population import APP_KEY, WEB_KEY
from feedloom.vendors.aptrinsic.emulator.visits import DAY_MS, START_MS

SurveyKind: TypeAlias = Literal["NPS", "CES", "RATING", "BOOLEAN"]

SCALES: Mapping[SurveyKind, tuple[int, int]] = {"NPS": (0, 10), "CES": (1, 7), "RATING": (1, 5), "BOOLEAN": (0, 1)}
"""Lowest and highest score of each kind of survey."""

SHOWN_AS = {
    "IN_APP_DIALOG": "IN_APP_DIALOG",
    "IN_APP_CAROUSEL": "IN_APP_CAROUSEL",
    "IN_APP_GUIDE": "IN_APP_GUIDE",
    "IN_APP_NPS_SURVEY": "IN_APP_SURVEY_NPS",
    "IN_APP_CES_SURVEY": "IN_APP_SURVEY_CES",
    "IN_APP_RATING_SURVEY": "IN_APP_SURVEY_RATING",
    "IN_APP_BOOLEAN_SURVEY": "IN_APP_SURVEY_BOOLEAN",
    "IN_APP_MULTIPLE_QUESTION_SURVEY": "IN_APP_MULTIPLE_QUESTION_SURVEY",
}
"""Type of an engagement -> content type in its events, which spell it otherwise. Source: aptrinsic-notes, section 5."""

_NAMES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("IN_APP_GUIDE", ("Welcome tour", "Reports in five steps", "Neue Suche", "Первый проект", "Invite your team")),
    ("IN_APP_DIALOG", ("What's new in 5.1", "Maintenance on Sunday", "Terms of use", "Trial ends soon")),
    ("IN_APP_CAROUSEL", ("Mobile app", "Year in review 🎉", "Ten things to try")),
    ("IN_APP_NOTIFICATION", ("Export finished", "Seat limit reached")),
    ("IN_APP_NPS_SURVEY", ("NPS", "NPS enterprise", "NPS (old)")),
    ("IN_APP_CES_SURVEY", ("Effort: setup", "Effort: support")),
    ("IN_APP_RATING_SURVEY", ("Rate the reports", "Rate the board")),
    ("IN_APP_BOOLEAN_SURVEY", ("Was this article helpful?",)),
    ("IN_APP_MULTIPLE_QUESTION_SURVEY", ("Onboarding survey", "Role & goals")),
    ("OUT_BOUND_EMAIL", ("Weekly digest", "We miss you", "Webinar: exports")),
    ("EMAIL", ("Confirm your address", "Invoice is ready")),
)
_STATES = ("STARTED",) * 6 + ("PAUSED", "COMPLETED", "EDITING", "IN_PROGRESS")
_ENVIRONMENTS = (["Production"], ["Production", "Stage"], ["QA"], ["Production"])
_LANGUAGES = (("en",), ("en", "de"), ("en", "fr", "ru"))
_AUDIENCE_EVENTS: tuple[tuple[str, list[str]], ...] = (
    ("Report Exported", ["format", "rows"]),
    ("Plan Changed", ["from", "to"]),
    ("Invite Sent", []),
)
_SEGMENTS = (
    "Power users", "New this month", "At risk", "Enterprise admins", "Trial", "Никогда не заходили", "EU data region",
    "Mobile only", "Beta 🧪", "Exporters", "Free plan", "Pro plan", "Champions", "Detractors", "Promoters", "Churned",
    "Has open ticket", "Billing contacts", "Weekly active", "Dormant 90 days", "Seats > 50", "Partner accounts",
    "Onboarding week 1", "Onboarding week 2", "Webinar guests", "Internal users", "Test accounts",
)  # fmt: skip
_TOPICS = (
    "dashboards", "reports", "exports", "boards", "timelines", "tasks", "comments", "search", "roles", "single sign-on",
    "invoices", "plans", "Slack", "calendars", "alerts", "webhooks", "the mobile app", "offline mode", "templates",
    "keyboard shortcuts", "Berichte",
)  # fmt: skip
_TITLES = (
    "Getting started with {}", "How {} work", "Tips for {}", "{}: common questions", "Who may change {}",
    "Moving {} from another tool", "{}: limits", "Troubleshooting {}", "What is new in {}", "{} for administrators",
)  # fmt: skip
_BOTS = ("Help", "Hilfe", "Mobile help", "Release notes")
_PEOPLE = (("c-ola", "Ola Moe"), ("c-kari", "Kari Nordmann"), ("c-wei", "Wei Abe"))
_PRODUCT = {"productId": "LOOMDEMOWEB1", "productName": "Loom App"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """An engagement of the base data, as events speak of it."""

    id: str
    type: str
    name: str
    property_key: str


class Engagements:
    """All engagements of the base data, apart by what they do: ``views`` in a product, ``surveys``, ``emails``."""

    def __init__(self, *, seed: int) -> None:
        self._dice = Dice(seed=seed, kind="px engagement", size=16)
        typed = [(type_, name) for type_, names in _NAMES for name in names]
        self.all = tuple(
            Piece(
                id=self._dice.roll(place)[:6].hex(),
                type=type_,
                name=name,
                property_key=APP_KEY if name.startswith("Mobile") else WEB_KEY,
            )
            for place, (type_, name) in enumerate(typed)
        )
        self.views = tuple(piece for piece in self.all if piece.type in SHOWN_AS)
        self.emails = tuple(piece for piece in self.all if piece.type in {"OUT_BOUND_EMAIL", "EMAIL"})
        self.surveys: Mapping[str, tuple[Piece, ...]] = {
            kind: tuple(piece for piece in self.all if piece.type == f"IN_APP_{kind}_SURVEY")
            for kind in (*SCALES, "MULTIPLE_QUESTION")
        }

    def rows(self) -> list[dict[str, Any]]:
        """The engagements as the API shows them, with the custom events of their audience and who made them."""
        return [self._row(place, piece) for place, piece in enumerate(self.all)]

    def _row(self, place: int, piece: Piece) -> dict[str, Any]:
        roll = self._dice.roll(place)
        events = _AUDIENCE_EVENTS[: roll[6] % (len(_AUDIENCE_EVENTS) + 1)]
        return {
            "id": piece.id,
            "name": piece.name,
            "description": "" if roll[7] & 1 else f"{piece.name}, shown once",
            "type": piece.type,
            "state": _STATES[roll[8] % len(_STATES)],
            "propertyKeys": [piece.property_key],
            "envs": list(_ENVIRONMENTS[roll[9] % len(_ENVIRONMENTS)]),
            "defaultLanguage": "en",
            "languages": _languages(roll[10]),
            "translationState": "",
            "customEvents": [{"name": name, "properties": list(properties)} for name, properties in events],
            "createdById": _PEOPLE[roll[11] % len(_PEOPLE)][0],
        }


def segment_rows(*, seed: int) -> list[dict[str, Any]]:
    """The segments of the base data."""
    dice = Dice(seed=seed, kind="px segment", size=6)
    return [{"id": dice.roll(place).hex(), "name": name} for place, name in enumerate(_SEGMENTS)]


def bot_rows(*, seed: int) -> list[dict[str, Any]]:
    """The knowledge-center bots of the base data."""
    dice = Dice(seed=seed, kind="px bot", size=8)
    return [_bot(roll=dice.roll(place), name=name, priority=place + 1) for place, name in enumerate(_BOTS)]


def article_rows(*, seed: int, bots: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The articles of the base data, each shown by none, one or two of the *bots*."""
    dice = Dice(seed=seed, kind="px article", size=16)
    names = [title.format(topic) for topic in _TOPICS for title in _TITLES]
    return [_article(roll=dice.roll(place), name=name, bots=bots) for place, name in enumerate(names)]


def _bot(*, roll: bytes, name: str, priority: int) -> dict[str, Any]:
    made_ms = START_MS - roll[6] * DAY_MS
    return {
        "id": roll[:6].hex(),
        "name": name,
        "description": "",
        "createdBy": _person(roll[6]),
        "createdDate": made_ms,
        "modifiedBy": _person(roll[7]),
        "modifiedDate": made_ms + roll[7] * DAY_MS,
        "defaultLanguage": "en",
        "languages": _languages(roll[6]),
        "environments": ["Production"],
        "priority": priority,
        **_PRODUCT,
        "status": "STARTED" if roll[7] & 3 else "PAUSED",
    }


def _article(*, roll: bytes, name: str, bots: list[dict[str, Any]]) -> dict[str, Any]:
    made_ms = START_MS + (int.from_bytes(roll[6:8], "little") % 600 - 200) * DAY_MS
    shown_by = [bots[(roll[8] + rank) % len(bots)] for rank in range(roll[9] % 3)]
    released = datetime.fromtimestamp(made_ms // 1000, tz=UTC).date()
    return {
        "id": roll[:6].hex(),
        "articleName": name[0].upper() + name[1:],
        "author": _person(roll[10])["name"],
        "articleKCs": [{"kcId": bot["id"], "kcName": bot["name"]} for bot in shown_by],
        "createdDate": made_ms,
        "modifiedDate": made_ms + roll[11] * DAY_MS // 2,
        "modifiedBy": _person(roll[12]),
        "defaultLanguage": "en",
        "languages": _languages(roll[13]),
        **_PRODUCT,
        "releaseDate": f"{released}T00:00:00Z" if roll[14] & 3 else None,
        "translationState": "",
        "viewType": "ARTICLE",
    }


def _languages(byte: int) -> list[dict[str, Any]]:
    codes = _LANGUAGES[byte % len(_LANGUAGES)]
    return [{"languageCode": code, "translated": rank < 2} for rank, code in enumerate(codes)]  # noqa: PLR2004 - the third is on its way


def _person(byte: int) -> dict[str, Any]:
    person_id, name = _PEOPLE[byte % len(_PEOPLE)]
    return {"id": person_id, "name": name}
