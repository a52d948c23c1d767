"""Which tools a surface offers, as the command line names them."""

from __future__ import annotations

from feedloom.errors import InputError
from feedloom.tools.every import every_tool
from feedloom.tools.registry import DEFAULT_TOOLSETS, Registry

EVERYTHING = "all"
WRITE = "write"


def chosen_tools(toolsets: str | None, *, only: str | None = None, writes: bool = False) -> Registry:
    """The tools of *toolsets*, names joined by commas; those that only read for None, all for ``all``.

    Without *writes* there are none that write; with it, those of the toolset ``write`` come with whatever is chosen.
    With *only*, names of tools joined by commas, no others of them. Raises InputError for a toolset that does not
    exist, and for a tool that is in none of those chosen.
    """
    registry = every_tool()
    if toolsets != EVERYTHING:
        names = list(DEFAULT_TOOLSETS) if toolsets is None else _names(toolsets)
        if not writes and WRITE in names:
            raise _writes_off("the toolset write")
        registry = registry.chosen([*names, *([WRITE] if writes else [])])
    if only is None:
        return registry if writes else _readers(registry)
    chosen = Registry(registry.tool(name) for name in _names(only))
    for tool in chosen.values():
        if tool.effect == "write" and not writes:
            raise _writes_off(f"the tool {tool.name}")
    return chosen


def _readers(registry: Registry) -> Registry:
    return Registry(tool for tool in registry.values() if tool.effect != "write")


def _writes_off(what: str) -> InputError:
    return InputError(
        f"{what} changes something at the vendor, and writes are off",
        hint="start with --writes, and put writes = true under [feedloom.tools] in .dlt/config.toml",
        code="FL243",
    )


def _names(joined: str) -> list[str]:
    return [name.strip() for name in joined.split(",")]
