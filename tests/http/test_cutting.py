# ruff: noqa: INP001  # a package called http would hide the standard one
"""An answer is cut into its rows and what stands beside them, and nothing of either changes."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedloom.catalogue import CursorPaging, Endpoint, Known, NumberPaging, Source
from feedloom.http.cutting import BrokenAnswerError, MisplacedRowsError, cut

SOURCE = Source(where=("made up",), checked="2026-01", known=Known.ASSUMED)

LISTED = Endpoint(
    name="list_things",
    operation_id="listThings",
    method="GET",
    path="/things",
    summary="List things.",
    source=SOURCE,
    records="items",
    is_list=True,
    paging=CursorPaging(
        cursor_param="cursor", next="marks.next", size_param="size", size_default=50, size_max=1000, total="total"
    ),
)
TANGLED = Endpoint(
    name="list_data",
    operation_id="listData",
    method="GET",
    path="/data",
    summary="List data.",
    source=SOURCE,
    records="data.rows",
    is_list=True,
    paging=NumberPaging(
        number_param="page", first_number=1, size_param="size", size_default=50, size_max=1000, total="data.total"
    ),
)
SINGLE = Endpoint(
    name="get_thing", operation_id="getThing", method="GET", path="/thing", summary="Get one thing.", source=SOURCE
)

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
rows = st.lists(st.dictionaries(texts, values, max_size=5), max_size=6)


@given(found=rows, indent=st.sampled_from([None, 0, 2]), next_mark=texts)
def test_the_rows_and_the_marks_of_any_page_come_out_as_they_are(
    found: list[dict[str, Any]], indent: int | None, next_mark: str
) -> None:
    answer = {"more": {"items": [1]}, "total": len(found), "items": found, "marks": {"next": next_mark}}

    parts = cut(LISTED, json.dumps(answer, indent=indent, ensure_ascii=False).encode())

    assert [json.loads(bytes(row)) for row in parts.rows] == found
    assert not any(b"\n" in bytes(row) for row in parts.rows)
    assert parts.beside == {"total": len(found), "marks": {"next": next_mark}}
    assert parts.is_sound


def test_marks_beside_the_rows_in_an_inner_object_are_found() -> None:
    parts = cut(TANGLED, b'{"data": {"total": 7, "rows": [{"id": 1}]}}')

    assert (json.loads(parts.text), parts.beside["data"]["total"]) == ([{"id": 1}], 7)


def test_an_answer_that_is_no_list_is_its_own_row() -> None:
    assert json.loads(cut(SINGLE, b'{\n"id": 1\n}').text) == [{"id": 1}]


@pytest.mark.parametrize("bad", [b'{"a":NaN}', b'{"a":"\xff"}', b'{"a":tru}', b'{"a":"line\nbreak"}', b'{"a" 1}'])
def test_one_bad_row_costs_that_row_and_not_the_page(bad: bytes) -> None:
    good = [b'{"id":1}', b'{"id":"a,]}{[\\""}']

    parts = cut(LISTED, b'{"total":3,"items":[%b , %b,%b],"marks":{"next":"c"}}' % (good[0], bad, good[1]))

    assert [bytes(row) for row in parts.rows] == [good[0], bad, good[1]]
    assert parts.beside == {"total": 3, "marks": {"next": "c"}}
    assert not parts.is_sound


@given(found=rows, data=st.data())
def test_a_page_that_breaks_off_anywhere_is_never_taken_for_a_shorter_one(
    found: list[dict[str, Any]], data: st.DataObject
) -> None:
    body = orjson.dumps({"marks": {"next": "c"}, "items": found, "total": 5}, default=str) if _fits(found) else b"{}"
    short = body[: data.draw(st.integers(0, len(body) - 1))]

    with pytest.raises(BrokenAnswerError):
        cut(LISTED, short)


def _fits(found: list[dict[str, Any]]) -> bool:
    try:
        orjson.dumps(found)
    except TypeError:
        return False
    return True


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"[]", "has no 'items'"),
        (b'{"rows":[]}', "has no 'items'"),
        (b'{"items":null}', "no list of rows at 'items'"),
        (b'{"items":{"id":"u"}}', "no list of rows at 'items'"),
        (b'{"items":[{"id":"u"},5]}', "rows at 'items' that are not objects"),
        (b'{"items":[NaN]}', "rows at 'items' that are not objects"),
    ],
)
def test_rows_that_are_not_where_they_should_be_are_never_an_empty_page(body: bytes, problem: str) -> None:
    with pytest.raises(MisplacedRowsError, match=problem):
        cut(LISTED, body)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"items":[NaN', b'{"items":[]} and more', b'{"items":[]', b"nul"])
def test_what_is_no_json_is_broken(body: bytes) -> None:
    with pytest.raises(BrokenAnswerError):
        cut(LISTED, body)
