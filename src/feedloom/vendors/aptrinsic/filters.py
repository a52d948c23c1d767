"""The filter language of Gainsight PX as Python expressions, and back again.

    recent = (F("lastSeenDate") >= datetime(2026, 1, 1, tzinfo=UTC)) & F("email").like("*@example.com")
    texts = (recent | (F("accountId") == "acme-7")).render(endpoint)

Each text is one ``filter`` parameter: its terms must all hold, and of several texts one is enough.

    filter  = term *( ";" term ) [ ";" ]
    term    = field op value
    field   = name *( "." name )
    op      = "==" / "!=" / "<=" / ">=" / "<" / ">" / "!~" / "~"
    value   = any text without ";"

The vendor compares texts without case, and reads ``*`` and ``?`` as wildcards after ``~`` and ``!~`` only.

Source: openapi.yaml, "Filter language"; aptrinsic-notes, sections 3 and 10.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import TypeAlias

from feedloom.catalogue import Endpoint, Field, Scalar
from feedloom.errors import InputError

Value: TypeAlias = Scalar | datetime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIELD = re.compile(r"[^\s;.=!<>~]+(\.[^\s;.=!<>~]+)*")
_TERM = re.compile(r"(?P<field>[^=!<>~]*)(?P<operator>==|!=|<=|>=|!~|<|>|~)(?P<value>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison; *value* is the text that travels. Raises InputError when the language cannot say it."""

    field: str
    operator: str
    value: str

    def __post_init__(self) -> None:
        if not _FIELD.fullmatch(self.field):
            raise InputError(
                f"{self.field!r} cannot be the field of a filter",
                hint="Give the field's name, nested ones with dots: location.city.",
            )
        if ";" in self.value:
            raise InputError(
                f"the filter on {self.field!r} cannot hold the value {self.value!r}: its semicolon would end the term, "
                "and there is no way to quote it",
                hint=f'Match the semicolon with a wildcard instead: F("{self.field}").like("a?b").',
            )
        if self.operator in {"<", ">"} and self.value.startswith("="):
            raise InputError(
                f"the filter on {self.field!r} cannot hold the value {self.value!r}: its equals sign would be read as "
                f"part of the operator, {self.operator}=",
                hint="Compare with a value that does not start with an equals sign.",
            )

    def __str__(self) -> str:
        return f"{self.field}{self.operator}{self.value}"


@dataclass(frozen=True, slots=True)
class Filter:
    """Groups of terms: a row fits when all terms of one group hold. Join filters with ``&`` and ``|``."""

    groups: tuple[tuple[Term, ...], ...]

    def __and__(self, other: Filter) -> Filter:
        return Filter(tuple((*left, *right) for left in self.groups for right in other.groups))

    def __or__(self, other: Filter) -> Filter:
        return Filter((*self.groups, *other.groups))

    def __bool__(self) -> bool:
        raise TypeError("a filter is neither true nor false; join filters with & and |, each comparison in parentheses")

    def render(self, endpoint: Endpoint) -> list[str]:
        """The values of *endpoint*'s filter parameter, one for each group.

        Raises InputError when the endpoint takes no filter, not this field, or not this operator on it.
        """
        if not endpoint.filter_param:
            raise InputError(
                f"{endpoint.name} takes no filter", hint="Read the whole list and filter its rows.", where=endpoint.name
            )
        for term in (term for group in self.groups for term in group):
            _check(endpoint, term)
        return [";".join(map(str, group)) for group in self.groups]


class F:
    """A field to compare: ``F("score") > 3``. Comparisons give filters.

    Values are texts, numbers, booleans and datetimes. A datetime has to know its zone; it is written as epoch
    milliseconds, cut to whole ones, so that ranges that share a bound still touch without overlapping.

    Every comparison raises InputError when its value cannot be said in the language.
    """

    __slots__ = ("_name",)
    __hash__ = None  # type: ignore[assignment]  # == gives a filter, so that a field cannot be a key

    def __init__(self, name: str) -> None:
        self._name = name

    def __eq__(self, value: Value) -> Filter:  # type: ignore[override]  # the point of the class
        return self._compared("==", value)

    def __ne__(self, value: Value) -> Filter:  # type: ignore[override]  # the point of the class
        return self._compared("!=", value)

    def __lt__(self, value: Value) -> Filter:
        return self._compared("<", value)

    def __le__(self, value: Value) -> Filter:
        return self._compared("<=", value)

    def __gt__(self, value: Value) -> Filter:
        return self._compared(">", value)

    def __ge__(self, value: Value) -> Filter:
        return self._compared(">=", value)

    def like(self, pattern: str) -> Filter:
        """Fits where the field matches *pattern*: ``*`` stands for any text, ``?`` for any character."""
        return self._compared("~", pattern)

    def unlike(self, pattern: str) -> Filter:
        """Fits where the field does not match *pattern*."""
        return self._compared("!~", pattern)

    def _compared(self, operator: str, value: Value) -> Filter:
        return Filter(((Term(self._name, operator, _text(self._name, value)),),))


def parse_filter(texts: list[str]) -> Filter:
    """The filter that *texts* say, each the value of one ``filter`` parameter.

    ``parse_filter(f.render(endpoint)) == f`` holds for every filter. A semicolon may end a text. Raises InputError for
    an empty list, an empty text, and whatever else is outside the language; the fields are checked by ``render``.
    """
    if not texts:
        raise InputError("there is no filter to read", hint="Give at least one text, such as 'score>3'.")
    return Filter(tuple(_parsed_group(text) for text in texts))


def _parsed_group(text: str) -> tuple[Term, ...]:
    return tuple(_parsed_term(part, text) for part in text.removesuffix(";").split(";"))


def _parsed_term(part: str, text: str) -> Term:
    match = _TERM.fullmatch(part)
    if match is None:
        raise InputError(
            f"the filter {text!r} holds {part!r}, which is no comparison",
            hint="Write field, operator and value, such as lastName==Doe; operators are == != < <= > >= ~ !~.",
        )
    return Term(match["field"], match["operator"], match["value"])


def _text(field: str, value: Value) -> str:
    """*value* as it is written in a term."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return value
        case int():
            return str(value)
        case float() if math.isfinite(value):
            return str(value)
        case datetime() if value.tzinfo is not None:
            return str((value - _EPOCH) // timedelta(milliseconds=1))
        case datetime():
            raise InputError(
                f"the filter on {field!r} cannot tell which moment {value} is, since it names no time zone",
                hint="Give a datetime with a time zone, such as datetime(2026, 1, 31, tzinfo=UTC).",
            )
    raise InputError(
        f"the filter on {field!r} cannot compare with {value!r}",
        hint="Compare with a text, a finite number, a boolean or a datetime.",
    )


def _check(endpoint: Endpoint, term: Term) -> None:
    operators = _operators(endpoint, term.field)
    if operators is None:
        names = list(_known_names(endpoint))
        near = get_close_matches(term.field, names, n=1)
        guess = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(
            f"the filter of {endpoint.name} does not know the field {term.field!r}{guess}",
            hint=f"It knows: {', '.join(names)}.",
            where=endpoint.name,
        )
    if term.operator not in operators:
        raise InputError(
            f"the filter of {endpoint.name} does not take {term.operator} on {term.field!r}",
            hint=f"On this field it takes: {' '.join(operators)}.",
            where=endpoint.name,
        )


def _operators(endpoint: Endpoint, name: str) -> tuple[str, ...] | None:
    """The operators that *endpoint* takes on the field *name*; None when it does not know the field."""
    for known in endpoint.filter_fields:
        if known.name == name or (known.name == "*" and any(_holds(field, name) for field in endpoint.fields)):
            return known.operators
    return None


def _holds(field: Field, name: str) -> bool:
    """Whether *name* means *field*, or a key in it where the customer chooses the keys."""
    if field.type == "map":
        return name.startswith(f"{_path(field)}.")
    return field.type != "object" and name == _path(field)


def _known_names(endpoint: Endpoint) -> Iterator[str]:
    for known in endpoint.filter_fields:
        if known.name != "*":
            yield known.name
        else:
            yield from (_described(field) for field in endpoint.fields if field.type != "object")


def _described(field: Field) -> str:
    return f"{_path(field)}.<name>" if field.type == "map" else _path(field)


def _path(field: Field) -> str:
    """The name of *field* in a filter, where items of lists are reached as parts of objects are."""
    return field.name.replace("[]", "")
