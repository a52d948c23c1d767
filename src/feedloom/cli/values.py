"""Values of a database as JSON and as text, none of them rounded or cut."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import singledispatch
from typing import Any

import orjson
import pyarrow as pa

from feedloom.errors import InputError


def distinct(names: Sequence[str]) -> list[str]:
    """*names* with a number added to those that came before: ``a, a`` becomes ``a, a_2``."""
    taken = set(names)
    seen: set[str] = set()
    made: list[str] = []
    for name in names:
        unique, number = name, 2
        while unique in seen or (unique != name and unique in taken):
            unique, number = f"{name}_{number}", number + 1
        seen.add(unique)
        made.append(unique)
    return made


def rows_of(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Any, ...]]:
    """The rows of *batches* as plain Python values; raises InputError for a date that Python cannot hold."""
    for batch in batches:
        columns = [_values(name, column) for name, column in zip(batch.schema.names, batch.columns, strict=True)]
        yield from zip(*columns, strict=True)


@singledispatch
def as_json(value: Any) -> Any:
    """*value* as orjson writes it.

    Moments are ISO 8601, in UTC where they have a zone; decimals keep their digits, also beyond double; bytes are
    base64; durations ISO 8601; maps are objects where every key is a text, else lists of pairs. What is not a number
    (NaN, infinity) is null.
    """
    return value


@as_json.register
def _(value: datetime) -> str:
    return (value.astimezone(UTC) if value.tzinfo is not None else value).isoformat()


@as_json.register
def _(value: date | time) -> str:
    return value.isoformat()


@as_json.register
def _(value: Decimal) -> orjson.Fragment | None:
    return orjson.Fragment(format(value, "f")) if value.is_finite() else None


@as_json.register
def _(value: bytes) -> str:
    return b64encode(value).decode()


@as_json.register
def _(value: timedelta | pa.MonthDayNano) -> str:
    if isinstance(value, timedelta):
        months, days, nanoseconds = 0, 0, (value // timedelta(microseconds=1)) * 1000
    else:
        months, days, nanoseconds = value
    seconds = Decimal(nanoseconds) / 1_000_000_000
    return f"P{months}M{days}DT{seconds.normalize():f}S"


@as_json.register
def _(value: dict) -> dict[str, Any]:  # type: ignore[type-arg] # singledispatch reads the annotation as a class
    return {str(key): as_json(inner) for key, inner in value.items()}


@as_json.register
def _(value: list) -> Any:  # type: ignore[type-arg] # the same
    """A list, or a map, which Arrow hands out as a list of pairs."""
    is_map = bool(value) and all(type(one) is tuple for one in value)
    if is_map and all(isinstance(key, str) for key, _ in value):
        return {key: as_json(inner) for key, inner in value}
    return [[as_json(part) for part in one] if type(one) is tuple else as_json(one) for one in value]


def as_text(value: Any) -> str:
    """*value* as one text for a cell: nothing for null, JSON for what has parts."""
    made = as_json(value)
    if made is None:
        return ""
    return made if isinstance(made, str) else orjson.dumps(made).decode()


def _values(name: str, column: pa.Array) -> list[Any]:
    try:
        values: list[Any] = column.to_pylist()
    except (OverflowError, ValueError) as error:
        raise InputError(
            f"the column {name} holds a date outside the years 1 to 9999",
            hint=f"ask for it as text: {name}::varchar",
            code="FL247",
        ) from error
    return values
