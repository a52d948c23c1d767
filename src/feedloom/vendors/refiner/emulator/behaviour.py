"""How Refiner answers: its key checks, its errors, and which part of the emulator does what a call asks for."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import feedloom.vendors.refiner as refiner_folder
from feedloom.catalogue import Endpoint, Limit
from feedloom.emulator.arguments import Given
from feedloom.emulator.behaviour import Answer, Behaviour, Blueprint, Call, Settings, json_answer
from feedloom.emulator.moments import iso_text
from feedloom.emulator.timeline import END_S
from feedloom.vendors.refiner.catalogue import REFINER
from feedloom.vendors.refiner.emulator.control import Control
from feedloom.vendors.refiner.emulator.environment import Environment
from feedloom.vendors.refiner.emulator.lists import Lists
from feedloom.vendors.refiner.emulator.quirks import PRESENT, QUIRKS
from feedloom.vendors.refiner.emulator.refusal import RefusalError
from feedloom.vendors.refiner.emulator.rendering import Renderer
from feedloom.vendors.refiner.emulator.reporting import Reports
from feedloom.vendors.refiner.emulator.spelling import spelling_of
from feedloom.vendors.refiner.emulator.writes import Writer

_SHORTEST_KEY = 20
_KEY = re.compile(r"[0-9A-Za-z-]+")
_CALLS_PER_USER = 100
_KEY_PARAMETER = "api_key"

_Read: TypeAlias = Callable[[Mapping[str, Any]], dict[str, Any]]
_Write: TypeAlias = Callable[[Call], dict[str, Any]]

LIMITS: tuple[Limit, ...] = tuple(
    replace(limit, requests=_CALLS_PER_USER) if limit.name == "user" else limit for limit in REFINER.limits
)
"""Per user 100 calls, as the newest reader says; clients keep to fewer. Source: refiner-notes, Transport."""


class RefinerBehaviour(Behaviour):
    """One emulated environment of Refiner."""

    base_path = "/v1"
    endpoints = REFINER.endpoints
    places = "merged"
    openapi_file = Path(refiner_folder.__file__).with_name("openapi.yaml")

    def __init__(self, settings: Settings) -> None:
        quirks = settings.quirks
        if quirks["segments_cursor"] == PRESENT:
            self.endpoints = tuple(_with_cursor(endpoint) for endpoint in self.endpoints)
        self.key = settings.key
        self._quirks = quirks
        self._environment = Environment(
            rows=settings.rows,
            seed=settings.seed,
            spelling=spelling_of(quirks),
            now=settings.now,
            newest_contacts_first=quirks["contacts_order"] == "newest",
        )
        self._renderer = Renderer(environment=self._environment, quirks=quirks)
        self._writer = Writer(environment=self._environment, quirks=quirks)
        self._reports = Reports(
            environment=self._environment, counts_partials=quirks["reported_responses"] == "partials"
        )
        self.control = Control(
            environment=self._environment, renderer=self._renderer, writer=self._writer, lock=settings.lock
        )
        self._reads, self._writes = self._operations()

    @property
    def version(self) -> int:
        """Another number after each write."""
        return self._environment.version

    def take_key(self, *, headers: Mapping[str, str], given: dict[str, Given]) -> str | None:
        """The key as bearer token, as user name of basic authentication, or as the parameter ``api_key``.

        Source: refiner-notes, Transport, auth, limits.
        """
        parameter = given.pop(_KEY_PARAMETER, None)
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return credentials.strip()
        if scheme.lower() == "basic":
            return _user_name(credentials)
        if parameter is None:
            return None
        value = parameter.value[-1] if parameter.shape == "plain" else parameter.value
        return value if isinstance(value, str) else None

    def refuse_key(self, key: str | None) -> Answer | None:
        """Measured answers to keys that are missing or short, malformed, and unknown.

        Source: refiner-notes, Transport, auth, limits; where short ends and malformed starts is an assumption there.
        """
        if key == self.key:
            return None
        if key is None or len(key) < _SHORTEST_KEY:
            return self.error(status=401, message="No API key found in headers")
        if not _KEY.fullmatch(key):
            return self.error(status=401, message="API key does not look valid")
        status = self._quirks.number("unknown_key_status")
        return json_answer({"message": "API key not valid or does not exist"}, status=status)

    def error(self, *, status: int, message: str) -> Answer:
        """``{"error": text}``. Source: refiner-notes, Transport, auth, limits."""
        body: dict[str, Any] = {self._quirks["error_key"]: message}
        if self._quirks["unverified_fields"] == PRESENT:
            body["code"] = status
        return json_answer(body, status=status)

    def answer(self, call: Call) -> Answer:
        """Do what *call* asks for."""
        name = call.endpoint.name
        try:
            if name in self._reads:
                is_timeless = name != "get_reporting" or "date_range_end" in call.arguments
                return json_answer(self._reads[name](call.arguments), cacheable=is_timeless)
            status = self._quirks.number("identify_status") if name == "identify_user" else 200
            return json_answer(self._writes[name](call), status=status)
        except RefusalError as refusal:
            return self.error(status=refusal.status, message=refusal.message)

    def add_row(self) -> None:
        """A new contact answers the first survey."""
        self.control.add_row()

    def _operations(self) -> tuple[Mapping[str, _Read], Mapping[str, _Write]]:
        lists = Lists(environment=self._environment, renderer=self._renderer, quirks=self._quirks)
        writer = self._writer
        reads: dict[str, _Read] = {
            "get_project": lambda _: self._project(),
            "get_account": lambda _: self._account(),
            "list_responses": lists.responses,
            "list_contacts": lists.contacts,
            "get_contact": lambda arguments: self._renderer.contact(writer.found(arguments)),
            "list_forms": lists.forms,
            "list_form_history": lists.form_history,
            "list_segments": lists.segments,
            "get_reporting": self._reports.report,
        }
        writes: dict[str, _Write] = {
            "identify_user": lambda call: writer.identify(call.arguments, traits=call.extras),
            "track_event": lambda call: writer.track(call.arguments),
            "track_event_legacy": lambda call: writer.track(call.arguments),
            "store_response": lambda call: writer.store(call.arguments, answers=call.extras),
            "tag_response": lambda call: writer.tag(call.arguments),
            "add_user_to_segment": lambda call: writer.join(call.arguments),
            "remove_user_from_segment": lambda call: writer.leave(call.arguments),
            "publish_form": lambda call: writer.publish(call.arguments),
            "duplicate_form": lambda call: writer.duplicate(call.arguments),
            "archive_form": lambda call: writer.archive(call.arguments),
            "delete_contact": lambda call: writer.delete(call.arguments),
        }
        return reads, writes

    def _project(self) -> dict[str, Any]:
        return {
            "project_uuid": self._environment.project_uuid,
            "project_name": "Emulated",
            "message": "Authentication successful",
        }

    def _account(self) -> dict[str, Any]:
        """Counters of the last month of the base data; made up, and the same on every day.

        Source of the keys: refiner.openapi.yaml, getAccount.
        """
        world = self._environment.world
        counters = {
            "mtu": world.contacts,
            "mte": self._environment.events,
            "mpv": world.rows * 7,
            "msr": world.rows // 24,
        }
        limits = {"mtu_limit": 10_000_000, "mpv_limit": 100_000_000, "msr_limit": 1_000_000}
        subscription: dict[str, Any] = {"plan": "Growth"}
        for name, count in counters.items():
            subscription[f"{name}_count"] = count
            if f"{name}_limit" in limits:
                subscription[f"{name}_limit"] = limits[f"{name}_limit"]
            subscription[f"{name}_count_updated_at"] = iso_text(END_S)
        environment = {"uuid": self._environment.project_uuid, "name": "Emulated", **counters}
        return {"subscription": subscription, "environments": [environment]}


def _with_cursor(endpoint: Endpoint) -> Endpoint:
    """*endpoint* with a cursor that counts, where one source alone shows it. Source: refiner-notes, Pagination."""
    params = (replace(param, deprecated=False) if param.name == "page_cursor" else param for param in endpoint.params)
    return replace(endpoint, params=tuple(params))


def _user_name(credentials: str) -> str | None:
    try:
        return b64decode(credentials, validate=True).decode("utf-8").partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return None


BLUEPRINT = Blueprint(title=REFINER.title, quirks=QUIRKS, limits=LIMITS, build=RefinerBehaviour)
