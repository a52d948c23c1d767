"""Rows that differ from the description: told, put right where there is one meaning, and never changed otherwise."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedloom.catalogue import Endpoint, Field, Known, Source
from feedloom.tools.drift import check_rows
from feedloom.tools.verification import Verification

ENDPOINT = Endpoint(
    name="list_things",
    operation_id="listThings",
    method="GET",
    path="/things",
    summary="List things.",
    source=Source(where=("made up",), checked="2026-11", known=Known.ASSUMED),
    is_list=True,
    fields=(
        Field(name="id"),
        Field(name="count", type="integer"),
        Field(name="share", type="number"),
        Field(name="is_on", type="boolean"),
        Field(name="at", type="timestamp", time="epoch_ms"),
        Field(name="owner", type="object", nullable=True),
        Field(name="owner.name"),
        Field(name="tags", type="list"),
        Field(name="tags[].id"),
        Field(name="traits", type="map"),
        Field(name="rare", known=Known.ASSUMED),
    ),
)
ROW = {
    "id": "a",
    "count": 1,
    "share": 0.5,
    "is_on": True,
    "at": 1767225600000,
    "owner": {"name": "x"},
    "tags": [{"id": "t"}],
    "traits": {"any": 1},
}


def checked(*rows: dict[str, Any], optional: tuple[str, ...] = ()) -> tuple[list[dict[str, Any]], Verification]:
    verification = Verification()
    copies = copy.deepcopy(list(rows))
    check_rows(ENDPOINT, copies, optional=optional, into=verification)
    return copies, verification


def test_rows_as_described_are_verified_and_stay() -> None:
    rows, verification = checked(ROW, {**ROW, "owner": None, "tags": []})
    assert rows == [ROW, {**ROW, "owner": None, "tags": []}]
    assert (verification.status, verification.drift) == ("verified", [])


@pytest.mark.parametrize(
    ("difference", "notes", "status"),
    [
        ({"more": 1}, [{"path": "more", "kind": "added", "seen": "integer", "count": 1}], "verified"),
        ({"count": "12"}, [{"path": "count", "kind": "type", "expected": "integer", "seen": "text"}], "verified"),
        ({"count": "many"}, [{"path": "count", "kind": "type", "expected": "integer", "seen": "text"}], "unverified"),
        ({"owner": "x"}, [{"path": "owner", "kind": "type", "expected": "object", "seen": "text"}], "unverified"),
        ({"tags": [{"id": "t", "x": 1}]}, [{"path": "tags[].x", "kind": "added", "seen": "integer"}], "verified"),
        ({"traits": []}, [], "verified"),
    ],
)
def test_a_difference_is_told_and_only_what_is_certain_is_put_right(
    difference: dict[str, Any], notes: list[dict[str, Any]], status: str
) -> None:
    _, verification = checked({**ROW, **difference})
    assert verification.status == status
    assert len(verification.drift) == len(notes)
    for found, expected in zip(verification.drift, notes, strict=True):
        assert expected.items() <= found.items()


def test_a_field_that_no_row_has_is_missed_unless_it_is_optional() -> None:
    without = {name: value for name, value in ROW.items() if name != "count"}
    assert checked(without)[1].drift == [{"path": "count", "kind": "missing", "expected": "integer", "count": 1}]
    assert checked(without, ROW)[1].drift == []
    assert checked(without, optional=("count",))[1].drift == []


@given(number=st.integers(-(2**70), 2**70))
def test_a_number_written_as_text_comes_back_as_that_number(number: int) -> None:
    [row], verification = checked({**ROW, "count": str(number)})
    assert row["count"] == number
    assert verification.healed == ["types"]
