"""``feedloom undo``: a person takes one change back."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from feedloom.cli.deciding import decides, list_changes, need_terminal
from feedloom.cli.output import json_text
from feedloom.cli.tool_failure import ToolFailedError
from feedloom.errors import InputError

_FINDINGS = 3


@click.command(epilog="Examples:\n\n\b\n  feedloom undo\n  feedloom undo k7m2q9xt")
@click.argument("change", required=False)
def undo(*, change: str | None) -> int:
    """Set back what CHANGE set, after showing how, and read it back; without CHANGE, list what was changed.

    Works for updates, tags and segments, and only while all is still as the change left it. Needs writes = true under
    [feedloom.tools] in .dlt/config.toml. The exit code is 3 where reading back shows that it did not come about.
    """
    if change is None:
        list_changes()
        return 0
    need_terminal("feedloom undo")
    from feedloom.tools.failures import ToolError  # noqa: PLC0415 - the tools are imported on use

    try:
        result = asyncio.run(_undo(change))
    except ToolError as error:
        raise ToolFailedError(error) from error
    click.echo(json_text(result))
    return 0 if result["verification"]["status"] == "verified" else _FINDINGS


async def _undo(change: str) -> dict[str, Any]:
    """The result of the undoing, which goes through the tools as any other call."""
    from feedloom.tools.every import every_tool  # noqa: PLC0415 - the tools are imported on use
    from feedloom.tools.failures import ToolError  # noqa: PLC0415 - the same
    from feedloom.tools.workspace import Workspace  # noqa: PLC0415 - the same
    from feedloom.tools.writing.approvals import NEEDED, approve, reject  # noqa: PLC0415 - the same
    from feedloom.tools.writing.plans import load_plan  # noqa: PLC0415 - the same

    async with Workspace(writes=True) as workspace:
        try:
            return await every_tool().call(workspace, "change_undo", {"change_id": change})
        except ToolError as error:
            if error.code != NEEDED:
                raise
            plan = load_plan(error.details["plan"]["plan_id"])
        if not decides(plan, verb="undo it"):
            reject(plan, now=workspace.now())
            raise InputError("not undone; nothing was changed", hint="type the plan's id to go on", code="FL245")
        approve(plan, "terminal", now=workspace.now())
        return await every_tool().call(workspace, "change_apply", {"plan_id": plan.id})
