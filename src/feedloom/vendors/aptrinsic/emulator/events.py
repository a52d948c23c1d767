"""The lists of events of an environment: the base data, and what was recorded since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feedloom.emulator.dice import Dice
from feedloom.emulator.identifiers import Identifiers
from feedloom.vendors.aptrinsic.emulator.book import Row
from feedloom.vendors.aptrinsic.emulator.event_base import ROLL_BYTES, BaseEvents, Happening, Scenery
from feedloom.vendors.aptrinsic.emulator.event_kinds import EMAILS, KINDS, SEGMENT_MATCHES, SESSIONS, counts
from feedloom.vendors.aptrinsic.emulator.ledger import Ledger
from feedloom.vendors.aptrinsic.emulator.population import WEB_KEY, Subject
from feedloom.vendors.aptrinsic.emulator.registry import Registry
from feedloom.vendors.aptrinsic.emulator.shelves import DatedShelf
from feedloom.vendors.aptrinsic.emulator.visits import Visit

_DEFAULT_COUNTRY = "US"
_UNSEEN = frozenset({EMAILS, SEGMENT_MATCHES})
"""The lists of what happens to users without their being there."""


class Events:
    """All events by list: ``shelves`` to read from, ``bases`` as they were before the first write.

    Events are never changed, and outlive the users they are of. Source: aptrinsic-notes, section 10.
    """

    def __init__(self, *, users: int, seed: int, scenery: Scenery, registry: Registry, ledger: Ledger) -> None:
        rows = counts(users=users)
        self.bases = {
            kind.list_name: BaseEvents(kind=kind, count=rows[kind.list_name], seed=seed, scenery=scenery)
            for kind in KINDS
        }
        self.shelves = {
            name: DatedShelf(base=base, date_field="date", id_field="eventId") for name, base in self.bases.items()
        }
        self._registry = registry
        self._ledger = ledger
        self._ids = Identifiers(seed=seed, kind=15)
        self._dice = Dice(seed=seed, kind="written event", size=ROLL_BYTES)
        self._recorded = 0

    def make_up(self, *, list_name: str, identify_id: str, date_ms: int, fields: Mapping[str, Any]) -> Row:
        """Record an event that is invented as those of the base data are, but for *fields*; returns its row."""
        self._recorded += 1
        visit = Visit(self._recorded, 0, date_ms, 1)
        happening = Happening(
            position=self._recorded,
            rank=0,
            size=1,
            date_ms=date_ms,
            visit=visit,
            subject=self._subject(identify_id),
            roll=self._dice.roll(self._recorded),
            event_id=self._event_id(date_ms),
        )
        row = {**self.bases[list_name].shaped(happening), **fields}
        if "featureId" in row:
            row["eventId"] = f"{happening.event_id}-{row['featureId']}"
        self._save(list_name=list_name, row=row)
        return {**row}

    def record(self, *, list_name: str, row: Row) -> None:
        """Record an event as it was sent."""
        self._recorded += 1
        self._save(list_name=list_name, row={"eventId": self._event_id(row["date"]), **row})

    def _save(self, *, list_name: str, row: Row) -> None:
        self.shelves[list_name].book.write(row=row, version=self._ledger.advance())
        if list_name not in _UNSEEN:
            self._registry.see(row["identifyId"], date_ms=row["date"], is_visit=list_name == SESSIONS)

    def _event_id(self, date_ms: int) -> str:
        return self._ids.uuid(index=self._recorded, moment_s=date_ms // 1000)

    def _subject(self, identify_id: str) -> Subject:
        user = self._registry.users.find(identify_id) or {}
        account = self._registry.accounts.find(user.get("accountId", "")) or {}
        plan = account.get("plan")
        return Subject(
            identify_id=identify_id,
            email=user.get("email", ""),
            user_type=user.get("type", "EMPTY_USER_TYPE"),
            account_id=user.get("accountId", ""),
            plan=plan if plan in ("free", "pro", "enterprise") else "free",
            property_key=(user.get("propertyKeys") or [WEB_KEY])[0],
            country=_DEFAULT_COUNTRY,
            remote_host="",
        )
