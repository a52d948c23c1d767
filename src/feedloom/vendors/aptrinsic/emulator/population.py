"""The users and accounts of the base data, each made from the seed and a position when asked for.

Three of four users are people whom the emulators of other vendors know too, under the same ids, emails and accounts;
the others only Gainsight PX knows.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from feedloom.emulator.dice import Dice
from feedloom.emulator.identifiers import Identifiers
from feedloom.emulator.people import People, Plan, account_count, account_index, id_of_person
from feedloom.emulator.timeline import DAYS
from feedloom.vendors.aptrinsic.emulator import attributes
from feedloom.vendors.aptrinsic.emulator.moods import contentment
from feedloom.vendors.aptrinsic.emulator.places import DEVICES, NOWHERE, PLACES, address
from feedloom.vendors.aptrinsic.emulator.visits import BLOCK, DAY_MS, START_MS, Visits

WEB_KEY = "AP-LOOMDEMOWEB1-2"
APP_KEY = "AP-LOOMDEMOAPP1-2"

_OWN_PLACES = tuple(place for place in range(BLOCK) if place % 4 == 3)  # noqa: PLR2004 - one place of four
_SHARED_PLACES = tuple(place for place in range(BLOCK) if place not in _OWN_PLACES)
_OWN_FROM = 64_000_000
"""The first person whom nobody else knows: beyond all that any emulator can have."""

_CROWD = 64
_FIRST_OWN_ACCOUNT = account_index(_OWN_FROM)
_PLACES_OF_ACCOUNT = tuple(
    tuple(place for place in range(_CROWD) if account_index(place) == account)
    for account in range(account_count(_CROWD))
)

_FIRST_OF_PLACE = tuple(
    _OWN_FROM + _OWN_PLACES.index(place) if place in _OWN_PLACES else _SHARED_PLACES.index(place)
    for place in range(BLOCK)
)
_STEP_OF_PLACE = tuple(len(_OWN_PLACES) if place in _OWN_PLACES else len(_SHARED_PLACES) for place in range(BLOCK))
"""The person at each place of the first block, and how many further the one in the next block is."""

_IMPORT_MS = 365 * DAY_MS
"""All users were made within so long before the history starts, and the accounts in the month before that."""

_MONTH_MS = 30 * DAY_MS
_SAVED_AFTER_MS = 48
"""How much later than the visit its traces are saved. Source: aptrinsic-notes, section 4, webhook sample."""

_ROLES = ("admin", "editor", "editor", "viewer", "viewer", "")
_GENDERS = ("EMPTY_GENDER",) * 5 + ("FEMALE", "MALE", "OTHER")
_VISITOR_TYPES = ("USER",) * 14 + ("VISITOR", "LEAD")
_STRANGER_TYPES = ("USER",) * 8 + ("LEAD",) * 5 + ("EMPTY_USER_TYPE",) * 3
_USER_BYTES = 64
_ATTRIBUTES_FROM = 24
_PERSONS_KEPT = 1_024
_SUBJECTS_KEPT = 16_384
_HISTORY_END = DAYS - 1


class Subject(NamedTuple):
    """A user as events speak of one."""

    identify_id: str
    email: str
    user_type: str
    account_id: str
    plan: Plan
    property_key: str
    country: str
    remote_host: str


class Population:
    """The ``users`` users and ``accounts`` accounts of the base data, in the order in which they were made.

    ``person(user)`` gives the person behind the user at a position, ``subject(user)`` what events say of one; the
    latest ones are kept.
    """

    def __init__(self, *, users: int, seed: int, visits: Visits) -> None:
        self.users = users
        self.visits = visits
        self._people = People(seed=seed)
        self._dice = Dice(seed=seed, kind="px user", size=_USER_BYTES)
        self._account_dice = Dice(seed=seed, kind="px account", size=_USER_BYTES)
        self._ids = Identifiers(seed=seed, kind=11)
        blocks, rest = divmod(users, BLOCK)
        own = blocks * len(_OWN_PLACES) + sum(place < rest for place in _OWN_PLACES)
        self._shared_accounts = account_count(users - own)
        self.accounts = self._shared_accounts + account_count(own)
        self.person = lru_cache(maxsize=_PERSONS_KEPT)(lambda user: self._people.person(_person_index(user)))
        self.subject = lru_cache(maxsize=_SUBJECTS_KEPT)(self._subject)

    def user_of_id(self, identify_id: str) -> int | None:
        """The position of the user with that id, matched with case."""
        person = self._people.index_of_id(identify_id)
        return None if person is None else self._user_of_person(person)

    def account_of_id(self, account_id: str) -> int | None:
        """The position of the account with that id, matched with case."""
        index = self._people.index_of_account_id(account_id)
        if index is None:
            return None
        if index < _FIRST_OWN_ACCOUNT:
            return index if index < self._shared_accounts else None
        position = index - _FIRST_OWN_ACCOUNT + self._shared_accounts
        return position if position < self.accounts else None

    def members(self, account: int) -> list[int]:
        """The positions of the users of the account at a position, in no order."""
        crowd, place = divmod(self._account_index(account), len(_PLACES_OF_ACCOUNT))
        found = (self._user_of_person(crowd * _CROWD + seat) for seat in _PLACES_OF_ACCOUNT[place])
        users = (user for user in found if user is not None)
        return [user for user in users if self.person(user).account is not None]

    def identify_id(self, user: int) -> str:
        """The id of the user at a position."""
        return id_of_person(_person_index(user))

    def create_ms(self, user: int) -> int:
        """When the user's record was made; later than that of the user before."""
        return START_MS - _IMPORT_MS + user * _IMPORT_MS // self.users

    def last_seen_ms(self, user: int) -> int:
        """When the user's last visit ended; 0 for one who never came."""
        numbers = self.visits.of_user(user)
        if not numbers:
            return 0
        visit = self.visits.visit(numbers[-1])
        return visit.start_ms + visit.length_ms - 1

    def last_modified_ms(self, user: int) -> int:
        """When the user's record was changed last."""
        return (self.last_seen_ms(user) or self.create_ms(user)) + _SAVED_AFTER_MS

    def user(self, user: int) -> dict[str, Any]:
        """The user at a position as the API shows one. Source: openapi.yaml, schema User."""
        person = self.person(user)
        roll = self._dice.roll(user)
        numbers = self.visits.of_user(user)
        create_ms = self.create_ms(user)
        subject = self.subject(user)
        place = PLACES[person.country]
        return {
            "aptrinsicId": self._ids.uuid(index=user, moment_s=create_ms // 1000),
            "identifyId": person.id,
            "type": subject.user_type,
            "gender": _GENDERS[roll[1] % len(_GENDERS)],
            "email": person.email,
            "firstName": person.first_name,
            "lastName": person.last_name,
            "lastSeenDate": self.last_seen_ms(user),
            "signUpDate": person.signed_up_s * 1000 if roll[2] & 3 else 0,
            "firstVisitDate": self.visits.visit(numbers[0]).start_ms if numbers else 0,
            "title": person.job_title if roll[3] & 3 else "",
            "phone": f"+49 30 {roll[4]:03d}{roll[5]:03d}" if roll[4] & 1 else "",
            "score": contentment(_HISTORY_END, person.plan) - roll[13] % 20 if numbers else 0,
            "role": _ROLES[roll[6] % len(_ROLES)],
            "subscriptionId": "",
            "accountId": subject.account_id,
            "numberOfVisits": len(numbers),
            "location": place if roll[7] & 1 else NOWHERE,
            "propertyKeys": [WEB_KEY] if roll[8] & 3 else [WEB_KEY, APP_KEY],
            "createDate": create_ms,
            "lastModifiedDate": self.last_modified_ms(user),
            "customAttributes": attributes.made_up(
                model="user", roll=roll[_ATTRIBUTES_FROM:], known={"plan": person.plan, "seats": 1 + roll[9] % 50}
            ),
            "globalUnsubscribe": roll[10] < 10,  # noqa: PLR2004 - of 256
            "sfdcContactId": f"003{roll[11]:03d}{user:09d}" if roll[11] & 7 == 0 else "",
            "channelMetricList": None,
            "lastVisitedUserAgentData": [
                {"propertyKey": subject.property_key, "userAgent": DEVICES[roll[12] % len(DEVICES)]}
            ]
            if numbers
            else None,
            "id": person.id,
            "lastInferredLocation": place if numbers else NOWHERE,
        }

    def account_seen_ms(self, account: int) -> int:
        """When the last visit of anybody of the account ended; 0 when nobody came."""
        return max((self.last_seen_ms(user) for user in self.members(account)), default=0)

    def account_create_ms(self, account: int) -> int:
        """When the account's record was made; later than that of the account before, earlier than all users."""
        return START_MS - _IMPORT_MS - _MONTH_MS + account * _MONTH_MS // self.accounts

    def account_modified_ms(self, account: int) -> int:
        """When the account's record was changed last."""
        return (self.account_seen_ms(account) or self.account_create_ms(account)) + _SAVED_AFTER_MS

    def account_id(self, account: int) -> str:
        """The id of the account at a position."""
        return self._people.account(self._account_index(account)).id

    def account(self, account: int) -> dict[str, Any]:
        """The account at a position as the API shows one. Source: openapi.yaml, schema Account."""
        known = self._people.account(self._account_index(account))
        roll = self._account_dice.roll(account)
        members = self.members(account)
        seen_ms = max((self.last_seen_ms(user) for user in members), default=0)
        create_ms = self.account_create_ms(account)
        health = contentment(_HISTORY_END, known.plan) - roll[8] % 20
        return {
            "id": known.id,
            "name": known.name,
            "trackedSubscriptionId": "",
            "sfdcId": f"001{account:012d}" if roll[1] & 1 else "",
            "lastSeenDate": seen_ms,
            "dunsNumber": "",
            "industry": known.industry,
            "numberOfEmployees": known.seats * 4,
            "sicCode": "",
            "website": known.domain,
            "naicsCode": "",
            "plan": known.plan,
            "location": PLACES[tuple(PLACES)[roll[2] % len(PLACES)]] if roll[3] & 3 else NOWHERE,
            "numberOfUsers": len(members),
            "propertyKeys": [WEB_KEY],
            "createDate": create_ms,
            "lastModifiedDate": (seen_ms or create_ms) + _SAVED_AFTER_MS,
            "customAttributes": attributes.made_up(
                model="account", roll=roll[_ATTRIBUTES_FROM:], known={"arr_usd": known.seats * 120}
            ),
            "parentGroupId": f"group-{account % 7}" if roll[4] < 30 else "",  # noqa: PLR2004 - of 256
            "renewalDate": START_MS + (500 + roll[5]) * DAY_MS if roll[6] & 1 else 0,
            "healthScore": health,
            "gsId": "",
            "nps": health - 40.5,
            "csm": ("Ola Moe", "Kari Nordmann", "")[roll[7] % 3],
        }

    def _user_of_person(self, person: int) -> int | None:
        places, number = (_OWN_PLACES, person - _OWN_FROM) if person >= _OWN_FROM else (_SHARED_PLACES, person)
        block, rank = divmod(number, len(places))
        user = block * BLOCK + places[rank]
        return user if user < self.users else None

    def _account_index(self, account: int) -> int:
        if account < self._shared_accounts:
            return account
        return _FIRST_OWN_ACCOUNT + account - self._shared_accounts

    def _subject(self, user: int) -> Subject:
        person = self.person(user)
        roll = self._dice.roll(user)
        types = _VISITOR_TYPES if self.visits.of_user(user) else _STRANGER_TYPES
        return Subject(
            identify_id=person.id,
            email=person.email,
            user_type=types[roll[0] % len(types)],
            account_id="" if person.account is None else self._people.account(person.account).id,
            plan=person.plan,
            property_key=WEB_KEY if roll[13] & 3 else APP_KEY,
            country=person.country,
            remote_host=address(roll[14:16]),
        )


def _person_index(user: int) -> int:
    block, place = divmod(user, BLOCK)
    return _FIRST_OF_PLACE[place] + block * _STEP_OF_PLACE[place]
