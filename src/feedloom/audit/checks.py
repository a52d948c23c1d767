"""What an audit found: checks as data, for people and programs alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import parse_qsl

from feedloom.catalogue import Endpoint, NoPaging
from feedloom.errors import FeedloomError
from feedloom.http import Value
from feedloom.http.encode import encode

Verdict: TypeAlias = Literal[
    "matches", "not checked", "other counting rule", "deleted at source", "late data", "mismatch"
]
GRAVITY: Final[tuple[Verdict, ...]] = (
    "matches",
    "not checked",
    "other counting rule",
    "deleted at source",
    "late data",
    "mismatch",
)
"""The verdicts, least grave first: only the last one is a finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the vendor was asked, without the key: the path below its base URL, percent-encoded, and the query."""

    method: str
    path: str
    query: str = ""

    @property
    def text(self) -> str:
        """One line, as one would write it after the base URL."""
        return f"{self.method} {self.path}{'?' if self.query else ''}{self.query}"

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON; a parameter that comes several times has a list."""
        params: dict[str, Any] = {}
        for name, value in parse_qsl(self.query, keep_blank_values=True):
            params[name] = [*params[name], value] if name.endswith("[]") and name in params else value
            if name.endswith("[]") and not isinstance(params[name], list):
                params[name] = [value]
        return {"method": self.method, "path": self.path, "params": params}


def request_of(endpoint: Endpoint, params: Mapping[str, Value], *, page_size: int | None = None) -> Request:
    """The request that asks *endpoint* with *params*, for one page of *page_size* rows where it is given."""
    sized = dict(params)
    if page_size is not None and not isinstance(endpoint.paging, NoPaging):
        sized[endpoint.paging.size_param] = page_size
    call = encode(endpoint, sized)
    return Request(method=endpoint.method, path=call.path, query=call.query)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was compared.

    Attributes:
        table: Whose rows.
        name: What was compared: ``rows``, ``fields``, ``nps`` and so on.
        subject: Of which part of the table, in words; empty for all of it.
        here: What the database says.
        there: What the vendor says.
        verdict: How the two compare.
        why: What the verdict rests on, one sentence; empty where both are equal.
        query: Makes the SQL that shows what is here; None where there is none to show.
        request: What shows what is there; None where nothing was asked.
    """

    table: str
    name: str
    subject: str = ""
    here: Any = None
    there: Any = None
    verdict: Verdict
    why: str = ""
    query: Callable[[], str] | None = None
    request: Request | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "table": self.table,
            "check": self.name,
            "subject": self.subject,
            "here": self.here,
            "there": self.there,
            "verdict": self.verdict,
            "why": self.why,
            "query": self.query() if self.query is not None else None,
            "request": self.request.as_dict() if self.request is not None else None,
        }


@dataclass(slots=True, kw_only=True)
class Audit:
    """A whole audit.

    Attributes:
        source: Slug of the vendor.
        destination, dataset: Where the rows are.
        seed: With the same one, the same rows are sampled.
        checks: What was compared, table by table.
        errors: Tables that could not be checked, because the vendor answered wrongly, each with its error.
        requests: Requests sent.
        seconds: Time it took.
    """

    source: str
    destination: str
    dataset: str
    seed: int
    checks: list[Check] = field(default_factory=list)
    errors: list[tuple[str, FeedloomError]] = field(default_factory=list)
    requests: int = 0
    seconds: float = 0.0

    @property
    def mismatches(self) -> list[Check]:
        """The checks that nothing explains."""
        return [check for check in self.checks if check.verdict == "mismatch"]

    @property
    def verdicts(self) -> dict[Verdict, int]:
        """How many checks ended with each verdict, least grave first; none of those that did not come up."""
        found = Counter(check.verdict for check in self.checks)
        return {verdict: found[verdict] for verdict in GRAVITY if found[verdict]}


def gravest(verdicts: Iterable[Verdict]) -> Verdict:
    """The gravest of *verdicts*; "matches" of none."""
    return max(verdicts, key=GRAVITY.index, default="matches")
