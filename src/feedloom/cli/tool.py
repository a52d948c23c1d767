"""``feedloom tool``: list, show and call the tools that agents get."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from feedloom.cli.group import Commands
from feedloom.cli.options import database_option, json_option
from feedloom.cli.output import print_json, print_table
from feedloom.cli.tool_failure import ToolFailedError
from feedloom.errors import InputError

if TYPE_CHECKING:
    from feedloom.tools.registry import Registry
    from feedloom.tools.schemas import Format
    from feedloom.tools.spec import ToolSpec

_FINDINGS = 3


@click.group(cls=Commands)
def tool() -> None:
    """List, show and call the tools that agents get."""


@tool.command("list", epilog="Examples:\n\n\b\n  feedloom tool list\n  feedloom tool list --json")
@json_option
def list_(*, as_json: bool) -> None:
    """List every tool: its toolset, what a call does, and its title."""
    from feedloom.tools.every import every_tool  # noqa: PLC0415 - the tools are imported on use
    from feedloom.tools.registry import DEFAULT_TOOLSETS  # noqa: PLC0415 - the same

    tools = every_tool().values()
    if as_json:
        print_json({"tools": [one.as_dict() for one in tools], "default_toolsets": list(DEFAULT_TOOLSETS)})
        return
    print_table(["tool", "toolset", "effect", "title"], [(t.name, t.toolset, t.effect, t.title) for t in tools])


@tool.command(epilog="Examples:\n\n\b\n  feedloom tool show refiner_list_responses")
@click.argument("name")
@json_option
def show(*, name: str, as_json: bool) -> None:
    """Show what the tool NAME takes, gives and does."""
    from feedloom.tools.every import every_tool  # noqa: PLC0415 - the tools are imported on use
    from feedloom.tools.page import rule  # noqa: PLC0415 - the same

    found = every_tool().tool(name)
    if as_json:
        print_json(found.as_dict())
        return
    click.echo(f"{found.name}  ({found.title}; toolset {found.toolset}, effect {found.effect})\n{found.description}\n")
    rows = [(one.name, one.type, rule(one) or None, one.summary or None) for one in found.arguments]
    print_table(["argument", "type", "rule", "meaning"], rows, widest=100)


@tool.command(
    epilog="Examples:\n\n\b\n  feedloom tool schema\n  feedloom tool schema warehouse_metric --format json-schema"
)
@click.argument("name", required=False)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["json-schema", "mcp", "openai", "anthropic"]),
    default="mcp",
    show_default=True,
    help="The shape: a schema by itself, or an entry of the list of tools of that protocol or API.",
)
@click.option("--toolsets", metavar="NAME[,NAME]", help="Which tools, without NAME; `all` takes all.")
def schema(*, name: str | None, format_: Format, toolsets: str | None) -> None:
    """Print the JSON Schema of the tool NAME, or of the usual tools, for other frameworks."""
    from feedloom.tools.choosing import chosen_tools  # noqa: PLC0415 - the tools are imported on use
    from feedloom.tools.every import every_tool  # noqa: PLC0415 - the same
    from feedloom.tools.schemas import schema_of  # noqa: PLC0415 - the same

    if name is not None:
        print_json(schema_of(every_tool().tool(name), format_))
        return
    print_json([schema_of(one, format_) for one in chosen_tools(toolsets).values()])


@tool.command(
    epilog="Examples:\n\n\b\n  feedloom tool call refiner_get_report --arg type=nps\n"
    '  feedloom tool call warehouse_query --arg sql="select count(*) from responses" --json'
)
@click.argument("name")
@click.option("--arg", "given", multiple=True, metavar="NAME=VALUE", help="An argument; again for the items of a list.")
@click.option("--writes", is_flag=True, help="Let a tool that writes make, or apply, its plan.")
@database_option
@json_option
def call(*, name: str, given: tuple[str, ...], writes: bool, to: str | None, as_json: bool) -> int:
    """Call the tool NAME; its result goes to stdout, as JSON.

    The exit code is 3 where a check of the result did not hold, and where a plan waits for its approval.
    """
    from feedloom.cli.output import json_text  # noqa: PLC0415 - beside what it is used with
    from feedloom.tools.choosing import chosen_tools  # noqa: PLC0415 - the tools are imported on use
    from feedloom.tools.failures import ToolError  # noqa: PLC0415 - the same
    from feedloom.tools.selecting import text  # noqa: PLC0415 - the same

    registry = chosen_tools("all", only=name, writes=writes)
    arguments = _arguments(registry.tool(name), given)
    try:
        result = asyncio.run(_call(registry, name, arguments, writes=writes, to=to))
    except ToolError as error:
        raise ToolFailedError(error) from error
    click.echo(text(result) if as_json else json_text(result))
    if result.get("successful") is False:
        return 1
    return 0 if result["verification"]["status"] in ("verified", "acknowledged") else _FINDINGS


async def _call(
    registry: Registry, name: str, arguments: dict[str, Any], *, writes: bool, to: str | None
) -> dict[str, Any]:
    from feedloom.tools.workspace import Workspace  # noqa: PLC0415 - the tools are imported on use

    async with Workspace(to=to, writes=writes) as workspace:
        return await registry.call(workspace, name, arguments)


def _arguments(found: ToolSpec, given: tuple[str, ...]) -> dict[str, Any]:
    """The arguments as the command line gives them, each of the type that the tool wants."""
    from feedloom.tools.arguments import parse  # noqa: PLC0415 - the tools are imported on use

    texts: dict[str, list[str]] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals:
            raise InputError(f"--arg {pair} has no value", hint=f"write --arg {name}=VALUE", code="FL240")
        texts.setdefault(name, []).append(value)
    known = {argument.name: argument for argument in found.arguments}
    return {name: parse(known[name], values) if name in known else values[-1] for name, values in texts.items()}
