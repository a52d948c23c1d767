"""How Gainsight PX answers: key, region and rights, errors, and which part of the emulator does what is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import feedloom.vendors.aptrinsic as aptrinsic_folder
from feedloom.catalogue import Endpoint
from feedloom.emulator.arguments import Given
from feedloom.emulator.behaviour import Answer, Behaviour, Blueprint, Call, Settings, json_answer
from feedloom.vendors.aptrinsic.builders import WRITE_ENVELOPE
from feedloom.vendors.aptrinsic.catalogue import APTRINSIC
from feedloom.vendors.aptrinsic.emulator.control import Control
from feedloom.vendors.aptrinsic.emulator.environment import Environment
from feedloom.vendors.aptrinsic.emulator.guard import DuplicateGuard
from feedloom.vendors.aptrinsic.emulator.inputs import as_read
from feedloom.vendors.aptrinsic.emulator.lists import Lists
from feedloom.vendors.aptrinsic.emulator.localization import imported
from feedloom.vendors.aptrinsic.emulator.quirks import QUIRKS, TAKEN, YES
from feedloom.vendors.aptrinsic.emulator.reads import Reader
from feedloom.vendors.aptrinsic.emulator.refusal import RefusalError, SubError, error_answer
from feedloom.vendors.aptrinsic.emulator.writes import Writer

_KEY_HEADER = "x-aptrinsic-api-key"
_KEYLESS = frozenset({"list_engagement_rule_events"})
_LIMIT_REACHED = "Rate limit exceeded"
_FORBIDDEN_PAGE = b"<html><head><title>403</title></head><body>403 Forbidden</body></html>"
_NOTHING = b""

_IMPORTS = frozenset({"import_articles", "import_content", "import_engagement", "import_kcbot"})


class AptrinsicBehaviour(Behaviour):
    """One emulated environment of Gainsight PX; ``/v1``, ``/v2`` and ``/rte/v1`` stand beside each other."""

    base_path = ""
    endpoints = APTRINSIC.endpoints
    places = "apart"
    openapi_file = Path(aptrinsic_folder.__file__).with_name("openapi.yaml")
    keyless = _KEYLESS

    def __init__(self, settings: Settings) -> None:
        quirks = settings.quirks
        self.key = settings.key
        self._quirks = quirks
        self.tells_wait = quirks["retry_after"] == YES
        self._environment = Environment(users=settings.rows, seed=settings.seed, quirks=quirks, now=settings.now)
        self._ledger = self._environment.ledger
        lists = Lists(environment=self._environment, quirks=quirks, cache=settings.cache)
        writer = Writer(environment=self._environment, context_shape=quirks["global_context"])
        self._guard = DuplicateGuard(clock_s=self._ledger.now_s) if quirks["duplicate_guard"] == YES else None
        self.control = Control(environment=self._environment, writer=writer, lock=settings.lock)
        self._reads = Reader(environment=self._environment, lists=lists).operations
        self._writes = writer.operations

    @property
    def url_path(self) -> str:
        """Users give a base URL that ends in a version. Source: aptrinsic-notes, section 8."""
        return "/v1"

    @property
    def version(self) -> int:
        """Another number after each write."""
        return self._ledger.version

    def take_key(self, *, headers: Mapping[str, str], given: dict[str, Given]) -> str | None:  # noqa: ARG002 - the key is no parameter
        """The key in the header X-APTRINSIC-API-KEY. Source: aptrinsic-notes, section 7."""
        return headers.get(_KEY_HEADER)

    def refuse_key(self, key: str | None) -> Answer | None:
        """401 for a key that is missing, wrong or, it is assumed, of another region, which may be 404 as well.

        Source: aptrinsic-notes, section 7.
        """
        region = self._quirks["region"]
        if region == "404":
            return self.error(status=404, message="Not found")
        if key == self.key and region == "right":
            return None
        return json_answer({"errorMessage": "Authentication failed in loginAwareAuthentication"}, status=401)

    def error(self, *, status: int, message: str) -> Answer:
        """An error of the application layer; wrong inputs are told in ``subErrors``."""
        if status == 400:  # noqa: PLR2004 - the status of wrong inputs
            about = SubError(field=None, rejected=None, message=message)
            return error_answer(status=status, message="Validation error", about=about)
        return error_answer(status=status, message=_LIMIT_REACHED if status == 429 else message)  # noqa: PLR2004 - a limit

    def prepared(self, *, endpoint: Endpoint, given: Mapping[str, Given]) -> Mapping[str, Given]:
        """The inputs as the vendor reads them."""
        return as_read(endpoint=endpoint, given=given, takes_numbers=self._quirks["number_for_text"] == TAKEN)

    def answer(self, call: Call) -> Answer:
        """Do what *call* asks for."""
        if not self._may(call):
            if self._quirks["forbidden_body"] == "html":
                return Answer(body=_FORBIDDEN_PAGE, status=403, media_type="text/html")
            return self.error(status=403, message="The key lacks the permission for this call")
        try:
            return self._answer(call)
        except RefusalError as refusal:
            return error_answer(status=refusal.status, message=refusal.message, about=refusal.about)

    def add_row(self) -> None:
        """Somebody looks at a page."""
        self.control.add_row()

    def _may(self, call: Call) -> bool:
        """Whether the key has the right that the call needs. Source: aptrinsic-notes, section 7."""
        if call.endpoint.name in self.keyless:
            return True
        match self._quirks["rights"]:
            case "no-read":
                return call.endpoint.effect != "read"
            case "no-write":
                return call.endpoint.effect == "read"
            case "no-launch":
                return not _launches(call)
            case _:
                return True

    def _answer(self, call: Call) -> Answer:
        name = call.endpoint.name
        if name in self._reads:
            if self._guard is None or call.endpoint.method != "GET":
                return self._reads[name](call)
            self._guard.check(call)
            return replace(self._reads[name](call), cacheable=False)
        if name in _IMPORTS:
            return imported(call.arguments["file"].encode("latin-1"))
        body = self._writes[name](call.arguments)
        return json_answer(body) if body is not None else self._done(call.endpoint)

    def _done(self, endpoint: Endpoint) -> Answer:
        """The answer to a write that returns nothing: empty, or a wrapper where the vendor documents one."""
        status = endpoint.success[0]
        if self._quirks["write_body"] == "empty" or endpoint.fields != WRITE_ENVELOPE:
            return Answer(body=_NOTHING, status=status)
        wrapper = {"body": None, "statusCode": HTTPStatus(status).name, "statusCodeValue": status}
        return json_answer(wrapper, status=status)


def _launches(call: Call) -> bool:
    """Whether *call* starts an engagement in production."""
    arguments = call.arguments
    is_start = call.endpoint.name == "set_engagement_state" and arguments["state"] == "START"
    return is_start and "PRODUCTION" in arguments.get("envs", ["PRODUCTION"])


BLUEPRINT = Blueprint(title=APTRINSIC.title, quirks=QUIRKS, limits=APTRINSIC.limits, build=AptrinsicBehaviour)
