"""Tables and values as text: aligned, whole, and without anything that a terminal would obey."""

from __future__ import annotations

import json
import unicodedata
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedloom.cli.output import json_text, table_text
from feedloom.cli.terminal import shows_bars, shows_colours
from feedloom.cli.values import as_json, as_text, distinct

TEXTS = st.text(max_size=80)
CELLS = st.one_of(TEXTS, st.integers(), st.floats(), st.booleans(), st.none())
ROWS = st.integers(1, 4).flatmap(
    lambda width: st.tuples(
        st.lists(TEXTS, min_size=width, max_size=width),
        st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=5),
    )
)


class Terminal:
    """A stream that is one, or is none."""

    def __init__(self, *, is_terminal: bool) -> None:
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._is_terminal


@given(ROWS)
def test_a_table_is_one_line_a_row_and_holds_no_control_characters(table: tuple[list[str], list[list[Any]]]) -> None:
    headings, rows = table

    text = table_text(headings, rows)

    assert text.count("\n") == len(rows) + 1
    assert all(one == "\n" or unicodedata.category(one) not in ("Cc", "Cf", "Cs") for one in text)
    assert all(line == line.rstrip() for line in text.split("\n"))


def test_numbers_stand_to_the_right_and_wide_letters_take_two_columns() -> None:
    rows = [("日本", 1_234_567, None), ("é", 2.25, True)]

    assert table_text(["name", "rows", "ok"], rows) == (
        "name       rows  ok\n"
        "日本  1,234,567  -\n"
        "é           2.2  true\n"
    )  # fmt: skip


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    assert table_text(["text"], [("x" * 100,)], widest=10) == "text\nxxxxxxxxx…\n"
    assert table_text(["text"], [("日" * 100,)], widest=10) == "text\n日日日日…\n"


@given(st.lists(st.sampled_from(["a", "a_2", "a_3", "b", ""])))
def test_names_become_distinct_and_keep_their_first_place(names: list[str]) -> None:
    made = distinct(names)

    assert len(set(made)) == len(names)
    assert all(new == old for old, new in zip(names, made, strict=True) if names.count(old) == 1)
    assert all(new.startswith(old) for old, new in zip(names, made, strict=True))


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_keeps_its_digits_in_json(value: Decimal) -> None:
    assert json.loads(json_text(as_json(value)), parse_float=Decimal, parse_int=Decimal) == value


@given(st.recursive(st.one_of(TEXTS, st.integers(-(2**63), 2**63 - 1), st.none()), st.lists, max_leaves=5))
def test_what_has_parts_is_json_in_a_cell(value: Any) -> None:
    text = as_text(value)

    assert text == value if isinstance(value, str) else value is None or json.loads(text) == value


@pytest.mark.parametrize(
    ("is_terminal", "environment", "coloured", "bars"),
    [
        (True, {}, True, True),
        (False, {}, False, False),
        (True, {"NO_COLOR": "1"}, False, True),
        (True, {"NO_COLOR": ""}, True, True),
        (False, {"FORCE_COLOR": "1"}, True, False),
        (True, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, True),
        (True, {"TERM": "dumb"}, False, False),
        (True, {"CI": "true"}, True, False),
    ],
)
def test_colours_and_bars_follow_the_terminal_and_the_environment(
    *, is_terminal: bool, environment: dict[str, str], coloured: bool, bars: bool
) -> None:
    stream = Terminal(is_terminal=is_terminal)

    assert shows_colours(stream, environment) is coloured  # type: ignore[arg-type] # all that is asked of it
    assert shows_bars(stream, environment) is bars  # type: ignore[arg-type] # the same
