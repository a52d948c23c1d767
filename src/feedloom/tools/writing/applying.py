"""Applies a plan once: looks again, uses the approval up, sends, and reads back what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, Final

from feedloom.catalogue import Vendor
from feedloom.config import WORK_FOLDER
from feedloom.errors import FeedloomError
from feedloom.http import Answer
from feedloom.http.encode import encode
from feedloom.tools.calls import WATCH
from feedloom.tools.failures import NEVER, UNKNOWN_OUTCOME, WITH_CHANGES, ToolError, explained
from feedloom.tools.vault import corner, locked
from feedloom.tools.verification import Verification
from feedloom.tools.workspace import Workspace
from feedloom.tools.writing.action import Action, Draft, State
from feedloom.tools.writing.actions import ACTIONS
from feedloom.tools.writing.approvals import UNFINISHED, channel_of, refuse_spent, spend, spent_at, uses_since
from feedloom.tools.writing.plans import LIFETIME, Outcome, Plan, load_outcome, new_id, save_outcome, save_plan
from feedloom.tools.writing.policy import Rule
from feedloom.tools.writing.showing import approval_needed
from feedloom.tools.writing.values import differences
from feedloom.vendors import VENDORS

SENDING_S: Final = 45.0
"""How long the request itself may take, retries included; the call has longer, so that reading back has time."""

READ_BACK_S: Final = (0.0, 0.3, 1.0)
"""Pauses before each look at what was written: a vendor may show it late."""


def new_plan(
    workspace: Workspace, *, tool: str, arguments: Mapping[str, Any], action: str, draft: Draft, undoes: str = ""
) -> Plan:
    """The plan that *draft* becomes, kept in the workspace; raises InputError when its request cannot be sent."""
    now = workspace.now()
    plan = Plan(
        id=new_id(),
        tool=tool,
        arguments=dict(arguments),
        vendor=ACTIONS[action].vendor,
        action=action,
        target=draft.target,
        endpoint=draft.endpoint,
        params=draft.params,
        before=draft.before,
        after=draft.after,
        touches=draft.touches,
        undoes=undoes,
        made_at=now,
        expires_at=now + LIFETIME,
    )
    encode(plan.called, plan.params)
    save_plan(plan)
    return plan


async def apply(workspace: Workspace, plan: Plan, verification: Verification) -> tuple[Outcome, Answer | None]:
    """Carry *plan* out, once; the outcome ``applied``, and the vendor's answer where one came.

    A person's approval counts, or a rule of the policy that allows it and is not used up.

    Raises ToolError when it is not approved, expired, used, or made for another state than there is now, when the
    vendor refuses it, and when it cannot be told whether it was carried out.
    """
    action, vendor, watch = ACTIONS[plan.action], VENDORS[plan.vendor], WATCH.get()
    watch.plan = plan.id
    if _is_open(plan, now=workspace.now()):
        return await _settled_late(workspace, plan, verification), None
    refuse_spent(plan, now=workspace.now())
    rules = [rule for rule in workspace.rules if rule.allows(plan)]
    channel = channel_of(plan) or ("policy" if rules else None)
    if channel is None:
        raise approval_needed(plan)
    watch.approval = channel
    await _refuse_changed(workspace, action, plan)
    if channel == "policy":
        _spend_by_policy(workspace, plan, rules)
    else:
        spend(plan, channel, now=workspace.now())
    maybe = Outcome(state="unknown", at=workspace.now(), channel=channel)
    unclear_before = watch.unclear
    answer, failure = None, None
    try:
        workspace.note_sending(plan.tool, plan=plan.id, approval=channel)
        async with asyncio.timeout(SENDING_S):
            answer = await workspace.calls.write(vendor, plan.called, plan.params)
    except (FeedloomError, TimeoutError) as error:
        failure = error
        if isinstance(error, FeedloomError) and watch.unclear == unclear_before:
            save_outcome(plan, replace(maybe, state="failed"))
            raise _refused(error, vendor) from error
    except BaseException:
        save_outcome(plan, maybe)
        raise
    outcome = await _settled(workspace, plan, maybe, verification, failure=failure)
    return outcome, answer


def _spend_by_policy(workspace: Workspace, plan: Plan, rules: Sequence[Rule]) -> None:
    """Use *plan* up on the budget of the first of *rules* that has some left; raises ToolError when none has."""
    now = workspace.now()
    midnight = datetime.combine(now.date(), time(), UTC)
    with locked(corner(Path(WORK_FOLDER).parent) / "policy.lock"):
        for rule in rules:
            used = workspace.uses.get(rule.use, 0)
            if used < rule.per_run and uses_since(rule.use, midnight) < rule.per_day:
                spend(plan, rule.use, now=now)
                workspace.uses[rule.use] = used + 1
                return
    raise approval_needed(plan, why="the budget of the policy is used up, and ")


async def _refuse_changed(workspace: Workspace, action: Action, plan: Plan) -> None:
    """Void *plan* when the state is no longer the one it was made for."""
    now = await action.look(workspace.calls, plan.target)
    if now == plan.before:
        return
    changed = sorted(name for name in {*plan.before, *now} if plan.before.get(name) != now.get(name))
    spend(plan, "void", now=workspace.now())
    save_outcome(plan, Outcome(state="void", at=workspace.now()))
    raise ToolError(
        "STATE_CHANGED",
        f"since the plan {plan.id} was made, {', '.join(changed)} changed, so that it is void",
        next_step="make the plan anew, and have that one approved",
        details={"changed": changed},
    )


async def _settled(
    workspace: Workspace, plan: Plan, maybe: Outcome, verification: Verification, *, failure: BaseException | None
) -> Outcome:
    """What became of *plan* after its request left, told by reading; raises ToolError when that cannot tell."""
    action = ACTIONS[plan.action]
    save_outcome(plan, maybe)
    seen, missing = await _read_back(workspace, action, plan, is_sure=failure is None)
    if seen is not None and action.shows(seen) and not missing:
        if failure is not None:
            verification.heal("outcome")
        verification.checks.append("read back")
        verification.status = "verified"
    elif failure is not None:
        raise _unknown(plan, seen, maybe.at)
    elif seen is None:
        verification.doubt("read back: the vendor could not be read")
    elif not action.shows(seen):
        verification.checks.append("the vendor said so; it shows nothing to read back")
        verification.status = "acknowledged"
    else:
        for line in missing:
            verification.doubt(f"read back: {line}")
    outcome = replace(maybe, state="applied", seen=seen, verification=verification.as_dict(), at=workspace.now())
    save_outcome(plan, outcome)
    return outcome


async def _read_back(
    workspace: Workspace, action: Action, plan: Plan, *, is_sure: bool
) -> tuple[State | None, list[str]]:
    """The state after the request, and where it is not what was asked for; asked again while it may still come."""
    seen: State | None = None
    missing: list[str] = []
    if not action.is_readable and not is_sure:
        return None, missing
    for pause_s in READ_BACK_S:
        await asyncio.sleep(pause_s)
        try:
            seen = await action.look(workspace.calls, plan.target)
        except (FeedloomError, ToolError):
            continue
        missing = [f"{path} is not as written" for path, _, _ in differences(plan.after, seen)]
        if not missing or not action.shows(seen):
            break
    return seen, missing


def _is_open(plan: Plan, *, now: datetime) -> bool:
    """Whether *plan* was sent, or was about to be, and nobody knows what became of it, nor is finding out."""
    begun, outcome = spent_at(plan), load_outcome(plan)
    is_unknown = outcome is None or outcome.state == "unknown"
    return begun is not None and is_unknown and now - begun > UNFINISHED


async def _settled_late(workspace: Workspace, plan: Plan, verification: Verification) -> Outcome:
    """What became of a plan that was left open, told by reading; raises ToolError when that cannot tell."""
    begun = spent_at(plan) or workspace.now()
    maybe = Outcome(state="unknown", at=begun, channel=channel_of(plan) or "policy")
    return await _settled(workspace, plan, maybe, verification, failure=TimeoutError())


def _refused(error: FeedloomError, vendor: Vendor) -> ToolError:
    """The error for a request that was refused each time it was sent, or never left."""
    said = explained(error, vendor)
    return ToolError(
        said.code,
        said.happened,
        undone="Nothing was changed, and the approval is used up.",
        next_step=said.next_step,
        retry=WITH_CHANGES,
    )


def _unknown(plan: Plan, seen: State | None, at: datetime) -> ToolError:
    if seen is None:
        read = "it cannot be read back"
    else:
        read = "what is read is as before" if seen == plan.before else "what is read is neither as before nor as asked"
    return ToolError(
        UNKNOWN_OUTCOME,
        f"no clear answer came to the request of {at:%H:%M:%S} UTC, and {read}",
        undone="It may or may not have been carried out; it was not repeated.",
        next_step="look at the vendor before you plan it again; it may still come into effect",
        retry=NEVER,
        details={"change_id": plan.id},
    )
