"""Takes JSON columns out of rows before the rows are read into typed columns, and writes each as dlt would.

What stands in such a column has no fixed shape, so that a reader of typed columns would make hundreds of them, or fail.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import orjson
import pyarrow as pa

from feedloom.columnar.arrow.column_types import json_text
from feedloom.columnar.arrow.strict import FlawError, load_row, load_value

_LONG_INTEGER = re.compile(rb"\d{19}")
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NULL = b"null"


@dataclass(slots=True)
class Taken:
    """Rows without their JSON columns.

    Attributes:
        rows: What is left of each row, in order.
        values: Path of the column -> its bytes in each row; None where it is absent.
        odd: Rows that have to be read one by one.
    """

    rows: list[Any]
    values: dict[str, list[bytes | None]]
    odd: set[int] = field(default_factory=set)


def take_out(rows: Sequence[msgspec.Raw], paths: Sequence[str]) -> Taken:
    """Take the values at *paths* out of *rows*."""
    taken = Taken([], {path: [] for path in paths})
    spelled = {path: (path.split("."), orjson.dumps(path.rsplit(".", 1)[-1])) for path in paths}
    for index, raw in enumerate(rows):
        whole: Any = raw
        for path, (parts, key) in spelled.items():
            value = None
            if key in bytes(whole):
                whole, value, is_sure = _take(whole, parts, key)
                if not is_sure and _is_repeated(raw):
                    taken.odd.add(index)
            taken.values[path].append(value)
        taken.rows.append(whole)
    return taken


def _take(raw: Any, parts: list[str], key: bytes) -> tuple[Any, bytes | None, bool]:
    """What is left of *raw*, what was taken, and whether it is sure that no key of *raw* stands in it twice."""
    try:
        members = _OBJECT.decode(raw)
    except msgspec.ValidationError:
        return raw, None, True
    name, *deeper = parts
    held = members.get(name)
    if held is None:
        return raw, None, True
    if deeper:
        members[name], value, is_sure = _take(held, deeper, key)
        rest = msgspec.json.encode(members)
        return rest, value, is_sure and value is not None and len(raw_bytes(raw)) - len(rest) == _length(key, value)
    value = bytes(members.pop(name))
    rest = msgspec.json.encode(members)
    return rest, value, len(raw_bytes(raw)) - len(rest) == _length(key, value) - (not members)


def raw_bytes(raw: Any) -> bytes:
    """The bytes of a raw value."""
    return bytes(raw)


def _length(key: bytes, value: bytes) -> int:
    """Length of a member that was written without spaces, with its colon and comma."""
    return len(key) + len(value) + 2


def _is_repeated(raw: msgspec.Raw) -> bool:
    try:
        return load_row(bytes(raw))[1]
    except FlawError:
        return True


@dataclass(slots=True)
class JsonColumn:
    """The values of one JSON column: as they are written, and with sorted keys; both text, null where there is none."""

    texts: Any
    sorted_texts: Any
    odd: set[int]


def write_json(values: Sequence[bytes | None]) -> JsonColumn:
    """*values* as dlt writes JSON; values that are no object or list, or hold long integers, are odd."""
    known: dict[bytes | None, tuple[str | None, str | None] | None] = {None: (None, None), _NULL: (None, None)}
    for value in values:
        if value not in known:
            known[value] = _written(value)
    odd = {index for index, value in enumerate(values) if known[value] is None}
    pairs = [known[value] or (None, None) for value in values]
    return JsonColumn(
        texts=pa.array([text for text, _ in pairs], pa.string()),
        sorted_texts=pa.array([text for _, text in pairs], pa.string()),
        odd=odd,
    )


def _written(raw: bytes | None) -> tuple[str, str] | None:
    if raw is None or raw[:1] not in {b"{", b"["} or _LONG_INTEGER.search(raw):
        return None
    value = orjson.loads(raw)
    text = json_text(value)
    try:
        if text.encode() != raw and load_value(raw)[1]:
            return None
    except FlawError:
        return None
    return text, json_text(value, sort_keys=True)
