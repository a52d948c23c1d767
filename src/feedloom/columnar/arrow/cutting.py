"""Cuts a page of JSON into the bytes of its rows, without reading the values in them.

A page that is not quite JSON (a NaN, a broken escape, bytes that are not UTF-8) is cut by its brackets instead, so that
one bad row costs that row and not the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from feedloom.catalogue import Endpoint
from feedloom.columnar.arrow.strict import FlawError, Quarantined, load_row
from feedloom.errors import VendorError

REPORT_HINT = "Run it again; if it happens again, the vendor's API differs from its description here: report it."
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"(\s*:)?|[\[\]{},]', re.DOTALL)
_SPACE = b" \t\r\n"


@dataclass(slots=True)
class Cut:
    """The rows of one page, in order: those that can be read, and those that cannot."""

    rows: list[msgspec.Raw] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)


class Cutter:
    """Cuts the pages of one endpoint.

    Args:
        endpoint: Where the pages come from; its ``records`` says where in a page the rows stand.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._parts = endpoint.records.split(".") if endpoint.records else []
        self._rows = msgspec.json.Decoder(_page_type(self._parts, list[msgspec.Raw]))
        self._whole = msgspec.json.Decoder(_page_type(self._parts, msgspec.Raw))

    def cut(self, page: bytes) -> Cut:
        """The rows of *page*, each in one line: line breaks between its parts are made spaces.

        Raises:
            VendorError: The rows are not where the endpoint says, are no list, or the page breaks off.
        """
        if b"\n" in page or b"\r" in page:
            page = page.translate(_ONE_LINE)
        try:
            _check_text(page)
            rows = self._decode(page)
        except (pa.ArrowInvalid, RecursionError, msgspec.ValidationError, msgspec.DecodeError) as error:
            if isinstance(error, msgspec.ValidationError):
                return self._single(page)
            return self._salvage(page)
        return Cut(rows)

    def _decode(self, page: bytes) -> list[msgspec.Raw]:
        rows: list[msgspec.Raw] = self._inside(self._rows.decode(page))
        return rows

    def _inside(self, value: Any) -> Any:
        for index, _ in enumerate(self._parts):
            value = getattr(value, f"part_{index}")
        return value

    def _single(self, page: bytes) -> Cut:
        """The row of an answer that is no list."""
        try:
            row = self._inside(self._whole.decode(page))
        except msgspec.ValidationError:
            raise self._broken(f"has no {self._endpoint.records!r}, where its rows should be") from None
        if self._endpoint.is_list or not bytes(row).startswith(b"{"):
            raise self._broken(f"holds no list of rows at {self._endpoint.records or 'the answer itself'!r}")
        return Cut([row])

    def _salvage(self, page: bytes) -> Cut:
        found = Cut()
        for raw in _pieces(page, self._parts, is_list=self._endpoint.is_list):
            if raw is None:
                raise self._broken("is not JSON: it breaks off or has no list of rows")
            try:
                load_row(raw)
            except FlawError as flaw:
                found.quarantined.append(Quarantined(raw=raw, reason=str(flaw)))
            else:
                found.rows.append(msgspec.Raw(raw))
        return found

    def _broken(self, problem: str) -> VendorError:
        name = self._endpoint.name
        return VendorError(f"The answer to {name} {problem}", hint=REPORT_HINT, where=name)


def _check_text(page: bytes) -> None:
    """Raises pyarrow's ArrowInvalid where *page* is not UTF-8; five times as fast as decoding it."""
    ends = pa.py_buffer(np.array([0, len(page)], np.int64))
    pa.Array.from_buffers(pa.large_string(), 1, [None, ends, pa.py_buffer(page)]).validate(full=True)


_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


def _page_type(parts: list[str], wanted: Any) -> Any:
    """A type that reads nothing of a page but the value at the path *parts*, as *wanted*."""
    for index, part in reversed(list(enumerate(parts))):
        name = f"part_{index}"
        wanted = msgspec.defstruct(f"Page{index}", [(name, wanted)], rename={name: part})
    return wanted


def _pieces(page: bytes, parts: list[str], *, is_list: bool) -> Iterator[bytes | None]:
    """The rows by their brackets alone; a None says that the page breaks off, or that no list was found."""
    start = _find(page, parts)
    if start is None:
        yield None
        return
    if page[start : start + 1] == b"{" and not is_list:
        end = _end(page, start)
        yield page[start:end] if end else None
        return
    if page[start : start + 1] != b"[":
        yield None
        return
    begin, depth = start + 1, 0
    for token in _TOKEN.finditer(page, start):
        match token[0][:1]:
            case b"[" | b"{":
                depth += 1
            case b"]" | b"}":
                depth -= 1
        if depth == 0 or (depth == 1 and token[0] == b","):
            row = page[begin : token.start()].strip(_SPACE)
            if row or depth:
                yield row
            begin = token.end()
        if depth == 0:
            return
    yield None


def _find(page: bytes, parts: list[str]) -> int | None:
    """Where the value at the path *parts* starts."""
    start = len(page) - len(page.lstrip(_SPACE))
    for part in parts:
        depth, found = 0, None
        for token in _TOKEN.finditer(page, start):
            match token[0][:1]:
                case b"[" | b"{":
                    depth += 1
                case b"]" | b"}":
                    depth -= 1
                case b'"' if depth == 1 and token[1] and _text(token[0]) == part:
                    found = token.end()
                    break
            if depth == 0:
                break
        if found is None:
            return None
        start = found + len(page[found:]) - len(page[found:].lstrip(_SPACE))
    return start


def _text(key: bytes) -> str:
    try:
        return msgspec.json.decode(key.rstrip(b": \t\r\n"), type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _end(page: bytes, start: int) -> int | None:
    depth = 0
    for token in _TOKEN.finditer(page, start):
        match token[0][:1]:
            case b"[" | b"{":
                depth += 1
            case b"]" | b"}":
                depth -= 1
        if depth == 0:
            return token.end()
    return None
