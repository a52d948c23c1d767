"""Takes one object apart as dlt's relational normaliser does: its plain values by column, its lists by table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from feedloom.columnar.arrow.naming import LIST, Naming
from feedloom.columnar.arrow.strict import FlawError

Flat: TypeAlias = tuple[dict[str, Any], dict[tuple[str, ...], list[Any]]]
"""Column -> plain value, and parts of a table's name -> list."""


def flatten(row: Mapping[str, Any], naming: Naming, is_json: Callable[[str], bool]) -> Flat:
    """The plain values and the lists of *row*, objects flattened, in the order in which dlt comes by them.

    Columns that are JSON, as *is_json* tells, keep what stands in them. Raises FlawError where two keys are named alike
    and do not hold the same: dlt would keep the last.
    """
    columns: dict[str, Any] = {}
    lists: dict[tuple[str, ...], list[Any]] = {}
    waiting: list[tuple[Mapping[str, Any], tuple[str, ...]]] = [(row, ())]
    while waiting:
        current, path = waiting.pop()
        for key, value in current.items():
            part = naming.column(key)
            column = naming.join(*path, part) if path else part
            if not isinstance(value, dict | list) or is_json(column):
                _put(columns, column, value, key)
            elif isinstance(value, dict):
                waiting.append((value, (*path, part)))
            else:
                _put(lists, (*path, naming.table(key)), value, key)
    return columns, lists


def refuse_shared(row: Mapping[str, Any], naming: Naming, is_json: Callable[[str], bool]) -> None:
    """Raises FlawError where two keys of *row*, or of an object in its lists, are named alike and differ."""
    waiting = [(row, is_json)]
    while waiting:
        current, keeps = waiting.pop()
        for items in flatten(current, naming, keeps)[1].values():
            inner = ({LIST: item} if isinstance(item, list) else item for item in items)
            waiting.extend((item, lambda _column: False) for item in inner if isinstance(item, dict))


def _put(found: dict[Any, Any], name: Any, value: Any, key: str) -> None:
    if name in found and repr(found[name]) != repr(value):
        raise FlawError(f"its key {key!r} is named like another, and they do not hold the same")
    found[name] = value
