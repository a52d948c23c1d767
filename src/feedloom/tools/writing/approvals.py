"""Approvals: proof that a person agreed to exactly one plan.

The proof is a mark over all of the plan (tool, arguments, request, state before, expiry), made with a key that no tool
can read. It serves once: that it was used is noted outside of the folder that tools work in.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias

import orjson

from feedloom.tools.failures import NEVER, ToolError
from feedloom.tools.vault import mark, used_approvals
from feedloom.tools.writing.plans import Outcome, Plan, load_outcome, place, read_marked, save_outcome, write_marked

Channel: TypeAlias = Literal["dialog", "terminal"]
"""Where it was given: in the client's own dialog, or at a terminal."""

NEEDED: Final = "APPROVAL_NEEDED"
_KEPT: Final = timedelta(days=2)
"""How long a use is remembered: longer than any plan lives, and than the day of a policy's budget."""

_USES: Final = {
    "busy": "it is being applied",
    "void": "what it was made for had changed",
    "unknown": "it may have been carried out",
    "failed": "the vendor refused it",
    "applied": "it was applied",
}

UNFINISHED: Final = timedelta(minutes=5)
"""After this long, whoever applied a plan and said nothing of it has died."""


def approve(plan: Plan, channel: Channel, *, now: datetime) -> None:
    """Note that *plan* was approved; raises ToolError when it is past that."""
    refuse_spent(plan, now=now)
    write_marked(place(plan.id) / "approval.json", "approval", _claim(plan, channel))


def reject(plan: Plan, *, now: datetime) -> None:
    """Note that a person said no to *plan*, for good; raises ToolError when it is past that."""
    spend(plan, "rejected", now=now)
    save_outcome(plan, Outcome(state="rejected", at=now))


def channel_of(plan: Plan) -> Channel | None:
    """How *plan* was approved; None while it is not. An approval of anything else counts for nothing."""
    content = read_marked(place(plan.id) / "approval.json", "approval")
    channels: tuple[Channel, ...] = ("dialog", "terminal")
    return next((channel for channel in channels if content == _claim(plan, channel)), None)


def spend(plan: Plan, use: str, *, now: datetime) -> None:
    """Use up *plan*, before anything is sent; raises ToolError when somebody did, or when it has expired."""
    refuse_spent(plan, now=now)
    _forget(now)
    try:
        descriptor = os.open(used_approvals() / plan.id, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise _used(plan) from None
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(orjson.dumps({"use": use, "at": now}))


def spent_at(plan: Plan) -> datetime | None:
    """When *plan* was used up; None when it was not."""
    try:
        return datetime.fromtimestamp((used_approvals() / plan.id).stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def uses_since(use: str, moment: datetime) -> int:
    """How many plans were used up as *use* at or after *moment*."""
    count = 0
    for file in used_approvals().iterdir():
        try:
            found = orjson.loads(file.read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            continue
        count += found["use"] == use and datetime.fromisoformat(found["at"]) >= moment
    return count


def refuse_spent(plan: Plan, *, now: datetime) -> None:
    """Raise ToolError when *plan* can be neither approved nor applied any more."""
    if spent_at(plan) is not None:
        raise _used(plan)
    if now >= plan.expires_at:
        raise ToolError(
            "EXPIRED",
            f"the plan {plan.id} expired at {plan.expires_at:%H:%M:%S} UTC",
            next_step="make it anew and have that one approved",
            retry=NEVER,
        )


def _claim(plan: Plan, channel: Channel) -> dict[str, str]:
    return {"plan": plan.id, "proof": mark(f"approved by {channel}", plan.content), "channel": channel}


def _used(plan: Plan) -> ToolError:
    outcome: Outcome | None = load_outcome(plan)
    state = "busy" if outcome is None else outcome.state
    if state == "rejected":
        return ToolError(
            "DECLINED",
            f"a person declined the plan {plan.id}",
            next_step="do not repeat it; ask the person what they want instead",
            retry=NEVER,
        )
    return ToolError(
        "USED",
        f"the plan {plan.id} was used already: {_USES[state]}",
        undone="Nothing was changed by this call.",
        next_step="make a new plan if the change is still wanted",
        retry=NEVER,
    )


def _forget(now: datetime) -> None:
    for file in used_approvals().iterdir():
        try:
            if now.timestamp() - file.stat().st_mtime > _KEPT.total_seconds():
                file.unlink()
        except FileNotFoundError:
            continue
