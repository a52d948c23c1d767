"""The users and accounts of an environment, and the rules by which they are made, changed, deleted and revived.

A change that shows in a record moves its lastModifiedDate, a visit too. Source: aptrinsic-notes, sections 4 and 6.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from feedloom.emulator.identifiers import Identifiers
from feedloom.vendors.aptrinsic.emulator.book import Book, Row
from feedloom.vendors.aptrinsic.emulator.ledger import Ledger
from feedloom.vendors.aptrinsic.emulator.places import NOWHERE
from feedloom.vendors.aptrinsic.emulator.population import Population
from feedloom.vendors.aptrinsic.emulator.records import AccountBase, Records, UserBase
from feedloom.vendors.aptrinsic.emulator.refusal import bad_request, not_found
from feedloom.vendors.aptrinsic.emulator.visits import DAY_MS

_NEW_USER: Mapping[str, Any] = {
    "aptrinsicId": "",
    "identifyId": "",
    "type": "EMPTY_USER_TYPE",
    "gender": "EMPTY_GENDER",
    "email": "",
    "firstName": "",
    "lastName": "",
    "lastSeenDate": 0,
    "signUpDate": 0,
    "firstVisitDate": 0,
    "title": "",
    "phone": "",
    "score": 0,
    "role": "",
    "subscriptionId": "",
    "accountId": "",
    "numberOfVisits": 0,
    "location": NOWHERE,
    "propertyKeys": [],
    "createDate": 0,
    "lastModifiedDate": 0,
    "customAttributes": None,
    "globalUnsubscribe": False,
    "sfdcContactId": "",
    "channelMetricList": None,
    "lastVisitedUserAgentData": None,
    "id": "",
    "lastInferredLocation": NOWHERE,
}
_NEW_ACCOUNT: Mapping[str, Any] = {
    "id": "",
    "name": "",
    "trackedSubscriptionId": "",
    "sfdcId": "",
    "lastSeenDate": 0,
    "dunsNumber": "",
    "industry": "",
    "numberOfEmployees": 0,
    "sicCode": "",
    "website": "",
    "naicsCode": "",
    "plan": "",
    "location": NOWHERE,
    "numberOfUsers": 0,
    "propertyKeys": [],
    "createDate": 0,
    "lastModifiedDate": 0,
    "customAttributes": None,
    "parentGroupId": "",
    "renewalDate": 0,
    "healthScore": 0,
    "gsId": "",
    "nps": 0.0,
    "csm": "",
}
_MERGED = ("location", "customAttributes")
"""Maps of which a change names only the parts that change."""

_MOST_GONE = 256
"""Records that are gone are looked for once there are so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grave:
    """A deleted user, who may come back."""

    row: Row
    place: int | None
    deleted_ms: int


class Registry:
    """All users and accounts; every method makes one change or none.

    ``oldest_read`` tells the oldest version that somebody still reads, None when nobody does; records that were gone by
    then are let go of.
    """

    def __init__(
        self,
        *,
        population: Population,
        ledger: Ledger,
        seed: int,
        revival_days: int,
        oldest_read: Callable[[], int | None],
    ) -> None:
        self.users = Records(
            book=Book(UserBase(population)), id_field="identifyId", position_of_id=population.user_of_id
        )
        self.accounts = Records(
            book=Book(AccountBase(population)), id_field="id", position_of_id=population.account_of_id
        )
        self._oldest_read = oldest_read
        self._population = population
        self._ledger = ledger
        self._ids = Identifiers(seed=seed, kind=12)
        self._made = 0
        self._revival_ms = revival_days * DAY_MS
        self._graves: dict[str, _Grave] = {}
        self._written_members: defaultdict[str, set[str]] = defaultdict(set)

    def create_user(self, fields: Mapping[str, Any]) -> None:
        """Make a user, or revive one who was deleted lately; refused when the id is taken."""
        identify_id = fields["identifyId"]
        if self.users.find(identify_id) is not None:
            raise bad_request("Record already exists")
        now_ms, version = self._ledger.now_ms(), self._advance()
        grave = self._open_grave(identify_id, now_ms=now_ms)
        if grave is None:
            self._made += 1
            fresh = {
                "aptrinsicId": self._ids.uuid(index=self._made, moment_s=now_ms // 1000),
                "id": identify_id,
                "createDate": now_ms,
            }
            row = _merged({**_NEW_USER, **fresh}, fields)
            place = None
        else:
            row, place = _merged(grave.row, fields), grave.place
        self.users.add({**row, "lastModifiedDate": now_ms}, version=version, place=place)
        self._move(identify_id=identify_id, before="", after=row["accountId"], now_ms=now_ms, version=version)

    def update_user(self, identify_id: str, changes: Mapping[str, Any]) -> None:
        """Change a user, or revive one who was deleted lately; refused when there is none."""
        row = self.users.find(identify_id)
        now_ms = self._ledger.now_ms()
        if row is None:
            if self._open_grave(identify_id, now_ms=now_ms) is None:
                raise not_found("User", id=identify_id)
            self.create_user({**changes, "identifyId": identify_id})
            return
        version = self._advance()
        changed = self.users.change(identify_id, {**_merged(row, changes), "lastModifiedDate": now_ms}, version=version)
        self._move(
            identify_id=identify_id,
            before=row["accountId"],
            after=changed["accountId"],
            now_ms=now_ms,
            version=version,
        )

    def delete_user(self, identify_id: str, *, is_final: bool) -> None:
        """Delete a user, for good when *is_final*; refused when there is none."""
        if self.users.find(identify_id) is None:
            raise not_found("User", id=identify_id)
        version = self._advance()
        row = self._bury(identify_id, is_final=is_final, version=version)
        self._move(
            identify_id=identify_id,
            before=row["accountId"],
            after="",
            now_ms=self._ledger.now_ms(),
            version=version,
        )

    def create_account(self, fields: Mapping[str, Any]) -> None:
        """Make an account; refused when the id is taken."""
        if self.accounts.find(fields["id"]) is not None:
            raise bad_request("Record already exists")
        now_ms = self._ledger.now_ms()
        members = len(self._written_members[fields["id"]])
        row = _merged(_NEW_ACCOUNT, fields)
        row |= {"createDate": now_ms, "lastModifiedDate": now_ms, "numberOfUsers": members}
        self.accounts.add(row, version=self._advance())

    def update_account(self, account_id: str, changes: Mapping[str, Any]) -> None:
        """Change an account; refused when there is none."""
        row = self.accounts.find(account_id)
        if row is None:
            raise not_found("Account", id=account_id)
        changed = {**_merged(row, changes), "id": account_id, "lastModifiedDate": self._ledger.now_ms()}
        self.accounts.change(account_id, changed, version=self._advance())

    def delete_account(self, account_id: str) -> None:
        """Delete an account and all its users; refused when there is none."""
        if self.accounts.find(account_id) is None:
            raise not_found("Account", id=account_id)
        version = self._advance()
        for identify_id in self.members(account_id):
            self._bury(identify_id, is_final=False, version=version)
            self._written_members[account_id].discard(identify_id)
        self.accounts.remove(account_id, version=version)

    def see(self, identify_id: str, *, date_ms: int, is_visit: bool) -> None:
        """Note that a user was seen; one who was seen later already, or is unknown, stays as is."""
        row = self.users.find(identify_id)
        if row is None or date_ms <= row["lastSeenDate"]:
            return
        now_ms, version = self._ledger.now_ms(), self._advance()
        changes = {
            "lastSeenDate": date_ms,
            "firstVisitDate": row["firstVisitDate"] or date_ms,
            "numberOfVisits": row["numberOfVisits"] + is_visit,
            "lastModifiedDate": now_ms,
        }
        self.users.change(identify_id, changes, version=version)
        if row["accountId"]:
            self._written_members[row["accountId"]].add(identify_id)
        account = self.accounts.find(row["accountId"])
        if account is not None and account["lastSeenDate"] < date_ms:
            seen = {"lastSeenDate": date_ms, "lastModifiedDate": now_ms}
            self.accounts.change(account["id"], seen, version=version)

    def members(self, account_id: str) -> list[str]:
        """The ids of the users of an account, in no order."""
        position = self._population.account_of_id(account_id)
        base = [] if position is None else self._population.members(position)
        untouched = [self._population.identify_id(user) for user in base if self.users.book.is_base(user)]
        return [*untouched, *self._written_members[account_id]]

    def _advance(self) -> int:
        """Count one change; returns the version that it makes."""
        for book in (self.users.book, self.accounts.book):
            if book.gone >= _MOST_GONE:
                oldest = self._oldest_read()
                book.forget_before(self._ledger.version if oldest is None else oldest)
        return self._ledger.advance()

    def _open_grave(self, identify_id: str, *, now_ms: int) -> _Grave | None:
        """The grave of a user who may still come back."""
        grave = self._graves.get(identify_id)
        return grave if grave is not None and now_ms - grave.deleted_ms <= self._revival_ms else None

    def _bury(self, identify_id: str, *, is_final: bool, version: int) -> Row:
        place = self.users.place(identify_id)
        row = self.users.remove(identify_id, version=version)
        self._graves.pop(identify_id, None)
        if not is_final and self._revival_ms:
            self._graves[identify_id] = _Grave(row=row, place=place, deleted_ms=self._ledger.now_ms())
        return row

    def _move(self, *, identify_id: str, before: str, after: str, now_ms: int, version: int) -> None:
        """Count a user, whose record was written, out of one account and into another."""
        self._written_members[before].discard(identify_id)
        if after:
            self._written_members[after].add(identify_id)
        if before == after:
            return
        for account_id, change in ((before, -1), (after, 1)):
            account = self.accounts.find(account_id)
            if account is not None:
                count = {"numberOfUsers": account["numberOfUsers"] + change, "lastModifiedDate": now_ms}
                self.accounts.change(account_id, count, version=version)


def _merged(row: Mapping[str, Any], changes: Mapping[str, Any]) -> Row:
    """*row* with *changes*, maps merged key by key."""
    parts = {name: {**(row[name] or {}), **changes[name]} for name in _MERGED if name in changes}
    return {**row, **changes, **parts}
