"""What processes that run queries share: how they answer, rows in JSON types within limits, limits of their own."""

from __future__ import annotations

import base64
import json
import math
import sys
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

from feedloom.tools.privacy import MASK, clean, is_personal

ADDRESS_SPACE_BYTES: Final = 3 << 30
"""Address space is more than memory: libraries and stacks take about 1 GB of it before the first row is read."""

_EXACT_DIGITS: Final = 15
_LARGEST_INT: Final = 1 << 63


Failure = TypeVar("Failure", bound=Exception)


def serve(
    run: Callable[[dict[str, Any]], dict[str, Any]], errors: type[Failure], told: Callable[[Failure], tuple[str, str]]
) -> None:
    """Answer the request on stdin with what *run* makes of it; of *errors*, with the words and the kind in *told*."""
    request = json.load(sys.stdin)
    limit_process(request["cpu_s"])
    try:
        answer = run(request)
    except errors as error:
        words, kind = told(error)
        answer = {"error": words, "kind": kind}
    except MemoryError:
        answer = {"error": "out of memory", "kind": "OutOfMemoryException"}
    sys.stdout.write(json.dumps(answer))


def quoted(name: str) -> str:
    """*name* as an identifier in SQL."""
    return '"' + name.replace('"', '""') + '"'


def fetch(cursor: Any, names: list[str], request: dict[str, Any]) -> tuple[list[Any], bool]:
    """The first rows, as many as the limits allow, and whether there are more."""
    personal = [not request["shows_personal"] and is_personal(name) for name in names]
    hides = not request["shows_personal"]
    rows: list[Any] = []
    left = request["max_chars"]
    while (row := cursor.fetchone()) is not None:
        if len(rows) == request["limit"]:
            return rows, True
        values = [
            MASK if is_masked and value is not None else _plain(value, hides=hides)
            for value, is_masked in zip(row, personal, strict=True)
        ]
        left -= len(json.dumps(values)) + 1
        if left < 0:
            return rows, True
        rows.append(values)
    return rows, False


def _plain(value: Any, *, hides: bool) -> Any:
    """*value* in JSON types, exact: numbers that JSON readers would round come as text."""
    match value:
        case None | bool():
            return value
        case str():
            return clean(value) if hides else value
        case int() | float() | Decimal():
            return _number(value)
        case dict():
            return {
                str(key): MASK if hides and is_personal(str(key)) else _plain(inner, hides=hides)
                for key, inner in value.items()
            }
        case list() | tuple():
            return [_plain(inner, hides=hides) for inner in value]
    return _text(value)


def _text(value: Any) -> str:
    match value:
        case bytes() | memoryview():
            return base64.b64encode(value).decode()
        case datetime() | date():
            return value.isoformat()
    return str(value)


def _number(value: float | Decimal) -> Any:
    match value:
        case int():
            return value if -_LARGEST_INT <= value < _LARGEST_INT else str(value)
        case float():
            return value if math.isfinite(value) else str(value)
    is_short = value.is_finite() and len(value.as_tuple().digits) <= _EXACT_DIGITS
    return float(value) if is_short else str(value)


def limit_process(cpu_s: int) -> None:
    """Let the system stop what the engine would not; where it has no such limits, the time alone has to do."""
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_AS, ADDRESS_SPACE_BYTES),
    ):
        try:
            resource.setrlimit(kind, (most, most))
        except (OSError, ValueError):
            continue
