"""The parts of the invented product, and how often people use each.

Source of the shapes: openapi.yaml, schemas Feature and FeatureExtended.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from feedloom.emulator.dice import Dice
from feedloom.vendors.aptrinsic.emulator.moods import LEVELS, spread
from feedloom.vendors.aptrinsic.emulator.population import APP_KEY, WEB_KEY

ROOT = "ROOT"

_MODULES: tuple[tuple[str, tuple[tuple[str, float], ...]], ...] = (
    ("Dashboard", (("Dashboard", 30), ("Widgets", 9), ("Share dashboard", 3), ("Full screen", 2))),
    ("Reports", (("Reports", 22), ("Exports", 14), ("Schedule report", 4), ("Filters", 10), ("Отчёты по команде", 2))),
    ("Projects", (("Board", 18), ("Timeline", 8), ("Milestones", 4), ("Project templates", 2), ("Archive project", 1))),
    ("Tasks", (("New task", 16), ("Assign task", 9), ("Comments", 12), ("Attachments", 5), ("Checklists", 3))),
    ("Search", (("Search", 14), ("Saved searches", 2), ("Suche in Anhängen", 1))),
    ("Settings", (("Profile", 5), ("Notifications", 4), ("Dark mode", 3), ("API keys", 1), ("SSO, SCIM", 1))),
    ("Billing", (("Invoices", 2), ("Change plan", 1), ("Seats & roles", 2))),
    ("Integrations", (("Slack", 3), ("Calendar", 3), ('"Smart" alerts', 2), ("Webhooks", 1))),
    ("Mobile", (("Scan receipt 🧾", 4), ("Offline mode", 3), ("Push settings", 2))),
    ("Help", (("Knowledge center", 5), ("Contact support", 2), ("Keyboard shortcuts", 1))),
)
"""Each module with its features and their weights."""

_MOBILE_MODULE = "Mobile"
_EXPORTS = "Exports"
_USUAL_LEVEL = 70
_EAGERNESS = 4
"""The more content people are than usual, the more they export: by this power of it."""

_LABELS = (("core", "#336699"), ("beta", "#cc7722"), ("paid", "#339966"))
_ELEMENTS = (
    ("CLICK", "TAG"),
    ("LINK", "URL"),
    ("FORM", "EVENT"),
    ("CUSTOM_EVENT", "CUSTOM_EVENT"),
    ("SCREEN", "SCREEN"),
)
_STATES = ("ENABLED", "ENABLED", "ENABLED", "DISABLED", "DELETED")
_PAST = ("Classic board", "Fax gateway")
"""Features that were deleted and are still listed. Source: aptrinsic-notes, section 5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeaturePart:
    """A module or feature of the base data; ``weight`` is its share of all use, 0 when nobody can use it."""

    id: str
    name: str
    parent: str
    property_key: str
    weight: float
    is_deleted: bool = False


class FeatureTree:
    """The parts of the product, modules before their features.

    ``used(byte, contentment)`` names one of them, each as often as people of that contentment use it.
    """

    def __init__(self, *, seed: int) -> None:
        self._dice = Dice(seed=seed, kind="px feature", size=16)
        self.parts = self._made()
        self._usable = sorted((part for part in self.parts if part.weight), key=lambda part: part.id)
        self._table = lru_cache(maxsize=LEVELS)(self._weighed)

    def used(self, *, byte: int, contentment: int) -> int:
        """The place among the usable features, which stand in the order of their ids, of one that is used."""
        return self._table(contentment)[byte]

    def usable(self, place: int) -> str:
        """The id of the usable feature at a place, which counts around."""
        return self._usable[place % len(self._usable)].id

    @property
    def usable_count(self) -> int:
        """How many features are used at all."""
        return len(self._usable)

    def rows(self) -> list[dict[str, Any]]:
        """The parts as the API shows them, mapped elements included."""
        return [self._row(place, part) for place, part in enumerate(self.parts)]

    def _made(self) -> tuple[FeaturePart, ...]:
        parts: list[FeaturePart] = []
        for module, features in _MODULES:
            key = APP_KEY if module == _MOBILE_MODULE else WEB_KEY
            top = self._id(len(parts))
            parts.append(FeaturePart(id=top, name=module, parent=ROOT, property_key=key, weight=0))
            parts += [
                FeaturePart(id=self._id(len(parts) + rank), name=name, parent=top, property_key=key, weight=weight)
                for rank, (name, weight) in enumerate(features)
            ]
        parts += [
            FeaturePart(
                id=self._id(len(parts) + rank), name=name, parent=ROOT, property_key=WEB_KEY, weight=0, is_deleted=True
            )
            for rank, name in enumerate(_PAST)
        ]
        return tuple(parts)

    def _id(self, place: int) -> str:
        return self._dice.roll(place)[:6].hex()

    def _weighed(self, level: int) -> tuple[int, ...]:
        return spread(
            tuple(
                part.weight * (level / _USUAL_LEVEL) ** _EAGERNESS if part.name == _EXPORTS else part.weight
                for part in self._usable
            )
        )

    def _row(self, place: int, part: FeaturePart) -> dict[str, Any]:
        roll = self._dice.roll(place)
        labels = [] if roll[6] & 1 else [_LABELS[roll[7] % len(_LABELS)]]
        return {
            "id": part.id,
            "name": part.name,
            "type": "FEATURE" if part.weight or part.is_deleted else "MODULE",
            "parentFeatureId": part.parent,
            "propertyKey": part.property_key,
            "status": "DELETED" if part.is_deleted else "ACTIVATED",
            "featureLabels": [{"id": f"l-{name}", "name": name, "color": color} for name, color in labels],
            "mappedElements": [self._element(part, roll, rank) for rank in range(roll[8] % 4)],
        }

    def _element(self, part: FeaturePart, roll: bytes, rank: int) -> dict[str, Any]:
        event_type, type_ = _ELEMENTS[roll[9 + rank] % len(_ELEMENTS)]
        return {
            "id": f"{part.id}-{rank}",
            "name": f"{part.name} {event_type.lower()}",
            "eventType": event_type,
            "state": _STATES[roll[12 + rank] % len(_STATES)],
            "type": type_,
        }
