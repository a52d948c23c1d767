"""The whole state of an emulated environment: base data, what was written since, and the lists that show both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from feedloom.emulator.dice import Dice
from feedloom.emulator.identifiers import Identifiers
from feedloom.emulator.quirks import Quirks
from feedloom.vendors.aptrinsic.emulator.content import Content
from feedloom.vendors.aptrinsic.emulator.context import CONTEXTS
from feedloom.vendors.aptrinsic.emulator.engagements import Engagements, segment_rows
from feedloom.vendors.aptrinsic.emulator.event_base import Scenery
from feedloom.vendors.aptrinsic.emulator.events import Events
from feedloom.vendors.aptrinsic.emulator.features import FeatureTree
from feedloom.vendors.aptrinsic.emulator.ledger import Ledger
from feedloom.vendors.aptrinsic.emulator.monitoring import Collisions, Errors, ErrorShelf
from feedloom.vendors.aptrinsic.emulator.population import Population
from feedloom.vendors.aptrinsic.emulator.refusal import not_found
from feedloom.vendors.aptrinsic.emulator.registry import Registry
from feedloom.vendors.aptrinsic.emulator.scrolls import Scrolls
from feedloom.vendors.aptrinsic.emulator.shelves import BookShelf, DatedShelf, Shelf
from feedloom.vendors.aptrinsic.emulator.visits import Visits

USERS, ACCOUNTS = "list_users", "list_accounts"
COLLISIONS, ERRORS = "list_engagement_collisions", "list_engagement_errors"

_PREFERENCES = ("guidedTours", "onboardingBot", "productUpdates", "surveys", "trackUsage", "trackEmailAnalytics")
_UNSET, _AGREED = 170, 230
"""Of 256, so many preferences were never set, and so many were not set to false."""


class Environment:
    """Users, accounts, events and all the rest under one seed.

    ``shelves`` holds the lists that scrolls read, by the name of the endpoint; ``scrolls`` are those that are open.
    """

    def __init__(self, *, users: int, seed: int, quirks: Quirks, now: Callable[[], datetime]) -> None:
        self.ledger = Ledger(now=now)
        visits = Visits(users=users)
        population = Population(users=users, seed=seed, visits=visits)
        features, engagements = FeatureTree(seed=seed), Engagements(seed=seed)
        scenery = Scenery(
            population=population,
            visits=visits,
            features=features,
            engagements=engagements,
            segments=tuple(row["id"] for row in segment_rows(seed=seed)),
            executions=Identifiers(seed=seed, kind=13),
            context=CONTEXTS[quirks["global_context"]],
        )
        self.users = users
        self.population = population
        self.scrolls = Scrolls(
            seed=seed,
            life_s=quirks.number("scroll_life_s"),
            has_fresh_ids=quirks["scroll_id"] == "fresh",
            clock_s=self.ledger.now_s,
        )
        self.registry = Registry(
            population=population,
            ledger=self.ledger,
            seed=seed,
            revival_days=quirks.number("revival_days"),
            oldest_read=lambda: self.scrolls.oldest_version,
        )
        self.events = Events(users=users, seed=seed, scenery=scenery, registry=self.registry, ledger=self.ledger)
        self.content = Content(seed=seed, features=features, engagements=engagements, ledger=self.ledger)
        self.errors = Errors(users=users, seed=seed, engagements=engagements)
        collisions = Collisions(users=users, seed=seed, engagements=engagements, population=population, visits=visits)
        self.shelves: Mapping[str, Shelf] = {
            USERS: BookShelf(book=self.registry.users.book, id_field="identifyId"),
            ACCOUNTS: BookShelf(book=self.registry.accounts.book, id_field="id"),
            **self.events.shelves,
            COLLISIONS: DatedShelf(base=collisions, date_field="triggeredDate", id_field=""),
            ERRORS: ErrorShelf(self.errors),
        }
        self._preference_dice = Dice(seed=seed, kind="px preferences", size=len(_PREFERENCES))
        self._preferences: dict[str, dict[str, bool | None]] = {}
        self._denied: set[str] = set()

    def preferences(self, identify_id: str) -> dict[str, bool | None]:
        """What a user agreed to, null where nothing was set; refused when there is no such user."""
        if self.registry.users.find(identify_id) is None:
            raise not_found("User", id=identify_id)
        if identify_id in self._preferences:
            return self._preferences[identify_id]
        user = self.population.user_of_id(identify_id)
        if user is None:
            return dict.fromkeys(_PREFERENCES)
        roll = self._preference_dice.roll(user)
        return {name: None if byte < _UNSET else byte < _AGREED for name, byte in zip(_PREFERENCES, roll, strict=True)}

    def set_preferences(self, identify_id: str, changes: Mapping[str, bool]) -> None:
        """Change the preferences that *changes* name."""
        changed = {**self.preferences(identify_id), **changes}
        self.ledger.advance()
        self._preferences[identify_id] = changed

    def is_denied(self, identify_id: str) -> bool:
        """Whether the events of that user are dropped."""
        return identify_id in self._denied

    def deny(self, identify_id: str, *, denied: bool) -> None:
        """Put a user on or off the denylist; refused when there is no such user."""
        if self.registry.users.find(identify_id) is None:
            raise not_found("User", id=identify_id)
        self.ledger.advance()
        (self._denied.add if denied else self._denied.discard)(identify_id)
