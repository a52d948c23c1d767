"""All tools in their fixed order, which clients keep in their caches."""

from __future__ import annotations

from functools import cache

from feedloom.tools.catalogued import vendor_tools
from feedloom.tools.context import context_tools
from feedloom.tools.metric import metric_tool
from feedloom.tools.registry import Registry
from feedloom.tools.syncing import sync_tools
from feedloom.tools.warehouse import warehouse_tools
from feedloom.tools.writing.specs import change_tools, published_change_tools


@cache
def every_tool() -> Registry:
    """The registry of all tools; those that a surface offers are chosen from it by toolset."""
    return Registry(
        [
            *context_tools(),
            *vendor_tools(),
            *warehouse_tools(),
            metric_tool(),
            *sync_tools(),
            *change_tools(),
            *published_change_tools(),
        ]
    )
