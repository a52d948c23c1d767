"""The whole state of an emulated environment, and what is computed from several of its parts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from feedloom.emulator.identifiers import Identifiers
from feedloom.emulator.moments import iso_text
from feedloom.emulator.timeline import START_S
from feedloom.vendors.refiner.emulator.contact_store import ContactStore
from feedloom.vendors.refiner.emulator.form_store import FormStore
from feedloom.vendors.refiner.emulator.records import Contact
from feedloom.vendors.refiner.emulator.response_store import ResponseStore
from feedloom.vendors.refiner.emulator.segments import SEGMENTS, Membership
from feedloom.vendors.refiner.emulator.spelling import Spelling
from feedloom.vendors.refiner.emulator.world import BASE_TAGS, World


class Environment:
    """Forms, responses, contacts, segments and tags under one seed.

    ``version`` is another number after each change; whoever changes something calls ``changed`` when it is complete.
    """

    def __init__(
        self, *, rows: int, seed: int, spelling: Spelling, now: Callable[[], datetime], newest_contacts_first: bool
    ) -> None:
        self.world = World(rows=rows, seed=seed, spelling=spelling)
        self.spelling = spelling
        self.forms = FormStore(seed=seed)
        self.responses = ResponseStore(self.world)
        self.contacts = ContactStore(
            world=self.world, last_submission_s=self.last_submission_s, newest_first=newest_contacts_first
        )
        self.version = 0
        self.events = 0
        self.project_uuid = Identifiers(seed=seed, kind=8).uuid(index=0, moment_s=START_S)
        self._now = now
        self._membership = Membership(seed=seed, base_contacts=self.world.contacts)
        self._segment_ids = Identifiers(seed=seed, kind=5)
        self._tag_ids = Identifiers(seed=seed, kind=6)
        self._folder_ids = Identifiers(seed=seed, kind=9)
        self._tags = list(BASE_TAGS)

    def now_s(self) -> int:
        """The time, in whole seconds."""
        return int(self._now().timestamp())

    def changed(self) -> None:
        """Tell that something was changed."""
        self.version += 1
        self.responses.forget()
        self.contacts.forget()

    def last_submission_s(self, contact: int) -> int | None:
        """When the contact last answered."""
        answered = [response.last_data_s for response in self.responses.of_contact(contact) if response.last_data_s]
        return max(answered, default=None)

    def attributes(self, contact: Contact) -> dict[str, Any]:
        """Traits, automatic metadata and the latest answer to each question, merged into one map.

        Source: refiner-notes, Contacts, traits, accounts, segments.
        """
        responses = list(self.responses.of_contact(contact.seq))
        answered = sorted(
            (response for response in responses if response.last_data_s), key=lambda one: one.last_data_s or 0
        )
        merged: dict[str, Any] = {
            **contact.traits,
            "first_seen_at": iso_text(contact.first_seen_s),
            "last_seen_at": iso_text(contact.last_seen_s),
            "form_views_count": self.spelling.value(sum(response.show_counter for response in responses)),
            "form_submissions_count": self.spelling.value(sum(bool(response.completed_s) for response in responses)),
        }
        if responses:
            merged["last_form_view_at"] = iso_text(responses[-1].last_shown_s)
        if answered:
            merged["last_form_submission_at"] = iso_text(answered[-1].last_data_s or 0)
        for response in answered:
            merged |= response.data
        return merged

    def in_segment(self, *, segment: int, contact: Contact) -> bool:
        """Whether *contact* is in the segment at that place of the list today."""
        return self._membership.holds(segment=segment, contact=contact, attributes=lambda: self.attributes(contact))

    def segments_of(self, contact: Contact) -> list[int]:
        """The segments that *contact* is in, in the order of the list."""
        attributes = self.attributes(contact)
        return [
            place
            for place in range(len(SEGMENTS))
            if self._membership.holds(segment=place, contact=contact, attributes=lambda: attributes)
        ]

    def segment_uuid(self, segment: int) -> str:
        """The uuid of the segment at that place of the list."""
        return self._segment_ids.uuid(index=segment, moment_s=START_S)

    def segment_by_uuid(self, uuid: str) -> int | None:
        """The place in the list of the segment with that uuid."""
        segment = self._segment_ids.index(uuid)
        found = segment is not None and segment < len(SEGMENTS) and self.segment_uuid(segment) == uuid.lower()
        return segment if found else None

    def folder_uuid(self, name: str) -> str:
        """The uuid of the folder called *name*."""
        return self._folder_ids.uuid(index=sum(name.encode()), moment_s=START_S)

    def tag_uuid(self, name: str) -> str:
        """The uuid of the tag called *name*, which is made when there is none."""
        if name not in self._tags:
            self._tags.append(name)
        return self._tag_ids.uuid(index=self._tags.index(name), moment_s=START_S)

    def tag_by_uuid(self, uuid: str) -> str | None:
        """The name of the tag with that uuid."""
        seq = self._tag_ids.index(uuid)
        return self._tags[seq] if seq is not None and seq < len(self._tags) else None
