"""Faults on request: what may go wrong between a client and a vendor, switched on by name.

A fault is written ``NAME[=ARG][@ENDPOINT]``: ``500=3`` answers every third request with 500, ``500=2@list_contacts``
every second request for that list. Faults count only requests that they can happen to. A request that was struck is
spared when it is sent again, so that a client that retries gets through, unless ARG is ``always``.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from feedloom.errors import InputError

ALWAYS = "always"
_MOST_SPARED = 10_000

Unit: TypeAlias = Literal["every", "after", "ms", "rows"]
Scope: TypeAlias = Literal["all", "lists", "follow-ups"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """One way to go wrong.

    Attributes:
        name: As users write it.
        summary: One sentence; ARG stands for the argument.
        unit: What ARG counts. ``every``: it happens to every ARG-th request; ``after``: to all requests after ARG of
            them; ``ms``: milliseconds, on every request; ``rows``: to every page that is asked for with more rows.
        default: ARG when left out.
        least: Smallest ARG. Two where a client that retries has to succeed in the end.
        scope: The requests it can happen to: ``follow-ups`` are those for a further page of a list.
    """

    name: str
    summary: str
    unit: Unit = "every"
    default: int = 3
    least: int = 2
    scope: Scope = "all"


FAULTS: tuple[FaultKind, ...] = (
    FaultKind(name="slow", summary="Every request waits ARG milliseconds (500).", unit="ms", default=500, least=0),
    FaultKind(
        name="key-refused",
        summary="After ARG requests (5) the key is refused as unknown, until the fault is taken away.",
        unit="after",
        default=5,
        least=0,
    ),
    FaultKind(name="429", summary="Every ARG-th request (3) is refused with 429 and Retry-After: 1."),
    FaultKind(name="429-bare", summary="Every ARG-th request (3) is refused with 429 and no Retry-After."),
    FaultKind(name="500", summary="Every ARG-th request (3) is answered 500."),
    FaultKind(name="503", summary="Every ARG-th request (3) is answered 503."),
    FaultKind(
        name="too-large",
        summary="Every page of a list that is asked for with more than ARG rows (100) is answered 500.",
        unit="rows",
        default=100,
        least=0,
        scope="lists",
    ),
    FaultKind(name="html", summary="Every ARG-th request (3) is answered 200 with a page of HTML."),
    FaultKind(
        name="rows-added",
        summary="A row is added before every ARG-th request (1) for a further page of a list is answered.",
        default=1,
        least=1,
        scope="follow-ups",
    ),
    FaultKind(name="empty-page", summary="Every ARG-th page of a list (3) comes without its rows.", scope="lists"),
    FaultKind(
        name="missing-list-key", summary="Every ARG-th page of a list (3) lacks the key of its rows.", scope="lists"
    ),
    FaultKind(
        name="repeated-cursor",
        summary="Every ARG-th further page of a list (2) hands out the cursor it was asked with.",
        default=2,
        scope="follow-ups",
    ),
    FaultKind(name="truncated", summary="The JSON of every ARG-th answer (3) is cut in half, its length matching."),
    FaultKind(name="drop", summary="The connection is dropped in the middle of every ARG-th answer (3)."),
)
"""In the order in which they happen to a request."""

_BY_NAME = {kind.name: kind for kind in FAULTS}


@dataclass(slots=True, kw_only=True)
class Fault:
    """One fault that is switched on; ``argument`` is None for always, ``endpoint`` empty for every endpoint."""

    kind: FaultKind
    argument: int | None
    endpoint: str
    seen: int = 0
    spared: set[Hashable] = field(default_factory=set)

    def strikes(
        self, *, request: Hashable, endpoint: str, is_list: bool, is_follow_up: bool, page_size: int | None
    ) -> bool:
        """Count one request; whether the fault happens to it.

        A request that was struck is spared when it comes again, however many others come in between.
        """
        if self.endpoint not in ("", endpoint):
            return False
        if (self.kind.scope == "lists" and not is_list) or (self.kind.scope == "follow-ups" and not is_follow_up):
            return False
        self.seen += 1
        if self.argument is None or self.kind.unit == "ms":
            return True
        if self.kind.unit in ("after", "rows"):
            return (self.seen if self.kind.unit == "after" else page_size or 0) > self.argument
        if request in self.spared:
            self.spared.discard(request)
            return False
        is_struck = self.seen % self.argument == 0
        if is_struck and self.kind.least > 1 and len(self.spared) < _MOST_SPARED:
            self.spared.add(request)
        return is_struck


class Faults:
    """The faults of one emulator, changed at any time by name."""

    def __init__(self, *, endpoints: Iterable[str], specs: Iterable[str] = ()) -> None:
        self._endpoints = frozenset(endpoints)
        self._active: list[Fault] = []
        for spec in specs:
            self.add(spec)

    def add(self, spec: str) -> None:
        """Switch on the fault written ``NAME[=ARG][@ENDPOINT]``; raises InputError when there is none like it."""
        self._active = [*self._active, self._parse(spec)]

    def clear(self) -> None:
        """Switch every fault off."""
        self._active = []

    def striking(
        self,
        *,
        request: Hashable,
        endpoint: str,
        is_list: bool,
        is_follow_up: bool,
        page_size: int | None = None,
    ) -> dict[str, Fault]:
        """The faults that happen to this request, by name, in order; counts the request.

        *request* is the same value whenever the same request is sent again; *page_size* is how many rows it asks for,
        None where it asks for no page or does not say.
        """
        struck = [
            fault
            for fault in self._active
            if fault.strikes(
                request=request,
                endpoint=endpoint,
                is_list=is_list,
                is_follow_up=is_follow_up,
                page_size=page_size,
            )
        ]
        return {fault.kind.name: fault for kind in FAULTS for fault in struck if fault.kind is kind}

    def _parse(self, spec: str) -> Fault:
        rest, _, endpoint = spec.partition("@")
        name, has_argument, argument = rest.partition("=")
        kind = _BY_NAME.get(name)
        if kind is None:
            raise InputError(f"There is no fault called {name!r}.", hint=f"Choose from: {', '.join(_BY_NAME)}.")
        if "@" in spec and endpoint not in self._endpoints:
            raise InputError(
                f"The fault {spec!r} names the endpoint {endpoint!r}, which does not exist.",
                hint=f"Choose from: {', '.join(sorted(self._endpoints))}.",
            )
        return Fault(
            kind=kind,
            argument=_argument(kind=kind, text=argument) if has_argument else kind.default,
            endpoint=endpoint,
        )


def _argument(*, kind: FaultKind, text: str) -> int | None:
    has_always = kind.unit in ("every", "after")
    if text == ALWAYS and has_always:
        return None
    if text.isascii() and text.isdigit() and int(text) >= kind.least:
        return int(text)
    or_always = f", or {ALWAYS!r}" if has_always else ""
    raise InputError(
        f"The fault {kind.name!r} does not take {text!r}.",
        hint=f"Give a whole number from {kind.least}{or_always}. {kind.summary}",
    )
