"""The page of the reference that lists the tools, made from the registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from feedloom.catalogue import Argument
from feedloom.tools.choosing import WRITE
from feedloom.tools.registry import DEFAULT_TOOLSETS, Registry
from feedloom.tools.spec import Effect, ToolSpec

_EFFECTS: Final[dict[Effect, str]] = {
    "read": "asks the vendor, changes nothing",
    "local": "reads what is here, changes nothing",
    "load": "reads the vendor into the database here",
    "write": "changes something at the vendor",
}
_STYLES: Final = {
    "own": "",
    "published": "`data`, `error`, `successful`, as the published toolkit has it, and `verification`.",
    "published_flat": "Its figures at the top beside `error` and `successful`, as the published toolkit has it.",
}


def tools_page(registry: Registry) -> str:
    """Every tool as Markdown: by toolset, with what it takes, gives and does."""
    blocks = ["# Tools", _introduction(registry)]
    for toolset in registry.toolsets:
        is_default = toolset in DEFAULT_TOOLSETS
        option = "--writes" if toolset == WRITE else "--toolsets"
        blocks.append(f"## {toolset}" + ("" if is_default else f" (only with `{option}`)"))
        for tool in registry.chosen([toolset]).values():
            blocks += _tool(tool)
    return "\n\n".join(blocks) + "\n"


def _introduction(registry: Registry) -> str:
    return (
        f"{len(registry)} tools in {len(registry.toolsets)} sets. `feedloom mcp` serves {', '.join(DEFAULT_TOOLSETS)} "
        "unless told otherwise; `feedloom tool call NAME` calls any of them. Every result tells in `verification` how "
        "sure it is; lists are cut at whole items, and go on with `cursor`. Tools that change something at the vendor "
        "are there only with `--writes`, where `writes = true` stands under `[feedloom.tools]`; a call makes a plan, "
        "and an approved plan is sent once."
    )


def _tool(tool: ToolSpec) -> Iterator[str]:
    yield f'<a id="tool-{tool.name.lower().replace("_", "-")}"></a>\n### `{tool.name}`'
    yield tool.description.replace("|", "\\|").replace("<", "&lt;")
    gives = _STYLES[tool.style] or ", ".join(f"`{name}`" for name in tool.output["properties"])
    most = f"{tool.budget.max_chars:,} characters at most"
    yield f"It {_EFFECTS[tool.effect]}{_approved(tool)}. A result holds {gives.rstrip('.')}; {most}."
    if tool.exactly_one:
        yield f"Exactly one of {', '.join(f'`{name}`' for name in tool.exactly_one)}."
    if tool.arguments:
        rows = "\n".join(_row(argument) for argument in tool.arguments)
        yield f"| Argument | Type | Rule | Meaning |\n| --- | --- | --- | --- |\n{rows}"


def _approved(tool: ToolSpec) -> str:
    return ", after an approval" if tool.effect == "write" else ""


def _row(argument: Argument) -> str:
    return f"| `{argument.name}` | {argument.type} | {rule(argument)} | {argument.summary} |"


def rule(argument: Argument) -> str:
    """What a value has to be beside its type, in a few words; empty for nothing."""
    parts = ["required"] if argument.required else []
    parts += [f"default {str(argument.default).lower()}"] if argument.default is not None else []
    parts += [f"one of {', '.join(argument.enum)}"] if argument.enum else []
    if argument.maximum is not None:
        least = argument.minimum or (1 if argument.type == "texts" else 0)
        parts.append(f"{least:,} to {argument.maximum:,}")
    return "; ".join(parts)
