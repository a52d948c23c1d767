"""What calls that write do to an environment.

Source: refiner.openapi.yaml and refiner-notes, the section of each call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from feedloom.emulator.quirks import Quirks
from feedloom.vendors.refiner.emulator.environment import Environment
from feedloom.vendors.refiner.emulator.filters import Arguments, moment_argument
from feedloom.vendors.refiner.emulator.quirks import YES
from feedloom.vendors.refiner.emulator.records import Contact, Form, Response
from feedloom.vendors.refiner.emulator.refusal import RefusalError, bad_request, not_found
from feedloom.vendors.refiner.emulator.segments import SEGMENTS

OK = "ok"


class Writer:
    """Changes one environment, and answers as Refiner does."""

    def __init__(self, *, environment: Environment, quirks: Quirks) -> None:
        self._environment = environment
        self._quirks = quirks

    def identify(self, arguments: Arguments, *, traits: Mapping[str, Any]) -> dict[str, Any]:
        """Create or update a contact, by id, else by email."""
        contact = self._named(arguments)
        email, name = arguments.get("email"), arguments.get("name")
        if email:
            contact.email = email
        if name is not None:
            contact.display_name = name
        contact.traits = {**contact.traits, **self._spelt(traits)}
        self._group(contact, arguments)
        if self._quirks["identify_is_seeing"] == YES:
            contact.last_seen_s = max(contact.last_seen_s, self._environment.now_s())
        self._save(contact)
        return {"message": OK, "contact_uuid": contact.uuid}

    def track(self, arguments: Arguments) -> dict[str, Any]:
        """Record an event; only its time leaves a trace."""
        if self._quirks["event_tracking"] != YES:
            raise RefusalError(status=403, message="Event tracking is not part of your plan")
        contact = self._named(arguments)
        contact.last_event_s = self._environment.now_s()
        contact.last_seen_s = max(contact.last_seen_s, contact.last_event_s)
        self._environment.events += 1
        self._save(contact)
        return {"message": OK}

    def store(self, arguments: Arguments, *, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Store a finished response, unless the contact gave the very same before."""
        environment = self._environment
        form = self._form(arguments)
        now_s = environment.now_s()
        dated_s = moment_argument(arguments=arguments, name="date")
        shown_s = now_s if dated_s is None else dated_s
        data_s = now_s if self._quirks["imported_date"] == "shown" else shown_s
        contact = self._named(arguments)
        data = self._spelt(answers)
        if arguments.get("prevent_duplicates", True):
            twin = self._twin(contact=contact, form=form, data=data)
            if twin is not None:
                return {"message": OK, "uuid": twin.uuid}
        self._group(contact, arguments)
        seq = environment.responses.new_seq()
        response = Response(
            seq=seq,
            uuid=environment.world.response_ids.uuid(index=seq, moment_s=now_s),
            contact=contact.seq,
            form=form.seq,
            first_shown_s=shown_s,
            last_shown_s=shown_s,
            show_counter=1,
            first_data_s=data_s,
            last_data_s=data_s,
            completed_s=data_s,
            data=data,
            tags=self._tags(arguments.get("tags", ())),
        )
        environment.responses.save(response)
        contact.last_seen_s = max(contact.last_seen_s, shown_s)
        self._save(contact)
        return {"message": OK, "uuid": response.uuid}

    def tag(self, arguments: Arguments) -> dict[str, Any]:
        """Tag a response by names."""
        response = self._environment.responses.by_uuid(arguments["uuid"])
        if response is None:
            raise not_found("Response")
        kept = response.tags if self._quirks["tags_write"] == "add" else ()
        response.tags = tuple(dict.fromkeys((*kept, *self._tags(arguments["tags"]))))
        self._environment.responses.save(response)
        self._environment.changed()
        return {"message": OK}

    def join(self, arguments: Arguments) -> dict[str, Any]:
        """Put a user into a manual segment."""
        segment = self._manual_segment(arguments)
        contact = self._named(arguments)
        contact.joined = contact.joined | {segment}
        contact.left = contact.left - {segment}
        self._save(contact)
        return self._membership(contact=contact, segment=segment)

    def leave(self, arguments: Arguments) -> dict[str, Any]:
        """Take a user out of a manual segment."""
        segment = self._manual_segment(arguments)
        contact = self.found(arguments)
        contact.joined = contact.joined - {segment}
        contact.left = contact.left | {segment}
        self._save(contact)
        return self._membership(contact=contact, segment=segment)

    def publish(self, arguments: Arguments) -> dict[str, Any]:
        """Publish a survey or take it back."""
        published = bool(arguments.get("published", True))
        self._environment.forms.publish(self._form(arguments), published=published, now_s=self._environment.now_s())
        self._environment.changed()
        return {"message": f"The survey is now {'published' if published else 'unpublished'}."}

    def duplicate(self, arguments: Arguments) -> dict[str, Any]:
        """Copy a survey into a draft."""
        form = self._form(arguments)
        copy = self._environment.forms.duplicate(form, name=arguments["name"], now_s=self._environment.now_s())
        self._environment.changed()
        return {"message": OK, "source_form_uuid": form.uuid, "new_form_uuid": copy.uuid}

    def archive(self, arguments: Arguments) -> dict[str, Any]:
        """Archive a survey."""
        self._environment.forms.archive(self._form(arguments), now_s=self._environment.now_s())
        self._environment.changed()
        return {"message": OK}

    def delete(self, arguments: Arguments) -> dict[str, Any]:
        """Delete a contact with all its responses."""
        if self._quirks["delete_by_uuid"] != YES and not (arguments.get("id") or arguments.get("email")):
            raise bad_request("Please provide an id or an email")
        contact = self.found(arguments)
        for response in list(self._environment.responses.of_contact(contact.seq)):
            self._environment.responses.delete(response.seq)
        self._environment.contacts.delete(contact.seq)
        self._environment.changed()
        return {"message": OK}

    def found(self, arguments: Arguments) -> Contact:
        """The contact that id, email or uuid names, the first given of these; refuses an unknown one."""
        contact = self._known(arguments)
        if contact is None:
            raise not_found("Contact")
        return contact

    def _known(self, arguments: Arguments) -> Contact | None:
        contacts = self._environment.contacts
        if arguments.get("id"):
            return contacts.by_remote_id(arguments["id"])
        if arguments.get("email"):
            return contacts.by_email(arguments["email"])
        return contacts.by_uuid(arguments["uuid"])

    def _named(self, arguments: Arguments) -> Contact:
        """The contact that is named, a new one when id or email are unknown; a uuid must be known."""
        contact = self._known(arguments)
        if contact is not None:
            return contact
        remote_id, email = arguments.get("id"), arguments.get("email")
        if not remote_id and not email:
            raise not_found("Contact")
        return self._environment.contacts.new(
            remote_id=remote_id or None, email=email or None, now_s=self._environment.now_s()
        )

    def _group(self, contact: Contact, arguments: Arguments) -> None:
        """Put *contact* into the account that the call names, made when it is unknown."""
        given = dict(arguments.get("account") or {})
        if not given:
            return
        remote_id = given.pop("id", None)
        if not isinstance(remote_id, str) or not remote_id:
            raise bad_request("Please provide an id for the account")
        now_s = self._environment.now_s()
        contacts = self._environment.contacts
        account = contacts.account_by_id(remote_id) or contacts.new_account(remote_id=remote_id, now_s=now_s)
        name = given.pop("name", None)
        if isinstance(name, str):
            account.display_name = name
        account.traits = {**account.traits, **self._spelt(given)}
        account.last_seen_s = max(account.last_seen_s, now_s)
        contacts.save_account(account)
        contact.account = account.seq

    def _save(self, contact: Contact) -> None:
        self._environment.contacts.save(contact)
        self._environment.changed()

    def _form(self, arguments: Arguments) -> Form:
        form = self._environment.forms.by_uuid(arguments["form_uuid"])
        if form is None:
            raise not_found("Form")
        return form

    def _manual_segment(self, arguments: Arguments) -> int:
        segment = self._environment.segment_by_uuid(arguments["segment_uuid"])
        if segment is None:
            raise not_found("Segment")
        if not SEGMENTS[segment].is_manual:
            raise bad_request("The segment is not a manual segment")
        return segment

    def _membership(self, *, contact: Contact, segment: int) -> dict[str, Any]:
        uuid = self._environment.segment_uuid(segment)
        return {"message": OK, "contact_uuid": contact.uuid, self._quirks["segment_key"]: uuid}

    def _twin(self, *, contact: Contact, form: Form, data: Mapping[str, Any]) -> Response | None:
        for response in self._environment.responses.of_contact(contact.seq):
            if response.form == form.seq and response.completed_s is not None and response.data == data:
                return response
        return None

    def _tags(self, names: Iterable[str]) -> tuple[str, ...]:
        tags = tuple(dict.fromkeys(names))
        for name in tags:
            self._environment.tag_uuid(name)
        return tags

    def _spelt(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._environment.spelling.value(_flat(value)) for name, value in values.items()}


def _flat(value: Any) -> Any:
    """*value* without objects inside, which are kept as JSON text; what the vendor does with them is unknown."""
    if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value)):
        return orjson.dumps(value).decode()
    return value
