"""What tests may do to an environment that no call of the API can."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from threading import RLock
from typing import Any

from feedloom.errors import InputError
from feedloom.vendors.aptrinsic.emulator.attributes import ODDITIES
from feedloom.vendors.aptrinsic.emulator.environment import Environment
from feedloom.vendors.aptrinsic.emulator.event_kinds import KINDS, PAGE_VIEWS
from feedloom.vendors.aptrinsic.emulator.population import WEB_KEY
from feedloom.vendors.aptrinsic.emulator.refusal import RefusalError
from feedloom.vendors.aptrinsic.emulator.visits import END_MS, START_MS
from feedloom.vendors.aptrinsic.emulator.writes import Writer

_LISTS = tuple(kind.list_name for kind in KINDS)


class Control:
    """Acts on an environment in place of the people who are tracked; safe beside a running server."""

    def __init__(self, *, environment: Environment, writer: Writer, lock: RLock) -> None:
        self.lock = lock
        self._environment = environment
        self._writer = writer

    def add_event(self, kind: str, identify_id: str, date_ms: int | None = None, **fields: Any) -> dict[str, Any]:
        """Record an event, one that comes late when *date_ms* lies back; returns its row.

        Args:
            kind: The endpoint that lists it, ``list_page_view_events``, or the middle of that name, ``page_view``.
            identify_id: Of whom; need not be known.
            date_ms: When it happened, epoch milliseconds; now when left out.
            fields: Values of the row's fields; the others are invented.

        Raises InputError when there is no such kind.
        """
        list_name = next((name for name in _LISTS if kind in {name, _short(name)}), None)
        if list_name is None:
            known = ", ".join(map(_short, _LISTS))
            raise InputError(f"There is no kind of event called {kind!r}.", hint=f"Choose from: {known}.")
        if date_ms is None:
            date_ms = self._environment.ledger.now_ms()
        with self.lock:
            return self._environment.events.make_up(
                list_name=list_name, identify_id=identify_id, date_ms=date_ms, fields=fields
            )

    def touch_user(self, identify_id: str) -> None:
        """Let a user visit the product now: lastSeenDate and lastModifiedDate move.

        Raises InputError when there is no such user.
        """
        with self.lock:
            if self._environment.registry.users.find(identify_id) is None:
                raise InputError(f"There is no user {identify_id!r}.", hint="Take the id from the list of users.")
            self._see(identify_id)

    def add_row(self) -> None:
        """Let a user look at a page now."""
        users = self._environment.users
        with self.lock:
            number = self._environment.ledger.version
            identify_id = self._environment.population.identify_id(number % users) if users else f"guest-{number}"
            self.add_event(PAGE_VIEWS, identify_id)

    def random_writes(self, n: int, seed: int, *, deletes: bool = False) -> Counter[str]:
        """Make *n* random changes of all kinds, the same for the same seed, state and clock; counts them by kind.

        With *deletes* some users and accounts are deleted.
        """
        dice = random.Random(seed)  # noqa: S311 - test data, not secrets
        deeds: dict[str, tuple[Callable[[random.Random], None], int]] = {
            "create_user": (self._create_user, 3),
            "update_user": (self._update_user, 5),
            "touch_user": (self._touch_somebody, 5),
            "create_account": (self._create_account, 1),
            "update_account": (self._update_account, 2),
            "custom_event": (self._send_event, 4),
            "event": (self._add_event, 6),
            "late_event": (self._add_late_event, 3),
            "preferences": (self._set_preferences, 1),
            "content": (self._change_content, 1),
            "delete_user": (self._delete_user, 2 if deletes else 0),
            "delete_account": (self._delete_account, 1 if deletes else 0),
        }
        names = dice.choices(list(deeds), weights=[weight for _, weight in deeds.values()], k=n)
        with self.lock:
            for name in names:
                with suppress(RefusalError):
                    deeds[name][0](dice)
        return Counter(names)

    def _see(self, identify_id: str) -> None:
        now_ms = self._environment.ledger.now_ms()
        self._environment.registry.see(identify_id, date_ms=now_ms, is_visit=True)

    def _somebody(self, dice: random.Random) -> str:
        """The id of a user, perhaps of one who was deleted or never was."""
        users = self._environment.users
        return self._environment.population.identify_id(dice.randrange(users)) if users else "u-nobody"

    def _some_account(self, dice: random.Random) -> str:
        accounts = self._environment.population.accounts
        return self._environment.population.account_id(dice.randrange(accounts)) if accounts else "acct-none"

    def _create_user(self, dice: random.Random) -> None:
        self._writer.create_user(
            {
                "identifyId": f"new-{dice.randrange(10**9)}",
                "propertyKeys": [WEB_KEY],
                "email": f"new{dice.randrange(10**9)}@post.example",
                "accountId": self._some_account(dice) if dice.randrange(3) else "",
                "customAttributes": {"plan": dice.choice(("free", "pro")), "notes": dice.choice(ODDITIES)},
            }
        )

    def _update_user(self, dice: random.Random) -> None:
        changes: dict[str, Any] = {"role": f"role {dice.randrange(100)}", "score": dice.randrange(100)}
        if dice.randrange(4) == 0:
            changes["accountId"] = self._some_account(dice)
        if dice.randrange(4) == 0:
            changes["customAttributes"] = {"seats": dice.randrange(10**6) / 2, "🎯 goal": dice.choice(ODDITIES)}
        self._writer.update_user({"identifyId": self._somebody(dice), **changes})

    def _touch_somebody(self, dice: random.Random) -> None:
        self._see(self._somebody(dice))

    def _create_account(self, dice: random.Random) -> None:
        number = dice.randrange(10**9)
        self._writer.create_account({"id": f"new-{number}", "name": f"New {number}", "propertyKeys": [WEB_KEY]})

    def _update_account(self, dice: random.Random) -> None:
        changes = {"csm": f"Ola {dice.randrange(100)}", "customAttributes": {"arr_usd": dice.randrange(10**6)}}
        self._writer.update_account({"accountId": self._some_account(dice), **changes})

    def _send_event(self, dice: random.Random) -> None:
        self._writer.create_custom_event(
            {
                "eventName": dice.choice(("Report Exported", "Отчёт создан", "Sent by hand")),
                "identifyId": self._somebody(dice),
                "propertyKey": WEB_KEY,
                "userType": "USER",
                "attributes": {
                    "rows": dice.randrange(10**4),
                    "nested": {"a": [1, None]},
                    "текст": dice.choice(ODDITIES),
                },
            }
        )

    def _add_event(self, dice: random.Random) -> None:
        self.add_event(dice.choice(_LISTS), self._somebody(dice))

    def _add_late_event(self, dice: random.Random) -> None:
        self.add_event(dice.choice(_LISTS), self._somebody(dice), dice.randrange(START_MS, END_MS))

    def _set_preferences(self, dice: random.Random) -> None:
        self._writer.set_preferences({"identifyId": self._somebody(dice), "surveys": dice.randrange(2) == 0})

    def _change_content(self, dice: random.Random) -> None:
        content = self._environment.content
        deed = dice.randrange(3)
        if deed == 0:
            self._writer.update_feature(
                {"featureId": dice.choice(content.features)["id"], "name": f"Renamed {dice.randrange(100)}"}
            )
        elif deed == 1:
            self._writer.set_engagement_state(
                {"engagementId": dice.choice(content.engagements)["id"], "state": dice.choice(("START", "PAUSE"))}
            )
        else:
            self._writer.create_external_segment({"externalId": f"aud-{dice.randrange(50)}", "name": "From outside"})

    def _delete_user(self, dice: random.Random) -> None:
        self._writer.delete_user({"identifyId": self._somebody(dice), "hardDelete": dice.randrange(2) == 0})

    def _delete_account(self, dice: random.Random) -> None:
        self._writer.delete_account({"accountId": self._some_account(dice)})


def _short(list_name: str) -> str:
    """``page_view`` of ``list_page_view_events``."""
    return list_name.removeprefix("list_").removesuffix("_events")
