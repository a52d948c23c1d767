"""The way of a request to its answer: faults, key, limits, checks, cache, and then the vendor's behaviour."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

from feedloom.catalogue import Endpoint, NoPaging
from feedloom.emulator.arguments import Given, UnreadableBodyError, check, read_body, read_path, read_query
from feedloom.emulator.behaviour import Answer, Behaviour, Call
from feedloom.emulator.cache import AnswerCache
from feedloom.emulator.damage import HTML, cursor_param, damaged
from feedloom.emulator.faults import Fault, Faults
from feedloom.emulator.limits import SlidingWindow

_REVOKED_KEY = "emulator-key-that-was-revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One request for an endpoint, read whole; header names are lower case, ``parts`` are the path parameters."""

    endpoint: Endpoint
    method: str
    path: str
    query: str
    parts: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_follow_up(self) -> bool:
        """Whether it asks for a further page of a list by cursor."""
        cursor = cursor_param(self.endpoint.paging)
        return bool(cursor) and f"{cursor}=" in self.query

    @property
    def page_size(self) -> int | None:
        """How many rows it asks for in its URL; None where it asks for no page or does not say."""
        paging = self.endpoint.paging
        given = None if isinstance(paging, NoPaging) else read_query(self.query).get(paging.size_param)
        text = "" if given is None else str(given.value[-1] if isinstance(given.value, list) else given.value)
        return int(text) if text.isascii() and text.isdigit() else None

    @property
    def is_plain_read(self) -> bool:
        """Whether nothing but path and URL parameters decides the answer."""
        return self.endpoint.effect == "read" and not self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitKept:
    """One limit: its window, and the parameters that name its subject, none when that is the key."""

    window: SlidingWindow
    user_params: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Everything that stands before a vendor's behaviour; ``lock`` is held while its data are read or changed."""

    behaviour: Behaviour
    faults: Faults
    limits: tuple[LimitKept, ...]
    cache: AnswerCache[Answer]
    lock: threading.RLock
    lenient: bool

    def strike(self, incoming: Incoming) -> dict[str, Fault]:
        """The faults that happen to this request, by name; counts the request."""
        return self.faults.striking(
            request=(incoming.method, incoming.path, incoming.query, incoming.body),
            endpoint=incoming.endpoint.name,
            is_list=incoming.endpoint.is_list and bool(incoming.endpoint.records),
            is_follow_up=incoming.is_follow_up,
            page_size=incoming.page_size,
        )

    def answer(self, *, incoming: Incoming, struck: Mapping[str, Fault]) -> Answer:
        """The answer to one request, as the faults that *struck* it leave it."""
        refused = self._refused_by_fault(struck)
        if refused is not None:
            return refused
        with self.lock:
            if "rows-added" in struck:
                self.behaviour.add_row()
            return self._answer(incoming=incoming, struck=struck)

    def _answer(self, *, incoming: Incoming, struck: Mapping[str, Fault]) -> Answer:
        given = read_query(incoming.query)
        unreadable: Answer | None = None
        try:
            given |= read_body(body=incoming.body, content_type=incoming.headers.get("content-type", ""))
        except UnreadableBodyError as problem:
            unreadable = self.behaviour.error(status=400, message=str(problem))
        key = self.behaviour.take_key(headers=incoming.headers, given=given)
        refused = self._refused_by_key(endpoint=incoming.endpoint, key=key) or unreadable
        refused = refused or self._refused_by_limit(endpoint=incoming.endpoint, key=key or "", given=given)
        if refused is not None:
            return refused
        answer = self._kept_or_made(incoming=incoming, given=given | read_path(incoming.parts), struck=struck)
        return damaged(answer=answer, endpoint=incoming.endpoint, faults=struck, cursor=_cursor(incoming, given))

    def _kept_or_made(self, *, incoming: Incoming, given: Mapping[str, Given], struck: Mapping[str, Fault]) -> Answer:
        if not incoming.is_plain_read:
            return self._made(endpoint=incoming.endpoint, given=given, struck=struck)
        request = (incoming.method, incoming.path, incoming.query)
        version = self.behaviour.version
        answer = self.cache.get(request=request, version=version)
        if answer is None:
            answer = self._made(endpoint=incoming.endpoint, given=given, struck=struck)
            if answer.cacheable:
                self.cache.put(request=request, version=version, answer=answer)
        return answer

    def _made(self, *, endpoint: Endpoint, given: Mapping[str, Given], struck: Mapping[str, Fault]) -> Answer:
        given = self.behaviour.prepared(endpoint=endpoint, given=given)
        checked = check(endpoint=endpoint, given=given, merged=self.behaviour.places == "merged", lenient=self.lenient)
        if checked.problems:
            return self.behaviour.error(status=400, message=checked.problems[0])
        return self.behaviour.answer(
            Call(endpoint=endpoint, arguments=checked.arguments, extras=checked.extras, faults=frozenset(struck))
        )

    def _refused_by_key(self, *, endpoint: Endpoint, key: str | None) -> Answer | None:
        return None if endpoint.name in self.behaviour.keyless else self.behaviour.refuse_key(key)

    def _refused_by_fault(self, struck: Mapping[str, Fault]) -> Answer | None:
        if "key-refused" in struck:
            return self.behaviour.refuse_key(_REVOKED_KEY)
        if "429" in struck:
            return self._too_many(wait_s=1)
        if "too-large" in struck:
            return self.behaviour.error(status=500, message=_FAULT_TEXTS[500])
        for status in (429, 500, 503):
            if f"{status}-bare" in struck or str(status) in struck:
                return self.behaviour.error(status=status, message=_FAULT_TEXTS[status])
        return HTML if "html" in struck else None

    def _refused_by_limit(self, *, endpoint: Endpoint, key: str, given: Mapping[str, Given]) -> Answer | None:
        for limit in self.limits:
            subject = _user(given=given, names=limit.user_params) if limit.user_params else key
            if not subject or (limit.user_params and not endpoint.per_user):
                continue
            wait_s = limit.window.wait_s(subject)
            if wait_s:
                return self._too_many(wait_s=wait_s if self.behaviour.tells_wait else None)
        return None

    def _too_many(self, *, wait_s: int | None) -> Answer:
        answer = self.behaviour.error(status=429, message=_FAULT_TEXTS[429])
        return answer if wait_s is None else replace(answer, headers={**answer.headers, "Retry-After": str(wait_s)})


_FAULT_TEXTS = {429: "Too many requests", 500: "Internal server error", 503: "Service unavailable"}


def _user(*, given: Mapping[str, Given], names: tuple[str, ...]) -> str:
    for name in names:
        if name in given:
            value = given[name].value
            return f"{name}={value[-1] if isinstance(value, list) and value else value}"
    return ""


def _cursor(incoming: Incoming, given: Mapping[str, Given]) -> str:
    cursor = given.get(cursor_param(incoming.endpoint.paging))
    return str(cursor.value[-1]) if cursor is not None and cursor.shape == "plain" else ""
