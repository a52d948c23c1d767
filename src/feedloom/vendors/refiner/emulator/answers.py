"""What people answer: the data of one response, made from its random bytes."""

from __future__ import annotations

from typing import Any

from feedloom.emulator.people import Plan
from feedloom.vendors.refiner.emulator.moods import mood, score_table, spread
from feedloom.vendors.refiner.emulator.phrases import (
    BROWSERS,
    COMPLAINTS,
    ESSAY,
    LOCALES,
    ODDITIES,
    PAGES,
    PRAISE,
    REFERRERS,
    REMARKS,
    SCREENS,
    TITLES,
    VERSIONS,
)
from feedloom.vendors.refiner.emulator.spelling import Spelling
from feedloom.vendors.refiner.emulator.surveys import SCALES, Question

_FIRST_BYTE = 8
_TEXT_BYTE = 24
_CONTEXT_BYTE = 40
_SESSION_BYTE = 48
_SILENT_BELOW = 64
"""Of 256, so many leave an open question empty."""

_ESSAY_ONE_IN = 2_048
_SENTENCES = spread((6, 66, 110, 74))
"""How many sentences an answer has, by random byte; 0 stands for something odd."""

_HAPPY = 0.7
_UNHAPPY = 0.5
_ATTACHED = ("", "cart_value", "is_trial", "experiment", "visited_steps")
_ATTACHED_TABLE = spread((171, 26, 38, 16, 5))


class Answers:
    """Fills in surveys; each response has 64 random bytes, of which those from 8 on are used here."""

    def __init__(self, spelling: Spelling) -> None:
        self._spelling = spelling
        self._scores = {
            number: spelling.value(number) for low, high in SCALES.values() for number in range(low, high + 1)
        }

    def data(self, *, questions: tuple[Question, ...], roll: bytes, day: int, plan: Plan) -> dict[str, Any]:
        """The answers to *questions* and the values that the customer's own code attached."""
        data: dict[str, Any] = {}
        level = mood(day, plan)
        joy = 0.5
        for place, question in enumerate(questions, start=_FIRST_BYTE):
            byte = roll[place]
            if question.kind in SCALES:
                low, high = SCALES[question.kind]
                score = score_table(level, low, high)[byte]
                joy = (score - low) / (high - low)
                data[question.identifier] = self._scores[score]
            elif question.kind == "single":
                data[question.identifier] = question.options[spread(_weights(question))[byte]][0]
            elif question.kind == "several":
                data[question.identifier] = self._spelling.value(_several(question, byte))
            elif byte >= _SILENT_BELOW or place == _FIRST_BYTE:
                data[question.identifier] = _text(roll=roll, joy=joy)
        _attach(data=data, roll=roll)
        return data


def _weights(question: Question) -> tuple[float, ...]:
    return tuple(weight for _, weight in question.options)


def _several(question: Question, byte: int) -> list[str]:
    chosen = [text for place, (text, _) in enumerate(question.options) if byte >> place & 1]
    return chosen or [question.options[0][0]]


def _text(*, roll: bytes, joy: float) -> str:
    if int.from_bytes(roll[_TEXT_BYTE : _TEXT_BYTE + 2], "little") % _ESSAY_ONE_IN == 0:
        return ESSAY
    sentences = _SENTENCES[roll[_TEXT_BYTE + 2]]
    if sentences == 0:
        return ODDITIES[roll[_TEXT_BYTE + 3] % len(ODDITIES)]
    own = PRAISE if joy >= _HAPPY else COMPLAINTS if joy < _UNHAPPY else REMARKS
    said = (
        own[roll[_TEXT_BYTE + 4] % len(own)],
        REMARKS[roll[_TEXT_BYTE + 5] % len(REMARKS)],
        own[roll[_TEXT_BYTE + 6] % len(own)],
    )
    return " ".join(said[:sentences])


def _attach(*, data: dict[str, Any], roll: bytes) -> None:
    """Add contextual values, which keep their JSON types whatever the spelling of answers."""
    page = roll[_CONTEXT_BYTE] % len(PAGES)
    data["page_url"] = PAGES[page]
    data["page_title"] = TITLES[page]
    data["session"] = roll[_SESSION_BYTE:].hex()
    data["browser"] = BROWSERS[roll[_CONTEXT_BYTE + 4] % len(BROWSERS)]
    data["referrer"] = REFERRERS[roll[_CONTEXT_BYTE + 6] % len(REFERRERS)]
    data["screen"] = SCREENS[roll[_CONTEXT_BYTE + 7] % len(SCREENS)]
    data["locale"] = LOCALES[roll[_CONTEXT_BYTE + 5] % len(LOCALES)]
    data["app_version"] = VERSIONS[roll[_CONTEXT_BYTE + 1] % len(VERSIONS)]
    key = _ATTACHED[_ATTACHED_TABLE[roll[_CONTEXT_BYTE + 2]]]
    luck = roll[_CONTEXT_BYTE + 3]
    if key == "cart_value":
        data[key] = luck * 7 + 0.5
    elif key == "is_trial":
        data[key] = luck % 3 == 0
    elif key == "experiment":
        data[key] = "B" if luck & 1 else None
    elif key:
        data[key] = [1, 2.5, None, True, "checkout"][: 1 + luck % 5]
