"""Takes a change back: a plan of its own, made only while all is still as the change left it."""

from __future__ import annotations

from feedloom.tools.calls import WATCH
from feedloom.tools.failures import NEVER, ToolError
from feedloom.tools.workspace import Workspace
from feedloom.tools.writing.actions import ACTIONS
from feedloom.tools.writing.applying import new_plan
from feedloom.tools.writing.plans import Outcome, Plan, load_outcome, load_plan

UNDO: str = "change_undo"


async def plan_undo(workspace: Workspace, change_id: str) -> Plan:
    """The plan that takes the change *change_id* back.

    Raises ToolError when it was not applied, cannot be taken back, or when what it left has changed since.
    """
    WATCH.get().plan = change_id
    plan = load_plan(change_id)
    outcome = load_outcome(plan)
    if outcome is None or outcome.state != "applied" or outcome.seen is None:
        raise _not_applied(plan, outcome)
    action = ACTIONS[plan.action]
    draft = action.reverse(plan, outcome.seen)
    now = await action.look(workspace.calls, plan.target)
    if now != outcome.seen:
        changed = sorted(name for name in {*now, *outcome.seen} if now.get(name) != outcome.seen.get(name))
        raise ToolError(
            "STATE_CHANGED",
            f"since the change {change_id} was applied, {', '.join(changed)} changed again",
            next_step="look at it, and plan a new change if it is still wanted",
            details={"changed": changed},
        )
    return new_plan(
        workspace, tool=UNDO, arguments={"change_id": change_id}, action=plan.action, draft=draft, undoes=change_id
    )


def _not_applied(plan: Plan, outcome: Outcome | None) -> ToolError:
    state = "was not applied" if outcome is None else f"ended as {outcome.state}"
    if outcome is not None and outcome.state == "applied":
        state = "could not be read back when it was applied"
    return ToolError(
        "NO_UNDO", f"the change {plan.id} {state}", next_step="there is nothing sure to take back", retry=NEVER
    )
