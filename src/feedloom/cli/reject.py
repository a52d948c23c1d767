"""``feedloom reject``: a person says no to one plan."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from feedloom.cli.tool_failure import ToolFailedError


@click.command(epilog="Examples:\n\n\b\n  feedloom reject k7m2q9xt")
@click.argument("plan")
def reject(*, plan: str) -> None:
    """Reject the plan PLAN, approved or not: it can never be applied."""
    from feedloom.tools.failures import ToolError  # noqa: PLC0415 - the tools are imported on use
    from feedloom.tools.writing.approvals import reject as note  # noqa: PLC0415 - the same
    from feedloom.tools.writing.plans import load_plan  # noqa: PLC0415 - the same

    try:
        note(load_plan(plan), now=datetime.now(UTC))
    except ToolError as error:
        raise ToolFailedError(error) from error
    click.echo(f"rejected {plan}")
