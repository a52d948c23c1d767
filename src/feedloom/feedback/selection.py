"""Which responses a metric is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

Include: TypeAlias = Literal["partials", "completed"]
"""``partials`` counts everything with answers, finished or not; ``completed`` what was finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Responses by survey, question, person and time; what is left empty does not restrict.

    Attributes:
        forms: Uuids of surveys.
        questions: Identifiers of questions, of which any counts.
        segments: Uuids of segments, of which the person has to be in any today.
        tags: Tags of the response, as the vendor writes them, of which any counts.
        start: First moment, aware; answers count by their last reception, views by their last showing.
        end: First moment no longer meant, aware.
        include: Whether unfinished responses count.
        without: Uuids of responses that do not count.
    """

    forms: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    include: Include = "partials"
    without: tuple[str, ...] = ()
