"""A made-up table for shapers, random rows for it, and the way back from shaped rows to those that came."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dlt.common.normalizers.naming.snake_case import NamingConvention
from hypothesis import strategies as st

from feedloom.catalogue import Endpoint, Field, Known, LongAnswers, Source, Table
from feedloom.columnar import MORE_KEYS, KeyNames, RowShaper

Row = dict[str, Any]
State = dict[str, dict[str, list[str]]]

SOURCE = Source(where=("made up",), checked="2026-01", known=Known.ASSUMED)
ENDPOINT = Endpoint(
    name="list_people",
    operation_id="listPeople",
    method="GET",
    path="/people",
    summary="People.",
    source=SOURCE,
    records="people",
    is_list=True,
    fields=(
        Field(name="id"),
        Field(name="bornAt", type="timestamp", time="iso_or_space"),
        Field(name="seen", type="timestamp", time="epoch_ms", zero_is_null=True),
        Field(name="count", type="integer"),
        Field(name="size", type="number"),
        Field(name="firm", type="object", nullable=True),
        Field(name="firm.since", type="timestamp", time="iso_or_space"),
        Field(name="firm.sites", type="list", nullable=True),
        Field(name="firm.sites[].openedAt", type="timestamp", time="iso_or_space"),
        Field(name="firm.sites[].tags", type="list", nullable=True),
        Field(name="traits", type="map", nullable=True),
    ),
)
TABLE = Table(name="people", endpoint="list_people", summary="People.", primary_key=("id",), open_maps=("traits",))
ANSWERED = Table(
    name="people",
    endpoint="list_people",
    summary="People.",
    primary_key=("id",),
    open_maps=("traits",),
    long_answers=LongAnswers(name="answers", path="traits", keys={"person": "id"}, map_column="question"),
)

normalize = NamingConvention().normalize_identifier
"""Names as dlt writes them."""

scalars = st.one_of(
    st.booleans(),
    st.integers(-3, 3),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(["9", "1e5", "2026-01-01", "true", ""]),
)
keys = st.one_of(
    st.sampled_from(
        ["nps", "userName", "user_name", "User Name", "имя", "名前", "v_text", "_dlt_id", MORE_KEYS, "", " "]
    ),
    st.text(max_size=4),
)
"""Never ``value``: an object with that key alone and a plain item of the same list are the same row for dlt."""

values = st.recursive(
    st.none() | scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=8,
)
maps = st.dictionaries(keys, values, max_size=6)
rows = st.lists(maps, max_size=5).map(
    lambda found: [{"id": f"p{n}", "traits": traits} for n, traits in enumerate(found)]
)


def names(state: State | None = None, *, cap: int = 10_000, **more: Any) -> KeyNames:
    return KeyNames({} if state is None else state, normalize, cap=cap, **more)


def shape(row: Row, *, table: Table = TABLE, chosen: KeyNames | None = None, **extra: Any) -> Row:
    """One row, shaped."""
    return RowShaper(table, ENDPOINT, chosen or names()).shape([json.loads(json.dumps(row))], extra)[0]


def rebuild(shaped: Mapping[str, Any], state: State, path: str, *, is_top: bool = True) -> Row:
    """The map that came, from its columns and the registry; keys that were null are gone.

    Integers past 64 bits come back as the text they were kept as.
    """
    key_of = {entry[0]: key for key, entry in state.get(path, {}).items()}
    found: Row = {}
    for column, value in shaped.items():
        if column == MORE_KEYS:
            found.update(value if is_top else json.loads(value))
            continue
        key = key_of[column]
        if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in VARIANTS:
            found[key] = next(iter(value.values()))
        else:
            found[key] = _rebuilt_value(value, state, f"{path}.{key}")
    return found


def _rebuilt_value(value: Any, state: State, path: str) -> Any:
    if isinstance(value, dict):
        return rebuild(value, state, path, is_top=False)
    if isinstance(value, list):
        return [_rebuilt_item(item, state, f"{path}[]") for item in value]
    return value


def _rebuilt_item(item: Any, state: State, path: str) -> Any:
    """An item of a list; a scalar of another kind than the list's first stands in the variant of ``value``."""
    if isinstance(item, dict) and item.keys() == {"value"}:
        return next(iter(item["value"].values()))
    return _rebuilt_value(item, state, path)


VARIANTS = {"v_text", "v_bigint", "v_double", "v_bool"}


def kept(value: Any) -> Any:
    """*value* as it has to come back: no null keys in maps, and integers past 64 bits as text."""
    if isinstance(value, dict):
        return {key: kept(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [kept(item) for item in value]
    is_big = isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63
    return str(value) if is_big else value


def kept_whole(value: Any) -> Any:
    """*value* as it has to come back from a JSON column, where null keys stay."""
    if isinstance(value, dict):
        return {key: kept_whole(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [kept_whole(item) for item in value]
    return kept(value)


def typed(value: Any) -> Any:
    """*value* with the kind of each scalar beside it, since 1 and True are equal in Python.

    Integers and floats are of one kind, number: a column of doubles takes the integers that it can hold.
    """
    if isinstance(value, dict):
        return {key: typed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return ("number" if is_number else type(value).__name__, value)
