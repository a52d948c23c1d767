"""What no reader likes: each row comes out exactly, or is put aside with its bytes and the reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from dlt.common.schema import Schema

from columnar.made_up import ENDPOINT, TABLE, Page, page
from columnar.reference import Columnar, Reference, Rows, make_names, trees
from feedloom.columnar import MORE_KEYS
from feedloom.columnar.arrow import ArrowShaper, Naming
from feedloom.http.cutting import cut

GOOD = b'{"uuid":"good","count":1}'


def shape(*rows: bytes, cap: int = 300) -> tuple[Rows, Columnar]:
    engine = Columnar(TABLE, ENDPOINT, cap)
    return engine.run([[(b'{"items":[' + b",".join(rows) + b"]}", {})]]), engine


def same_as_slow_way(rows: Sequence[dict[str, Any]], cap: int = 300) -> Columnar:
    one_page: Page = (page(list(rows)), {})
    fast = Columnar(TABLE, ENDPOINT, cap)
    assert trees("things", fast.run([[one_page]])) == trees("things", Reference(TABLE, ENDPOINT, cap).run([one_page]))
    assert not fast.quarantined
    return fast


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"uuid":"bad","a":NaN}', "not valid JSON"),
        (b'{"uuid":"bad","a":-Infinity}', "not valid JSON"),
        (b'{"uuid":"bad","a":1e400}', "infinity"),
        (b'{"uuid":"bad","a":"\xff"}', "UTF-8"),
        (b'{"uuid":"bad","a":"\xed\xa0\x80"}', "UTF-8"),
        (b'{"uuid":"bad","a":"\\ud800"}', "surrogate"),
        (b'{"uuid":"bad","a":1,"a":2}', "stands twice"),
        (b'{"uuid":"bad","a":{"b":true,"b":1}}', "stands twice"),
        (b'{"uuid":"bad","config":{"b":1,"b":2}}', "stands twice"),
        (b'{"uuid":"bad","config":{"b":1},"config":{"b":2}}', "stands twice"),
        (b'{"uuid":"bad","a":tru}', "not valid JSON"),
        (b'{"uuid":"bad","_dlt_id":"mine"}', "_dlt_id"),
        (b'{"uuid":"bad","userName":1,"user_name":2}', "named like another"),
        (b'{"uuid":"bad","userName":1,"user_name":null}', "named like another"),
        (b'{"uuid":"bad","a":{"b":1},"a__b":2}', "named like another"),
        (b'{"uuid":"bad","userName":[1],"user_name":[2]}', "named like another"),
        (b'{"uuid":"bad","visits":[{"at":1,"A b":1,"a_b":2}]}', "named like another"),
        (b'{"uuid":"bad","a":' + b"[" * 3000 + b"]" * 3000 + b"}", "nested"),
    ],
)
def test_a_row_that_cannot_be_kept_exactly_is_put_aside_and_the_others_are_loaded(raw: bytes, reason: str) -> None:
    rows, engine = shape(GOOD, raw, GOOD.replace(b"good", b"also good"))
    assert [row["uuid"] for row in rows["things"]] == ["good", "also good"]
    (quarantined,) = engine.quarantined
    assert quarantined.raw == raw
    assert reason in quarantined.reason or "depth" in quarantined.reason


def test_a_key_that_stands_twice_with_one_value_loses_nothing() -> None:
    rows, engine = shape(GOOD, b'{"uuid":"twice","count":2,"count":2,"a":{"b":[1],"b":[1]}}')
    assert [(row["uuid"], row["count"]) for row in rows["things"]] == [("good", 1), ("twice", 2)]
    assert [row["value"] for row in rows["things__a__b"]] == [1]
    assert not engine.quarantined


@pytest.mark.parametrize("integer", [2**63, -(2**63) - 1, 2**64, 10**30, -(10**300)])
def test_integers_beyond_64_bits_keep_every_digit_as_text(integer: int) -> None:
    rows, engine = shape(*(json.dumps({"uuid": "u", "count": 7, "answers": {"a": integer}}).encode(), GOOD))
    assert rows["things"][-1]["answers__a"] == str(integer)
    assert rows["things__replies"][0]["value_json"] == str(integer)
    assert not engine.quarantined


@pytest.mark.parametrize(
    ("stored", "value"),
    [
        ([1], 2**63),
        ([1], 1.5),
        ([1], 1e300),
        ([1], "99999999999999999999"),
        ([1.5], 2**53 + 1),
        ([1.5], "0.1234567890123456789"),
        ([True], 5),
        ([True], 0.5),
    ],
)
def test_nothing_is_rounded_to_fit_a_column(stored: list[Any], value: Any) -> None:
    engine = Columnar(TABLE, ENDPOINT)
    engine.run([[(page([{"uuid": "u", "extra": stored[0]}]), {})]])
    (row,) = engine.run([[(page([{"uuid": "u", "extra": value}]), {})]])["things"]
    (kept,) = [kept for name, kept in row.items() if name.startswith("extra") and kept is not None]
    assert kept in {value, str(value)}
    assert "extra" not in row


def test_integers_that_a_double_holds_exactly_stay_in_the_column_of_doubles() -> None:
    engine = Columnar(TABLE, ENDPOINT)
    engine.run([[(page([{"uuid": "u", "extra": 1.5}]), {})]])
    rows = engine.run([[(page([{"uuid": "u", "extra": 2**60}, {"uuid": "u", "extra": 3}]), {})]])["things"]
    assert sorted(row["extra"] for row in rows) == [3.0, 2.0**60]


def test_a_batch_of_nothing_but_nulls_makes_rows_without_columns() -> None:
    engine = same_as_slow_way([{"uuid": "u", "a": None, "answers": None, "person": None, "visits": [None]}] * 3)
    assert set(engine.types["things"]) == {"uuid", "_feedloom_hash", "_dlt_load_id", "_dlt_id"}


def test_nulls_before_the_first_item_of_a_list_are_kept() -> None:
    same_as_slow_way([{"uuid": "u", "a": [None, None, 1]}, {"uuid": "v", "b": [None, {"c": [None, True]}]}])


def test_ten_thousand_keys_of_an_open_map_fill_the_columns_and_then_the_json_column() -> None:
    row = {"uuid": "u", "person": {"traits": {f"key {number}": number for number in range(10_000)}}}
    other: dict[str, Any] = {"uuid": "v"}
    engine = same_as_slow_way([row, other], cap=300)
    columns = [name for name in engine.types["things"] if name.startswith("person__traits__")]
    assert len(columns) == 301
    assert engine.types["things"][f"person__traits__{MORE_KEYS}"] == "json"


def test_ten_thousand_keys_that_the_vendor_chose_become_columns() -> None:
    engine = same_as_slow_way([{"uuid": "u", **{f"k{number}": number for number in range(10_000)}}, {"uuid": "v"}])
    assert len(engine.types["things"]) > 10_000


@pytest.mark.parametrize("levels", [64, 150])
def test_deep_rows_come_out_as_from_the_slow_way(levels: int) -> None:
    deep_object: Any = 1
    deep_list: Any = 1
    for _ in range(levels):
        deep_object = {"a": deep_object}
        deep_list = [deep_list]
    same_as_slow_way([{"uuid": "u", "x1": deep_object}, {"uuid": "v", "x2": deep_list}, {"uuid": "w", "count": 3}])


def test_a_row_of_fifty_megabytes_is_one_row() -> None:
    text = "0123456789" * 5_000_000
    rows, engine = shape(GOOD, json.dumps({"uuid": "big", "a": text}).encode())
    assert rows["things"][1]["a"] == text
    assert not engine.one_by_one


def test_one_row_of_another_kind_leaves_the_others_on_the_fast_way() -> None:
    usual: list[dict[str, Any]] = [{"uuid": f"u{number}", "a": "text", "b": [1, 2]} for number in range(50)]
    engine = same_as_slow_way([*usual, {"uuid": "odd", "a": 7, "b": [True]}, *usual])
    assert engine.one_by_one == 1


def test_maps_that_are_written_as_empty_lists_stay_on_the_fast_way() -> None:
    rows: list[dict[str, Any]] = [
        {"uuid": "u", "answers": []},
        {"uuid": "v", "answers": {"a": "1"}},
        {"uuid": "w", "person": {"traits": []}},
    ]
    assert same_as_slow_way(rows).one_by_one == 0


def test_the_reference_of_numbers_in_text_is_kept_for_every_different_value() -> None:
    engine = Columnar(TABLE, ENDPOINT)
    engine.run([[(page([{"uuid": "u", "extra": 1}]), {})]])
    values = ["12", "0x1F", "x", "12", " 7 ", "1_000"]
    rows = engine.run([[(page([{"uuid": "u", "extra": value} for value in values]), {})]])["things"]
    assert [row["extra"] for row in rows] == [12, 31, None, 12, 7, 1000]
    assert [row["extra__v_text"] for row in rows] == [None, None, "x", None, None, None]
    assert engine.one_by_one == 0


def test_rows_of_a_key_that_came_before_are_left_out_where_that_is_asked_for() -> None:
    engine = Columnar(TABLE, ENDPOINT, unique=True)
    first: list[dict[str, Any]] = [{"uuid": "u", "tags": ["a"]}, {"uuid": "v"}]
    second: list[dict[str, Any]] = [{"uuid": "u", "tags": ["b"]}, {"uuid": "w"}]
    rows = engine.run([[(page([*first, first[0]]), {})], [(page(second), {})]])
    assert [row["uuid"] for row in rows["things"]] == ["u", "v", "w"]
    assert [row["value"] for row in rows["things__tags"]] == ["a"]


def test_keys_and_fingerprints_tell_of_every_row_also_of_those_left_out() -> None:
    schema = Schema("test")
    shaper = ArrowShaper(
        table=TABLE,
        endpoint=ENDPOINT,
        names=make_names({}, schema, 300),
        naming=Naming.of(schema),
        stored={},
        load_id="1",
        unique=True,
    )
    shaped = shaper.shape([cut(ENDPOINT, page([{"uuid": "u"}, {"uuid": "v"}, {"uuid": "u", "count": "odd"}]))])
    assert shaped.read == 3
    assert shaped.keys["uuid"].to_pylist() == ["u", "v", "u"]
    assert len(set(shaped.keys["_feedloom_hash"].to_pylist())) == 3
    assert shaped.tables[0].rows.num_rows == 2
