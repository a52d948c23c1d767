"""How a person decides about a plan: at a terminal, after seeing all of it, by typing its id."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from feedloom.cli.output import print_table
from feedloom.errors import InputError

if TYPE_CHECKING:
    from feedloom.tools.writing.plans import Plan


def need_terminal(command: str) -> None:
    """Raise InputError unless a person sits at a terminal: what a program can type proves nothing."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError(f"{command} works at a terminal only", hint="a person runs it there", code="FL244")


def decides(plan: Plan, *, verb: str) -> bool:
    """Show *plan* whole; whether the person then types its id."""
    from feedloom.tools.writing.showing import as_text  # noqa: PLC0415 - the tools are imported on use

    click.echo(as_text(plan))
    return typed(plan.id, question=f"Type {plan.id} to {verb}")


def typed(word: str, *, question: str) -> bool:
    """Whether the person types *word*."""
    return bool(click.prompt(question, default="", show_default=False).strip() == word)


def list_waiting() -> None:
    """Print the plans that wait for an approval."""
    from datetime import UTC, datetime  # noqa: PLC0415 - beside what it is used with

    from feedloom.tools.writing.approvals import channel_of, spent_at  # noqa: PLC0415 - the tools are imported on use
    from feedloom.tools.writing.plans import all_plans  # noqa: PLC0415 - the same

    now = datetime.now(UTC)
    rows = [
        (plan.id, plan.tool, "; ".join(plan.touches), f"{plan.expires_at:%H:%M:%S}")
        for plan in all_plans()
        if plan.expires_at > now and spent_at(plan) is None and channel_of(plan) is None
    ]
    print_table(["plan", "tool", "touches", "expires"], rows)
    if not rows:
        click.echo("no plan waits for an approval here", err=True)


def list_changes() -> None:
    """Print the changes that were applied, oldest first."""
    from feedloom.tools.writing.plans import all_plans, load_outcome  # noqa: PLC0415 - the tools are imported on use

    outcomes = [(plan, load_outcome(plan)) for plan in all_plans()]
    print_table(
        ["change", "tool", "touches", "state", "approved by", "at"],
        [
            (plan.id, plan.tool, "; ".join(plan.touches), outcome.state, outcome.channel, f"{outcome.at:%m-%d %H:%M}")
            for plan, outcome in outcomes
            if outcome is not None
        ],
    )
