"""``_feedloom_hash`` is equal for equal content and for nothing else, whatever the order of keys and the batch."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from columnar.made_up import ENDPOINT, TABLE, page, rows
from columnar.reference import Columnar, trees
from feedloom.columnar.arrow.fingerprint import PREFIX


def fingerprints(*batches: list[dict[str, Any]]) -> list[str]:
    engine = Columnar(TABLE, ENDPOINT)
    return [row["_feedloom_hash"] for batch in batches for row in engine.run([[(page(batch), {})]])["things"]]


def shuffled(value: Any, chance: random.Random) -> Any:
    """*value* with the keys of every object in another order."""
    if isinstance(value, dict):
        members = list(value.items())
        chance.shuffle(members)
        return {key: shuffled(inner, chance) for key, inner in members}
    return [shuffled(item, chance) for item in value] if isinstance(value, list) else value


@settings(deadline=None)
@given(row=rows(), chance=st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_count(row: dict[str, Any], chance: random.Random) -> None:
    found = Columnar(TABLE, ENDPOINT).run([[(page([row]), {})], [(page([shuffled(row, chance)]), {})]])
    # The order of answers shows in their long form, that of an object in JSON; of two keys of one name the last counts.
    contents = trees("things", {name: rows for name, rows in found.items() if name != "things__replies"})
    assert len({row["_feedloom_hash"] for row in found["things"]}) <= len({str(tree) for tree in contents})


@settings(deadline=None)
@given(first=rows(), second=rows())
def test_rows_that_are_loaded_differently_have_different_fingerprints(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    found = Columnar(TABLE, ENDPOINT).run([[(page([first, second]), {})]])
    hashes = {row["_feedloom_hash"] for row in found["things"]}
    contents = {str(tree) for tree in trees("things", found)}
    assert len(hashes) == len(contents)


def test_a_row_has_the_same_fingerprint_whichever_rows_it_comes_with() -> None:
    row = {"uuid": "u", "count": 1, "a": "x", "b": [1, 2], "answers": {"nps": "9", "e": {"z": 1}}, "config": {"a": 1}}
    odd = {"uuid": "v", "count": "no", "a": 7, "b": ["x"], "answers": {"nps": [9]}, "config": "text", "new": 1}
    alone, *together, after = fingerprints([row], [odd, row], [row])
    assert alone in together
    assert after == alone


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"a": "x", "b": "y"}, {"a": "xb", "b": "y"}),
        ({"a": 1}, {"a": "one"}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": [[1, 2], []]}, {"a": [[1, 2, None]]}),
        ({"a": [[1], [2]]}, {"a": [[1, 2]]}),
        ({"a": [None]}, {"a": [None, None]}),
        ({"a": [{"b": 1}, {}]}, {"a": [{}, {"b": 1}]}),
        ({"a": "\x01\x02"}, {"a": "\x02\x01"}),
        ({"answers": {"a": None}}, {"answers": {"b": None}}),
        ({"answers": {"a": None}}, {"answers": {}}),
        ({"config": {"a": 1, "b": 2}}, {"config": {"a": 2, "b": 1}}),
    ],
)
def test_different_content_has_different_fingerprints(first: dict[str, Any], second: dict[str, Any]) -> None:
    hashes = fingerprints([{"uuid": "u", **first}, {"uuid": "u", **second}])
    assert len(set(hashes)) == 2


def test_values_that_are_loaded_alike_count_as_alike() -> None:
    hashes = fingerprints([{"uuid": "u", "a": "1"}, {"uuid": "u", "a": 1}, {"uuid": "u", "a": "1", "b": None}])
    assert len(set(hashes)) == 1


def test_added_columns_do_not_count() -> None:
    engine = Columnar(TABLE, ENDPOINT)
    body = page([{"uuid": "u", "a": [1, "x"]}, {"uuid": "u", "a": 1}])
    found = engine.run([[(body, {}), (body, {"form": "f"})]])["things"]
    assert len({row["_feedloom_hash"] for row in found}) == 2


def test_a_fingerprint_tells_which_engine_made_it() -> None:
    (fingerprint,) = fingerprints([{"uuid": "u"}])
    assert fingerprint.startswith(PREFIX)
    assert len(fingerprint) == len(PREFIX) + 32
