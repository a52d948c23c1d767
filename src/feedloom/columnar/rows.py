"""Turns the rows of one endpoint into rows that dlt loads without losing a value, a name or a type.

What changes on the way:

* moments become aware UTC datetimes, as the catalogue says;
* the keys of open maps get columns of their own (see ``names``), and a value of another kind than its column goes to
  the variant column that dlt would name (``nps__v_text``), also where dlt itself would turn it into text;
* a key that is null has no column of its own until a value comes;
* keys past the cap go together into one JSON column;
* a map of answers also comes out long, one child row an answer;
* ``[]`` in place of an empty map, as PHP writes it, is read as the empty map;
* ``_feedloom_hash`` tells whether a row changed since it was loaded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

import orjson

from feedloom.catalogue import Endpoint, Field, LongAnswers, Table
from feedloom.columnar.names import MORE_KEYS, KeyNames
from feedloom.columnar.types import parse_time

Row = dict[str, Any]

_INT64 = range(-(2**63), 2**63)
_EXACT_FLOAT = 2**53
_EPOCH = Field(name="value", type="timestamp", time="epoch_ms")
_SCALARS = frozenset({"text", "integer", "number", "boolean", "timestamp"})


class RowShaper:
    """Shapes the rows of one table.

    Args:
        table: How the rows become a table.
        endpoint: Where they come from.
        names: The columns of the table's open maps.
    """

    def __init__(self, table: Table, endpoint: Endpoint, names: KeyNames) -> None:
        self._table = table
        self._names = names
        self._times = [(field.name.split("."), field) for field in endpoint.fields if field.type == "timestamp"]
        self._nested = [field.name.split(".") for field in endpoint.fields if field.type not in _SCALARS]
        self._maps = [(path.split("."), path) for path in table.open_maps]

    def shape(self, rows: Iterable[Row], extra: Mapping[str, Any] | None = None) -> list[Row]:
        """The rows as dlt shall load them, in the same order; *extra* columns are added to each. Rows are used up."""
        return [self._shape(row, extra or {}) for row in rows]

    def _shape(self, row: Row, extra: Mapping[str, Any]) -> Row:
        fingerprint = row_hash(row)
        row.update(extra)
        long = self._table.long_answers
        answers = _long_rows(row, long) if long is not None else []
        for parts, field in self._times:
            _each(row, parts, lambda holder, key, field=field: _set_time(holder, key, field))
        for parts in self._nested:
            _each(row, parts, _drop_null, nulls=True)
        for parts, path in self._maps:
            _each(row, parts, lambda holder, key, path=path: self._set_map(holder, key, path))
        if long is not None:
            if long.instead:
                row.pop(long.path, None)
            row[long.name] = answers
        row["_feedloom_hash"] = fingerprint
        return _without_big_integers(row)

    def _set_map(self, holder: Row, key: str, path: str) -> None:
        value = holder[key]
        if isinstance(value, dict):
            holder[key] = self._columns(value, path)
        elif value == []:
            holder[key] = {}

    def _columns(self, values: Mapping[str, Any], path: str) -> Row:
        shaped: Row = {}
        more: Row = {}
        for key, value in values.items():
            if value is None:
                continue
            column = self._names.column(path, key)
            if column is None:
                more[key] = value
            elif isinstance(value, dict):
                shaped[column] = self._columns(value, f"{path}.{key}")
            elif isinstance(value, list):
                shaped[column] = [
                    self._columns(item, f"{path}.{key}[]") if isinstance(item, dict) else item for item in value
                ]
            else:
                shaped[column] = self._typed(path, key, value)
        if more:
            shaped[MORE_KEYS] = more
        return shaped

    def _typed(self, path: str, key: str, value: Any) -> Any:
        kind = _kind(value)
        held = self._names.kind(path, key, kind)
        if held == kind:
            return value
        if kind == "bigint" and held == "double" and abs(value) <= _EXACT_FLOAT:
            return float(value)
        if kind == "bigint" and held == "timestamp" and (moment := parse_time(value, _EPOCH)) is not value:
            return moment
        return {f"v_{kind}": value}


def row_hash(row: Mapping[str, Any]) -> str:
    """A fingerprint of *row*, 32 hex digits: equal for equal content, whatever the order of keys."""
    return blake2b(_json(row, orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def _json(value: Any, option: int = 0) -> bytes:
    try:
        return orjson.dumps(value, option=option)
    except TypeError:  # an integer past 64 bits
        sort = bool(option & orjson.OPT_SORT_KEYS)
        return json.dumps(value, ensure_ascii=False, sort_keys=sort, separators=(",", ":")).encode()


def _kind(value: str | float) -> str:
    match value:
        case bool():
            return "bool"
        case int():
            return "bigint" if value in _INT64 else "text"
        case float():
            return "double"
        case _:
            return "text"


def _each(row: Row, parts: list[str], change: Any, *, nulls: bool = False) -> None:
    """Call *change(holder, key)* wherever the path *parts* leads to a value, or a null; ``name[]`` walks a list."""
    holders: list[Any] = [row]
    for part in parts[:-1]:
        name = part.removesuffix("[]")
        inner = [holder[name] for holder in holders if isinstance(holder, dict) and holder.get(name)]
        holders = [item for items in inner if isinstance(items, list) for item in items] if name != part else inner
    key = parts[-1]
    for holder in holders:
        if isinstance(holder, dict) and (holder.get(key) is not None or (nulls and key in holder)):
            change(holder, key)


def _drop_null(holder: Row, key: str) -> None:
    if holder[key] is None:
        del holder[key]


def _set_time(holder: Row, key: str, field: Field) -> None:
    holder[key] = parse_time(holder[key], field)


def _long_rows(row: Row, long: LongAnswers) -> list[Row]:
    answers = row.get(long.path)
    if not isinstance(answers, dict):
        return []
    keys = {column: row.get(field) for column, field in long.keys.items()}
    return [
        {**keys, long.map_column: name, "position": position, **_forms(value)}
        for name, answer in answers.items()
        for position, value in _positions(answer)
    ]


def _positions(answer: Any) -> list[tuple[int | None, Any]]:
    if isinstance(answer, list) and answer:
        return list(enumerate(answer))
    return [(None if isinstance(answer, list) else 0, answer)]


def _forms(value: Any) -> Row:
    text = None if value is None else value if isinstance(value, str) else _json(value).decode()
    return {
        "value_text": text,
        "value_number": _number(value),
        "value_json": _json(value).decode(),
    }


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    if not isinstance(value, str) or not value or not (value[-1].isdigit() and value.isascii()) or "_" in value:
        return None
    try:
        return float(value) if value[0].isdigit() or value[0] == "-" else None
    except ValueError:
        return None


def _without_big_integers(row: Row) -> Row:
    """Integers that no column of 64 bits can hold, as text; dlt would fail the whole load over them."""
    for key, value in row.items():
        row[key] = _small(value)
    return row


def _small(value: Any) -> Any:
    match value:
        case bool():
            return value
        case int():
            return value if value in _INT64 else str(value)
        case dict():
            return _without_big_integers(value)
        case list():
            return [_small(item) for item in value]
        case _:
            return value
