"""Rows lose nothing on their way to dlt: no key, no value, no type."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from columnar_rows.shaping import (
    ANSWERED,
    ENDPOINT,
    TABLE,
    Row,
    State,
    kept,
    kept_whole,
    names,
    rebuild,
    rows,
    shape,
    typed,
    values,
)
from feedloom.catalogue import Endpoint, LongAnswers, Table
from feedloom.columnar import MORE_KEYS, RowShaper
from feedloom.columnar.rows import row_hash


def copied(row: Any) -> Any:
    return json.loads(json.dumps(row))


@given(found=rows)
def test_no_key_value_or_type_is_lost(found: list[Row]) -> None:
    state: State = {}
    shaper = RowShaper(TABLE, ENDPOINT, names(state))
    for row, shaped in zip(found, shaper.shape(copied(found)), strict=True):
        assert typed(rebuild(shaped["traits"], state, "traits")) == typed(kept(row["traits"]))


@given(found=rows, cap=st.integers(0, 6))
def test_nothing_is_lost_past_the_cap_and_no_more_keys_have_columns(found: list[Row], cap: int) -> None:
    state: State = {}
    chosen = names(state, cap=cap)
    shaper = RowShaper(TABLE, ENDPOINT, chosen)
    for row, shaped in zip(found, shaper.shape(copied(found)), strict=True):
        back = rebuild(shaped["traits"], state, "traits")
        assert back.keys() == kept(row["traits"]).keys()
        for key, value in back.items():
            if ("traits", key) in chosen.refused:
                assert typed(value) == typed(kept_whole(row["traits"][key]))
            else:
                assert _without_nulls(value) == _without_nulls(kept(row["traits"][key]))
    assert sum(len(keys) for keys in state.values()) == chosen.count <= cap


def _without_nulls(value: Any) -> Any:
    """What stands past the cap keeps its null keys, so that they count for nothing here."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else typed(value)


@given(found=rows)
def test_a_second_run_shapes_the_same_rows_alike(found: list[Row]) -> None:
    state: State = {}
    first = RowShaper(TABLE, ENDPOINT, names(state)).shape(copied(found))
    kept_state: State = copied(state)
    assert RowShaper(TABLE, ENDPOINT, names(kept_state)).shape(copied(found)) == first
    assert kept_state == state


@given(found=rows)
def test_every_row_comes_out_once_in_order_with_the_extra_columns(found: list[Row]) -> None:
    shaped = RowShaper(TABLE, ENDPOINT, names()).shape(copied(found), {"month": 3})
    assert [(row["id"], row["month"]) for row in shaped] == [(row["id"], 3) for row in found]


@given(one=values, other=values)
def test_a_fingerprint_is_equal_if_and_only_if_the_content_is(one: Any, other: Any) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (row_hash({"a": one}) == row_hash({"a": other})) is same
    assert row_hash({"a": one}) == row_hash({"a": copied(one)})


@given(st.dictionaries(st.text(max_size=3), values, max_size=5))
def test_the_order_of_keys_does_not_change_a_fingerprint(row: Row) -> None:
    assert row_hash(dict(reversed(row.items()))) == row_hash(row)


def test_a_fingerprint_is_of_the_row_as_it_came() -> None:
    row = {"id": "p1", "bornAt": "2026-01-01", "traits": {"a": 1}}
    assert shape(row, month=3)["_feedloom_hash"] == row_hash(row)
    assert len(row_hash(row)) == 32


def test_moments_become_aware_datetimes_where_the_catalogue_says() -> None:
    shaped = shape(
        {
            "id": "p1",
            "bornAt": "2026-01-31 10:00:00.000123",
            "seen": 1_700_000_000_123,
            "firm": {"since": "2026-01-31T12:00:00+02:00", "sites": [{"openedAt": "2026-02-01"}, {"openedAt": None}]},
            "note": "2026-01-31 10:00:00",
        }
    )
    assert shaped["bornAt"] == datetime(2026, 1, 31, 10, 0, 0, 123, tzinfo=UTC)
    assert shaped["seen"] == datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=UTC)
    assert shaped["firm"]["since"] == datetime(2026, 1, 31, 10, tzinfo=UTC)
    assert shaped["firm"]["sites"] == [{"openedAt": datetime(2026, 2, 1, tzinfo=UTC)}, {"openedAt": None}]
    assert shaped["note"] == "2026-01-31 10:00:00"


def test_a_moment_that_never_was_is_null() -> None:
    assert shape({"id": "p1", "seen": 0})["seen"] is None


def test_nested_values_that_are_null_have_no_column_of_their_own() -> None:
    row = {"id": None, "bornAt": None, "firm": None, "traits": None}
    assert shape(row) == {"id": None, "bornAt": None, "_feedloom_hash": row_hash(row)}
    assert shape({"firm": {"sites": None}})["firm"] == {}
    assert shape({"firm": {"sites": [{"tags": None}, {"tags": [1]}]}})["firm"]["sites"] == [{}, {"tags": [1]}]


@pytest.mark.parametrize("odd", ["text", 7, True, ["a"], [["a"]], [None], {"sites": "text"}, {"sites": [7, None]}])
def test_a_value_of_another_shape_than_described_is_kept(odd: Any) -> None:
    assert shape({"id": "p1", "firm": odd})["firm"] == odd


def test_an_empty_list_in_place_of_a_map_is_the_empty_map() -> None:
    assert shape({"traits": []})["traits"] == {}
    assert shape({"traits": ["a"]})["traits"] == ["a"]


def test_a_key_that_is_null_gets_its_column_when_a_value_comes() -> None:
    chosen = names()
    assert shape({"traits": {"a": None}}, chosen=chosen)["traits"] == {}
    assert chosen.count == 0
    assert shape({"traits": {"a": "x"}}, chosen=chosen)["traits"] == {"a": "x"}


@pytest.mark.parametrize(
    ("first", "then", "shaped"),
    [
        ("9", 9, {"v_bigint": 9}),
        ("9", 9.5, {"v_double": 9.5}),
        ("9", True, {"v_bool": True}),
        (9, "9", {"v_text": "9"}),
        (9, 9.5, {"v_double": 9.5}),
        (9, True, {"v_bool": True}),
        (True, 1, {"v_bigint": 1}),
        (True, "true", {"v_text": "true"}),
        (9.5, 9, 9.0),
        (9.5, 2**53, float(2**53)),
        (9.5, 2**53 + 1, {"v_bigint": 2**53 + 1}),
        (9.5, "9.5", {"v_text": "9.5"}),
        (9, 2**63 - 1, 2**63 - 1),
        (9, 2**63, {"v_text": "9223372036854775808"}),
        ("9", 2**63, "9223372036854775808"),
        (2**63, "9", "9"),
        (2**63, 9, {"v_bigint": 9}),
    ],
)
def test_a_value_of_another_kind_than_its_column_goes_to_the_variant(first: Any, then: Any, shaped: Any) -> None:
    chosen = names()
    shape({"traits": {"a": first}}, chosen=chosen)
    found = shape({"traits": {"a": then}}, chosen=chosen)["traits"]["a"]
    assert (type(found), found) == (type(shaped), shaped)


@pytest.mark.parametrize(
    ("declared", "value", "shaped"),
    [
        ("double", 3, 3.0),
        ("text", 7, {"v_bigint": 7}),
        ("bool", "true", {"v_text": "true"}),
        ("timestamp", 0, datetime(1970, 1, 1, tzinfo=UTC)),
        ("timestamp", -1, datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
        ("timestamp", 10**18, {"v_bigint": 10**18}),
        ("timestamp", "2026-01-01", {"v_text": "2026-01-01"}),
        ("timestamp", True, {"v_bool": True}),
    ],
)
def test_a_declared_kind_counts_more_than_the_first_value(declared: str, value: Any, shaped: Any) -> None:
    chosen = names(declared={("traits", "a"): declared})
    found = shape({"traits": {"a": value}}, chosen=chosen)["traits"]["a"]
    assert (type(found), found) == (type(shaped), shaped)


def test_a_key_may_hold_a_map_a_list_and_a_value_by_turns() -> None:
    chosen = names()
    for value in ({"b": 1}, [1, {"b": 2}], "x", 5, {"b": "y"}):
        found = shape({"traits": {"a": value}}, chosen=chosen)["traits"]["a"]
        assert found in (value, {"v_bigint": 5}, {"b": {"v_text": "y"}})


def test_keys_of_maps_inside_the_map_have_columns_of_their_own() -> None:
    found = shape({"traits": {"a": {"userName": 1, "user_name": 2}, "b": [[{"userName": 3, "user_name": 4}]]}})[
        "traits"
    ]
    assert sorted(found["a"].values()) == [1, 2]
    assert sorted(found["b"][0][0].values()) == [3, 4]


def test_keys_past_the_cap_go_together_and_whole() -> None:
    chosen = names(cap=2)
    found = shape({"traits": {"a": 1, "b": {"c": 2, "d": {"E": 3}}, "f": {"G": [4]}, "h": None}}, chosen=chosen)[
        "traits"
    ]
    assert found == {"a": 1, "b": {MORE_KEYS: '{"c":2,"d":{"E":3}}'}, MORE_KEYS: {"f": {"G": [4]}}}
    assert chosen.refused == {("traits.b", "c"), ("traits.b", "d"), ("traits", "f")}


BIG = [2**63, -(2**63) - 1, 2**64, 10**40]


@pytest.mark.parametrize("big", BIG)
def test_an_integer_beyond_64_bits_is_text_where_the_column_holds_text_or_json(big: int) -> None:
    table = replace(TABLE, json_columns=("whole",))
    row = {"id": big, "whole": {"a": [big, {"b": big}]}, "traits": {"a": big, "b": [[big], {"c": big}]}}
    text = str(big)
    found = shape(row, table=table)
    assert {name: found[name] for name in row} == {
        "id": text,
        "whole": {"a": [text, {"b": text}]},
        "traits": {"a": text, "b": [[text], {"c": text}]},
    }
    assert found["_feedloom_hash"] == row_hash(row) != row_hash({**row, "id": text})
    assert shape(row, chosen=names(cap=0))["traits"] == {MORE_KEYS: {"a": text, "b": [[text], {"c": text}]}}


@pytest.mark.parametrize("big", BIG)
def test_an_integer_beyond_64_bits_is_a_variant_where_the_column_may_hold_something_else(big: int) -> None:
    row = {"seen": big, "size": big, "other": big, "firm": {"x": big, "y": [big, [big], {"z": big}]}}
    variant = {"v_text": str(big)}
    found = shape(row)
    assert {name: found[name] for name in row} == {
        "seen": variant,
        "size": variant,
        "other": variant,
        "firm": {"x": variant, "y": [{"value": variant}, [{"value": variant}], {"z": variant}]},
    }


def test_a_float_beyond_64_bits_is_a_variant_where_the_column_may_hold_integers() -> None:
    row = {"id": 1e30, "size": 1e30, "other": [1e30, -1e30], "traits": {"a": 1e30}, "seen": 1.5e9}
    found = shape(row)
    assert {name: found[name] for name in row} == {
        "id": 1e30,
        "size": 1e30,
        "other": [{"value": {"v_double": 1e30}}, {"value": {"v_double": -1e30}}],
        "traits": {"a": 1e30},
        "seen": 1.5e9,
    }
    assert shape({"count": 1e30})["count"] == {"v_double": 1e30}


@pytest.mark.parametrize("big", [*BIG, 1e30])
def test_a_number_beyond_64_bits_where_the_catalogue_has_an_object_is_a_variant(big: float) -> None:
    variant = {"v_double": big} if isinstance(big, float) else {"v_text": str(big)}
    assert shape({"id": "p1", "firm": big})["firm"] == variant
    assert shape({"id": "p1", "firm": {"sites": big}})["firm"] == {"sites": variant}


@pytest.mark.parametrize(
    "text", [*map(str, BIG), " 9223372036854775808 ", "0x8000000000000000", "-9223372036854775809"]
)
def test_a_text_of_an_integer_beyond_64_bits_is_a_variant_where_the_catalogue_has_an_integer(text: str) -> None:
    others = {"id": text, "size": text, "note": text, "traits": {"count": text}}
    found = shape({**others, "count": text})
    assert found["count"] == {"v_text": text}
    assert {name: found[name] for name in others} == others


@pytest.mark.parametrize(
    "text",
    [str(2**63 - 1), str(-(2**63)), "0x7fffffffffffffff", "9" * 5000, "a text of many letters", "1e30", "--" * 20],
)
def test_a_text_that_dlt_can_take_care_of_stays_where_it_is(text: str) -> None:
    assert shape({"count": text})["count"] == text


@pytest.mark.parametrize("number", [10**18, -(10**17), 253_402_300_800_000, 1e18])
def test_a_number_that_no_calendar_holds_is_a_variant_where_the_catalogue_has_a_moment(number: float) -> None:
    variant = {"v_double": number} if isinstance(number, float) else {"v_bigint": number}
    row = {"bornAt": number, "seen": number, "firm": {"since": number, "sites": [{"openedAt": number}]}}
    found = shape({**row, "traits": {"seen": number}})
    assert {name: found[name] for name in row} == {
        "bornAt": variant,
        "seen": variant,
        "firm": {"since": variant, "sites": [{"openedAt": variant}]},
    }
    assert found["traits"] == {"seen": number}


@pytest.mark.parametrize("edge", [2**63 - 1, -(2**63)])
def test_integers_of_64_bits_stay_integers(edge: int) -> None:
    found = shape({"id": edge, "traits": {"a": edge}})
    assert (found["id"], found["traits"]["a"]) == (edge, edge)


def test_items_of_another_kind_than_the_first_go_to_the_variant() -> None:
    chosen = names()
    found = shape({"traits": {"a": ["x", 9, None, True, [1, "y"]]}}, chosen=chosen)["traits"]["a"]
    assert found == [
        "x",
        {"value": {"v_bigint": 9}},
        None,
        {"value": {"v_bool": True}},
        [1, {"value": {"v_text": "y"}}],
    ]
    assert shape({"traits": {"a": [9]}}, chosen=chosen)["traits"]["a"] == [{"value": {"v_bigint": 9}}]
    assert typed(shape({"traits": {"b": [0.5, 9, 2**53 + 1]}}, chosen=chosen)["traits"]["b"]) == typed(
        [0.5, 9.0, {"value": {"v_bigint": 2**53 + 1}}]
    )


def long_form(answers: Any) -> list[Row]:
    found: list[Row] = shape({"id": "p1", "traits": answers}, table=ANSWERED)["answers"]
    return found


@pytest.mark.parametrize(
    ("answer", "forms"),
    [
        ("good", [(0, "good", None, '"good"')]),
        ("9", [(0, "9", 9.0, '"9"')]),
        ("-1.5e3", [(0, "-1.5e3", -1500.0, '"-1.5e3"')]),
        ("1e999", [(0, "1e999", None, '"1e999"')]),
        ("2026-01-01", [(0, "2026-01-01", None, '"2026-01-01"')]),
        ("1_000", [(0, "1_000", None, '"1_000"')]),
        ("٣", [(0, "٣", None, '"٣"')]),
        ("", [(0, "", None, '""')]),
        ("-", [(0, "-", None, '"-"')]),
        (9, [(0, "9", 9.0, "9")]),
        (8.5, [(0, "8.5", 8.5, "8.5")]),
        (2**70, [(0, str(2**70), float(2**70), str(2**70))]),
        (10**400, [(0, str(10**400), None, str(10**400))]),
        (True, [(0, "true", None, "true")]),
        (None, [(0, None, None, "null")]),
        ([], [(None, "[]", None, "[]")]),
        (["a", 2, None], [(0, "a", None, '"a"'), (1, "2", 2.0, "2"), (2, None, None, "null")]),
        ({"b": [1]}, [(0, '{"b":[1]}', None, '{"b":[1]}')]),
    ],
)
def test_an_answer_comes_out_long_as_text_number_and_json(answer: Any, forms: list[tuple[Any, ...]]) -> None:
    found = long_form({"Q": answer})
    assert [(row["position"], row["value_text"], row["value_number"], row["value_json"]) for row in found] == forms
    assert all((row["person"], row["question"]) == ("p1", "Q") for row in found)


@pytest.mark.parametrize("answers", [None, [], {}, "text"])
def test_no_answers_make_no_long_rows(answers: Any) -> None:
    assert long_form(answers) == []


@given(found=rows)
def test_every_answer_can_be_read_back_from_the_long_form(found: list[Row]) -> None:
    for row in found:
        back: dict[str, Any] = {}
        for answer in long_form(row["traits"]):
            value = json.loads(answer["value_json"])
            if isinstance(row["traits"][answer["question"]], list) and answer["position"] is not None:
                back.setdefault(answer["question"], []).append(value)
            else:
                back[answer["question"]] = value
        assert typed(back) == typed(row["traits"])


def test_a_map_that_comes_out_long_only_leaves_the_row() -> None:
    long = LongAnswers(name="values", path="data", keys={"month": "month"}, map_column="label", instead=True)
    table = Table(name="reports", endpoint="get_report", summary="Reports.", long_answers=long)
    endpoint = Endpoint(
        name="get_report", operation_id="r", method="GET", path="/r", summary="Report.", source=ENDPOINT.source
    )
    (found,) = RowShaper(table, endpoint, names()).shape([{"data": {"yes": 3}, "count": 3}], {"month": "2026-01"})
    assert "data" not in found
    assert found["count"] == 3
    assert found["values"] == [
        {"month": "2026-01", "label": "yes", "position": 0, "value_text": "3", "value_number": 3.0, "value_json": "3"}
    ]
