"""From records to the JSON that Refiner sends.

Source: refiner.openapi.yaml, schemas; refiner-notes, Dates and time zones.
"""

from __future__ import annotations

from typing import Any

import orjson

from feedloom.emulator.moments import iso_text, space_text
from feedloom.emulator.quirks import Quirks
from feedloom.emulator.timeline import START_S
from feedloom.vendors.refiner.emulator.environment import Environment
from feedloom.vendors.refiner.emulator.figures import form_figures, segment_size
from feedloom.vendors.refiner.emulator.quirks import PRESENT
from feedloom.vendors.refiner.emulator.records import AccountRecord, Contact, Form, FormEdit, Response
from feedloom.vendors.refiner.emulator.segments import SEGMENTS
from feedloom.vendors.refiner.emulator.surveys import config_of

_CONTACTS_KEPT = 32_768
_ACCOUNTS_KEPT = 32_768


class Renderer:
    """Writes the records of one environment the way its quirks say.

    The short forms of contacts and accounts stand in many responses, so they are kept as bytes until something changes.
    """

    def __init__(self, *, environment: Environment, quirks: Quirks) -> None:
        self._environment = environment
        self._empty_map: Any = {} if quirks["empty_map"] == "object" else []
        self._shows_tags = quirks["tags_on_read"] == PRESENT
        self._shows_unverified = quirks["unverified_fields"] == PRESENT
        self._names_ungrouped = quirks["ungrouped_account"] == "object"
        self._folder = quirks["folder"]
        self._kept_version = -1
        self._short_contacts: dict[int, orjson.Fragment] = {}
        self._short_accounts: dict[int, orjson.Fragment] = {}
        self._short_forms: dict[int, orjson.Fragment] = {}

    def response(self, response: Response, *, with_attributes: bool) -> dict[str, Any]:
        """A survey response."""
        self._keep_up()
        contact = self._contact_with_attributes(response) if with_attributes else self._short_contact(response.contact)
        completed_at = _space_or_null(response.completed_s)
        rendered = {
            "uuid": response.uuid,
            "first_shown_at": space_text(response.first_shown_s),
            "last_shown_at": space_text(response.last_shown_s),
            "show_counter": response.show_counter,
            "first_data_reception_at": _space_or_null(response.first_data_s),
            "last_data_reception_at": _space_or_null(response.last_data_s),
            "completed_at": completed_at,
            "received_at": completed_at,
            "dismissed_at": _space_or_null(response.dismissed_s),
            "form": self._short_form(response.form),
            "data": response.data or self._empty_map,
            "contact": contact,
        }
        if self._shows_tags:
            rendered["tags"] = list(response.tags)
        return rendered

    def contact(self, contact: Contact) -> dict[str, Any]:
        """A contact with attributes, segments and account."""
        environment = self._environment
        attributes = environment.attributes(contact)
        rendered = {
            "uuid": contact.uuid,
            "remote_id": contact.remote_id,
            "email": contact.email,
            "display_name": contact.display_name,
            "first_seen_at": iso_text(contact.first_seen_s),
            "last_seen_at": iso_text(contact.last_seen_s),
            "attributes": attributes or self._empty_map,
            "segments": [self._segment_of_contact(place, contact) for place in environment.segments_of(contact)],
            "account": self._account(contact),
        }
        if self._shows_unverified:
            rendered["last_form_submission_at"] = attributes.get("last_form_submission_at")
            rendered["last_tracking_event_at"] = iso_text(contact.last_event_s) if contact.last_event_s else None
        return rendered

    def form(self, form: Form, *, with_info: bool, with_config: bool) -> dict[str, Any]:
        """A survey."""
        rendered: dict[str, Any] = {"uuid": form.uuid, "name": form.name}
        if with_info:
            rendered |= self._info(form)
        if with_config:
            rendered["config"] = config_of(form.questions)
        return rendered

    def edit(self, edit: FormEdit) -> dict[str, Any]:
        """An entry of a survey's history."""
        return {
            "uuid": edit.uuid,
            "action": edit.action,
            "snapshot": {"name": edit.name, "config": config_of(edit.questions)},
            "created_at": iso_text(edit.created_s),
        }

    def segment(self, place: int) -> dict[str, Any]:
        """The segment at that place of the list."""
        rendered: dict[str, Any] = {
            "uuid": self._environment.segment_uuid(place),
            "name": SEGMENTS[place].name,
            "is_manual": SEGMENTS[place].is_manual,
        }
        if self._shows_unverified:
            rendered["contacts_count"] = segment_size(environment=self._environment, segment=place)
        return rendered

    def _keep_up(self) -> None:
        if self._kept_version != self._environment.version:
            self._kept_version = self._environment.version
            self._short_contacts.clear()
            self._short_accounts.clear()
            self._short_forms.clear()

    def _short_form(self, seq: int) -> orjson.Fragment:
        fragment = self._short_forms.get(seq)
        if fragment is None:
            form = self._environment.forms.all[seq]
            fragment = self._short_forms[seq] = orjson.Fragment(orjson.dumps({"uuid": form.uuid, "name": form.name}))
        return fragment

    def _short_contact(self, seq: int) -> orjson.Fragment:
        fragment = self._short_contacts.get(seq)
        if fragment is None:
            if len(self._short_contacts) >= _CONTACTS_KEPT:
                self._short_contacts.clear()
            shown = self._identity(self._environment.contacts.identity(seq))
            fragment = self._short_contacts[seq] = orjson.Fragment(orjson.dumps(shown))
        return fragment

    def _contact_with_attributes(self, response: Response) -> dict[str, Any]:
        contact = self._environment.contacts.known(response.contact)
        return {
            **self._identity(contact),
            "attributes": self._environment.attributes(contact) or self._empty_map,
        }

    def _identity(self, contact: Contact) -> dict[str, Any]:
        return {
            "uuid": contact.uuid,
            "remote_id": contact.remote_id,
            "email": contact.email,
            "display_name": contact.display_name,
            "account": self._short_account(contact),
        }

    def _short_account(self, contact: Contact) -> orjson.Fragment | None:
        kept = self._short_accounts.get(contact.account) if contact.account is not None else None
        if kept is not None:
            return kept
        account = self._account_of(contact)
        if account is None:
            return None
        shown = {
            "uuid": account.uuid,
            "remote_id": account.remote_id,
            "display_name": account.display_name,
            "domain": account.domain,
        }
        fragment = orjson.Fragment(orjson.dumps(shown))
        if contact.account is not None and len(self._short_accounts) < _ACCOUNTS_KEPT:
            self._short_accounts[contact.account] = fragment
        return fragment

    def _account(self, contact: Contact) -> dict[str, Any] | None:
        account = self._account_of(contact)
        if account is None:
            return None
        return {
            "uuid": account.uuid,
            "remote_id": account.remote_id,
            "domain": account.domain,
            "display_name": account.display_name,
            "first_seen_at": iso_text(account.first_seen_s),
            "last_seen_at": iso_text(account.last_seen_s),
            "attributes": account.traits or self._empty_map,
        }

    def _account_of(self, contact: Contact) -> AccountRecord | None:
        if contact.account is not None:
            return self._environment.contacts.account(contact.account)
        return self._environment.contacts.ungrouped_account(contact) if self._names_ungrouped else None

    def _segment_of_contact(self, place: int, contact: Contact) -> dict[str, Any]:
        shown = {"uuid": self._environment.segment_uuid(place), "name": SEGMENTS[place].name}
        if self._shows_unverified:
            shown["created_at"] = iso_text(max(contact.first_seen_s, START_S))
        return shown

    def _info(self, form: Form) -> dict[str, Any]:
        figures = form_figures(environment=self._environment, form=form)
        return {
            "channels": list(form.channels),
            "created_at": iso_text(form.created_s),
            "updated_at": iso_text(form.updated_s),
            "published_at": _iso_or_null(form.published_s),
            "archived_at": _iso_or_null(form.archived_s),
            "first_form_view_at": _iso_or_null(figures.first_view_s),
            "last_form_view_at": _iso_or_null(figures.last_view_s),
            "responses_count": figures.responses,
            "views_count": figures.views,
            "folder": self._shown_folder(form),
            "page_url": f"https://surveys.example/s/{form.uuid[:8]}" if "link" in form.channels else None,
        }

    def _shown_folder(self, form: Form) -> Any:
        if form.folder is None or self._folder == "null":
            return None
        if self._folder == "text":
            return form.folder
        return {"uuid": self._environment.folder_uuid(form.folder), "name": form.folder}


def _space_or_null(moment_s: int | None) -> str | None:
    return None if moment_s is None else space_text(moment_s)


def _iso_or_null(moment_s: int | None) -> str | None:
    return None if moment_s is None else iso_text(moment_s)
