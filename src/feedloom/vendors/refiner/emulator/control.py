"""What tests may do to an environment that no call of the API can."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import wraps
from threading import RLock
from typing import Any, Concatenate, ParamSpec, TypeVar

import orjson

from feedloom.emulator.moments import space_text
from feedloom.emulator.timeline import DAYS, START_S
from feedloom.errors import InputError
from feedloom.vendors.refiner.emulator.environment import Environment
from feedloom.vendors.refiner.emulator.records import Response
from feedloom.vendors.refiner.emulator.refusal import RefusalError
from feedloom.vendors.refiner.emulator.rendering import Renderer
from feedloom.vendors.refiner.emulator.segments import SEGMENTS
from feedloom.vendors.refiner.emulator.writes import Writer

_DAY_S = 86_400
_MANUAL = tuple(place for place, segment in enumerate(SEGMENTS) if segment.is_manual)

_Params = ParamSpec("_Params")
_Result = TypeVar("_Result")


def _locked(
    method: Callable[Concatenate[Control, _Params], _Result],
) -> Callable[Concatenate[Control, _Params], _Result]:
    @wraps(method)
    def with_lock(control: Control, /, *args: _Params.args, **named: _Params.kwargs) -> _Result:
        with control.lock:
            return method(control, *args, **named)

    return with_lock


class Control:
    """Acts on an environment in place of the people whose answers it holds; safe beside a running server."""

    def __init__(self, *, environment: Environment, renderer: Renderer, writer: Writer, lock: RLock) -> None:
        self.lock = lock
        self._environment = environment
        self._renderer = renderer
        self._writer = writer

    @_locked
    def answer_view(self, uuid: str, data: Mapping[str, Any]) -> None:
        """Answer a view now and finish it: its last reception moves, its last showing stays."""
        response = self._response(uuid)
        now_s = self._environment.now_s()
        spelt = {name: self._environment.spelling.value(value) for name, value in data.items()}
        response.data = {**response.data, **spelt}
        response.first_data_s = response.first_data_s or now_s
        response.last_data_s = now_s
        response.completed_s = now_s
        response.dismissed_s = None
        self._save(response)

    @_locked
    def show_again(self, uuid: str) -> None:
        """Show a survey once more, now."""
        response = self._response(uuid)
        response.show_counter += 1
        response.last_shown_s = self._environment.now_s()
        contact = self._environment.contacts.known(response.contact)
        contact.last_seen_s = max(contact.last_seen_s, response.last_shown_s)
        self._environment.contacts.save(contact)
        self._save(response)

    @_locked
    def dismiss(self, uuid: str) -> None:
        """Dismiss a survey now."""
        response = self._response(uuid)
        response.dismissed_s = self._environment.now_s()
        self._save(response)

    @_locked
    def edit_question(self, form_uuid: str, identifier: str, changes: Mapping[str, Any]) -> None:
        """Change a question of a survey now: its ``text``, ``kind``, ``scale`` or ``options``; its answers stay.

        No call of the API edits a survey. Source: refiner-notes, Forms.
        """
        environment = self._environment
        form = environment.forms.by_uuid(form_uuid)
        if form is None or not environment.forms.edit_question(form, identifier, changes, now_s=environment.now_s()):
            raise InputError(f"No survey {form_uuid!r} asks {identifier!r}.", hint="Take both from the list of forms.")
        environment.changed()

    @_locked
    def tag_uuid(self, name: str) -> str:
        """The uuid of a tag, which no call tells."""
        return self._environment.tag_uuid(name)

    @_locked
    def every_response(self) -> list[dict[str, Any]]:
        """Every response as the API shows it, found by a plain walk over all rows, in no order."""
        environment = self._environment
        base = (environment.world.response(row) for row in range(environment.world.rows))
        rows = [response for response in base if environment.responses.is_untouched(response.seq)]
        rows += environment.responses.written()
        shown: list[dict[str, Any]] = orjson.loads(
            orjson.dumps([self._renderer.response(response, with_attributes=False) for response in rows])
        )
        return shown

    @_locked
    def add_row(self) -> str:
        """Store one response, now, by a contact who is new; returns its uuid."""
        environment = self._environment
        number = environment.version
        answers = {"nps": number % 11, "nps_reason": f"Number {number} while you were reading"}
        arguments = {"id": f"late-{number}", "form_uuid": environment.forms.all[0].uuid}
        stored: str = self._writer.store(arguments, answers=answers)["uuid"]
        return stored

    @_locked
    def random_writes(self, n: int, seed: int, *, deletes: bool = False) -> Counter[str]:
        """Make *n* random changes of all kinds, the same for the same seed and state; counts them by kind.

        With *deletes* some contacts are deleted with their responses.
        """
        dice = random.Random(seed)  # noqa: S311 - test data, not secrets
        deeds = {
            "identify": (self._identify_somebody, 4),
            "track": (self._track_somebody, 1),
            "store": (self._store_something, 6),
            "tag": (self._tag_something, 2),
            "join": (self._join_somewhere, 2),
            "leave": (self._leave_somewhere, 1),
            "answer_view": (self._answer_something, 4),
            "show_again": (self._show_something, 3),
            "dismiss": (self._dismiss_something, 2),
            "form": (self._change_a_form, 1),
            "delete": (self._delete_somebody, 1 if deletes else 0),
        }
        names = dice.choices(list(deeds), weights=[weight for _, weight in deeds.values()], k=n)
        for name in names:
            with suppress(RefusalError):
                deeds[name][0](dice)
        return Counter(names)

    def _response(self, uuid: str) -> Response:
        response = self._environment.responses.by_uuid(uuid)
        if response is None:
            raise InputError(f"There is no response {uuid!r}.", hint="Take the uuid from a list of responses.")
        return response

    def _save(self, response: Response) -> None:
        environment = self._environment
        environment.responses.save(response)
        environment.contacts.save(environment.contacts.known(response.contact))
        environment.changed()

    def _any_response(self, dice: random.Random) -> Response | None:
        rows = self._environment.world.rows
        return self._environment.responses.get(dice.randrange(rows)) if rows else None

    def _anybody(self, dice: random.Random) -> dict[str, Any]:
        """Arguments that name a contact, one in four of them unknown so far."""
        if dice.random() < 0.25:  # noqa: PLR2004 - one in four
            return {"id": f"new-{dice.randrange(10**6)}"}
        contact = self._environment.contacts.get(dice.randrange(self._environment.world.contacts))
        if contact is None or contact.remote_id is None:
            return {"email": f"guest{dice.randrange(10**6)}@post.example"}
        return {"id": contact.remote_id}

    def _identify_somebody(self, dice: random.Random) -> None:
        traits = {"plan": dice.choice(("free", "pro", "enterprise")), "score": dice.randrange(100)}
        self._writer.identify({**self._anybody(dice), "name": f"Renamed {dice.randrange(1000)}"}, traits=traits)

    def _track_somebody(self, dice: random.Random) -> None:
        self._writer.track({**self._anybody(dice), "event": "Exported report"})

    def _store_something(self, dice: random.Random) -> None:
        arguments = {**self._anybody(dice), "form_uuid": self._environment.forms.all[0].uuid}
        if dice.random() < 0.3:  # noqa: PLR2004 - three in ten are imports of old answers
            arguments["date"] = space_text(START_S + dice.randrange(DAYS * _DAY_S))
        self._writer.store(arguments, answers={"nps": dice.randrange(11), "nps_reason": f"Because {dice.random()}"})

    def _tag_something(self, dice: random.Random) -> None:
        if response := self._any_response(dice):
            self._writer.tag({"uuid": response.uuid, "tags": [f"tag {dice.randrange(9)}"]})

    def _join_somewhere(self, dice: random.Random) -> None:
        segment = self._environment.segment_uuid(dice.choice(_MANUAL))
        self._writer.join({**self._anybody(dice), "segment_uuid": segment})

    def _leave_somewhere(self, dice: random.Random) -> None:
        contact = self._environment.contacts.get(dice.randrange(self._environment.world.contacts))
        if contact is not None and contact.remote_id is not None:
            segment = self._environment.segment_uuid(dice.choice(_MANUAL))
            self._writer.leave({"id": contact.remote_id, "segment_uuid": segment})

    def _answer_something(self, dice: random.Random) -> None:
        if response := self._any_response(dice):
            self.answer_view(response.uuid, {"nps": str(dice.randrange(11))})

    def _show_something(self, dice: random.Random) -> None:
        if response := self._any_response(dice):
            self.show_again(response.uuid)

    def _dismiss_something(self, dice: random.Random) -> None:
        if response := self._any_response(dice):
            self.dismiss(response.uuid)

    def _change_a_form(self, dice: random.Random) -> None:
        form = dice.choice(self._environment.forms.all)
        deed = dice.randrange(3)
        if deed == 0:
            self._writer.publish({"form_uuid": form.uuid, "published": dice.random() < 0.5})  # noqa: PLR2004 - a coin
        elif deed == 1:
            self._writer.duplicate({"form_uuid": form.uuid, "name": f"{form.name} (copy)"})
        else:
            self._writer.archive({"form_uuid": form.uuid})

    def _delete_somebody(self, dice: random.Random) -> None:
        contact = self._environment.contacts.get(dice.randrange(self._environment.world.contacts))
        if contact is not None:
            self._writer.delete({"uuid": contact.uuid})
