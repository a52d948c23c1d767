"""What a tool takes: its JSON Schema, and the check of what a caller gave against it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, Final

import orjson

from feedloom.catalogue import Argument
from feedloom.tools.failures import refused_input

LONGEST_TEXT: Final = 20_000
MOST_ENTRIES: Final = 100
"""Of a map."""

_JSON_TYPES: Final = {
    "text": "string",
    "integer": "integer",
    "boolean": "boolean",
    "moment": "string",
    "texts": "array",
    "map": "object",
}
_WORDS: Final = {
    "text": "a text",
    "integer": "a whole number",
    "boolean": "true or false",
    "moment": "a moment such as 2026-01-31T00:00:00Z",
    "texts": "a list of texts",
    "map": f"an object of 1 to {MOST_ENTRIES} texts, numbers or truth values by name",
}


def input_schema(arguments: Sequence[Argument]) -> dict[str, Any]:
    """The JSON Schema of what a tool with *arguments* takes; no word in it that says nothing."""
    required = [argument.name for argument in arguments if argument.required]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {argument.name: _property(argument) for argument in arguments},
        "additionalProperties": False,
    }
    return schema | ({"required": required} if required else {})


def checked(
    arguments: Sequence[Argument], given: Mapping[str, Any], *, exactly_one: Sequence[str] = ()
) -> dict[str, Any]:
    """The values of *given* and the defaults of what it leaves out, moments as aware datetimes.

    Raises ToolError for whatever the arguments do not allow.
    """
    known = {argument.name: argument for argument in arguments}
    for name in given:
        if name not in known:
            near = get_close_matches(str(name), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it takes {', '.join(known) or 'no arguments'}"
            raise refused_input(f"there is no argument {str(name)[:60]!r}", hint)
    values = {argument.name: _value(argument, given) for argument in arguments}
    found = {name: value for name, value in values.items() if value is not None}
    _check_one(exactly_one, found)
    return found


def parse(argument: Argument, texts: Sequence[str]) -> Any:
    """The value that *texts*, as a command line gives them, stand for; what they cannot stand for stays text."""
    if argument.type == "texts":
        return [part for text in texts for part in text.split(",")]
    if argument.type == "map":
        return _parsed_map(texts[-1])
    text = texts[-1]
    if argument.type == "integer" and text.removeprefix("-").isdecimal():
        return int(text)
    if argument.type == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text


def _parsed_map(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _property(argument: Argument) -> dict[str, Any]:
    kind = _JSON_TYPES[argument.type]
    schema: dict[str, Any] = {"type": [kind, "null"] if argument.nullable else kind}
    if argument.type == "texts":
        schema["items"] = {"type": "string"}
    if argument.type == "moment":
        schema["format"] = "date-time"
    if argument.enum:
        schema["enum"] = [*argument.enum, None] if argument.nullable else [*argument.enum]
    if argument.default is not None:
        schema["default"] = argument.default
    bounds = ("minItems", "maxItems") if argument.type == "texts" else ("minimum", "maximum")
    least = argument.minimum if argument.type != "texts" else argument.minimum or 1
    limits = zip(bounds, (least, argument.maximum), strict=True)
    schema |= {word: bound for word, bound in limits if bound is not None}
    return schema | ({"description": argument.summary} if argument.summary else {})


def _value(argument: Argument, given: Mapping[str, Any]) -> Any:
    """The value of *argument* in *given*, or its default; None where there is neither."""
    value = given.get(argument.name)
    if value is not None or (argument.name in given and not argument.nullable):
        return _checked(argument, value)
    if argument.required:
        raise refused_input(f"the argument {argument.name} is missing", f"give {_wanted(argument)}")
    return argument.default


def _checked(argument: Argument, value: Any) -> Any:
    match argument.type:
        case "text" if isinstance(value, str) and value:
            _check_text(argument, value)
        case "integer" if isinstance(value, int) and not isinstance(value, bool):
            _check_bounds(argument, value)
        case "boolean" if isinstance(value, bool):
            pass
        case "texts" if isinstance(value, list) and value and all(isinstance(one, str) and one for one in value):
            _check_bounds(argument, len(value))
            for one in value:
                _check_text(argument, one)
        case "map" if isinstance(value, dict) and 0 < len(value) <= MOST_ENTRIES:
            for name, one in value.items():
                _check_entry(argument, name, one)
        case "moment" if isinstance(value, str):
            return _moment(argument, value)
        case _:
            raise refused_input(
                f"the argument {argument.name} does not take {_shown(value)}", f"give {_wanted(argument)}"
            )
    if argument.enum and value not in argument.enum:
        near = get_close_matches(str(value), argument.enum, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise refused_input(
            f"the argument {argument.name} does not take {_shown(value)}", f"{hint}Give {_wanted(argument)}"
        )
    return value


def _moment(argument: Argument, value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise refused_input(
            f"the argument {argument.name} is no date: {_shown(value)}", f"give {_wanted(argument)}"
        ) from None
    raise refused_input(f"the argument {argument.name} has no time zone: {value}", f"write {value}Z for UTC")


def _check_text(argument: Argument, value: str) -> None:
    if len(value) > LONGEST_TEXT:
        raise refused_input(f"the argument {argument.name} is longer than {LONGEST_TEXT:,} characters", "shorten it")
    if "\x00" in value or _is_broken(value):
        raise refused_input(f"the argument {argument.name} holds characters that are no text", "remove them")


def _check_entry(argument: Argument, name: Any, value: Any) -> None:
    """Raise ToolError for an entry of a map that has no name, or holds a list, an object, null or no number."""
    is_scalar = isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value))
    if not isinstance(name, str) or not name.strip() or not is_scalar:
        raise refused_input(
            f"the argument {argument.name} does not take {_shown(value)} as {_shown(name)}", f"give {_wanted(argument)}"
        )
    for text in (name, value):
        if isinstance(text, str):
            _check_text(argument, text)


def _is_broken(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return True
    return False


def _check_bounds(argument: Argument, number: int) -> None:
    low, high = argument.minimum, argument.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        raise refused_input(f"the argument {argument.name} does not take {number}", f"give {_wanted(argument)}")


def _check_one(names: Sequence[str], values: Mapping[str, Any]) -> None:
    given = [name for name in names if name in values]
    if names and len(given) != 1:
        said = f"{' and '.join(given)} were" if given else "none was"
        raise refused_input(f"exactly one of {', '.join(names)} is needed, and {said} given", "give one of them")


def _wanted(argument: Argument) -> str:
    if argument.enum:
        return f"one of {', '.join(argument.enum)}"
    unit = " items" if argument.type == "texts" else ""
    match argument.minimum, argument.maximum:
        case None, None:
            return _WORDS[argument.type]
        case low, None:
            return f"{_WORDS[argument.type]} of at least {low}{unit}"
        case None, high:
            return f"{_WORDS[argument.type]} of at most {high}{unit}"
        case low, high:
            return f"{_WORDS[argument.type]} from {low} to {high}{unit}"
    raise AssertionError(argument)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."  # noqa: PLR2004 - enough to recognise it
