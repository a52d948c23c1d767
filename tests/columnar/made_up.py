"""A made-up endpoint and table that use every word of the catalogue, and random rows for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, TypeAlias

from hypothesis import strategies as st

from feedloom.catalogue import Endpoint, Field, Known, LongAnswers, Source, Table

ENDPOINT = Endpoint(
    name="list_things",
    operation_id="listThings",
    method="GET",
    path="/things",
    summary="List things.",
    source=Source(where=("made up",), checked="2026-01", known=Known.ASSUMED),
    records="items",
    is_list=True,
    fields=(
        Field(name="uuid"),
        Field(name="count", type="integer", nullable=True),
        Field(name="price", type="number", nullable=True),
        Field(name="is_open", type="boolean", nullable=True),
        Field(name="created_at", type="timestamp", time="iso_or_space", nullable=True),
        Field(name="seen_at", type="timestamp", time="epoch_ms", zero_is_null=True, nullable=True),
        Field(name="guessed_at", type="timestamp", time="iso", known=Known.ASSUMED),
        Field(name="person", type="object", nullable=True),
        Field(name="person.born_at", type="timestamp", time="iso", nullable=True),
        Field(name="person.traits", type="map"),
        Field(name="answers", type="map"),
        Field(name="visits", type="list"),
        Field(name="visits[].at", type="timestamp", time="epoch_ms", nullable=True),
        Field(name="config", type="object"),
    ),
)

TABLE = Table(
    name="things",
    endpoint="list_things",
    summary="Things.",
    primary_key=("uuid",),
    open_maps=("answers", "person.traits"),
    json_columns=("config",),
    long_answers=LongAnswers(name="replies", path="answers", keys={"thing_uuid": "uuid"}, map_column="question"),
)

OPEN_KEYS = ("a", "b", "a_b", "aB", "A b", "a__b", "c", "ключ", "🎯", "list", "value", "x1", "1x")
"""Keys of open maps, some of which dlt would name alike."""

KEYS = ("a", "b", "aB", "c", "🎯", "list", "value", "x1", "1x")
"""Keys that the vendor chose, all of which dlt names differently."""

TEXTS = (
    "", "x", "12", "-3", "0x1F", "1.5", "1e3", "nan", "inf", "true", "yes", "0", "2026-01-31", "2026-01-31 12:00:00",
    "2026-01-31T12:00:00.123456Z", "2026-01-31T12:00:00+05:30", "99999999999999999999", "0.1234567890123456789", "{}",
    "[1]", '"quoted"', "null", 'with "quotes" and \\', "tab\tline\n", "ключ", "🎯", "1_000", " 7 ", ":null", '":',
)  # fmt: skip
INTEGERS = (
    0,
    1,
    -1,
    7,
    2**53,
    2**53 + 1,
    -(2**53) - 1,
    2**60,
    2**63 - 1,
    2**63,
    2**64 - 1,
    -(2**63),
    1_700_000_000_000,
)
FLOATS = (0.0, -0.0, 1.0, 7.0, 1.5, -2.25, 1e16, 1e300, 0.1, 1.7e12)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(INTEGERS),
    st.sampled_from(FLOATS),
    st.sampled_from(TEXTS),
    st.text(st.characters(exclude_categories=["Cs", "Co"]), max_size=5),
)


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)


def _nested_openly(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(OPEN_KEYS), inner, max_size=3)


values = st.recursive(scalars, _nested, max_leaves=6)
maps = st.dictionaries(st.sampled_from(OPEN_KEYS), st.recursive(scalars, _nested_openly, max_leaves=6), max_size=4)

_MOMENTS = st.sampled_from(
    [
        "2026-01-31 12:00:00",
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00.5+02:00",
        "2026-01-31",
        "20260131T120000",
        "soon",
    ]
)
_EPOCHS = st.sampled_from([0, 1, 1_700_000_000_123, -1, 10**17, 1_700_000_000_000.0, "1700000000000"])


def _often(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly what the catalogue says, now and then null or anything else."""
    return st.one_of(usual, usual, usual, st.none(), values)


_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "count": _often(st.integers(-5, 5)),
    "price": _often(st.floats(-5, 5) | st.integers(-5, 5)),
    "is_open": _often(st.booleans()),
    "created_at": _often(_MOMENTS),
    "seen_at": _often(_EPOCHS),
    "guessed_at": _often(_MOMENTS),
    "person": st.one_of(
        st.fixed_dictionaries(
            {}, optional={"born_at": _often(_MOMENTS), "traits": _often(maps), "name": _often(st.text(max_size=3))}
        ),
        st.none(),
        st.text(max_size=2),
        st.lists(st.booleans(), max_size=2),
    ),
    "answers": _often(maps | st.just([])),
    "visits": _often(st.lists(st.fixed_dictionaries({"at": _often(_EPOCHS)}, optional={"page": values}), max_size=3)),
    "config": _often(maps),
    "replies": values,
    "tags": _often(st.lists(st.text(max_size=3), max_size=3)),
    "grid": _often(st.lists(st.lists(st.integers(0, 3), max_size=2), max_size=2)),
    **dict.fromkeys(KEYS, values),
}


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """One row; its keys stand in any order."""
    chosen = draw(st.lists(st.sampled_from(sorted(_FIELDS)), unique=True, max_size=7))
    row = {key: draw(_FIELDS[key]) for key in chosen}
    row["uuid"] = draw(st.sampled_from(["u1", "u2", "u3", 4]))
    return row


def page(found: list[dict[str, Any]], *, style: int = 0) -> bytes:
    """A page that holds *found*: compact, as PHP writes it, or pretty-printed."""
    body: Mapping[str, Any] = {"pagination": {"items": [{"x": 1}]}, "items": found}
    match style:
        case 0:
            return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        case 1:
            return json.dumps(body).replace("/", "\\/").encode()
        case _:
            return json.dumps(body, indent=1, ensure_ascii=False).encode()


Page: TypeAlias = tuple[bytes, Mapping[str, Any]]
"""A page and what is to be added to its rows."""

Loads: TypeAlias = list[list[list[Page]]]
"""Several loads, each of several batches, each of several pages."""

_ADDED = st.sampled_from([{}, {}, {"form": "f1"}, {"form": "f2", "month": date(2026, 1, 1)}])


def _loads(row: st.SearchStrategy[dict[str, Any]], *, rows_in_page: int) -> st.SearchStrategy[Loads]:
    pages = st.builds(
        lambda found, style, added: (page(found, style=style), added),
        st.lists(row, max_size=rows_in_page),
        st.integers(0, 2),
        _ADDED,
    )
    batches = st.lists(pages, min_size=1, max_size=2)
    return st.lists(st.lists(batches, min_size=1, max_size=2), min_size=1, max_size=3)


loads = _loads(rows(), rows_in_page=4)
"""Rows that have little in common."""

_SHAPES: dict[str, st.SearchStrategy[Any]] = {
    "integer": st.integers(-9, 9),
    "number": st.sampled_from([1, 2.5, 3.0, -0.5]),
    "text": st.sampled_from(TEXTS),
    "flag": st.booleans(),
    "texts": st.lists(st.none() | st.sampled_from(TEXTS), max_size=3),
    "numbers": st.lists(st.none() | st.sampled_from([1, 2.5]), max_size=3),
    "grid": st.lists(st.lists(st.integers(0, 3), max_size=2), max_size=2),
    "objects": st.lists(
        st.fixed_dictionaries({}, optional={"a": st.integers(0, 3), "b": st.text(max_size=2)}), max_size=2
    ),
    "object": st.fixed_dictionaries({}, optional={"c": st.floats(-5, 5), "x1": st.text(max_size=2)}),
}


@st.composite
def _alike(draw: st.DrawFn) -> Loads:
    """Loads whose rows have the same keys and kinds, nulls apart, as a vendor's have."""
    shape = {key: _SHAPES[draw(st.sampled_from(sorted(_SHAPES)))] for key in ("a", "b", "c", "x1", "list")}
    in_maps = st.fixed_dictionaries({}, optional={key: st.none() | values for key, values in shape.items()})
    row = st.fixed_dictionaries(
        {"uuid": st.sampled_from(["u1", "u2"])},
        optional={
            "count": st.none() | st.integers(-5, 5),
            "created_at": st.none() | st.just("2026-01-31 12:00:00"),
            "seen_at": st.sampled_from([0, 1, 1_700_000_000_123]),
            "person": st.fixed_dictionaries({}, optional={"traits": in_maps, "name": st.text(max_size=2)}),
            "answers": in_maps,
            "config": in_maps,
            "visits": st.lists(st.fixed_dictionaries({"at": st.none() | st.integers(0, 9)}), max_size=2),
            **{f"field_{key}": st.none() | values for key, values in shape.items()},
        },
    )
    return draw(_loads(row, rows_in_page=12))


alike_loads = _alike()
"""Rows that have the same shape."""


_SAFE_TEXTS = st.sampled_from(["", "x", "12", "yes", "2026-01-31 12:00:00", 'with "quotes" and \\', "ключ 🎯"])
_EVOLVING: dict[str, st.SearchStrategy[Any]] = {
    "integer": st.integers(-9, 9),
    "number": st.sampled_from([1, 2.5, 3.0, -0.5]),
    "text": _SAFE_TEXTS,
    "texts": st.lists(st.none() | _SAFE_TEXTS, max_size=3),
    "mixed": st.lists(st.none() | _SAFE_TEXTS | st.integers(-9, 9) | st.sampled_from([0.5]), max_size=3),
    "object": st.fixed_dictionaries({}, optional={"c": st.integers(-5, 5), "x1": _SAFE_TEXTS}),
}


@st.composite
def _evolving(draw: st.DrawFn) -> Loads:
    """Loads whose keys change their kind from load to load, without the values that make dlt fail or round."""
    found: Loads = []
    for _ in range(draw(st.integers(1, 2))):
        kinds = {key: _EVOLVING[draw(st.sampled_from(sorted(_EVOLVING)))] for key in ("a", "b", "c", "ключ")}
        members = st.fixed_dictionaries({}, optional={key: st.none() | kind for key, kind in kinds.items()})
        row = st.fixed_dictionaries(
            {"uuid": st.sampled_from(["u1", "u2"])},
            optional={
                "is_open": st.none() | st.booleans(),
                "created_at": st.none() | st.just("2026-01-31 12:00:00"),
                "person": st.fixed_dictionaries({}, optional={"traits": members}),
                "answers": members,
                "config": members,
                "inner": members,
            },
        )
        found += draw(_loads(row, rows_in_page=6))[:1]
    return found


evolving_loads = _evolving()
"""Rows whose kinds change between loads, fit for real pipelines."""
