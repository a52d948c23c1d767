"""Turns the rows of one endpoint into rows that dlt loads without losing a value, a name or a type.

What changes on the way:

* moments become aware UTC datetimes, as the catalogue says;
* the keys of open maps get columns of their own (see ``names``), in maps inside the map too, and a value of another
  kind than its column goes to the variant column that dlt would name (``nps__v_text``), also where dlt itself would
  turn it into text; so do the items of lists in the map (``value__v_text``);
* a key that is null has no column of its own until a value comes;
* keys past the cap go together into one JSON column; those of a map inside the map into one text column of JSON;
* a map of answers also comes out long, one child row an answer;
* ``[]`` in place of an empty map, as PHP writes it, is read as the empty map;
* numbers that dlt would fail the whole load over come out of its way: an integer beyond 64 bits becomes text, in the
  variant column ``__v_text`` where the column itself may hold something else; so do, in variants of their kinds, a
  float beyond 64 bits where the column may hold integers, a text of an integer beyond 64 bits where the catalogue has
  an integer, and a number beyond the calendar where it has a moment;
* ``_feedloom_hash`` tells whether a row changed since it was loaded.

Where the vendor chose the keys, other kinds than the catalogue's are left to dlt, which may turn one into another.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson

from feedloom.catalogue import Endpoint, Field, Known, LongAnswers, Table
from feedloom.columnar.names import MORE_KEYS, ROW_HASH, KeyNames
from feedloom.columnar.types import parse_time

Row = dict[str, Any]

_LEAST, _MOST = -(2**63), 2**63 - 1
_EXACT_FLOAT = 2**53
_SHORTEST_LONG = len("0x8000000000000000")
"""The shortest text that dlt reads as an integer beyond 64 bits."""

_NO_MOMENT = 10**12
"""Seconds that lead out of the calendar: what dlt takes a number for that stands in a column of moments."""

_EPOCH = Field(name="value", type="timestamp", time="epoch_ms")
_SCALARS = frozenset({"text", "integer", "number", "boolean", "timestamp"})
_KINDS: Mapping[type, str] = {str: "text", bool: "bool", int: "bigint", float: "double"}


@dataclass(frozen=True, slots=True)
class _Place:
    """The objects at one path of a row, and what is to be done to their members.

    Attributes:
        steps: The names on the way there, each with whether a list of objects stands under it.
        times: Members that are moments.
        nested: Members that are left out when they are null.
        maps: Members that are open maps, each with its path.
    """

    steps: tuple[tuple[str, bool], ...]
    times: list[tuple[str, Field]] = field(default_factory=list)
    nested: list[str] = field(default_factory=list)
    maps: list[tuple[str, str]] = field(default_factory=list)


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
        self._fixed = _fixed_places(endpoint)
        self._open = _open_places(table)
        self._types = _column_types(table, endpoint)

    def shape(self, rows: Iterable[Row], extra: Mapping[str, Any] | None = None) -> list[Row]:
        """The rows as dlt shall load them, in the same order; *extra* columns are added to each. Rows are used up."""
        return [self._shape(row, extra or {}) for row in rows]

    def _shape(self, row: Row, extra: Mapping[str, Any]) -> Row:
        fingerprint = row_hash(row)
        row.update(extra)
        long = self._table.long_answers
        answers = _long_rows(row, long) if long is not None else []
        _tame(row, self._types)
        self._set_fixed(row)
        for place in self._open:
            for holder in _holders(row, place.steps):
                for name, path in place.maps:
                    self._set_map(holder, name, path)
        if long is not None:
            if long.instead:
                row.pop(long.path, None)
            row[long.name] = answers
        row[ROW_HASH] = fingerprint
        return row

    def _set_fixed(self, row: Row) -> None:
        for place in self._fixed:
            for holder in _holders(row, place.steps):
                for name, described in place.times:
                    if (value := holder.get(name)) is not None:
                        holder[name] = _moment(value, described)
                for name in place.nested:
                    if name in holder and holder[name] is None:
                        del holder[name]

    def _set_map(self, holder: Row, name: str, path: str) -> None:
        value = holder.get(name)
        if isinstance(value, dict):
            holder[name] = self._columns(value, path)
        elif value == []:
            holder[name] = {}

    def _columns(self, values: Row, path: str) -> Row:
        shaped: Row = {}
        more: Row = {}
        known = self._names.known(path)
        for key, value in values.items():
            if value is None:
                continue
            entry = known.get(key)
            if entry is not None and len(entry) == 2 and entry[1] == _KINDS.get(type(value)):  # noqa: PLR2004 - a pair
                shaped[entry[0]] = value
            elif (column := self._names.column(path, key)) is None:
                more[key] = value
            elif isinstance(value, dict):
                shaped[column] = self._inner_columns(value, f"{path}.{key}")
            elif isinstance(value, list):
                shaped[column] = self._items(value, f"{path}.{key}[]")
            else:
                shaped[column] = self._typed(path, key, value)
        if more:
            shaped[MORE_KEYS] = more
        return shaped

    def _inner_columns(self, values: Row, path: str) -> Row:
        """The columns of a map inside an open map, where keys past the cap need a column that asks for no hint."""
        shaped = self._columns(values, path)
        if MORE_KEYS in shaped:
            shaped[MORE_KEYS] = _json(shaped[MORE_KEYS]).decode()
        return shaped

    def _items(self, items: list[Any], path: str) -> list[Any]:
        return [
            self._inner_columns(item, path)
            if isinstance(item, dict)
            else self._items(item, f"{path}[]")
            if isinstance(item, list)
            else self._item(item, path)
            for item in items
        ]

    def _item(self, item: Any, path: str) -> Any:
        """An item of a list; one of another kind than the list's first goes to the variant of the column ``value``."""
        if item is None:
            return None
        kind = _KINDS.get(type(item), "text")
        held = self._names.item_kind(path, kind)
        if held == kind:
            return item
        if kind == "bigint" and held == "double" and abs(item) <= _EXACT_FLOAT:
            return float(item)
        return {"value": {f"v_{kind}": item}}

    def _typed(self, path: str, key: str, value: Any) -> Any:
        kind = _KINDS.get(type(value), "text")
        held = self._names.kind(path, key, kind)
        if held == kind:
            return value
        if kind == "bigint" and held == "double" and abs(value) <= _EXACT_FLOAT:
            return float(value)
        if kind == "bigint" and held == "timestamp" and (moment := parse_time(value, _EPOCH)) is not value:
            return moment
        return {f"v_{kind}": value}


def _moment(value: Any, described: Field) -> Any:
    """The moment that *value* stands for; a number that no calendar holds goes to the variant of its kind."""
    parsed = parse_time(value, described)
    if ((kind := type(parsed)) is int or kind is float) and abs(parsed) >= _NO_MOMENT:
        return {f"v_{_KINDS[kind]}": parsed}
    return parsed


def _fixed_places(endpoint: Endpoint) -> list[_Place]:
    """Where the catalogue's moments and nested values stand."""
    places: dict[str, _Place] = {}
    for described in endpoint.fields:
        if described.type == "timestamp":
            place, name = _place(places, described.name)
            place.times.append((name, described))
        elif described.type not in _SCALARS:
            place, name = _place(places, described.name)
            place.nested.append(name)
    return list(places.values())


def _open_places(table: Table) -> list[_Place]:
    """Where the table's open maps stand."""
    places: dict[str, _Place] = {}
    for path in table.open_maps:
        place, name = _place(places, path)
        place.maps.append((name, path))
    return list(places.values())


def _column_types(table: Table, endpoint: Endpoint) -> dict[str, Any]:
    """What columns hold, as a tree of names: ``text``, ``number``, ``integer``, or ``json`` for all that stands below.

    Open maps count as JSON here, because the kinds of their values are known key by key.
    """
    tree: dict[str, Any] = {}
    hinted = [field for field in endpoint.fields if field.known is not Known.ASSUMED and "[]" not in field.name]
    kept = [(field.name, field.type) for field in hinted if field.type in {"text", "number", "integer"}]
    for path, kind in (*kept, *((path, "json") for path in (*table.open_maps, *table.json_columns))):
        *above, name = path.split(".")
        branch = tree
        for part in above:
            branch = branch.setdefault(part, {})
        branch[name] = kind
    return tree


def _place(places: dict[str, _Place], path: str) -> tuple[_Place, str]:
    """The place that holds the member at *path*, made where it is missing, and the member's name."""
    above, _, name = path.rpartition(".")
    if above not in places:
        steps = [(step.removesuffix("[]"), step.endswith("[]")) for step in above.split(".") if step]
        places[above] = _Place(tuple(steps))
    return places[above], name


def _holders(row: Row, steps: Sequence[tuple[str, bool]]) -> list[Row]:
    """The objects that *steps* lead to."""
    holders = [row]
    for name, is_list in steps:
        found = [value for holder in holders if (value := holder.get(name))]
        if is_list:
            found = [item for items in found if isinstance(items, list) for item in items]
        holders = [value for value in found if isinstance(value, dict)]
    return holders


def row_hash(row: Mapping[str, Any]) -> str:
    """A fingerprint of *row*, 32 hex digits: equal for equal content, whatever the order of keys."""
    return blake2b(_json(row, orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def _json(value: Any, option: int = 0) -> bytes:
    try:
        return orjson.dumps(value, option=option)
    except TypeError:  # an integer past 64 bits
        sort = bool(option & orjson.OPT_SORT_KEYS)
        return json.dumps(value, ensure_ascii=False, sort_keys=sort, separators=(",", ":")).encode()


def _long_rows(row: Row, long: LongAnswers) -> list[Row]:
    answers = row.get(long.path)
    if not isinstance(answers, dict):
        return []
    keys = {column: _written_out(row.get(name)) for column, name in long.keys.items()}
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
    written = _json(value).decode()
    return {
        "value_text": value if value is None or isinstance(value, str) else written,
        "value_number": _number(value),
        "value_json": written,
    }


def _number(value: Any) -> float | None:
    """The number that *value* is or says; None for what is none, or lies beyond what a double holds."""
    if isinstance(value, str):
        is_number = value and value.isascii() and (value[0].isdigit() or value[0] == "-") and value[-1].isdigit()
        if not is_number or "_" in value:
            return None
    elif isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _tame(holder: Row, types: Mapping[str, Any]) -> None:
    """Replace the numbers of *holder* that dlt cannot load; *types* is what ``_column_types`` says of its members."""
    for name, value in holder.items():
        if (kind := type(value)) is int or kind is float:
            if not _LEAST <= value <= _MOST:
                holder[name] = _tamed(value, types.get(name))
        elif kind is str:
            if len(value) >= _SHORTEST_LONG and types.get(name) == "integer" and _is_long(value):
                holder[name] = {"v_text": value}
        elif kind is dict:
            inner = types.get(name)
            if inner == "json":
                _written_out(value)
            else:
                _tame(value, inner if isinstance(inner, dict) else {})
        elif kind is list and value:
            holder[name] = _written_out(value) if types.get(name) == "json" else [_tamed_item(item) for item in value]


def _tamed(number: float, held: Any) -> Any:
    """A number beyond 64 bits, for a column that holds *held*; a tree where the catalogue has an object."""
    if isinstance(number, float):
        return number if held in ("text", "number", "json") else {"v_double": number}
    return str(number) if held in ("text", "json") else {"v_text": str(number)}


def _is_long(text: str) -> bool:
    """Whether dlt would read *text* as an integer, and as one beyond 64 bits."""
    digits = text.strip()
    try:
        number = int(digits, 16 if digits.startswith("0x") else 10)
    except ValueError:
        return False
    return not _LEAST <= number <= _MOST


def _tamed_item(item: Any) -> Any:
    if (kind := type(item)) is int or kind is float:
        return item if _LEAST <= item <= _MOST else {"value": _tamed(item, None)}
    if kind is dict:
        _tame(item, {})
    elif kind is list:
        return [_tamed_item(inner) for inner in item]
    return item


def _written_out(value: Any) -> Any:
    """*value* with its integers beyond 64 bits as text; objects are changed in place."""
    if (kind := type(value)) is int:
        return value if _LEAST <= value <= _MOST else str(value)
    if kind is list:
        return [_written_out(item) for item in value]
    if kind is dict:
        for key, inner in value.items():
            value[key] = _written_out(inner)
    return value
