"""A plan in words: for the person who approves of it, and for the caller who may see less."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from feedloom.tools.failures import NEVER, ToolError
from feedloom.tools.privacy import masked, shows_personal
from feedloom.tools.writing.approvals import NEEDED
from feedloom.tools.writing.plans import Plan
from feedloom.tools.writing.values import differences


def as_dict(plan: Plan) -> dict[str, Any]:
    """The plan for its caller: personal values masked as in every result."""
    shown = {
        "plan_id": plan.id,
        "tool": plan.tool,
        "request": plan.request,
        "before": plan.before,
        "after": plan.after,
        "touches": plan.touches,
        "undoes": plan.undoes or None,
        "expires_at": plan.expires_at.isoformat(timespec="seconds"),
    }
    return shown if shows_personal() else {name: masked(value) for name, value in shown.items()}


def as_text(plan: Plan, *, shows_before: bool = True) -> str:
    """The plan for the person who approves: the exact request, what changes, who is touched.

    Every value stands as JSON, and what cannot be printed as an escape, so that no text that a stranger wrote can move
    the cursor or hide a line. Without *shows_before*, personal values that stood there before are masked; the request
    stays as it will be sent.
    """
    before = plan.before if shows_before or shows_personal() else masked(plan.before)
    lines = [
        f"plan     {plan.id}" + (f", takes back {plan.undoes}" if plan.undoes else ""),
        f"tool     {plan.tool}",
        f"sends    {plan.request['method']} {plan.request['path']}",
    ]
    if "body" in plan.request:
        lines.append(f"         {_json(plan.request['body'])}")
    lines += [f"touches  {line}" for line in plan.touches]
    lines += [f"changes  {line}" for line in _changes(before, plan)]
    lines.append(f"expires  {plan.expires_at:%Y-%m-%d %H:%M:%S} UTC")
    return "\n".join(printable(line) for line in lines)


def printable(text: str) -> str:
    """*text* with escapes for whatever a terminal would obey, or not show."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def approval_needed(plan: Plan, *, why: str = "") -> ToolError:
    """The answer to a call that wrote nothing yet, since nobody approved; *why* the policy did not, where it could."""
    return ToolError(
        NEEDED,
        f"{why}the plan {plan.id} waits for a person's approval, until {plan.expires_at:%H:%M:%S} UTC",
        next_step=f"ask the person to run `feedloom approve {plan.id}` at a terminal, then call change_apply with "
        f"plan_id={plan.id}",
        retry=NEVER,
        details={"plan": as_dict(plan), "untrusted": ["plan.before"]},
    )


def _changes(before: Mapping[str, Any], plan: Plan) -> Iterator[str]:
    for path, after, _ in differences(plan.after, plan.before):
        yield f"{path}: {_json(_at(before, path))} -> {_json(after)}"


def _at(state: Mapping[str, Any], path: str) -> Any:
    """The value of *state* at *path*: one of its keys, or a key of a map under one."""
    name, dot, inner = path.partition(".")
    value = state.get(name)
    return value.get(inner) if dot and isinstance(value, dict) else value


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
