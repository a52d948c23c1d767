"""Asks the person, in the dialog of the client, whether a plan may be applied; in both eras of the protocol.

The model has no part in it: the question goes to the client, and its answer is signed here with a key that no tool can
read. A client that declares no dialogs gets the plan's id, for a person to approve at a terminal.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import mcp_types as types
from mcp.shared.exceptions import NoBackChannelError
from mcp_types.version import is_version_at_least

from feedloom.tools.failures import ToolError
from feedloom.tools.workspace import Workspace
from feedloom.tools.writing.approvals import NEEDED, approve, reject
from feedloom.tools.writing.plans import Plan, load_plan
from feedloom.tools.writing.showing import as_text
from feedloom.tools.writing.specs import RESUMED

_ASKED: Final = "approve"
_RETRIES_FROM: Final = "2026-07-28"
"""The version of the protocol from which a client repeats the call with the answer, and takes no questions in between.
Source: specification of that version, changelog."""

_FORM: Final[types.ElicitRequestedSchema] = {
    "type": "object",
    "properties": {_ASKED: {"type": "boolean", "title": "Apply exactly this", "default": False}},
    "required": [_ASKED],
}


async def with_approval(
    context: Any,
    params: types.CallToolRequestParams,
    call: Callable[[], Awaitable[types.CallToolResult]],
) -> types.CallToolResult | types.InputRequiredResult:
    """The result of *call*; where it comes back for want of an approval and the client has dialogs, after asking."""
    workspace: Workspace = context.lifespan_context
    answer = (params.input_responses or {}).get(_ASKED)
    if params.request_state and isinstance(answer, types.ElicitResult):
        return await _resumed(workspace, params.request_state, answer, call)
    result = await call()
    plan = _waiting(result)
    if plan is None or not _has_dialogs(context):
        return result
    if is_version_at_least(context.protocol_version, _RETRIES_FROM):
        question = types.ElicitRequest(
            params=types.ElicitRequestFormParams(message=_question(plan), requested_schema=_FORM)
        )
        return types.InputRequiredResult(input_requests={_ASKED: question}, request_state=plan.id)
    try:
        answer = await context.session.elicit_form(_question(plan), _FORM, context.request_id)
    except NoBackChannelError:
        return result
    return await _resumed(workspace, plan.id, answer, call)


async def _resumed(
    workspace: Workspace, plan_id: str, answer: types.ElicitResult, call: Callable[[], Awaitable[types.CallToolResult]]
) -> types.CallToolResult:
    """The result of *call* once more, for the plan that the person was asked about; it says what the answer led to."""
    with suppress(ToolError):
        _note(load_plan(plan_id), answer, workspace)
    token = RESUMED.set(plan_id)
    try:
        return await call()
    finally:
        RESUMED.reset(token)


def _note(plan: Plan, answer: types.ElicitResult, workspace: Workspace) -> None:
    """Keep the answer; a dialog that was only closed leaves the plan waiting. Raises ToolError when it is past that."""
    if answer.action == "accept" and _says_yes(answer):
        approve(plan, "dialog", now=workspace.now())
    elif answer.action != "cancel":
        reject(plan, now=workspace.now())


def _says_yes(answer: types.ElicitResult) -> bool:
    return answer.content is not None and answer.content.get(_ASKED) is True


def _question(plan: Plan) -> str:
    return f"Apply this change?\n\n{as_text(plan, shows_before=False)}"


def _waiting(result: types.CallToolResult) -> Plan | None:
    """The plan that *result* says waits for an approval; None for any other result."""
    content = result.structured_content
    content = content if isinstance(content, dict) else {}
    error = content.get("error")
    if isinstance(error, dict) and error.get("code") == NEEDED:
        return load_plan(error["details"]["plan"]["plan_id"])
    return load_plan(content["plan_id"]) if "plan_id" in content else None


def _has_dialogs(context: Any) -> bool:
    """Whether the client shows forms; a bare ``elicitation: {}`` counts, as it did before there were kinds of them."""
    capabilities = context.session.client_capabilities
    elicitation = capabilities.elicitation if capabilities is not None else None
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)
