"""The tools for other programs: Python functions with real signatures, and JSON Schemas in the usual shapes."""

from __future__ import annotations

import asyncio
import inspect
import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any, Literal, get_type_hints

import jsonschema  # type: ignore[import-untyped]  # it has no types, and is used in one place
import pytest

from feedloom.tools.every import every_tool
from feedloom.tools.failures import ToolError
from feedloom.tools.python import async_callables, callables
from feedloom.tools.schemas import FORMATS, schema_of
from feedloom.tools.workspace import Workspace
from tools.bench import AUTUMN, Bench


def test_every_tool_is_a_function_with_a_true_signature() -> None:
    functions = callables(every_tool())
    assert list(functions) == list(every_tool())
    for name, function in functions.items():
        tool = every_tool()[name]
        parameters = inspect.signature(function).parameters
        assert [*parameters] == [argument.name for argument in tool.arguments]
        assert {one.name for one in parameters.values() if one.default is one.empty} == set(
            tool.input.get("required", ())
        )
        assert get_type_hints(function)["return"] == dict[str, Any]
        assert tool.description.split()[0] in str(inspect.getdoc(function))
    metric = inspect.signature(functions["warehouse_metric"]).parameters
    assert metric["name"].annotation == Literal["nps", "csat", "ces", "response_rate", "counts"]
    assert metric["start"].annotation == datetime | str | None
    assert metric["include"].default == "completed"


def test_a_function_gives_what_the_tool_gives(bench: Bench) -> None:
    tools = callables()
    start, end = datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    assert tools["refiner_get_report"](type="nps", start=start, end=end) == bench.call(
        "refiner_get_report", {"type": "nps", **AUTUMN}
    )
    with pytest.raises(ToolError, match="INPUT"):
        tools["refiner_get_report"](type="npz")

    async def both() -> list[dict[str, Any]]:
        async with Workspace() as workspace:
            shared = async_callables(workspace)
            return await asyncio.gather(*(shared["refiner_get_contact"](id=f"u-{n:06d}") for n in (1, 2)))

    assert [result["item"]["remote_id"] for result in asyncio.run(both())] == ["u-000001", "u-000002"]


def test_every_shape_holds_a_valid_schema() -> None:
    for tool in every_tool().values():
        for shape in FORMATS:
            found = schema_of(tool, shape)
            place = found.get("function", found)
            schema = next((place[key] for key in ("parameters", "input_schema", "inputSchema") if key in place), place)
            jsonschema.Draft202012Validator.check_schema(schema)
            assert schema["additionalProperties"] is False
            assert tool.name in (place.get("name"), place.get("title"))


def test_the_command_prints_schemas(bench: Bench) -> None:
    def printed(*arguments: str) -> Any:
        command = [sys.executable, "-m", "feedloom", "tool", "schema", *arguments]
        done = subprocess.run(command, cwd=bench.folder, capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 - the command under test
        return json.loads(done.stdout)

    assert printed("warehouse_metric", "--format", "json-schema")["required"] == ["name"]
    names = [one["function"]["name"] for one in printed("--format", "openai", "--toolsets", "warehouse")]
    assert "warehouse_metric" in names


def test_surveys_come_with_their_questions(bench: Bench) -> None:
    [form] = [
        item
        for item in bench.call("refiner_list_forms", questions=True, limit=50)["items"]
        if item["name"] == "Quarterly NPS"
    ]
    assert form["questions"][0] == {"id": "nps", "type": "nps", "choices": []}
    assert "config" not in form
    assert "questions" not in bench.call("refiner_list_forms", limit=1)["items"][0]
