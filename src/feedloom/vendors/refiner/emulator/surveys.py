"""The surveys of the invented environment: their questions, when they ran, and how they were edited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

QuestionKind: TypeAlias = Literal["nps", "csat", "ces", "rating", "single", "several", "text"]

SCALES: dict[QuestionKind, tuple[int, int]] = {"nps": (0, 10), "csat": (-2, 2), "ces": (1, 7), "rating": (1, 5)}
"""Lowest and highest score. NPS and CSAT as Refiner has them; source: refiner-notes, Responses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question; ``options`` pairs each choice with its weight, ``scale`` is None for the usual one of its kind."""

    identifier: str
    kind: QuestionKind
    text: str
    options: tuple[tuple[str, int], ...] = ()
    scale: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """One survey of the base data.

    Attributes:
        name: Its name now.
        questions: In order.
        channels: Where it is shown.
        folder: Name of its folder; None for none.
        weight: Its share of all showings while it runs; 0 for a draft.
        from_day: Day of the history on which it was published.
        to_day: Day on which it was archived; None while it runs.
        eagerness: How much more (or less) often it is answered than the average.
        edits: Day, action and earlier name of each change, oldest first.
    """

    name: str
    questions: tuple[Question, ...]
    channels: tuple[str, ...] = ("web",)
    folder: str | None = None
    weight: int
    from_day: int = 0
    to_day: int | None = None
    eagerness: float = 1.0
    edits: tuple[tuple[int, str, str], ...] = ()


_FEATURES = (("Exports", 5), ("Dark mode", 4), ("SSO, SCIM", 2), ("Mobile app", 4), ('"Smart" alerts', 2), ("Other", 1))
_MISSING = (("Filters", 4), ("Scheduling", 3), ("PDF", 3), ("Share links", 2))
_BUGS = (("Crash", 1), ("Slow", 4), ("Layout", 3), ("Нет звука", 1))
_YES_NO = (("Yes", 7), ("No", 3))

_NPS = Question(identifier="nps", kind="nps", text="How likely are you to recommend us to a friend or colleague?")
_NPS_REASON = Question(identifier="nps_reason", kind="text", text="What is the main reason for your score?")

SURVEYS: tuple[Survey, ...] = (
    Survey(
        name="Quarterly NPS",
        weight=36,
        channels=("web", "mobile"),
        folder="Relationship",
        questions=(
            _NPS,
            _NPS_REASON,
            Question(
                identifier="wanted_features", kind="several", text="Which of these would you use?", options=_FEATURES
            ),
        ),
        edits=((-20, "update", "NPS"), (90, "update", "Quarterly NPS"), (410, "update", "Quarterly NPS")),
    ),
    Survey(
        name="Onboarding satisfaction",
        weight=12,
        folder="Onboarding",
        questions=(
            Question(identifier="csat", kind="csat", text="How satisfied are you with the setup?"),
            Question(identifier="csat_reason", kind="text", text="What could be better?"),
            Question(
                identifier="onboarding_help",
                kind="single",
                text="Who helped you most?",
                options=(("Documentation", 4), ("Support", 3), ("A colleague", 2), ("Nobody", 1)),
            ),
        ),
        edits=((150, "update", "Onboarding CSAT"),),
    ),
    Survey(
        name="Support effort (CES)",
        weight=9,
        from_day=40,
        channels=("web", "link"),
        folder="Support",
        questions=(
            Question(identifier="ces", kind="ces", text="How easy was it to get your problem solved?"),
            Question(identifier="ces_comment", kind="text", text="Anything you want to tell us?"),
        ),
    ),
    Survey(
        name="Feature rating: Reports",
        weight=8,
        from_day=120,
        questions=(
            Question(identifier="rating_reports", kind="rating", text="How do you rate the reports?"),
            Question(identifier="reports_missing", kind="several", text="What is missing?", options=_MISSING),
        ),
    ),
    Survey(
        name="Why are you leaving?",
        weight=5,
        channels=("link",),
        eagerness=0.7,
        questions=(
            Question(
                identifier="churn_reason",
                kind="single",
                text="Why do you cancel?",
                options=(("Too expensive", 5), ("Missing features", 4), ("Switched to = other tool", 2), ("Other", 2)),
            ),
            Question(identifier="churn_details", kind="text", text="Tell us more"),
            Question(identifier="would_return", kind="single", text="Would you come back?", options=_YES_NO),
        ),
    ),
    Survey(
        name="Мобильное приложение",
        weight=6,
        from_day=200,
        channels=("mobile",),
        questions=(
            Question(identifier="оценка", kind="rating", text="Как вам приложение?"),
            Question(identifier="комментарий", kind="text", text="Что улучшить?"),
        ),
    ),
    Survey(
        name="Beta feedback",
        weight=4,
        from_day=300,
        to_day=520,
        eagerness=1.3,
        folder="Beta",
        questions=(
            Question(identifier="beta_rating", kind="rating", text="How is the beta?"),
            Question(identifier="beta_bugs", kind="several", text="What went wrong?", options=_BUGS),
            Question(identifier="beta_notes", kind="text", text="Notes"),
        ),
    ),
    Survey(
        name="Pricing page poll",
        weight=9,
        from_day=60,
        eagerness=0.6,
        questions=(
            Question(
                identifier="price_opinion",
                kind="single",
                text="What do you think of our prices?",
                options=(("Fair", 5), ("Too high", 4), ("Low", 1), ("I do not understand them", 2)),
            ),
        ),
        edits=((61, "update", "Pricing poll"), (333, "update", "Pricing page poll")),
    ),
    Survey(
        name="Docs: was this helpful?",
        weight=10,
        eagerness=1.1,
        questions=(
            Question(identifier="docs_helpful", kind="single", text="Was this page helpful?", options=_YES_NO),
            Question(identifier="docs_comment", kind="text", text="What were you looking for?"),
        ),
    ),
    Survey(name="Legacy NPS", weight=6, to_day=180, questions=(_NPS, _NPS_REASON), edits=((5, "update", "NPS 2023"),)),
    Survey(name="Untitled draft", weight=0, from_day=600, questions=()),
    Survey(
        name="Role & goals 🎯",
        weight=5,
        from_day=250,
        channels=("web", "email"),
        questions=(
            Question(
                identifier="user_role",
                kind="single",
                text="What is your role?",
                options=(("Admin", 2), ("Editor", 4), ("Viewer", 5)),
            ),
            Question(identifier="userRole", kind="text", text="And in your own words?"),
            Question(
                identifier="🎯 goal",
                kind="single",
                text="Your goal this year?",
                options=(("Grow", 4), ("Save cost", 3), ("+1 product", 1)),
            ),
        ),
    ),
)


def config_of(questions: tuple[Question, ...]) -> dict[str, Any]:
    """The configuration that include_config shows; its shape is one example's guess. Source: refiner-notes, Forms."""
    return {
        "form_elements": [
            {
                "id": question.identifier,
                "type": question.kind,
                "text": question.text,
                "required": question.kind != "text",
                "options": [text for text, _ in question.options],
                **_scale(question),
            }
            for question in questions
        ],
        "design": {"position": "bottom-right", "theme": "light"},
    }


def _scale(question: Question) -> dict[str, Any]:
    scale = question.scale or SCALES.get(question.kind)
    if scale is None:
        return {}
    low, high = scale
    return {"scale": {"min": low, "max": high}}
