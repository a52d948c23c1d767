"""``feedloom approve``: a person agrees to one plan, or to the policy, at a terminal."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from feedloom.cli.deciding import decides, list_waiting, need_terminal, typed
from feedloom.cli.tool_failure import ToolFailedError
from feedloom.errors import InputError

_POLICY = "policy"


@click.command(epilog="Examples:\n\n\b\n  feedloom approve\n  feedloom approve k7m2q9xt\n  feedloom approve policy")
@click.argument("plan", required=False)
def approve(*, plan: str | None) -> None:
    """Approve the plan PLAN of a tool that writes, after showing it; without PLAN, list those that wait.

    It can then be applied once, until it expires, if what it changes is still as it was. `policy` in place of PLAN
    accepts .dlt/policy.toml as it is now.
    """
    if plan is None:
        list_waiting()
        return
    need_terminal("feedloom approve")
    if plan == _POLICY:
        _accept()
        return
    from feedloom.tools.failures import ToolError  # noqa: PLC0415 - the tools are imported on use
    from feedloom.tools.writing.approvals import approve as note  # noqa: PLC0415 - the same
    from feedloom.tools.writing.approvals import refuse_spent  # noqa: PLC0415 - the same
    from feedloom.tools.writing.plans import load_plan  # noqa: PLC0415 - the same

    try:
        found = load_plan(plan)
        refuse_spent(found, now=datetime.now(UTC))
        if not decides(found, verb="approve it"):
            raise InputError("not approved; nothing was changed", hint="type the plan's id to approve it", code="FL245")
        note(found, "terminal", now=datetime.now(UTC))
    except ToolError as error:
        raise ToolFailedError(error) from error
    click.echo(f"approved; change_apply with plan_id={found.id} applies it")


def _accept() -> None:
    from feedloom.tools.writing.policy import FILE, accept_policy, parse_policy  # noqa: PLC0415 - imported on use
    from feedloom.tools.writing.showing import printable  # noqa: PLC0415 - the same

    if not FILE.exists():
        raise InputError(f"there is no {FILE}", hint="write one, or approve plans one by one", code="FL241")
    content = FILE.read_bytes()
    rules = parse_policy(content)
    for rule in rules:
        allowed = ", ".join(f"{name}: {values!r}" for name, values in rule.values.items())
        click.echo(f"{rule.tool} may set {printable(allowed)}, {rule.per_run} a run and {rule.per_day} a day, unasked")
    if not typed(_POLICY, question=f"Type {_POLICY} to accept {len(rules)} rules"):
        raise InputError("not accepted", hint=f"type {_POLICY} to accept it", code="FL245")
    if FILE.read_bytes() != content:
        raise InputError(f"{FILE} changed meanwhile; it is not accepted", hint="run it again", code="FL245")
    accept_policy()
    click.echo(f"accepted {FILE}")
