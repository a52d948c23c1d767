"""The tools that write, under own and published names: each makes a plan, or applies one that was approved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from functools import partial
from typing import Any, Final

from feedloom.catalogue import Argument, WriteTool
from feedloom.http import Answer
from feedloom.tools.calls import WATCH
from feedloom.tools.failures import NEVER, ToolError
from feedloom.tools.outputs import PUBLISHED_OUTPUT, output
from feedloom.tools.spec import Budget, Result, ToolSpec
from feedloom.tools.verification import Verification
from feedloom.tools.workspace import Workspace
from feedloom.tools.writing.actions import ACTIONS
from feedloom.tools.writing.applying import apply, new_plan
from feedloom.tools.writing.plans import Outcome, Plan, load_plan
from feedloom.tools.writing.undoing import UNDO, plan_undo
from feedloom.vendors.refiner import published_tools, write_tools

RESUMED: ContextVar[str] = ContextVar("feedloom_resumed_plan", default="")
"""The plan that a surface had approved in the middle of a call, and that the repeated call is to apply."""

_OBJECT: Final = {"type": "object"}
_TEXT: Final = {"type": "string"}
_CHANGE_OUTPUT: Final = output({"change_id": _TEXT, "approval": _TEXT, "before": _OBJECT, "after": _OBJECT})
_BUDGET: Final = Budget(deadline_s=120.0)
_STRANGERS: Final = ("before", "after")


def change_tools() -> Iterator[ToolSpec]:
    """Every tool that writes, in order; those under published names last."""
    for tool in write_tools.WRITE_TOOLS:
        yield _spec(tool, "write")
    yield ToolSpec(
        name="change_apply",
        toolset="write",
        effect="write",
        title="Apply a plan",
        description="Applies a plan that a person approved, once, and reads it back.",
        arguments=(Argument(name="plan_id", required=True),),
        output=_CHANGE_OUTPUT,
        handler=_run_apply,
        budget=_BUDGET,
        is_destructive=True,
    )
    yield ToolSpec(
        name=UNDO,
        toolset="write",
        effect="write",
        title="Undo a change",
        description="Plans to set back what a change set, if nothing changed since.",
        arguments=(Argument(name="change_id", required=True),),
        output=_CHANGE_OUTPUT,
        handler=_run_undo,
        budget=_BUDGET,
        is_destructive=True,
    )


def published_change_tools() -> Iterator[ToolSpec]:
    """Those of a published toolkit, with the same guards behind."""
    for tool in published_tools.WRITE_TOOLS:
        yield _spec(tool, "composio")


def _spec(tool: WriteTool, toolset: str) -> ToolSpec:
    return ToolSpec(
        name=tool.name,
        toolset=toolset,
        effect="write",
        title=tool.title,
        description=tool.description,
        arguments=tool.arguments,
        exactly_one=tool.exactly_one,
        output=_CHANGE_OUTPUT if tool.style == "own" else PUBLISHED_OUTPUT,
        handler=partial(_run_write, tool),
        budget=_BUDGET,
        style=tool.style,
        is_destructive=tool.is_destructive,
    )


async def _run_write(
    tool: WriteTool, workspace: Workspace, given: Mapping[str, Any], verification: Verification
) -> Result:
    plan = _resumed(tool.name, given)
    if plan is None:
        draft = await ACTIONS[tool.action].prepare(workspace.calls, given)
        plan = new_plan(workspace, tool=tool.name, arguments=given, action=tool.action, draft=draft)
        verification.checks.append("state before")
    WATCH.get().plan = plan.id
    outcome, answer = await apply(workspace, plan, verification)
    if tool.style == "own":
        return _change(plan, outcome, verification)
    if verification.status == "unverified":
        raise _unlike_asked(plan)
    return Result(body={"data": _published(tool, plan, outcome, answer)}, verification=verification)


async def _run_apply(workspace: Workspace, given: Mapping[str, Any], verification: Verification) -> Result:
    plan = load_plan(given["plan_id"])
    outcome, _ = await apply(workspace, plan, verification)
    return _change(plan, outcome, verification)


async def _run_undo(workspace: Workspace, given: Mapping[str, Any], verification: Verification) -> Result:
    plan = _resumed(UNDO, given)
    if plan is None:
        plan = await plan_undo(workspace, given["change_id"])
        verification.checks.append("state before")
    WATCH.get().plan = plan.id
    outcome, _ = await apply(workspace, plan, verification)
    return _change(plan, outcome, verification)


def _resumed(tool: str, given: Mapping[str, Any]) -> Plan | None:
    """The plan that this call was interrupted for; raises ToolError when it was made for another call."""
    if not RESUMED.get():
        return None
    plan = load_plan(RESUMED.get())
    if (plan.tool, plan.arguments) != (tool, dict(given)):
        raise ToolError(
            "OTHER_ARGUMENTS",
            f"the plan {plan.id} was made for another call than this",
            next_step="make a plan for this one and have it approved",
            retry=NEVER,
        )
    return plan


def _change(plan: Plan, outcome: Outcome, verification: Verification) -> Result:
    after = outcome.seen if outcome.seen is not None else plan.after
    body = {"change_id": plan.id, "approval": outcome.channel, "before": plan.before, "after": after}
    return Result(body=body, strangers=_STRANGERS, verification=verification)


def _unlike_asked(plan: Plan) -> ToolError:
    """The error of an envelope that has no word for "done, but not as asked"."""
    return ToolError(
        "UNVERIFIED",
        f"the vendor said that {plan.id} was carried out, and reading it back does not show it",
        undone="It is not as asked.",
        next_step="read the contact, and tell a person",
        retry=NEVER,
    )


def _published(tool: WriteTool, plan: Plan, outcome: Outcome, answer: Answer | None) -> dict[str, Any]:
    """The vendor's own answer, as far as the published schema knows it; what is known without, where none came."""
    content = answer.content if answer is not None and answer.body.strip() else {}
    seen = outcome.seen or {}
    known = {"message": "ok", "contact_uuid": seen.get("uuid", plan.before.get("uuid"))}
    return {name: content[name] if name in content else known[name] for name in tool.answer}
