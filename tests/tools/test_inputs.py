"""Whatever a caller sends, a tool answers or refuses with a reason: no traceback, no failure that nobody named."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedloom.catalogue import Argument
from feedloom.tools.arguments import checked, input_schema
from feedloom.tools.every import every_tool
from feedloom.tools.failures import ToolError
from feedloom.tools.selecting import text
from feedloom.tools.workspace import Workspace
from tools.bench import Bench

_SLOW = frozenset({"sync_run"})
"""Runs a command for each call, whose own tests give it bad input."""

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


NAMES = st.text(min_size=1, max_size=8)
SCALARS = NAMES | st.integers() | st.booleans()
MANY: Mapping[str, st.SearchStrategy[Any]] = {
    "array": st.lists(NAMES, min_size=1, max_size=3),
    "object": st.dictionaries(NAMES | st.just("id"), SCALARS, min_size=1, max_size=3),
}


def meant(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values that *schema* allows."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema["type"][0] if isinstance(schema["type"], list) else schema["type"]
    match kind:
        case "integer":
            return st.integers(schema.get("minimum", -5), schema.get("maximum"))
        case "boolean":
            return st.booleans()
        case "array" | "object":
            return MANY[kind]
    if schema.get("format") == "date-time":
        return st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")
    return st.text(min_size=1, max_size=30)


@st.composite
def calls(draw: st.DrawFn, *, effect: str = "") -> tuple[str, dict[str, Any]]:
    """A tool, of that *effect* if one is given, with arguments that are right, nearly right, or not at all."""
    tools = [name for name, tool in every_tool().items() if name not in _SLOW and effect in ("", tool.effect)]
    name = draw(st.sampled_from(tools))
    schema = every_tool()[name].input
    arguments = {}
    for argument, described in schema["properties"].items():
        if argument in schema.get("required", ()) or draw(st.booleans()):
            arguments[argument] = draw(meant(described) if draw(st.integers(0, 5)) else ANYTHING)
    if not draw(st.integers(0, 9)):
        arguments[draw(st.text(max_size=6))] = draw(ANYTHING)
    return name, arguments


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(call=calls())
def test_every_call_ends_in_an_answer_or_a_named_refusal(stocked: Bench, call: tuple[str, dict[str, Any]]) -> None:
    name, arguments = call
    assert stocked.folder.exists()

    async def ask() -> dict[str, Any]:
        async with Workspace(query_s=1.5) as workspace:
            return await every_tool().call(workspace, name, arguments)

    refused, result = None, None
    try:
        result = asyncio.run(ask())
    except ToolError as error:
        refused = error
    if refused is not None:
        assert refused.code not in ("INTERNAL", "FAILED"), f"{refused} from {refused.__cause__!r}"
        assert refused.retry in ("never", "with changes") or refused.retry.startswith("after ")
    if result is not None:
        assert "INTERNAL" not in str(result.get("error"))
        assert text(result)
        assert result["verification"]["status"] in ("verified", "unverified")


@given(value=ANYTHING)
def test_what_a_check_lets_through_is_what_the_schema_says(value: Any) -> None:
    arguments = (
        Argument(name="text", minimum=None),
        Argument(name="integer", type="integer", minimum=1, maximum=9, default=2),
        Argument(name="boolean", type="boolean"),
        Argument(name="texts", type="texts", maximum=2),
    )
    kinds = {"text": str, "integer": int, "boolean": bool, "texts": list}
    for name in input_schema(arguments)["properties"]:
        try:
            found = checked(arguments, {name: value})
        except ToolError:
            continue
        assert type(found[name]) is kinds[name]
        assert found.get("integer", 1) in range(1, 10)


def test_two_names_for_one_thing_are_never_offered() -> None:
    for tool in every_tool().values():
        names = [argument.name for argument in tool.arguments]
        assert len(names) == len(set(names)), tool.name


@pytest.mark.parametrize("name", ["refiner_get_contact", "REFINER_GET_CONTACT"])
def test_two_identifiers_or_none_reach_no_vendor(bench: Bench, name: str) -> None:
    before = len(bench.played.refiner.requests)
    for arguments in ({}, {"id": "a", "uuid": "b"}):
        try:
            said = bench.call(name, arguments)["error"]
        except ToolError as error:
            said = str(error)
        assert "exactly one of" in said.lower()
    assert len(bench.played.refiner.requests) == before
