"""What comes back from a vendor: the answer to a call, a page of a list, and the places inside their JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Final, TypeAlias

import orjson

from feedloom.catalogue import Endpoint
from feedloom.errors import VendorError

Row: TypeAlias = dict[str, Any]

ABSENT: Final[Any] = object()
"""Stands for "the JSON has no such place", which null does not."""

_LONG_NUMBER: Final = re.compile(rb"[:\[,\s]-?\d{19,}\s*[,}\]]")

REPORT_HINT: Final = "Run it again; if it happens again, the vendor's API differs from its description here: report it."


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A vendor's answer to one call that succeeded.

    Attributes:
        endpoint: What was called.
        url: Where, without the key.
        status: HTTP status, 200 to 299.
        body: The bytes as they came, unpacked.
        received_at: The vendor's own time of the answer (its Date header), else this machine's; UTC.
        content: The body read as JSON, shared and not copied; None for an empty body and for a file download.
    """

    endpoint: Endpoint
    url: str
    status: int
    body: bytes = field(repr=False)
    received_at: datetime
    parsed: InitVar[Any] = ABSENT

    def __post_init__(self, parsed: Any) -> None:
        """Keep the JSON that the client had to read anyway."""
        if parsed is not ABSENT:
            self.__dict__["content"] = parsed

    @cached_property
    def content(self) -> Any:
        """The body read as JSON; raises VendorError when it is none."""
        if self.endpoint.answer == "binary" or not self.body.strip():
            return None
        return read_json(self.body, endpoint=self.endpoint, request=self.request)

    @property
    def request(self) -> str:
        """The method and URL that were asked for, without the key."""
        return f"{self.endpoint.method} {self.url}"


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of a list.

    Attributes:
        endpoint: The list.
        request: Method and URL, without the key.
        position: What the page was asked by: its number, its cursor or the scroll's id; None for a first page that was
            asked for without.
        number: How many pages of this reading came before it.
        body: The bytes as they came, unpacked.
        total: How many rows the vendor says the whole list has; None where it does not say.
        received_at: The vendor's own time of the answer (its Date header), else this machine's; UTC.
        is_last: No page follows.
        rows: The rows in the vendor's order, shared and not copied.
    """

    endpoint: Endpoint
    request: str
    position: int | str | None
    number: int
    body: bytes = field(repr=False)
    total: int | None
    received_at: datetime
    is_last: bool
    parsed_rows: InitVar[list[Row] | None] = None

    def __post_init__(self, parsed_rows: list[Row] | None) -> None:
        """Keep the rows that the client had to read anyway."""
        if parsed_rows is not None:
            self.__dict__["rows"] = parsed_rows

    @cached_property
    def rows(self) -> list[Row]:
        """The rows, read from the body when first asked for; raises VendorError when the body holds none."""
        content = read_json(self.body, endpoint=self.endpoint, request=self.request)
        return rows_of(content, endpoint=self.endpoint, request=self.request)


def dig(content: Any, path: str) -> Any:
    """The value at *path* in parsed JSON, or ABSENT.

    Parts are joined by dots; in a list a number picks an item, and ``[]`` the first one (``subErrors[].message``).
    """
    value = content
    for part in path.replace("[]", ".0").replace("[", ".").replace("]", "").split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return ABSENT
    return value


def whole_number(content: Any, path: str) -> int | None:
    """The integer at *path*; None when the path is empty or something else stands there."""
    value = dig(content, path) if path else ABSENT
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def parse_json(body: bytes) -> Any:
    """*body* as Python values, every number exact; raises ValueError when it is no JSON.

    Integers past 64 bits, which the fast parser would round, come from the standard library's.
    """
    if _LONG_NUMBER.search(body) is None:
        return orjson.loads(body)
    return json.loads(body, parse_constant=_no_constant)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def read_json(body: bytes, *, endpoint: Endpoint, request: str) -> Any:
    """*body* as JSON; raises VendorError when it is none."""
    try:
        return parse_json(body)
    except ValueError as error:
        message = f"{endpoint.name} ({request}) was answered with something that is not JSON"
        raise VendorError(message, hint=REPORT_HINT, where=endpoint.name) from error


def rows_of(content: Any, *, endpoint: Endpoint, request: str) -> list[Row]:
    """The rows of an answer, in the vendor's order.

    An answer that is no list is its own single row. Raises VendorError where the list is not where the endpoint's
    ``records`` says, is no list, or holds something else than objects: none of these is ever taken for an empty page.
    """
    place = f"{endpoint.records!r}" if endpoint.records else "the answer itself"
    value = dig(content, endpoint.records) if endpoint.records else content
    if value is ABSENT:
        problem = f"has no {place}, where its rows should be"
    elif isinstance(value, dict) and not endpoint.is_list:
        return [value]
    elif not isinstance(value, list):
        problem = f"holds no list of rows at {place}"
    elif not all(isinstance(row, dict) for row in value):
        problem = f"holds rows at {place} that are not objects"
    else:
        return value
    message = f"The answer to {endpoint.name} ({request}) {problem}"
    raise VendorError(message, hint=REPORT_HINT, where=endpoint.name)


def read_date(header: str | None) -> datetime | None:
    """The moment in an HTTP date, in UTC; None when there is none or it cannot be read."""
    if not header:
        return None
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
