"""The filter language, read and evaluated: ``date>=1717200000000;date<1718006400000``.

Terms between semicolons must all hold; of repeated parameters one is enough. Texts are compared without case, ``*`` and
``?`` are wildcards after ``~`` and ``!~`` only. Null and missing values never match, except after ``!=``.

Source: openapi.yaml, "Filter language"; aptrinsic-notes, sections 3 and 10.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from feedloom.catalogue import Endpoint
from feedloom.vendors.aptrinsic.emulator.refusal import bad_request
from feedloom.vendors.aptrinsic.emulator.values import read_moment_ms, read_number, read_truth

ValueKind: TypeAlias = Literal["text", "number", "moment", "truth", "any"]
Path: TypeAlias = tuple[str, ...]
Test: TypeAlias = Callable[[list[Any]], bool]
"""Says of the values that a field has in a row whether a term holds."""

_TERM = re.compile(r"(?P<field>[^=!<>~]+)(?P<operator>==|!=|<=|>=|!~|<|>|~)(?P<value>.*)", re.DOTALL)
_KINDS: Mapping[str, ValueKind] = {
    "text": "text",
    "list": "text",
    "integer": "number",
    "number": "number",
    "timestamp": "moment",
    "boolean": "truth",
    "map": "any",
    "any": "any",
}
_OPEN = frozenset({"map", "any"})
_WILD = frozenset({"~", "!~"})
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_READERS: Mapping[ValueKind, Callable[[Any], Any]] = {
    "number": read_number,
    "moment": read_moment_ms,
    "truth": read_truth,
    "text": str.casefold,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A field as filters and sorts name it, where it stands in a row, and what it holds."""

    name: str
    path: Path
    kind: ValueKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One comparison; ``value`` is the text that was given."""

    column: Column
    operator: str
    value: str


class Columns:
    """The fields that the filter and the sort of one list may name."""

    def __init__(self, endpoint: Endpoint) -> None:
        # Items of lists are reached as parts of objects are.
        self._fields = {field.name.replace("[]", ""): field for field in endpoint.fields}
        self._operators = {field.name: field.operators for field in endpoint.filter_fields}

    def find(self, name: str) -> Column | None:
        """The field called *name*; None when there is none, or it is an object."""
        field = self._fields.get(name)
        if field is not None and field.type in _KINDS:
            return Column(name=name, path=tuple(name.split(".")), kind=_KINDS[field.type])
        outer, _, rest = name.partition(".")
        if rest and outer in self._fields and self._fields[outer].type in _OPEN:
            keys = (rest,) if self._fields[outer].type == "map" else tuple(rest.split("."))
            return Column(name=name, path=(outer, *keys), kind="any")
        return None

    def takes(self, *, name: str, sign: str) -> bool:
        """Whether the field called *name* may be compared so."""
        return name not in self._operators or sign in self._operators[name]

    def groups(self, texts: Iterable[str]) -> list[tuple[Term, ...]]:
        """The groups of terms that *texts* say, each text one group; empty texts say nothing.

        Refuses what the language or the list does not know.
        """
        return [tuple(map(self._term, text.removesuffix(";").split(";"))) for text in texts if text.strip(";")]

    def _term(self, text: str) -> Term:
        match = _TERM.fullmatch(text)
        if match is None:
            raise bad_request(f"Filter term cannot be read: {text}")
        name, sign, value = match["field"], match["operator"], match["value"]
        column = self.find(name)
        if column is None:
            raise bad_request(f"Unknown filter field: {name}")
        if not self.takes(name=name, sign=sign):
            raise bad_request(f"Operator {sign} is not supported for {name}")
        if column.kind != "any" and sign not in _WILD:
            try:
                _READERS[column.kind](value)
            except ValueError:
                raise bad_request(f"Invalid value for {name}: {value}") from None
        return Term(column=column, operator=sign, value=value)


def test_of(term: Term) -> Test:
    """What *term* asks of the values of its field."""
    if term.operator == "!=":
        equals = _matcher("==", term)
        return lambda values: not any(map(equals, values))
    if term.operator == "!~":
        like = _matcher("~", term)
        return lambda values: bool(values) and not any(map(like, values))
    matches = _matcher(term.operator, term)
    return lambda values: any(map(matches, values))


def _matcher(sign: str, term: Term) -> Callable[[Any], bool]:
    """Whether one value, not null, is as *sign* and the term's value ask."""
    if sign == "~":
        pattern = _pattern(term.value)
        return lambda value: pattern.fullmatch(_shown(value)) is not None
    compare = operator.eq if sign == "==" else _ORDERS[sign]
    if term.column.kind == "any":
        return _open_matcher(compare=compare, text=term.value)
    wanted = _READERS[term.column.kind](term.value)
    if term.column.kind == "text":
        return lambda value: compare(str(value).casefold(), wanted)
    return lambda value: compare(value, wanted)


def _open_matcher(*, compare: Callable[[Any, Any], bool], text: str) -> Callable[[Any], bool]:
    """Compares a value of any kind with *text* read as that kind; where it cannot be read so, nothing matches."""
    truth, number, folded = _read_or_none(read_truth, text), _number_or_moment(text), text.casefold()

    def matches(value: Any) -> bool:
        if isinstance(value, bool):
            return truth is not None and compare(value, truth)
        if isinstance(value, (int, float)):
            return number is not None and compare(value, number)
        return compare(str(value).casefold(), folded)

    return matches


def _number_or_moment(text: str) -> int | float | None:
    number: int | float | None = _read_or_none(read_number, text)
    return _read_or_none(read_moment_ms, text) if number is None else number


def _read_or_none(read: Callable[[Any], Any], text: str) -> Any:
    try:
        return read(text)
    except ValueError:
        return None


def _pattern(text: str) -> re.Pattern[str]:
    wildcards = {"*": ".*", "?": "."}
    return re.compile("".join(wildcards.get(char, re.escape(char)) for char in text.casefold()), re.DOTALL)


def _shown(value: Any) -> str:
    return str(value).casefold()
