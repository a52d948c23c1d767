"""The surface of the tools: pinned, small, true, and no change of it goes unnoticed."""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from feedloom.errors import InputError
from feedloom.tools.choosing import chosen_tools
from feedloom.tools.every import every_tool
from feedloom.tools.registry import DEFAULT_TOOLSETS, Registry
from feedloom.tools.schemas import listed
from feedloom.tools.selecting import text
from feedloom.tools.spec import LONGEST_DESCRIPTION
from tools.surface import Change, classify

GOLDEN = Path(__file__).parent / "golden" / "tools.json"
MOST_TOKENS = {"default": 6_000, "all": 9_000}
_BYTES_A_TOKEN = 4


def surface() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps({name: tool.as_dict() for name, tool in every_tool().items()}))
    return found


def tokens(registry: Registry) -> float:
    """The size of the list of tools as the Model Context Protocol sends it, in tokens of four bytes."""
    return len(text([listed(tool) for tool in registry.values()]).encode()) / _BYTES_A_TOKEN


def test_the_surface_is_the_one_that_was_agreed_on() -> None:
    now = surface()
    if os.environ.get("FEEDLOOM_WRITE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(json.dumps(now, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    before = json.loads(GOLDEN.read_text(encoding="utf-8"))
    change = classify(before, now)
    assert change == "none", f"a {change} change: run this test with FEEDLOOM_WRITE_GOLDEN=1 and commit what differs"


def edit(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Sets the value at *path*, or removes it for ``...``."""

    def apply(tools: dict[str, Any]) -> None:
        *parents, name = path.split("/")
        place = tools
        for parent in parents:
            place = place[parent]
        if value is ...:
            del place[name]
        else:
            place[name] = value

    return apply


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (edit("refiner_get_contact/title", "Refiner contact"), "none"),
        (edit("refiner_get_contact/description", "Other words."), "compatible"),
        (edit("refiner_get_contact", ...), "breaking"),
        (edit("new_tool", {}), "compatible"),
        (edit("refiner_get_contact/input/properties/phone", {"type": "string"}), "compatible"),
        (edit("refiner_get_contact/input/properties/email", ...), "breaking"),
        (edit("refiner_get_contact/input/required", ["id"]), "breaking"),
        (edit("refiner_list_contacts/input/properties/limit/maximum", 500), "compatible"),
        (edit("refiner_list_contacts/input/properties/limit/maximum", 100), "breaking"),
        (edit("refiner_list_contacts/input/properties/limit/minimum", 2), "breaking"),
        (edit("refiner_list_contacts/input/properties/limit/default", 50), "breaking"),
        (edit("refiner_get_report/input/properties/type/enum", ["nps"]), "breaking"),
        (edit("refiner_get_contact/effect", "write"), "breaking"),
        (edit("refiner_get_contact/output/properties/more", {}), "compatible"),
        (edit("refiner_get_contact/output/properties/item", ...), "breaking"),
    ],
)
def test_a_change_of_the_surface_is_classified(change: Callable[[dict[str, Any]], None], expected: Change) -> None:
    before = surface()
    after = copy.deepcopy(before)
    change(after)
    assert classify(before, after) == expected


def test_the_lists_of_tools_stay_within_their_budgets_of_tokens() -> None:
    assert tokens(chosen_tools(None)) <= MOST_TOKENS["default"]
    assert tokens(every_tool()) <= MOST_TOKENS["all"]


def test_names_and_words_fit_every_client() -> None:
    for tool in every_tool().values():
        assert re.fullmatch(r"[a-zA-Z0-9_]{1,64}", tool.name)
        assert 0 < len(tool.description) <= LONGEST_DESCRIPTION, tool.name
        assert tool.title
        assert not re.search(r"instruction.{0,40}(ignore|obey)", tool.description)


def test_nothing_that_is_offered_by_default_can_change_anything() -> None:
    for tool in chosen_tools(None).values():
        assert tool.effect in ("read", "local")
        assert tool.annotations["readOnlyHint"]
        assert not tool.annotations["destructiveHint"]
    assert [name for name, tool in chosen_tools("all").items() if not tool.annotations["readOnlyHint"]] == ["sync_run"]
    writing = {name for name, tool in every_tool().items() if tool.effect == "write"}
    assert set(every_tool()) - set(chosen_tools("all")) == writing
    assert set(chosen_tools(None, writes=True)) - set(chosen_tools(None)) == set(every_tool().chosen(["write"]))
    assert set(DEFAULT_TOOLSETS) < set(every_tool().toolsets)


def test_a_toolset_that_does_not_exist_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError) as refused:
        chosen_tools("context,warehous")
    assert refused.value.hint == "did you mean warehouse?"
    assert list(chosen_tools(None, only="warehouse_query,refiner_list_forms")) == [
        "warehouse_query",
        "refiner_list_forms",
    ]
    assert list(chosen_tools("warehouse")) == [
        f"warehouse_{name}" for name in ("list_tables", "describe", "query", "metric")
    ]
