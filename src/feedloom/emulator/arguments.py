"""The inputs of a request: read from path, URL and body, then held against the endpoint's description."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias
from urllib.parse import parse_qsl

import orjson

from feedloom.catalogue import Endpoint, Param

Shape: TypeAlias = Literal["plain", "list", "map", "json"]

_BRACKETS = re.compile(r"(?P<name>[^\[\]]+)\[(?P<key>[^\[\]]*)\]")
_INTEGER = re.compile(r"-?\d{1,19}", re.ASCII)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_BOUNDARY = re.compile(r'boundary=(?:"(?P<quoted>[^"]+)"|(?P<bare>[^\s;]+))', re.IGNORECASE)
_PART_NAME = re.compile(r'(?<!file)name="(?P<name>[^"]*)"')
_LINE = "\r\n"
_FLAGS = {"0": False, "1": True}
_WORDS = {"false": False, "true": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One input as it came.

    ``value`` is a list of texts for ``plain`` (every occurrence) and ``list``, a dict of texts for ``map``, and any
    JSON value for ``json``.
    """

    place: Literal["path", "query", "body"]
    shape: Shape
    value: Any


@dataclass(slots=True, kw_only=True)
class Checked:
    """The outcome of a check: typed arguments, the further keys of an open body, and what was wrong."""

    arguments: dict[str, Any] = field(default_factory=dict)
    extras: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


class UnreadableBodyError(ValueError):
    """The body is neither a JSON object nor form fields."""


class _WrongValueError(ValueError):
    """A value does not fit its parameter; the text ends the sentence that starts with its name."""


def read_query(query: str) -> dict[str, Given]:
    """The parameters of a URL, by name without brackets."""
    return _read_pairs(parse_qsl(query, keep_blank_values=True), place="query")


def read_body(*, body: bytes, content_type: str) -> dict[str, Given]:
    """The inputs of a body; raises UnreadableBodyError when it is neither a JSON object nor form fields.

    A file in a multipart form is a text whose characters are its bytes (Latin-1).
    """
    if not body:
        return {}
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == _MULTIPART:
        return _read_pairs(_read_parts(body=body, content_type=content_type), place="body")
    if media_type == _FORM:
        return _read_pairs(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True), place="body")
    try:
        members = orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        raise UnreadableBodyError("The body is not valid JSON.") from problem
    if not isinstance(members, dict):
        raise UnreadableBodyError("The body must be a JSON object.")
    return {name: Given(place="body", shape="json", value=value) for name, value in members.items()}


def read_path(parts: Mapping[str, str]) -> dict[str, Given]:
    """The parameters that stand in a path."""
    return {name: Given(place="path", shape="plain", value=[value]) for name, value in parts.items()}


def _read_parts(*, body: bytes, content_type: str) -> list[tuple[str, str]]:
    """Name and content of each part of a multipart form."""
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        raise UnreadableBodyError("The body names no boundary between its parts.")
    first, *parts = (_LINE + body.decode("latin-1")).split(f"{_LINE}--{boundary['quoted'] or boundary['bare']}")
    if first.strip() or not parts or not parts.pop().startswith("--"):
        raise UnreadableBodyError("The body is no valid multipart form.")
    pairs = []
    for part in parts:
        head, _, content = part.partition(_LINE * 2)
        name = _PART_NAME.search(head)
        if name is None:
            raise UnreadableBodyError("A part of the body has no name.")
        pairs.append((name["name"], content))
    return pairs


def _read_pairs(pairs: Iterable[tuple[str, str]], *, place: Literal["query", "body"]) -> dict[str, Given]:
    given: dict[str, Given] = {}
    for spelt, value in pairs:
        brackets = _BRACKETS.fullmatch(spelt)
        if brackets is None:
            given.setdefault(spelt, Given(place=place, shape="plain", value=[])).value.append(value)
            continue
        name, key = brackets["name"], brackets["key"]
        shape: Shape = "map" if key else "list"
        if given.setdefault(name, Given(place=place, shape=shape, value={} if key else [])).shape != shape:
            given[spelt] = Given(place=place, shape="plain", value=[value])
        elif key:
            given[name].value[key] = value
        else:
            given[name].value.append(value)
    return given


def check(*, endpoint: Endpoint, given: Mapping[str, Given], merged: bool, lenient: bool) -> Checked:
    """Hold *given* against the description of *endpoint*.

    Args:
        endpoint: Whose parameters are meant.
        given: The inputs by name.
        merged: Any input may come in any place.
        lenient: Wrong values and unknown names are dropped without a word; only what is missing is a problem.

    Returns:
        The arguments that fit and the problems found, in the order in which the inputs came.
    """
    checked = Checked()
    params = {param.name: param for param in endpoint.params}
    for name, one in given.items():
        param = params.get(name)
        if param is None:
            if endpoint.open_body and (merged or one.place == "body"):
                checked.extras[name] = _open_value(one)
            elif not lenient:
                checked.problems.append(f"Unknown parameter: {name}")
            continue
        if not merged and one.place != param.place:
            if not lenient:
                checked.problems.append(f"The parameter {name} belongs into the {param.place}")
            continue
        if param.deprecated:
            continue
        try:
            checked.arguments[name] = _value(param=param, given=one, lenient=lenient)
        except _WrongValueError as problem:
            if not lenient:
                checked.problems.append(f"The parameter {name} {problem}")
    checked.problems.extend(_missing(endpoint=endpoint, arguments=checked.arguments))
    return checked


def _missing(*, endpoint: Endpoint, arguments: Mapping[str, Any]) -> Iterator[str]:
    for param in endpoint.params:
        if param.required and arguments.get(param.name) in (None, ""):
            yield f"The parameter {param.name} is required"
    for names in endpoint.one_of:
        if all(arguments.get(name) in (None, "") for name in names):
            yield f"Please provide an {' or an '.join(names)}"


def _open_value(given: Given) -> Any:
    if given.shape == "plain":
        return given.value[-1]
    return given.value


def _value(*, param: Param, given: Given, lenient: bool) -> Any:
    if param.encoding == "repeat":
        return [_scalar(param=param, value=value, lenient=lenient) for value in _texts(given)]
    if param.encoding == "list" or param.type == "list":
        return _list(param=param, given=given, lenient=lenient)
    if param.encoding == "map" or param.type == "object":
        if isinstance(given.value, dict):
            return given.value
        raise _WrongValueError(f"must be an object, written {param.name}[key]=value in a URL")
    if given.shape == "json":
        return _scalar(param=param, value=given.value, lenient=lenient)
    if given.shape != "plain":
        raise _WrongValueError("takes no brackets")
    if len(given.value) > 1 and not lenient:
        raise _WrongValueError("is given more than once")
    return _scalar(param=param, value=given.value[-1], lenient=lenient)


def _texts(given: Given) -> list[Any]:
    if given.shape in ("plain", "list"):
        return list(given.value)
    return list(given.value) if isinstance(given.value, list) else [given.value]


def _list(*, param: Param, given: Given, lenient: bool) -> list[Any]:
    if given.shape == "plain" or not isinstance(given.value, list):
        raise _WrongValueError(f"must be a list, written {param.name}[]=value in a URL")
    if param.minimum is not None and len(given.value) < param.minimum:
        raise _WrongValueError(f"needs at least {param.minimum} values")
    if param.maximum is not None and len(given.value) > param.maximum:
        raise _WrongValueError(f"takes at most {param.maximum} values")
    if param.type in ("list", "object"):
        return given.value
    return [_scalar(param=param, value=value, lenient=lenient) for value in given.value]


def _scalar(*, param: Param, value: Any, lenient: bool) -> Any:
    read = _typed(param=param, value=value)
    if param.enum and read not in param.enum:
        raise _WrongValueError(f"must be one of: {', '.join(str(choice) for choice in param.enum)}")
    if param.encoding != "list" and isinstance(read, (int, float)) and not isinstance(read, bool):
        return _in_range(param=param, number=read, lenient=lenient)
    if isinstance(read, str) and read:
        _check_format(param=param, text=read)
    return read


def _typed(*, param: Param, value: Any) -> Any:
    if param.encoding == "flag":
        return int(_boolean(value, words=_FLAGS))
    if param.type == "integer":
        return _integer(value)
    if param.type == "number":
        return _number(value)
    if param.type == "boolean":
        return _boolean(value, words=_FLAGS | _WORDS)
    if param.type == "text" and not isinstance(value, str):
        raise _WrongValueError("must be text")
    return value


def _integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    raise _WrongValueError("must be a whole number")


def _number(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    raise _WrongValueError("must be a number")


def _boolean(value: Any, *, words: Mapping[str, bool]) -> bool:
    if isinstance(value, bool):
        return value
    flag = words.get(str(value)) if isinstance(value, (str, int)) else None
    if flag is None:
        raise _WrongValueError(f"must be one of: {', '.join(words)}")
    return flag


def _in_range(*, param: Param, number: float, lenient: bool) -> float:
    low, high = param.minimum, param.maximum
    if high is not None and number > high:
        if lenient:
            return high
        raise _WrongValueError(f"must be at most {high}")
    if low is not None and number < low:
        raise _WrongValueError(f"must be at least {low}")
    return number


def _check_format(*, param: Param, text: str) -> None:
    if param.format == "uuid" and not _UUID.fullmatch(text):
        raise _WrongValueError("must be a UUID")
    if param.format == "email" and not _EMAIL.fullmatch(text):
        raise _WrongValueError("must be an email address")
    if param.format == "date-time":
        try:
            datetime.fromisoformat(text)
        except ValueError as problem:
            raise _WrongValueError("must be a date and time in ISO 8601") from problem
