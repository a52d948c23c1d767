"""The user segments of the invented environment, and who is in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from feedloom.emulator.dice import Dice
from feedloom.emulator.timeline import END_S
from feedloom.vendors.refiner.emulator.records import Contact

_ACTIVE_S = 30 * 86_400
_PROMOTER_FROM = 9

Rule = Callable[[Contact, Callable[[], Mapping[str, Any]]], bool]
"""Takes a contact and a function that gives its attributes, which take longer to collect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment: data-driven by a ``rule``, or manual with so many of 256 contacts in it from the start."""

    name: str
    rule: Rule | None = None
    members_in_256: int = 0

    @property
    def is_manual(self) -> bool:
        """Whether contacts are put in by hand or by the API."""
        return self.rule is None


def _is_promoter(_contact: Contact, attributes: Callable[[], Mapping[str, Any]]) -> bool:
    score = str(attributes().get("nps", ""))
    return score.isdigit() and int(score) >= _PROMOTER_FROM


SEGMENTS: tuple[Segment, ...] = (
    Segment(name="Active in last 30 days", rule=lambda contact, _: contact.last_seen_s >= END_S - _ACTIVE_S),
    Segment(name="Beta group", members_in_256=12),
    Segment(name="Enterprise plan", rule=lambda contact, _: contact.traits.get("plan") == "enterprise"),
    Segment(name="Identified users", rule=lambda contact, _: contact.remote_id is not None),
    Segment(name="Interview pool 🎤", members_in_256=5),
    Segment(name="Promoters", rule=_is_promoter),
    Segment(name="VIP (empty)"),
)
"""In the order of their names, which is that of the list. Active is counted back from the end of the base data."""


class Membership:
    """Tells who is in which segment."""

    def __init__(self, *, seed: int, base_contacts: int) -> None:
        self._dice = Dice(seed=seed, kind="segment", size=8)
        self._base_contacts = base_contacts

    def holds(self, *, segment: int, contact: Contact, attributes: Callable[[], Mapping[str, Any]]) -> bool:
        """Whether *contact* is in the segment at that place of the list today."""
        rule = SEGMENTS[segment].rule
        if rule is not None:
            return rule(contact, attributes)
        if segment in contact.joined:
            return True
        if segment in contact.left or contact.seq >= self._base_contacts:
            return False
        return self._dice.roll(contact.seq)[segment] < SEGMENTS[segment].members_in_256
