"""Every key of an open map has one column, for ever, that no other key has."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from columnar_rows.shaping import State, keys, names, normalize
from feedloom.columnar import MORE_KEYS

RESERVED = ["_dlt_id", "_dlt_load_id", "_dlt_parent_id", "_dlt_root_id", "_dlt_list_idx", "v_text", MORE_KEYS]


@given(st.lists(st.tuples(st.sampled_from(["traits", "traits.a"]), keys | st.text()), max_size=30))
@example([("traits", key) for key in ("a", "A", "á", "a ", "_a", "a_", "ax", "a__b", "a_b", "a-b", "aB", "1", "_1")])
@example([("traits", key) for key in RESERVED] + [("traits", "vText"), ("traits", "feedloomMoreKeys")])
def test_no_two_keys_of_a_map_share_a_column_even_after_dlt_named_it_again(found: list[tuple[str, str]]) -> None:
    chosen = names()
    columns = {(path, key): chosen.column(path, key) for path, key in found}
    assert len(set(columns.items())) == len({(path, normalize(column or "")) for (path, _), column in columns.items()})
    assert all(column == normalize(column or "") for column in columns.values())


@given(st.lists(keys, unique=True, max_size=15), st.randoms(use_true_random=False))
def test_a_key_keeps_its_column_from_run_to_run(found: list[str], random: object) -> None:
    state: State = {}
    first = names(state)
    columns = {key: first.column("traits", key) for key in found}
    again = names(json.loads(json.dumps(state)))
    random.shuffle(found)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert {key: again.column("traits", key) for key in found} == columns


@given(before=st.lists(keys, max_size=8), after=st.lists(keys, max_size=8))
def test_a_key_that_is_new_in_a_later_run_takes_no_column_of_an_older_one(before: list[str], after: list[str]) -> None:
    state: State = {}
    for key in before:
        names(state).column("traits", key)
    later = names(state)
    columns = {key: later.column("traits", key) for key in {*before, *after}}
    assert len(set(columns.values())) == len(columns)
    assert not set(columns.values()) & set(RESERVED)


@pytest.mark.parametrize(
    ("key", "column"), [("nps", "nps"), ("userName", "user_name"), ("Has Paid?", "has_paidx"), ("1st", "_1st")]
)
def test_a_plain_key_has_the_column_that_dlt_would_name(key: str, column: str) -> None:
    assert names().column("traits", key) == column


@pytest.mark.parametrize("key", ["имя", "größe", "😀", "", " ", "___", "?!"])
def test_a_key_whose_letters_the_naming_drops_has_a_suffix_of_its_own(key: str) -> None:
    column = names().column("traits", key)
    assert column is not None
    assert column != (normalize(key) if key.strip() else "x")
    assert names().column("traits", key) == column


def test_the_second_of_two_keys_with_one_plain_name_has_a_suffix() -> None:
    chosen = names()
    first, second = chosen.column("traits", "userName"), chosen.column("traits", "user_name")
    assert first == "user_name"
    assert second is not None
    assert second.startswith("user_name_")


@pytest.mark.parametrize("key", [*RESERVED, "feedloomMoreKeys", "v Text"])
@pytest.mark.parametrize("state", [{}, {"traits": {"a": ["a", "text"]}}])
def test_no_key_takes_a_name_that_is_used_beside_the_keys(key: str, state: State) -> None:
    assert names(state).column("traits", key) not in RESERVED


def test_maps_do_not_disturb_each_other() -> None:
    chosen = names()
    assert chosen.column("traits", "a") == chosen.column("firm.traits", "a") == "a"
    assert list(chosen.entries()) == [("traits", "a", "a"), ("firm.traits", "a", "a")]


def test_the_cap_counts_the_keys_of_all_maps_and_runs() -> None:
    state: State = {}
    first = names(state, cap=3)
    assert [first.column("traits", "a"), first.column("traits", "b")] == ["a", "b"]
    later = names(state, cap=3)
    assert later.column("firm.traits", "c") == "c"
    assert later.column("traits", "d") is None
    assert later.column("traits", "a") == "a"
    assert later.refused == {("traits", "d")}
    assert later.count == 3


def test_a_raised_cap_gives_refused_keys_a_column() -> None:
    state: State = {}
    assert names(state, cap=0).column("traits", "a") is None
    assert state == {}
    assert names(state, cap=1).column("traits", "a") == "a"


def test_a_column_holds_the_kind_of_its_first_value_or_the_declared_one() -> None:
    state: State = {}
    chosen = names(state, declared={("traits", "b"): "timestamp"})
    for key in ("a", "b"):
        chosen.column("traits", key)
    assert [chosen.kind("traits", "a", "text"), chosen.kind("traits", "a", "bigint")] == ["text", "text"]
    assert chosen.kind("traits", "b", "bigint") == "timestamp"
    assert names(state).kind("traits", "b", "text") == "timestamp"


def test_what_is_known_of_a_map_is_each_key_with_column_and_kind() -> None:
    chosen = names()
    chosen.column("traits", "userName")
    assert chosen.known("traits") == {"userName": ["user_name"]}
    chosen.kind("traits", "userName", "text")
    assert chosen.known("traits") == {"userName": ["user_name", "text"]}
    assert chosen.known("other") == {}
