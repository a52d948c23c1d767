"""What comes back from a vendor: the answer to a call, a page of a list, and the places inside their JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Final, TypeAlias

import orjson

from feedloom.catalogue import Endpoint, NoPaging
from feedloom.errors import REPORT_HINT, VendorError
from feedloom.http.cutting import BrokenAnswerError, Cut, MisplacedRowsError, cut

Row: TypeAlias = dict[str, Any]

ABSENT: Final[Any] = object()
"""Stands for "the JSON has no such place", which null does not."""

_LONG_NUMBER: Final = re.compile(rb"[:\[,\s]-?\d{19,}\s*[,}\]]")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A vendor's answer to one call that succeeded.

    Attributes:
        endpoint: What was called.
        url: Where, without the key.
        status: HTTP status, 200 to 299.
        body: The bytes as they came, unpacked.
        received_at: The vendor's own time of the answer (its Date header), else this machine's; UTC.
        content: The body read as JSON when it is first asked for, shared and not copied; None for an empty body and for
            a file download.
        cut: The body in parts.
    """

    endpoint: Endpoint
    url: str
    status: int
    body: bytes = field(repr=False)
    received_at: datetime

    @cached_property
    def cut(self) -> Cut:
        """The body cut into rows; raises VendorError when it is no JSON, or holds its rows somewhere else."""
        return cut_body(self.body, endpoint=self.endpoint, request=self.request)

    @property
    def rows(self) -> list[Row]:
        """Its rows, in the vendor's order; raises VendorError when one of them is no JSON."""
        return read_rows(self.cut, endpoint=self.endpoint, request=self.request)

    @property
    def total(self) -> int | None:
        """How many rows the vendor says the whole list has; None where it does not say."""
        paging = self.endpoint.paging
        return None if isinstance(paging, NoPaging) else whole_number(self.cut.beside, paging.total)

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
        size: Rows that were asked for; None where the list has no page size.
        status: HTTP status, 200 to 299.
        body: The bytes as they came, unpacked.
        total: How many rows the vendor says the whole list has; None where it does not say.
        received_at: The vendor's own time of the answer (its Date header), else this machine's; UTC.
        is_last: No page follows.
        cut: The body in parts.
        rows: The rows in the vendor's order, read when they are first asked for, shared and not copied.
    """

    endpoint: Endpoint
    request: str
    position: int | str | None
    number: int
    body: bytes = field(repr=False)
    total: int | None
    received_at: datetime
    is_last: bool
    cut: Cut = field(repr=False)
    size: int | None = None
    status: int = 200

    def __len__(self) -> int:
        """Count of rows."""
        return len(self.cut.rows)

    @cached_property
    def rows(self) -> list[Row]:
        """The rows; raises VendorError when one of them is no JSON."""
        return read_rows(self.cut, endpoint=self.endpoint, request=self.request)


def page_of(answer: Answer, *, number: int, position: int | str | None, size: int | None) -> Page:
    """*answer* as page *number* of a list, asked for with *position* and *size*, and not known to be the last."""
    return Page(
        endpoint=answer.endpoint,
        request=answer.request,
        position=position,
        number=number,
        body=answer.body,
        total=answer.total,
        received_at=answer.received_at,
        is_last=False,
        cut=answer.cut,
        size=size,
        status=answer.status,
    )


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
        raise _no_json(endpoint, request) from error


def cut_body(body: bytes, *, endpoint: Endpoint, request: str) -> Cut:
    """*body* cut into the rows of *endpoint*.

    Raises VendorError where it is no JSON, or the list is not where the endpoint's ``records`` says, is no list, or
    holds something else than objects: none of these is ever taken for an empty page.
    """
    try:
        return cut(endpoint, body)
    except BrokenAnswerError as error:
        raise _no_json(endpoint, request) from error
    except MisplacedRowsError as error:
        message = f"The answer to {endpoint.name} ({request}) {error}"
        raise VendorError(message, hint=REPORT_HINT, where=endpoint.name) from error


def read_rows(parts: Cut, *, endpoint: Endpoint, request: str) -> list[Row]:
    """The rows of a cut answer, in the vendor's order; raises VendorError when one of them is no JSON."""
    rows: list[Row] = read_json(parts.text, endpoint=endpoint, request=request)
    return rows


def legible_rows(parts: Cut) -> list[Row]:
    """The rows of a cut answer as far as they can be read, to look something up in them and not to load them.

    Of a row that is not quite JSON what :func:`glimpse` sees; those of which nothing can be seen are left out.
    """
    try:
        rows: list[Row] = parse_json(parts.text)
    except ValueError:
        return [row for raw in parts.rows if (row := glimpse(bytes(raw))) is not None]
    return rows


def glimpse(raw: bytes) -> Row | None:
    """What can be seen of a row that is not quite JSON; None where that is nothing.

    NaN counts as a number, control characters stand for themselves, bytes that are not UTF-8 come as U+FFFD, and of a
    key that stands twice the last value counts.
    """
    try:
        seen = json.loads(raw.decode(errors="replace"), strict=False)
    except (ValueError, RecursionError):
        return None
    return seen if isinstance(seen, dict) else None


def _no_json(endpoint: Endpoint, request: str) -> VendorError:
    message = f"{endpoint.name} ({request}) was answered with something that is not JSON"
    return VendorError(message, hint=REPORT_HINT, where=endpoint.name)


def read_date(header: str | None) -> datetime | None:
    """The moment in an HTTP date, in UTC; None when there is none or it cannot be read."""
    if not header:
        return None
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
