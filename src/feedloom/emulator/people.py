"""The people and accounts of an invented business, each made from the seed and an index.

The emulators of all vendors take theirs from here, so that the same person has the same id, email and account with each
of them. Person *i* does not depend on how many people there are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, TypeAlias

from feedloom.emulator.dice import Dice
from feedloom.emulator.names import (
    COMPANY_FIRST,
    COMPANY_LAST,
    COMPANY_SECOND,
    COUNTRIES,
    FIRST_NAMES,
    INDUSTRIES,
    JOB_TITLES,
    LAST_NAMES,
)

Plan: TypeAlias = Literal["free", "pro", "enterprise"]

_CROWD = 64
"""People who share eight accounts; so many of each crowd belong to its first account, its second, and so on."""

_MEMBERS = (20, 14, 10, 7, 5, 4, 2, 2)
_ACCOUNTS_IN_CROWD = len(_MEMBERS)
_ACCOUNT_OF_PLACE = tuple(account for account, members in enumerate(_MEMBERS) for _ in range(members))
_SPREAD = 37
"""Odd, so that the members of an account are spread over their crowd."""

_PLANS: tuple[Plan, ...] = ("free",) * 5 + ("pro",) * 7 + ("enterprise",) * 4
_LONERS_IN_256 = 20
_SIGN_UPS_FROM_S = int(datetime(2019, 1, 1, tzinfo=UTC).timestamp())
_SIGN_UPS_UNTIL_S = int(datetime(2023, 10, 1, tzinfo=UTC).timestamp())
_ACCOUNTS_KEPT = 4_096
_PEOPLE_KEPT = 32_768
_ID = re.compile(r"u-(\d{6,9})", re.ASCII)
_EMAIL = re.compile(r"[a-z.]+\.(\d{1,9})@.+", re.ASCII)
_ACCOUNT_ID = re.compile(r"acct-(\d{4,9})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A customer of the business; ``seats`` is what it pays for."""

    index: int
    id: str
    name: str
    domain: str
    industry: str
    plan: Plan
    seats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user of the business's product.

    ``account`` is the index of an account, None for the few who belong to none. ``signed_up_s`` is in seconds since
    1970, UTC, before either vendor saw anybody.
    """

    index: int
    id: str
    email: str
    first_name: str
    last_name: str
    account: int | None
    plan: Plan
    job_title: str
    country: str
    signed_up_s: int

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"


class People:
    """Everybody there is under one seed.

    ``person(index)`` and ``account(index)`` give the one at an index, 0 or more; the latest are kept, as they are asked
    for again and again.
    """

    def __init__(self, *, seed: int) -> None:
        self._people = Dice(seed=seed, kind="person", size=16)
        self._accounts = Dice(seed=seed, kind="account", size=16)
        self.person = lru_cache(maxsize=_PEOPLE_KEPT)(self._person)
        self.account = lru_cache(maxsize=_ACCOUNTS_KEPT)(self._account)

    def _person(self, index: int) -> Person:
        roll = self._people.roll(index)
        first_name, first_spelling = FIRST_NAMES[roll[0] % len(FIRST_NAMES)]
        last_name, last_spelling = LAST_NAMES[roll[1] % len(LAST_NAMES)]
        account = None if roll[2] < _LONERS_IN_256 else account_index(index)
        home = self.account(account) if account is not None else None
        domain = home.domain if home else "post.example"
        return Person(
            index=index,
            id=id_of_person(index),
            email=f"{first_spelling}.{last_spelling}.{index}@{domain}",
            first_name=first_name,
            last_name=last_name,
            account=account,
            plan=home.plan if home else "free",
            job_title=JOB_TITLES[roll[3] % len(JOB_TITLES)],
            country=COUNTRIES[roll[4] % len(COUNTRIES)],
            signed_up_s=_SIGN_UPS_FROM_S
            + int.from_bytes(roll[8:12], "little") % (_SIGN_UPS_UNTIL_S - _SIGN_UPS_FROM_S),
        )

    def _account(self, index: int) -> Account:
        roll = self._accounts.roll(index)
        first = COMPANY_FIRST[roll[0] % len(COMPANY_FIRST)]
        second = COMPANY_SECOND[roll[1] % len(COMPANY_SECOND)]
        return Account(
            index=index,
            id=f"acct-{index:04d}",
            name=f"{first}{second}{COMPANY_LAST[roll[2] % len(COMPANY_LAST)]}",
            domain=f"{first.lower()}{second}-{index}.example",
            industry=INDUSTRIES[roll[3] % len(INDUSTRIES)],
            plan=_PLANS[roll[4] % len(_PLANS)],
            seats=5 * (1 + roll[5] % 40),
        )

    def index_of_id(self, person_id: str) -> int | None:
        """The index of the person with that id, whether or not anybody gets that far."""
        found = _ID.fullmatch(person_id)
        return int(found[1]) if found and person_id == id_of_person(int(found[1])) else None

    def index_of_email(self, email: str) -> int | None:
        """The index of the person with that address; case does not matter."""
        found = _EMAIL.fullmatch(email.lower())
        index = int(found[1]) if found else None
        return index if index is not None and self.person(index).email == email.lower() else None

    def index_of_account_id(self, account_id: str) -> int | None:
        """The index of the account with that id, whether or not anybody gets that far."""
        found = _ACCOUNT_ID.fullmatch(account_id)
        return int(found[1]) if found and account_id == f"acct-{int(found[1]):04d}" else None


def id_of_person(person: int) -> str:
    """The id of the person at this index."""
    return f"u-{person:06d}"


def account_index(person: int) -> int:
    """The account that the person at this index belongs to, those who belong to none included."""
    crowd, place = divmod(person, _CROWD)
    return crowd * _ACCOUNTS_IN_CROWD + _ACCOUNT_OF_PLACE[place * _SPREAD % _CROWD]


def account_count(people: int) -> int:
    """How many accounts the first *people* people have."""
    return -(-people // _CROWD) * _ACCOUNTS_IN_CROWD
