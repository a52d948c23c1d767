"""The types of columns: which dlt type each holds, and where a value goes that does not fit.

A value that fits another type without loss is changed to it; anything else stays what it is, in a column of its own
(``nps__v_text``). dlt does the same, save that it rounds: ``float(2**53 + 1)``, ``bool(5)``. Here nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import orjson
import pyarrow as pa
from dlt.common.data_types.type_helpers import coerce_value

INT64 = range(-(2**63), 2**63)

TIMESTAMP = pa.timestamp("us", "UTC")

ARROW_TYPES: dict[str, Any] = {
    "text": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": TIMESTAMP,
    "date": pa.date32(),
    "json": pa.string(),
}
"""dlt's type -> the Arrow type of its columns. JSON travels as text."""

KINDS: dict[Any, str] = {
    pa.string(): "text",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.bool_(): "bool",
    TIMESTAMP: "timestamp",
    pa.date32(): "date",
}
"""Arrow type of values as they are read -> dlt's type for them."""

CANNOT: Final = object()
"""Stands for a value that a column cannot keep."""


_PLAIN_KINDS: dict[type, str] = {
    bool: "bool",
    str: "text",
    int: "bigint",
    float: "double",
    datetime: "timestamp",
    date: "date",
}


def kind_of(value: Any) -> str:
    """The dlt type for a Python value that is not null; integers are expected to fit 64 bits."""
    return _PLAIN_KINDS.get(type(value), "json")


class ColumnTypes:
    """The type of each column of each table, as stored and as learned from new values.

    Args:
        stored: Table -> column -> dlt type, before this load.
        join: Parts of a name -> the name.
    """

    def __init__(self, stored: Mapping[str, Mapping[str, str]], join: Callable[..., str]) -> None:
        self._types = {table: dict(columns) for table, columns in stored.items()}
        self._join = join

    def of(self, table: str, column: str) -> str | None:
        """The type of a column; None for one that no value came to yet."""
        return self._types.get(table, {}).get(column)

    def learn(self, table: str, column: str, kind: str) -> str:
        """Give a column that has no type the type *kind*; returns the type it has from now on."""
        return self._types.setdefault(table, {}).setdefault(column, kind)

    def variant(self, column: str, kind: str) -> str:
        """The name of the column beside *column* that takes values of *kind*."""
        return self._join(column, f"v_{kind}")

    def place(self, table: str, column: str, value: Any) -> tuple[str, Any]:
        """The column that *value* goes to, and what is written there; a new column takes its type from it."""
        kind = kind_of(value)
        columns = self._types.setdefault(table, {})
        while (held := columns.setdefault(column, kind)) != kind:
            fitted = fit(value, kind, held)
            if fitted is not CANNOT:
                return column, fitted
            column = self.variant(column, kind)
        return column, value


def fit(value: Any, kind: str, held: str) -> Any:
    """*value*, which is of *kind*, as a column of another type, *held*, keeps it; ``CANNOT`` where it would lose."""
    try:
        fitted = coerce_value(held, kind, value)  # type: ignore[arg-type]  # both are dlt's words, as plain text
    except (ValueError, SyntaxError, TypeError, ArithmeticError, OSError):
        return CANNOT
    return fitted if _is_lossless(value, kind, fitted, held) else CANNOT


def _is_lossless(value: Any, kind: str, fitted: Any, held: str) -> bool:
    match held:
        case "bigint":
            return bool(fitted in INT64)
        case "double" if kind == "bigint":
            return bool(int(fitted) == value)
        case "double" if kind == "text":
            return _same_number(value, fitted)
        case "bool" if kind != "text":
            return value in {0, 1}
        case "date":
            return bool(kind == "text" and fitted.isoformat() == value.strip())
        case _:
            return held in ARROW_TYPES


def _same_number(text: str, number: float) -> bool:
    try:
        exact = Decimal(text.strip())
    except InvalidOperation:
        return True
    return not exact.is_finite() or exact == Decimal(repr(number))


def json_text(value: Any, *, sort_keys: bool = False) -> str:
    """*value* as JSON, the way dlt writes it into a column of type JSON."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS if sort_keys else None, default=str).decode()
