"""Parameters into the path, query and JSON body of a call, refusing all that the endpoint's description rules out.

Strict because vendors are not: they ignore a misspelt filter and answer with everything (refiner-notes,
"Contradictions"; aptrinsic-notes, section 2).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any, Final, TypeAlias
from urllib.parse import quote, urlencode

from feedloom.catalogue import Endpoint, NoPaging, Param, Scalar
from feedloom.errors import InputError

Value: TypeAlias = Scalar | datetime | Sequence[Any] | Mapping[str, Any] | None
"""One parameter. None leaves a path or query parameter out, and is null in a body. A list takes a single item bare."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "text": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (Mapping,),
    "list": (list, tuple),
    "any": (object,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, ready to be sent: percent-encoded path, query without its question mark, JSON body if it has one."""

    path: str
    query: str
    body: bytes | None


def encode(endpoint: Endpoint, values: Mapping[str, Value]) -> Call:
    """What is sent for *values*; raises InputError, naming endpoint and parameter, before anything is sent.

    * A datetime is taken by the parameters of the endpoint's window and by those of format ``date-time``, and has to
      know its zone. It is written in UTC, rounded down: to the second, as ``2026-01-31T23:59:59Z``, or, where the
      parameter is a number, to the epoch millisecond. Both bounds of neighbouring windows are rounded alike, so none
      opens a gap; the letter Z spares the assumption that a time without a zone is taken as UTC.
      Source: refiner-notes, Dates and time zones; aptrinsic-notes, section 3.
    * Path parameters are encoded whole, slashes too; an empty one, ``.`` and ``..`` are refused, since they would name
      another path.
    * An empty list or map in a query is refused: it would vanish, and with it the filter it was meant to be.
    """
    known = {param.name: param for param in (*_paging_params(endpoint), *endpoint.params) if not param.deprecated}
    _check_names(endpoint, known, values)
    path, query, body = endpoint.path, [], {}
    for name, value in values.items():
        param = known.get(name) or Param(name=name, type="any", place="body")
        if value is None and param.place != "body":
            continue
        checked = _checked(endpoint, param, value)
        match param.place:
            case "path":
                path = path.replace(f"{{{name}}}", _path_part(endpoint, name, checked))
            case "query":
                query += [(key, _text(item)) for key, item in _pairs(endpoint, param, checked)]
            case "body":
                body[name] = checked
    has_body = bool(body) or (endpoint.method != "GET" and any(p.place == "body" for p in known.values()))
    return Call(
        path=path, query=_query(endpoint, query), body=_json(endpoint, body) if has_body or endpoint.open_body else None
    )


def _paging_params(endpoint: Endpoint) -> Iterator[Param]:
    """The parameters that the endpoint's paging names, for descriptions that do not list them again."""
    paging = endpoint.paging
    if isinstance(paging, NoPaging):
        return
    for slot in ("size_param", "number_param", "cursor_param", "scroll_param"):
        if name := getattr(paging, slot, ""):
            yield Param(name=name, type="any")


def _check_names(endpoint: Endpoint, known: Mapping[str, Param], values: Mapping[str, Value]) -> None:
    unknown = [] if endpoint.open_body else sorted(set(values) - set(known))
    if unknown:
        near = get_close_matches(unknown[0], known, n=1)
        guess = f"; did you mean {near[0]!r}?" if near else ""
        allowed = ", ".join(sorted(known)) or "none at all"
        raise _refused(endpoint, f"takes no parameter {unknown[0]!r}{guess}", f"It takes: {allowed}.")
    given = {name for name, value in values.items() if value is not None}
    for param in known.values():
        if (param.required or param.place == "path") and param.name not in given:
            raise _refused(endpoint, f"needs the parameter {param.name!r}", f"Give a value for {param.name!r}.")
    for names in endpoint.one_of:
        if not any(name in given for name in names):
            choice = " or ".join(repr(name) for name in names)
            raise _refused(endpoint, f"needs {choice}, and got neither", "Give one of them.")


def _checked(endpoint: Endpoint, param: Param, value: Value) -> Any:
    """*value* in the JSON types in which it travels; raises InputError where *param* does not allow it."""
    if value is None:
        return None
    match param.encoding:
        case "list" | "repeat":
            items = list(value) if isinstance(value, list | tuple) else [value]
            checked = [_checked_item(endpoint, param, item) for item in items]
            _check_bounds(endpoint, param, len(checked), unit=" items")
            return checked
        case "map":
            if not isinstance(value, Mapping):
                raise _wrong_type(endpoint, param, "a map", value)
            return dict(value)
        case "flag":
            if not (isinstance(value, bool | int) and value in (0, 1)):
                raise _wrong_type(endpoint, param, "a flag: true or false, 1 or 0", value)
            return int(value)
        case "plain":
            return _checked_item(endpoint, param, value)


def _checked_item(endpoint: Endpoint, param: Param, value: Any) -> Any:
    if isinstance(value, datetime):
        value = _moment(endpoint, param, value)
    allowed = _TYPES[param.type]
    if not isinstance(value, allowed) or (isinstance(value, bool) and not {bool, object} & set(allowed)):
        raise _wrong_type(endpoint, param, f"of type {param.type}", value)
    if isinstance(value, float) and not math.isfinite(value):
        raise _refused(endpoint, f"cannot send {value} as {param.name!r}", "Give a finite number.")
    if param.enum and value not in param.enum:
        choice = ", ".join(str(one) for one in param.enum)
        raise _refused(endpoint, f"does not take {str(value)[:40]!r} as {param.name!r}", f"Choose one of: {choice}.")
    if param.encoding == "plain" and isinstance(value, int | float):
        _check_bounds(endpoint, param, value)
    elif param.encoding == "plain" and isinstance(value, list | tuple):
        _check_bounds(endpoint, param, len(value), unit=" items")
    return value


def _check_bounds(endpoint: Endpoint, param: Param, number: float, *, unit: str = "") -> None:
    low, high = param.minimum, param.maximum
    too_low = low is not None and number < low
    too_high = high is not None and number > high
    if too_low or too_high:
        bound = f"at least {low}" if too_low else f"at most {high}"
        raise _refused(endpoint, f"does not take {number}{unit} as {param.name!r}", f"Give {bound}{unit}.")


def _moment(endpoint: Endpoint, param: Param, moment: datetime) -> str | int:
    if param.name not in (endpoint.window or ()) and param.format != "date-time":
        raise _wrong_type(endpoint, param, f"of type {param.type}", moment)
    if moment.tzinfo is None:
        problem = f"cannot tell which moment {param.name!r} is, since it names no time zone"
        raise _refused(
            endpoint, problem, "Give a datetime with a time zone, such as datetime(2026, 1, 31, tzinfo=UTC)."
        )
    if param.type in {"integer", "number"}:
        return (moment - _EPOCH) // timedelta(milliseconds=1)
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _pairs(endpoint: Endpoint, param: Param, value: Any) -> Iterator[tuple[str, Scalar]]:
    """The names and values of one query parameter."""
    match param.encoding:
        case "list":
            pairs = [(f"{param.name}[]", item) for item in value]
        case "repeat":
            pairs = [(param.name, item) for item in value]
        case "map":
            pairs = [(f"{param.name}[{key}]", item) for key, item in value.items()]
            if any(not isinstance(key, str) or not key or "[" in key or "]" in key for key in value):
                problem = f"cannot send a key of {param.name!r}"
                raise _refused(endpoint, problem, "Keys have to be texts that are not empty and hold no brackets.")
        case "plain" | "flag":
            pairs = [(param.name, value)]
    if not pairs:
        problem = f"was given nothing in {param.name!r}, and an empty filter would let everything through"
        raise _refused(endpoint, problem, f"Give it a value, or leave {param.name!r} out.")
    for key, item in pairs:
        if not isinstance(item, str | int | float) or (isinstance(item, float) and not math.isfinite(item)):
            raise _wrong_type(endpoint, param, "made of texts, finite numbers and booleans", item)
        yield key, item


def _path_part(endpoint: Endpoint, name: str, value: Any) -> str:
    text = _text(value)
    if text in {"", ".", ".."}:
        raise _refused(endpoint, f"cannot put {text!r} into its path as {name!r}", f"Give a value for {name!r}.")
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise _broken_text(endpoint) from None


def _query(endpoint: Endpoint, pairs: list[tuple[str, str]]) -> str:
    try:
        return urlencode(pairs, quote_via=quote, safe="")
    except UnicodeEncodeError:
        raise _broken_text(endpoint) from None


def _json(endpoint: Endpoint, body: Mapping[str, Any]) -> bytes:
    """*body* as JSON by the standard library, which refuses a NaN where faster writers make it null."""
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise _broken_text(endpoint) from None
    except (TypeError, ValueError) as error:
        raise _refused(endpoint, f"cannot send its body as JSON: {error}", "Give only what JSON can hold.") from None


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _wrong_type(endpoint: Endpoint, param: Param, expected: str, value: Any) -> InputError:
    hint = f"{param.name!r} has to be {expected}."
    return _refused(endpoint, f"does not take a {type(value).__name__} as {param.name!r}", hint)


def _broken_text(endpoint: Endpoint) -> InputError:
    return _refused(endpoint, "was given a text that is not valid Unicode", "Remove the broken characters.")


def _refused(endpoint: Endpoint, problem: str, hint: str) -> InputError:
    return InputError(f"{endpoint.name} {problem}", hint=hint, where=endpoint.name)
