"""How values are written where sources disagree: numbers as text or not, several choices as a list or as one text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from feedloom.emulator.quirks import Quirks

DELIMITER = ", "


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """The way the emulated vendor writes answers and traits. Source: refiner-notes, Responses and Contacts."""

    numbers_as_text: bool
    several_as_text: bool

    def value(self, value: Any) -> Any:
        """*value* as it is stored: a number, a truth value, a text or a list."""
        if isinstance(value, bool):
            return ("true" if value else "false") if self.numbers_as_text else value
        if isinstance(value, (int, float)):
            return str(value) if self.numbers_as_text else value
        if isinstance(value, list) and self.several_as_text and all(isinstance(item, str) for item in value):
            return DELIMITER.join(value)
        return value


def spelling_of(quirks: Quirks) -> Spelling:
    """The spelling that *quirks* ask for."""
    return Spelling(numbers_as_text=quirks["numbers"] == "text", several_as_text=quirks["several_choices"] == "text")
