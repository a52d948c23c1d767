"""What a tool takes, in the shapes in which other frameworks and model APIs want to be told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias, get_args

from feedloom.tools.spec import ToolSpec

Format: TypeAlias = Literal["json-schema", "mcp", "openai", "anthropic"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema_of(tool: ToolSpec, format_: Format) -> dict[str, Any]:
    """*tool* in the shape called *format_*; all shapes hold the same name, description and input schema.

    ``json-schema`` is a schema by itself, ``mcp`` the entry of ``tools/list``, ``openai`` and ``anthropic`` an entry of
    the list ``tools`` of these APIs.
    """
    return _SHAPES[format_](tool)


def listed(tool: ToolSpec) -> dict[str, Any]:
    """*tool* as the Model Context Protocol lists it."""
    return {
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "inputSchema": tool.input,
        "outputSchema": dict(tool.output),
        "annotations": tool.annotations,
    }


def _plain(tool: ToolSpec) -> dict[str, Any]:
    return {"$schema": _DRAFT, "title": tool.name, "description": tool.description, **tool.input}


def _function(tool: ToolSpec) -> dict[str, Any]:
    described = {"name": tool.name, "description": tool.description, "parameters": tool.input}
    return {"type": "function", "function": described}


def _input_schema(tool: ToolSpec) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.input}


_SHAPES: Final[Mapping[Format, Callable[[ToolSpec], dict[str, Any]]]] = {
    "json-schema": _plain,
    "mcp": listed,
    "openai": _function,
    "anthropic": _input_schema,
}
