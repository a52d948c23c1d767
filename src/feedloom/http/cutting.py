"""Cuts an answer into the bytes of its rows and what stands beside them, without reading the values in the rows.

An answer that is not quite JSON (a NaN, a broken escape, bytes that are not UTF-8) is cut by its brackets instead, so
that one bad row costs that row and not the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
import orjson

from feedloom.catalogue import Endpoint

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"(\s*:)?|[\[\]{},]', re.DOTALL)
_SPACE = b" \t\r\n"
_OBJECT = b"{"


class BrokenAnswerError(ValueError):
    """An answer is no JSON, or breaks off before its end."""


class MisplacedRowsError(ValueError):
    """An answer is JSON and its rows are not where its endpoint says; the text says how."""


@dataclass(frozen=True, slots=True)
class Cut:
    """An answer in parts.

    Attributes:
        rows: The bytes of each row, in the vendor's order, each in one line.
        beside: What else of the answer the endpoint's paging speaks of, read, at its places.
        size_bytes: The length of the whole answer.
        is_sound: Every row is JSON; else some may not be.
    """

    rows: list[msgspec.Raw]
    beside: Mapping[str, Any]
    size_bytes: int
    is_sound: bool = True

    @property
    def text(self) -> bytes:
        """The rows as one JSON list."""
        return b"[" + b",".join(self.rows) + b"]"


def cut(endpoint: Endpoint, body: bytes) -> Cut:
    """*body*, an answer of *endpoint*, in parts; the row of an answer that is no list is the answer itself.

    Raises:
        BrokenAnswerError: It is no JSON, or breaks off.
        MisplacedRowsError: The rows are not where the endpoint's ``records`` says, are no list, or no objects.
    """
    return _cutter(endpoint).cut(body)


def other_lists(endpoint: Endpoint, body: bytes) -> tuple[str, ...]:
    """The keys of *body*, an answer of the list *endpoint*, that hold a list beside that of its rows, in their order.

    None where the answer itself is the list, or cannot be read.
    """
    if not (endpoint.is_list and endpoint.records):
        return ()
    try:
        members = _MEMBERS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    own = endpoint.records.partition(".")[0]
    return tuple(key for key, value in members.items() if key != own and bytes(memoryview(value)[:1]) == b"[")


_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Cutter:
    """Cuts the answers of one endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._is_list = endpoint.is_list
        self._parts = tuple(endpoint.records.split(".")) if endpoint.records else ()
        self._place = repr(endpoint.records) if endpoint.records else "the answer itself"
        keys = _keys_beside(endpoint)
        self._is_tangled = bool(self._parts) and self._parts[0] in keys
        self._beside = () if self._is_tangled else keys
        self._listed = msgspec.json.Decoder(_answer_type(self._parts, list[msgspec.Raw], self._beside))
        self._whole = msgspec.json.Decoder(_answer_type(self._parts, msgspec.Raw, self._beside))

    def cut(self, body: bytes) -> Cut:
        try:
            if not body.isascii():
                body.decode()
            answer: Any = self._listed.decode(body)
        except msgspec.ValidationError:
            return self._single(body)
        except (UnicodeDecodeError, RecursionError, msgspec.DecodeError):
            return self._salvage(body)
        rows = self._inside(answer)
        if b"\n" in body or b"\r" in body:
            rows = [_in_one_line(row) for row in rows]
        self._check_objects(rows)
        return Cut(rows, self._beside_in(answer, body), len(body))

    def _single(self, body: bytes) -> Cut:
        """The row of an answer that is no list."""
        try:
            answer = self._whole.decode(body)
        except msgspec.ValidationError:
            raise MisplacedRowsError(f"has no {self._place}, where its rows should be") from None
        row = _in_one_line(self._inside(answer))
        if self._is_list or not bytes(row).startswith(_OBJECT):
            raise MisplacedRowsError(f"holds no list of rows at {self._place}")
        return Cut([row], self._beside_in(answer, body), len(body))

    def _salvage(self, body: bytes) -> Cut:
        rows = []
        for piece in _pieces(body, self._parts, is_list=self._is_list):
            if piece is None:
                raise BrokenAnswerError("it breaks off, or has no list of rows")
            rows.append(msgspec.Raw(piece.translate(_ONE_LINE) if _is_json(piece) else piece))
        self._check_objects(rows)
        if self._is_tangled:
            raise BrokenAnswerError("it is no JSON")
        return Cut(rows, {key: _read_at(body, key) for key in self._beside}, len(body), is_sound=False)

    def _inside(self, answer: Any) -> Any:
        for _ in self._parts:
            answer = answer.inside
        return answer

    def _beside_in(self, answer: Any, body: bytes) -> Mapping[str, Any]:
        if self._is_tangled:  # the marks stand in the same object as the rows
            whole: dict[str, Any] = orjson.loads(body)
            return whole
        found = ((key, getattr(answer, f"beside_{index}")) for index, key in enumerate(self._beside))
        return {key: value for key, value in found if value is not msgspec.UNSET}

    def _check_objects(self, rows: list[msgspec.Raw]) -> None:
        if not all(memoryview(row)[:1] == _OBJECT for row in rows):
            raise MisplacedRowsError(f"holds rows at {self._place} that are not objects")


_cutter = lru_cache(maxsize=None)(_Cutter)


def _keys_beside(endpoint: Endpoint) -> tuple[str, ...]:
    """The keys of an answer under which its paging's marks stand."""
    paths = (getattr(endpoint.paging, mark, "") for mark in ("next", "total", "last", "last_number"))
    return tuple(dict.fromkeys(path.split(".")[0] for path in paths if path))


def _answer_type(parts: tuple[str, ...], wanted: Any, beside: tuple[str, ...]) -> Any:
    """A type that reads nothing of an answer but the value at the path *parts*, as *wanted*, and the keys *beside*."""
    for depth, part in reversed(list(enumerate(parts))):
        names = {"inside": part}
        fields: list[Any] = [("inside", wanted)]
        for index, key in enumerate(beside if depth == 0 else ()):
            names[f"beside_{index}"] = key
            fields.append((f"beside_{index}", Any, msgspec.UNSET))
        wanted = msgspec.defstruct("Answer", fields, rename=names)
    return wanted


def _in_one_line(row: msgspec.Raw) -> msgspec.Raw:
    """A row of JSON, in which line breaks can only stand between its parts."""
    return msgspec.Raw(bytes(row).translate(_ONE_LINE))


_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


def _is_json(text: bytes) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _pieces(body: bytes, parts: tuple[str, ...], *, is_list: bool) -> Iterator[bytes | None]:
    """The rows by their brackets alone; a None says that the answer breaks off, or that no list was found."""
    start = _find(body, parts)
    end = _end(body, len(body) - len(body.lstrip(_SPACE)))
    if start is None or end is None or body[end:].strip(_SPACE):
        yield None
        return
    if body[start : start + 1] == _OBJECT and not is_list:
        yield body[start : _end(body, start)]
        return
    if body[start : start + 1] != b"[":
        yield None
        return
    begin, depth = start + 1, 0
    for token in _TOKEN.finditer(body, start):
        depth += _step(token[0])
        if depth == 0 or (depth == 1 and token[0] == b","):
            row = body[begin : token.start()].strip(_SPACE)
            if row or depth:
                yield row
            begin = token.end()
        if depth == 0:
            return


def _find(body: bytes, parts: tuple[str, ...]) -> int | None:
    """Where the value at the path *parts* starts."""
    start = len(body) - len(body.lstrip(_SPACE))
    for part in parts:
        depth, found = 0, None
        for token in _TOKEN.finditer(body, start):
            depth += _step(token[0])
            if depth == 1 and token[1] and _text(token[0]) == part:
                found = token.end()
                break
            if depth == 0:
                break
        if found is None:
            return None
        start = found + len(body[found:]) - len(body[found:].lstrip(_SPACE))
    return start


def _read_at(body: bytes, key: str) -> Any:
    """The value of one key of the answer, None where it is absent."""
    start = _find(body, (key,))
    if start is None:
        return None
    depth, end = 0, len(body)
    for token in _TOKEN.finditer(body, start):
        depth += _step(token[0])
        if depth < 0 or (depth == 0 and token[0] == b","):
            end = token.start()
            break
    try:
        return orjson.loads(body[start:end])
    except orjson.JSONDecodeError as error:
        raise BrokenAnswerError(f"its {key!r} is no JSON") from error


def _step(token: bytes) -> int:
    """How many levels deeper it is after *token*."""
    first = token[:1]
    return 1 if first in (b"[", b"{") else -1 if first in (b"]", b"}") else 0


def _text(key: bytes) -> str:
    try:
        return msgspec.json.decode(key.rstrip(b": \t\r\n"), type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _end(body: bytes, start: int) -> int | None:
    """Where the list or object that begins at *start* ends; None where it breaks off."""
    depth = 0
    for token in _TOKEN.finditer(body, start):
        depth += _step(token[0])
        if depth == 0:
            return token.end()
    return None
