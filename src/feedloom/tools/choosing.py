"""Which tools a surface offers, as the command line names them."""

from __future__ import annotations

from feedloom.tools.every import every_tool
from feedloom.tools.registry import DEFAULT_TOOLSETS, Registry

EVERYTHING = "all"


def chosen_tools(toolsets: str | None) -> Registry:
    """The tools of *toolsets*, names joined by commas; those that only read for None, all for ``all``.

    Raises InputError for a toolset that does not exist.
    """
    registry = every_tool()
    if toolsets is None:
        return registry.chosen(DEFAULT_TOOLSETS)
    names = [name.strip() for name in toolsets.split(",")]
    return registry if names == [EVERYTHING] else registry.chosen(names)
