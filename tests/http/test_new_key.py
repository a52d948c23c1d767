# ruff: noqa: INP001  # a package here would hide the standard library's http, since tests/ is on the path
"""A key that was refused is looked for once more: another one is used from there on, the same one is not sent again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from starlette.responses import JSONResponse

from feedloom.catalogue import Param
from feedloom.errors import CredentialError, RefusedError
from feedloom.http import Key, KeyHolder
from feedloom.http.limits import limits_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from .conftest import Seen, Stage

OLD, NEW = Key("sk-old", "the vault"), Key("sk-new", "the vault")


@dataclass
class Vault:
    """A provider of keys that counts how often it is asked."""

    key: Key | None = NEW
    asked: int = 0
    holder: KeyHolder = field(init=False)

    def __post_init__(self) -> None:
        """Start with the old key."""
        self.holder = KeyHolder(OLD, fetch=self.fetch)

    def fetch(self) -> Key | None:
        """What stands in it now."""
        self.asked += 1
        return self.key


def takes_new(seen: Seen) -> Response:
    """A vendor that refuses the old key."""
    good = seen.headers["authorization"] == f"Bearer {NEW.value}"
    return JSONResponse({"items": []} if good else {}, 200 if good else 401)


def sent(stage: Stage) -> list[str]:
    return [seen.headers["authorization"].removeprefix("Bearer ") for seen in stage.seen]


def test_a_rotated_key_heals_the_call_and_those_after_it(stage: Stage) -> None:
    vault = Vault()
    for _ in range(2):
        stage.call(stage.endpoint(), script=takes_new, holder=vault.holder)
    assert sent(stage) == [OLD.value, NEW.value, NEW.value]
    assert (vault.asked, stage.notes.new_keys) == (1, [("list_things", "the vault")])


def test_calls_that_were_refused_together_ask_for_the_new_key_once(stage: Stage) -> None:
    vault = Vault()
    endpoint = stage.endpoint(Param(name="page", type="integer"))

    async def many() -> None:
        async with stage.client(takes_new, endpoint, holder=vault.holder) as client:
            await asyncio.gather(*(client.call(endpoint, {"page": page}) for page in range(5)))

    asyncio.run(many())
    assert sent(stage).count(NEW.value) == 5
    assert vault.asked == 1


@pytest.mark.parametrize("stands", [OLD, None])
def test_the_same_key_and_none_at_all_stop_the_call(stage: Stage, stands: Key | None) -> None:
    vault = Vault(key=stands)
    with pytest.raises(CredentialError, match="refused the key from the vault"):
        stage.call(stage.endpoint(), script=takes_new, holder=vault.holder)
    assert sent(stage) == [OLD.value]


def test_a_key_that_was_given_by_hand_is_sent_once(stage: Stage) -> None:
    with pytest.raises(CredentialError):
        stage.call(stage.endpoint(), script=takes_new, holder=KeyHolder(OLD))
    assert sent(stage) == [OLD.value]


def test_a_new_key_that_is_refused_too_is_the_last_that_is_tried(stage: Stage) -> None:
    vault = Vault()

    def refuse(_: Seen) -> Response:
        vault.key = Key(f"sk-{vault.asked}", "the vault")
        return JSONResponse({}, 401)

    with pytest.raises(CredentialError):
        stage.call(stage.endpoint(), script=refuse, holder=vault.holder)
    assert len(stage.seen) == 2


@pytest.mark.parametrize(("status", "asked"), [(403, 1), (404, 0), (400, 0)])
def test_of_other_refusals_only_a_403_may_be_about_the_key(stage: Stage, status: int, asked: int) -> None:
    vault = Vault(key=OLD)
    with pytest.raises(RefusedError):
        stage.call(stage.endpoint(), script=[JSONResponse({}, status)], holder=vault.holder)
    assert (vault.asked, len(stage.seen)) == (asked, 1)


def test_each_key_has_limits_of_its_own(stage: Stage) -> None:
    vault = Vault()
    limit = stage.limit(1, 3600)
    host = "us.acme.test"
    stage.call(stage.endpoint(), script=takes_new, holder=vault.holder, limits=(limit,), shared=True)
    used = [limits_of(stage.vendor, key, host=host).take(stage.endpoint(), {}) for key in (OLD, NEW)]
    assert [type(one).__name__ for one in used] == ["Wait", "Wait"]
