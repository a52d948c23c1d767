"""The tools as plain Python functions with typed arguments, made from the registry.

>>> from feedloom.tools.python import callables
>>> tools = callables()
>>> tools["refiner_get_report"](type="nps")["item"]["data"]["promoters"]  # doctest: +SKIP
20
"""

from __future__ import annotations

import asyncio
import inspect
import textwrap
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from feedloom.catalogue import Argument
from feedloom.tools.choosing import chosen_tools
from feedloom.tools.page import rule
from feedloom.tools.registry import Registry
from feedloom.tools.spec import ToolSpec
from feedloom.tools.workspace import Workspace

Function: TypeAlias = Callable[..., dict[str, Any]]
AsyncFunction: TypeAlias = Callable[..., Awaitable[dict[str, Any]]]

_TYPES: Final[Mapping[str, Any]] = {
    "text": str,
    "integer": int,
    "boolean": bool,
    "moment": datetime | str,
    "texts": list[str],
    "map": dict[str, Any],
}
_WIDTH: Final = 100


def callables(
    registry: Registry | None = None, *, to: str | None = None, query_s: float | None = None
) -> dict[str, Function]:
    """The tools of *registry* by name, those that only read by default, as functions that wait for the result.

    Each takes keyword arguments, moments as aware ``datetime`` or ISO 8601 text, and gives the tool's result as a dict
    of JSON types. *to* is the database, as ``--to`` takes it; *query_s* how long a query of it may take. Inside of a
    running event loop use ``async_callables``. A function raises ToolError for everything that can go wrong.
    """
    chosen = chosen_tools(None) if registry is None else registry

    def bind(tool: ToolSpec) -> Function:
        def function(**given: Any) -> dict[str, Any]:
            workspace = Workspace(to=to) if query_s is None else Workspace(to=to, query_s=query_s)
            return asyncio.run(_opened(chosen, workspace, tool.name, given))

        return function

    return {tool.name: _dressed(bind(tool), tool) for tool in chosen.values()}


def async_callables(workspace: Workspace, registry: Registry | None = None) -> dict[str, AsyncFunction]:
    """The same as coroutine functions that share *workspace*, which has been entered and is the caller's to close."""
    chosen = chosen_tools(None) if registry is None else registry

    def bind(tool: ToolSpec) -> AsyncFunction:
        async def function(**given: Any) -> dict[str, Any]:
            return await chosen.call(workspace, tool.name, _given(given))

        return function

    return {tool.name: _dressed(bind(tool), tool) for tool in chosen.values()}


async def _opened(registry: Registry, workspace: Workspace, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    async with workspace:
        return await registry.call(workspace, name, _given(given))


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """*values* in JSON types, without those that were left at None."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
        if value is not None
    }


def _dressed(function: Any, tool: ToolSpec) -> Any:
    """*function* with the name, the signature, the annotations and the words of *tool*."""
    parameters = [_parameter(argument) for argument in tool.arguments]
    function.__name__ = function.__qualname__ = tool.name
    function.__module__ = __name__
    function.__doc__ = _words(tool)
    function.__signature__ = inspect.Signature(parameters, return_annotation=dict[str, Any])
    function.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": dict[str, Any]}
    return function


def _parameter(argument: Argument) -> inspect.Parameter:
    kind: Any = Literal[argument.enum] if argument.enum else _TYPES[argument.type]
    is_open = not argument.required and argument.default is None
    default = inspect.Parameter.empty if argument.required else argument.default
    annotation = kind | None if is_open else kind
    return inspect.Parameter(
        argument.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )  # fmt: skip


def _words(tool: ToolSpec) -> str:
    lines = textwrap.wrap(tool.description, _WIDTH)
    told = [(argument.name, argument.summary or rule(argument)) for argument in tool.arguments]
    if told:
        lines += ["", "Args:", *(f"    {name}: {words or 'see its type'}." for name, words in told)]
    if tool.exactly_one:
        lines += ["", f"Exactly one of {', '.join(tool.exactly_one)} has to be given."]
    return "\n".join([*lines, "", "Raises:", "    ToolError: The call failed; the message says what to do."])
