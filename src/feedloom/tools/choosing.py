"""Which tools a surface offers, as the command line names them."""

from __future__ import annotations

from feedloom.tools.every import every_tool
from feedloom.tools.registry import DEFAULT_TOOLSETS, Registry

EVERYTHING = "all"


def chosen_tools(toolsets: str | None, *, only: str | None = None) -> Registry:
    """The tools of *toolsets*, names joined by commas; those that only read for None, all for ``all``.

    With *only*, names of tools joined by commas, no others of them. Raises InputError for a toolset that does not
    exist, and for a tool that is in none of those chosen.
    """
    registry = every_tool()
    if toolsets is None:
        registry = registry.chosen(DEFAULT_TOOLSETS)
    elif toolsets != EVERYTHING:
        registry = registry.chosen(_names(toolsets))
    return registry if only is None else Registry(registry.tool(name) for name in _names(only))


def _names(joined: str) -> list[str]:
    return [name.strip() for name in joined.split(",")]
