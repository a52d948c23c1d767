"""What Gainsight PX watches about itself: collisions and errors of engagements, and the integrations.

Source: openapi.yaml, paths below /v1/admin/monitoring; aptrinsic-notes, sections 1 and 4.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from feedloom.emulator.dice import Dice
from feedloom.vendors.aptrinsic.emulator.engagements import Engagements, Piece
from feedloom.vendors.aptrinsic.emulator.population import Population
from feedloom.vendors.aptrinsic.emulator.shelves import Query
from feedloom.vendors.aptrinsic.emulator.visits import END_MS, Rhythm, Visits
from feedloom.vendors.aptrinsic.emulator.windows import Span

Row = dict[str, Any]

_ROLL_BYTES = 8
_COLLISIONS_PER_HUNDRED_USERS = 8
_ERRORS_PER_HUNDRED_USERS = 6
_VIEWS_PER_ERROR = 40
_ERROR_KINDS = (("ELEMENT_NOT_FOUND", "#go"), ("ELEMENT_NOT_FOUND", ".menu > li:nth-child(3)"), ("RENDER_FAILED", ""))
_BROWSERS = ("chrome", "firefox", "safari")
_SUMMARIES_KEPT = 32


class Collisions:
    """Moments at which several engagements qualified, oldest first."""

    def __init__(
        self, *, users: int, seed: int, engagements: Engagements, population: Population, visits: Visits
    ) -> None:
        self.count = users * _COLLISIONS_PER_HUNDRED_USERS // 100
        self.columns: Mapping[str, Callable[[int], Any]] = {"triggeredDate": self.date_ms}
        self._rhythm = Rhythm(rows=self.count)
        self._dice = Dice(seed=seed, kind="px collision", size=_ROLL_BYTES)
        self._views = engagements.views
        self._population = population
        self._visits = visits

    def date_ms(self, position: int) -> int:
        """When the collision at *position* happened."""
        return self._rhythm.at_ms(position)

    def event_id(self, position: int) -> str:  # noqa: ARG002 - no two happen at one moment
        """Nothing: collisions have no id."""
        return ""

    def row(self, position: int) -> Row:
        """The collision at *position*. Source of the shape: openapi.yaml, schema EngagementCollision."""
        roll = self._dice.roll(position)
        first = roll[0] % len(self._views)
        shown = self._views[first]
        others = [self._views[(first + 1 + rank * 5) % len(self._views)].name for rank in range(1 + roll[1] % 2)]
        visit = self._visits.visit(position * self._visits.count // self.count)
        return {
            **_monitored(shown),
            "otherQualifiedEngagementNames": others,
            "views": 1 + roll[2] % 3,
            "priorityRule": ("", "LATEST", "PRIORITY")[roll[3] % 3],
            "triggeredDate": self.date_ms(position),
            "viewedByUser": self._population.subject(visit.user).identify_id,
        }


class Errors:
    """Errors of engagements, oldest first, and their sums."""

    def __init__(self, *, users: int, seed: int, engagements: Engagements) -> None:
        self._count = users * _ERRORS_PER_HUNDRED_USERS // 100
        self._rhythm = Rhythm(rows=self._count)
        self._dice = Dice(seed=seed, kind="px error", size=_ROLL_BYTES)
        self._views = engagements.views
        self.summaries = lru_cache(maxsize=_SUMMARIES_KEPT)(self._summaries)

    def details(self, *, engagement_id: str, span: Span, by_browser: bool) -> list[Row]:
        """The errors of one engagement, counted by browser or by error.

        Source of the shape: openapi.yaml, schema EngagementErrorDetails. That a grouped row is empty in what it is not
        grouped by is an assumption.
        """
        counted: Counter[tuple[int, int, int]] = Counter()
        for position in self._positions(span):
            roll = self._dice.roll(position)
            if self._piece(roll).id == engagement_id:
                kind, browser = roll[1] % len(_ERROR_KINDS), roll[2] % len(_BROWSERS)
                counted[roll[3] % 3 + 1, kind, browser if by_browser else -1] += 1
        return [
            {
                "engagementId": engagement_id,
                "stepName": f"Step {step}",
                "stepNumber": step,
                "errorCount": count,
                "errorType": _ERROR_KINDS[kind][0],
                "value": _ERROR_KINDS[kind][1],
                "browser": _BROWSERS[browser] if browser >= 0 else "",
            }
            for (step, kind, browser), count in sorted(counted.items())
        ]

    def _summaries(self, span: Span, property_key: str | None) -> tuple[Row, ...]:
        """One row for each engagement that had errors within *span*, by first occurrence.

        Source of the shape: openapi.yaml, schema EngagementErrorSummary.
        """
        moments: dict[str, list[int]] = {}
        pieces: dict[str, Piece] = {}
        for position in self._positions(span):
            piece = self._piece(self._dice.roll(position))
            if property_key in (None, piece.property_key):
                pieces[piece.id] = piece
                moments.setdefault(piece.id, []).append(self._rhythm.at_ms(position))
        return tuple(
            {
                **_monitored(pieces[engagement_id]),
                "firstOccurrenceDate": dates[0],
                "lastOccurrenceDate": dates[-1],
                "views": len(dates) * _VIEWS_PER_ERROR + dates[0] % _VIEWS_PER_ERROR,
                "ratio": len(dates) / (len(dates) * _VIEWS_PER_ERROR + dates[0] % _VIEWS_PER_ERROR),
                "errorCount": len(dates),
            }
            for engagement_id, dates in moments.items()
        )

    def _positions(self, span: Span) -> range:
        every = range(self._count)
        start = 0 if span.start_ms is None else bisect_left(every, span.start_ms, key=self._rhythm.at_ms)
        stop = self._count if span.end_ms is None else bisect_left(every, span.end_ms, key=self._rhythm.at_ms)
        return range(start, stop)

    def _piece(self, roll: bytes) -> Piece:
        """The engagement of an error: a few have most of them."""
        return self._views[roll[0] * roll[0] // 256 % len(self._views)]


class ErrorShelf:
    """The sums of errors as a list that scrolls read."""

    def __init__(self, errors: Errors) -> None:
        self._errors = errors

    def select(self, query: Query, *, version: int) -> Sequence[int]:  # noqa: ARG002 - no write makes an error
        """The places of the sums for the span and product key of *query*."""
        return range(len(self._sums(query)))

    def rows(self, query: Query, numbers: Iterable[int]) -> list[Row]:
        """The sums at those places."""
        sums = self._sums(query)
        return [sums[number] for number in numbers]

    def _sums(self, query: Query) -> tuple[Row, ...]:
        keys = [term.value for group in query.groups for term in group.terms]
        return self._errors.summaries(query.span, keys[0] if keys else None)


def integrations() -> list[Row]:
    """The integrations. Source of the shape: openapi.yaml, schema IntegrationStatus."""
    return [
        {
            "integrationSyncName": name,
            "currentStatus": "DOWN" if error else "UP",
            "lastSuccessfulDate": END_MS - hours * 3_600_000,
            "lastError": error,
            "numberOfRecordsProcessed": records,
        }
        for name, hours, error, records in (
            ("Salesforce", 2, "", 420),
            ("Slack", 1, None, 37),
            ("Zendesk", 75, 'Token "expired"; log in again', 0),
            ("Segment IO", 1, "", 10_450),
        )
    ]


def _monitored(piece: Piece) -> Row:
    return {
        "engagementId": piece.id,
        "engagementName": piece.name,
        "propertyKey": piece.property_key,
        "engagementType": piece.type,
    }
