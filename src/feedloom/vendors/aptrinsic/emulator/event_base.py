"""The events of the base data: which visit each row of a list belongs to, when it happened, and what all rows share.

A list's rows come in bursts: the rows of one action, as several features match one click. Bursts are spread evenly over
the visits, in order, so that a row's moment, user and session follow from its position by arithmetic, and moments rise
with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from feedloom.emulator.dice import Dice
from feedloom.emulator.identifiers import Identifiers
from feedloom.vendors.aptrinsic.emulator.engagements import Engagements
from feedloom.vendors.aptrinsic.emulator.features import FeatureTree
from feedloom.vendors.aptrinsic.emulator.population import Population, Subject
from feedloom.vendors.aptrinsic.emulator.visits import Visit, Visits

ROLL_BYTES = 16


class Happening(NamedTuple):
    """One row before it takes its shape: the ``rank``-th of the ``size`` rows of its burst."""

    position: int
    rank: int
    size: int
    date_ms: int
    visit: Visit
    subject: Subject
    roll: bytes
    event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenery:
    """What events are about. ``context`` writes the global context of an event by the subject's plan and country."""

    population: Population
    visits: Visits
    features: FeatureTree
    engagements: Engagements
    segments: tuple[str, ...]
    executions: Identifiers
    context: Callable[[str, str], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventKind:
    """One kind of event.

    Attributes:
        list_name: The endpoint that lists it.
        number: Tells its event ids from those of other kinds.
        event_type: What its rows say in ``eventType``. Source: aptrinsic-notes, section 5.
        share: Rows for each hundred users; None for whatever is left of the rows of all kinds.
        bursts: The sizes of its bursts, over and over.
        apart_ms: How far the rows of a burst lie apart at most; 0 for all at once.
        is_anchored: A row happens at the very start of its visit.
        in_session: Its rows name session and account. Those of e-mails do not. Source: aptrinsic-notes, section 5.
        fill: What a row holds besides what all kinds share.
    """

    list_name: str
    number: int
    event_type: str
    share: int | None
    bursts: tuple[int, ...] = (1,)
    apart_ms: int = 1
    is_anchored: bool = False
    in_session: bool = True
    fill: Callable[[Scenery, Happening], dict[str, Any]]


class BaseEvents:
    """The ``count`` rows of one kind that there were before the first write, oldest first.

    Attributes:
        count: How many.
        columns: Fields that can be told from a position without making the row.
    """

    def __init__(self, *, kind: EventKind, count: int, seed: int, scenery: Scenery) -> None:
        self.count = count
        self.columns: Mapping[str, Callable[[int], Any]] = {"date": self.date_ms, "identifyId": self._identify_id}
        self._kind = kind
        self._scenery = scenery
        self._ids = Identifiers(seed=seed, kind=kind.number)
        self._dice = Dice(seed=seed, kind=kind.list_name, size=ROLL_BYTES)
        self._period = sum(kind.bursts)
        self._places = tuple((burst, rank, size) for burst, size in enumerate(kind.bursts) for rank in range(size))
        self._bursts = self._burst(count - 1)[0] + 1 if count else 0

    def date_ms(self, position: int) -> int:
        """When the row at *position* happened, epoch milliseconds; never earlier than the row before."""
        burst, rank, size = self._burst(position)
        return self._at_ms(burst, rank, size, self._visit(burst))

    def event_id(self, position: int) -> str:
        """The event id of the row at *position*."""
        return self._happening(position).event_id

    def row(self, position: int) -> dict[str, Any]:
        """The row at *position* as the API shows it."""
        return self.shaped(self._happening(position))

    def shaped(self, happening: Happening) -> dict[str, Any]:
        """What happened as the API shows it."""
        _, _, _, date_ms, visit, subject, _, event_id = happening
        kind, scenery = self._kind, self._scenery
        row = {
            "eventId": event_id,
            "identifyId": subject.identify_id,
            "propertyKey": subject.property_key,
            "date": date_ms,
            "eventType": kind.event_type,
            "sessionId": f"{subject.property_key}-{visit.start_ms}-{visit.number % 100_000_000:08d}",
            "userType": subject.user_type,
            "accountId": subject.account_id,
            "globalContext": scenery.context(subject.plan, subject.country),
        }
        if not kind.in_session:
            del row["sessionId"], row["accountId"]
        return row | kind.fill(scenery, happening)

    def _happening(self, position: int) -> Happening:
        burst, rank, size = self._burst(position)
        visit = self._visit(burst)
        date_ms = self._at_ms(burst, rank, size, visit)
        is_match = self._kind.apart_ms == 0
        return Happening(
            position,
            rank,
            size,
            date_ms,
            visit,
            self._scenery.population.subject(visit.user),
            self._dice.roll(burst if is_match else position),
            self._ids.uuid(index=burst if is_match else position, moment_s=date_ms // 1000),
        )

    def _burst(self, position: int) -> tuple[int, int, int]:
        """The number of the burst of the row at *position*, its rank in the burst, and the burst's size."""
        cycle, place = divmod(position, self._period)
        burst, rank, size = self._places[place]
        return cycle * len(self._kind.bursts) + burst, rank, size

    def _visit(self, burst: int) -> Visit:
        return self._scenery.visits.visit(burst * self._scenery.visits.count // self._bursts)

    def _at_ms(self, burst: int, rank: int, size: int, visit: Visit) -> int:
        if self._kind.is_anchored:
            return visit.start_ms
        visits = self._scenery.visits.count
        first = -(-visit.number * self._bursts // visits)
        following = -(-(visit.number + 1) * self._bursts // visits)
        halves = 2 * (following - first)
        begin_ms = visit.start_ms + visit.length_ms * (2 * (burst - first) + 1) // halves
        return begin_ms + rank * min(visit.length_ms // halves // size, self._kind.apart_ms)

    def _identify_id(self, position: int) -> str:
        visit = self._visit(self._burst(position)[0])
        return self._scenery.population.identify_id(visit.user)
