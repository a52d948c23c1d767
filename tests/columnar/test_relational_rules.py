"""Every rule of dlt's relational normaliser, one example each: the row, and the tables it makes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from columnar.made_up import ENDPOINT, TABLE, page
from columnar.reference import BOOKKEEPING, Columnar, Rows

Tables = dict[str, list[dict[str, Any]]]


def plain(rows: Rows) -> Tables:
    """The rows without bookkeeping, nulls, and the row's own key."""
    kept = {
        name: [
            {key: value for key, value in row.items() if value is not None and key not in {*BOOKKEEPING, "uuid"}}
            for row in found
        ]
        for name, found in rows.items()
    }
    return {name: found for name, found in kept.items() if name == "things" or found}


def shaped(row: dict[str, Any], added: dict[str, Any] | None = None) -> Rows:
    return Columnar(TABLE, ENDPOINT).run([[(page([{"uuid": "u", **row}]), added or {})]])


NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "tables"),
    [
        ({"userName": 1, "HTTPCode": 2, "1st": 3}, {"things": [{"user_name": 1, "http_code": 2, "_1st": 3}]}),
        ({"a-b": 1, "c*": 2, "d  ": 3, "e_": 4}, {"things": [{"a_b": 1, "cx": 2, "d": 3, "ex": 4}]}),
        ({"a": {"b": {"c": 1}, "d": True}}, {"things": [{"a__b__c": 1, "a__d": True}]}),
        ({"a__b": 1}, {"things": [{"a__b": 1}]}),
        ({"a": {}, "b": [], "c": None, "d": [[]]}, {"things": [{}], "things__d": [{}]}),
        ({"a": [1, 2]}, {"things": [{}], "things__a": [{"value": 1}, {"value": 2}]}),
        ({"a": [{"b": 1}, {"b": 2}]}, {"things": [{}], "things__a": [{"b": 1}, {"b": 2}]}),
        ({"a": {"b": [1]}}, {"things": [{}], "things__a__b": [{"value": 1}]}),
        ({"a": [{"b": [1]}]}, {"things": [{}], "things__a": [{}], "things__a__b": [{"value": 1}]}),
        ({"a": [[1], [2]]}, {"things": [{}], "things__a": [{}, {}], "things__a__list": [{"value": 1}, {"value": 2}]}),
        ({"a": [None, "x"]}, {"things": [{}], "things__a": [{}, {"value": "x"}]}),
        ({"a": [1, "x"]}, {"things": [{}], "things__a": [{"value": 1}, {"value__v_text": "x"}]}),
        ({"a": [1, "12"]}, {"things": [{}], "things__a": [{"value": 1}, {"value": 12}]}),
        ({"a": ["x", 1]}, {"things": [{}], "things__a": [{"value": "x"}, {"value": "1"}]}),
        ({"a": ["x", 1.5, True]}, {"things": [{}], "things__a": [{"value": "x"}, {"value": "1.5"}, {"value": "True"}]}),
        ({"a": [1.5, 1]}, {"things": [{}], "things__a": [{"value": 1.5}, {"value": 1.0}]}),
        ({"a": [1, 2.0, 2.5]}, {"things": [{}], "things__a": [{"value": 1}, {"value": 2}, {"value__v_double": 2.5}]}),
        ({"a": [True, 0, "yes"]}, {"things": [{}], "things__a": [{"value": True}, {"value": False}, {"value": True}]}),
        ({"a": [1, {"b": 2}, [3]]}, {"things": [{}], "things__a": [{"value": 1}, {"b": 2}, {}],
                                     "things__a__list": [{"value": 3}]}),
        ({"a": "2026-01-31T12:00:00Z"}, {"things": [{"a": "2026-01-31T12:00:00Z"}]}),
        ({"created_at": "2026-01-31 12:00:00"}, {"things": [{"created_at": NOON}]}),
        ({"created_at": "2026-01-31T13:00:00+01:00"}, {"things": [{"created_at": NOON}]}),
        ({"created_at": "soon"}, {"things": [{"created_at__v_text": "soon"}]}),
        ({"seen_at": 1769860800000}, {"things": [{"seen_at": NOON}]}),
        ({"seen_at": 0}, {"things": [{}]}),
        ({"visits": [{"at": 1769860800000}]}, {"things": [{}], "things__visits": [{"at": NOON}]}),
        ({"config": {"b": [1, {"c": None}]}}, {"things": [{"config": '{"b":[1,{"c":null}]}'}]}),
        ({"config": [1, 2]}, {"things": [{"config": "[1,2]"}]}),
        ({"config": 5}, {"things": [{"config__v_bigint": 5}]}),
        ({"config": "text"}, {"things": [{"config__v_text": "text"}]}),
        ({"userName": 1, "user_name": 1}, {"things": [{"user_name": 1}]}),
    ],
)  # fmt: skip
def test_a_row_makes_these_tables(row: dict[str, Any], tables: Tables) -> None:
    assert plain(shaped(row)) == tables


@pytest.mark.parametrize(
    ("traits", "columns"),
    [
        ({"userName": 1, "user_name": 2}, {"user_name": 1, "user_name_8c7e9c": 2}),
        ({"ключ": "a", "🎯": "b"}, {"x_2c40a7": "a", "x_a738dc": "b"}),
        ({"a": {"userName": 1, "user_name": 2}}, {"a__user_name": 1, "a__user_name_8c7e9c": 2}),
        ({"a": None}, {}),
    ],
)
def test_no_two_keys_of_an_open_map_share_a_column(traits: dict[str, Any], columns: dict[str, Any]) -> None:
    found = plain(shaped({"person": {"traits": traits}}))["things"][0]
    assert found == {f"person__traits__{name}": value for name, value in columns.items()}


def test_a_value_of_another_kind_than_its_key_in_an_open_map_has_a_column_of_its_own() -> None:
    engine = Columnar(TABLE, ENDPOINT)
    answers = [{"nps": "9"}, {"nps": 9}, {"nps": 9.5}, {"nps": ["9"]}, {"nps": {"is": 9}}]
    rows = engine.run([[(page([{"uuid": "u", "answers": answer} for answer in answers]), {})]])
    assert sorted(map(str, (row for row in plain(rows)["things"]))) == sorted(
        map(
            str,
            (
                {"answers__nps": "9"},
                {"answers__nps__v_bigint": 9},
                {"answers__nps__v_double": 9.5},
                {},
                {"answers__nps__is": 9},
            ),
        )
    )
    assert plain(rows)["things__answers__nps"] == [{"value": "9"}]


def test_answers_also_come_out_long_in_the_order_of_their_keys() -> None:
    answers = {"b": "7", "a": ["x", None], "c": [], "d": None, "e": 1.0, "f": {"z": 1, "y": "é"}, "g": True}
    rows = shaped({"answers": answers})["things__replies"]
    assert [
        (row["question"], row["position"], row["value_text"], row["value_number"], row["value_json"]) for row in rows
    ] == [
        ("b", 0, "7", 7.0, '"7"'),
        ("a", 0, "x", None, '"x"'),
        ("a", 1, None, None, "null"),
        ("c", None, "[]", None, "[]"),
        ("d", 0, None, None, "null"),
        ("e", 0, "1.0", 1.0, "1.0"),
        ("f", 0, '{"z":1,"y":"é"}', None, '{"z":1,"y":"é"}'),
        ("g", 0, "true", None, "true"),
    ]
    assert [row["_dlt_list_idx"] for row in rows] == list(range(8))
    assert {row["thing_uuid"] for row in rows} == {"u"}


def test_columns_that_are_added_to_a_page_stand_in_each_of_its_rows() -> None:
    pages = [(page([{"uuid": "u"}, {"uuid": "v"}]), {"form": "f1"}), (page([{"uuid": "w", "form": 5}]), {"form": "f2"})]
    rows = Columnar(TABLE, ENDPOINT).run([[(body, {**added, "month": date(2026, 1, 1)}) for body, added in pages]])
    assert [row["form"] for row in rows["things"]] == ["f1", "f1", "f2"]
    assert {row["month"] for row in rows["things"]} == {date(2026, 1, 1)}


def test_ids_lead_from_each_row_to_its_parent_and_its_root() -> None:
    rows = shaped({"a": [{"b": [1, 2]}, {"b": [3]}]})
    (root,) = rows["things"]
    first, second = rows["things__a"]
    assert first["_dlt_parent_id"] == second["_dlt_parent_id"] == root["_dlt_id"]
    assert [row["_dlt_parent_id"] for row in rows["things__a__b"]] == [first["_dlt_id"]] * 2 + [second["_dlt_id"]]
    assert [row["_dlt_list_idx"] for row in rows["things__a__b"]] == [0, 1, 0]
    assert {row["_dlt_root_id"] for table in ("things__a", "things__a__b") for row in rows[table]} == {root["_dlt_id"]}
    ids = [row["_dlt_id"] for found in rows.values() for row in found]
    assert len(set(ids)) == len(ids)


def test_the_load_id_stands_on_root_rows_alone() -> None:
    rows = shaped({"a": [1]})
    assert rows["things"][0]["_dlt_load_id"] == "1"
    assert "_dlt_load_id" not in rows["things__a"][0]
