"""The things of an environment, as the emulator holds them before they become JSON.

Moments are whole seconds since 1970, UTC. ``seq`` numbers things of a kind in the order of their making: those of the
base data first, those that were written later beyond.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from feedloom.vendors.refiner.emulator.surveys import Question


@dataclass(slots=True, kw_only=True)
class Response:
    """One showing of a survey to a contact, and the answers to it if there are any.

    ``contact`` and ``form`` are sequence numbers. ``data`` holds answers and contextual values as they are sent.
    """

    seq: int
    uuid: str
    contact: int
    form: int
    first_shown_s: int
    last_shown_s: int
    show_counter: int
    first_data_s: int | None = None
    last_data_s: int | None = None
    completed_s: int | None = None
    dismissed_s: int | None = None
    data: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Contact:
    """One person, known or not.

    ``account`` is a sequence number, None for an ungrouped contact. ``joined`` and ``left`` are the manual segments
    that the contact was put into or taken out of by a write.
    """

    seq: int
    uuid: str
    remote_id: str | None
    email: str | None
    display_name: str | None
    first_seen_s: int
    last_seen_s: int
    last_event_s: int | None = None
    traits: dict[str, Any] = field(default_factory=dict)
    account: int | None = None
    joined: set[int] = field(default_factory=set)
    left: set[int] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class AccountRecord:
    """One account."""

    seq: int
    uuid: str
    remote_id: str | None
    display_name: str | None
    domain: str | None
    first_seen_s: int
    last_seen_s: int
    traits: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class FormEdit:
    """One entry of a form's history: what was done, and the name and questions as they were before."""

    uuid: str
    action: str
    name: str
    questions: tuple[Question, ...]
    created_s: int


@dataclass(slots=True, kw_only=True)
class Form:
    """One survey."""

    seq: int
    uuid: str
    name: str
    questions: tuple[Question, ...]
    channels: tuple[str, ...]
    folder: str | None
    created_s: int
    updated_s: int
    published_s: int | None = None
    archived_s: int | None = None
    history: list[FormEdit] = field(default_factory=list)
