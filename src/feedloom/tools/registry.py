"""The registry: every tool there is, and the one way in which a call of any of them runs.

A call is checked, run within its deadline, masked, cut to the fields asked for and to whole items, and told how sure it
is. Every surface (command line, Model Context Protocol, Python) goes through ``Registry.call``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from feedloom.errors import FeedloomError, InputError
from feedloom.tools.arguments import checked
from feedloom.tools.calls import WATCH, Watch
from feedloom.tools.failures import NEVER, NOTHING_DONE, UNKNOWN_OUTCOME, ToolError, after, explained, unforeseen
from feedloom.tools.privacy import is_personal, masked, shows_personal
from feedloom.tools.selecting import fitting, plain, select, size, too_large
from feedloom.tools.spec import Result, ToolSpec
from feedloom.tools.verification import Verification
from feedloom.tools.workspace import Workspace
from feedloom.vendors import VENDORS

DEFAULT_TOOLSETS: Final = ("context", "refiner", "aptrinsic", "warehouse")
"""All that only read; ``sync`` writes the database here, and ``composio`` doubles ``refiner`` under other names."""

_ROOM_BESIDE: Final = 200
"""Characters kept free for the keys that the cut itself adds."""


class Registry(Mapping[str, ToolSpec]):
    """Tools by name, in a fixed order."""

    def __init__(self, tools: Iterable[ToolSpec]) -> None:
        self._tools = {tool.name: tool for tool in tools}

    def __getitem__(self, name: str) -> ToolSpec:
        return self._tools[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tools)

    def __len__(self) -> int:
        return len(self._tools)

    @property
    def toolsets(self) -> list[str]:
        """The names of the toolsets, in order."""
        return list(dict.fromkeys(tool.toolset for tool in self._tools.values()))

    def chosen(self, toolsets: Sequence[str]) -> Registry:
        """The tools of *toolsets* only; raises InputError for one that does not exist."""
        for name in toolsets:
            if name not in self.toolsets:
                raise _unknown("toolset", name, self.toolsets)
        return Registry(tool for tool in self._tools.values() if tool.toolset in toolsets)

    def tool(self, name: str) -> ToolSpec:
        """The tool called *name*; raises InputError with the nearest name when there is none."""
        if name not in self._tools:
            raise _unknown("tool", name, list(self._tools))
        return self._tools[name]

    async def call(self, workspace: Workspace, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The result of the tool called *name* with the arguments *given*, in JSON types.

        Raises ToolError for everything that can go wrong. A published tool never raises: its envelope tells. Each call
        is kept in the journal of calls, however it ends.
        """
        watch = Watch(deadline_s=time.monotonic(), verification=Verification())
        outcome = "stopped"
        try:
            result = await _run(self._found(name), workspace, given, watch)
            outcome = "done"
        except ToolError as error:
            outcome = error.code
            watch.verification.status = "unknown" if error.code == UNKNOWN_OUTCOME else "unverified"
            error.details.setdefault("verification", watch.verification.as_dict())
            if name in self._tools and self._tools[name].style != "own":
                return _published_failure(self._tools[name], error)
            raise
        else:
            return result
        finally:
            workspace.note_call(name, given, outcome=outcome, watch=watch)

    def _found(self, name: str) -> ToolSpec:
        if name in self._tools:
            return self._tools[name]
        near = get_close_matches(name, self._tools, n=1)
        hint = f"did you mean {near[0]}?" if near else "list the tools to see their names"
        raise ToolError("UNKNOWN_TOOL", f"there is no tool {name[:60]!r}", next_step=hint)


async def _run(tool: ToolSpec, workspace: Workspace, given: Mapping[str, Any], watch: Watch) -> dict[str, Any]:
    """The result as the caller gets it; every failure comes as a ToolError."""
    try:
        _refuse_write(tool, workspace)
        values = checked(tool.arguments, given, exactly_one=tool.exactly_one)
        watch.deadline_s += tool.budget.deadline_s
        token = WATCH.set(watch)
        try:
            async with asyncio.timeout(tool.budget.deadline_s):
                result = await tool.handler(workspace, values, watch.verification)
            return _enveloped(tool, result)
        finally:
            WATCH.reset(token)
    except ToolError:
        raise
    except FeedloomError as error:
        raise explained(error, VENDORS.get(_vendor_of(tool))) from error
    except TimeoutError as error:
        raise ToolError(
            "TIMEOUT",
            f"{tool.name} took longer than {tool.budget.deadline_s:g} s and was stopped",
            undone="What was sent may have been carried out." if tool.effect == "write" else NOTHING_DONE,
            next_step="ask for less: a smaller limit, a shorter range, a simpler query",
            retry=NEVER if tool.effect == "write" else after(None),
        ) from error
    except Exception as error:  # the edge of all tools: what nobody foresaw is classified too
        raise unforeseen(error) from error


def _vendor_of(tool: ToolSpec) -> str:
    return "refiner" if tool.toolset in ("composio", "write") else tool.toolset


def _refuse_write(tool: ToolSpec, workspace: Workspace) -> None:
    """Raise ToolError for a tool that writes where writes are off."""
    if tool.effect != "write" or workspace.writes:
        return
    raise ToolError(
        "WRITES_OFF",
        f"{tool.name} changes something at the vendor, and writes are off",
        next_step="ask a person to set writes = true under [feedloom.tools] and to start with --writes",
        retry=NEVER,
    )


def _enveloped(tool: ToolSpec, result: Result) -> dict[str, Any]:
    """The result as callers get it."""
    shows = result.is_masked or shows_personal()
    body: dict[str, Any] = plain(result.body)
    if tool.style != "own":
        label = _trust([body], result, is_masked=not shows)
        return _published(tool, (body if shows else masked(body)) | label, result)
    if "item" in body:
        item = select(body["item"], result.shown)
        body["item"] = item if shows else masked(item)
        if size(body) > tool.budget.max_chars:
            raise too_large(body["item"], max_chars=tool.budget.max_chars)
        body |= _trust([item], result, is_masked=not shows)
    elif result.items:
        items = [select(row, result.shown) for row in body[result.items]]
        body |= _trust(items, result, is_masked=not shows)
        body[result.items] = items if shows else masked(items)
        _cut(tool, body, result)
    else:
        body |= _trust([body], result, is_masked=not shows)
        body = body if shows else masked(body)
    body["verification"] = result.verification.as_dict()
    return body


def _cut(tool: ToolSpec, body: dict[str, Any], result: Result) -> None:
    """Keep as many whole items as fit, and say how to get the others."""
    items = body[result.items]
    beside = size(body | {result.items: []}) + size(result.verification.as_dict()) + _ROOM_BESIDE
    count = fitting(items, max_chars=tool.budget.max_chars, beside=beside)
    body[result.items] = items[:count]
    is_cut = count < len(items)
    if result.cursor_after is not None:
        body["cursor"] = result.cursor_after(count)
    body["truncated"] = is_cut or bool(body.get("truncated"))
    if is_cut:
        body["hint"] = f"{count} of {len(items)} fit into {tool.budget.max_chars:,} characters: {result.cut_hint}"


def _trust(items: Sequence[Any], result: Result, *, is_masked: bool) -> dict[str, Any]:
    """Which texts strangers may have written, and whether personal values are masked, where it matters."""
    shown = [path for path in result.strangers if any(select(item, [path]) for item in items)]
    hides = is_masked and any(_has_personal(item, "") for item in items)
    return ({"untrusted": shown} if shown else {}) | ({"masked": True} if hides else {})


def _has_personal(value: Any, path: str) -> bool:
    if isinstance(value, dict):
        return any(_has_personal(inner, f"{path}.{name}" if path else name) for name, inner in value.items())
    if isinstance(value, list):
        return any(_has_personal(inner, path) for inner in value)
    return value not in (None, "") and (is_personal(path) or (isinstance(value, str) and masked(value) != value))


def _published(tool: ToolSpec, body: dict[str, Any], result: Result) -> dict[str, Any]:
    enveloped = {**body, "error": None, "successful": True, "verification": result.verification.as_dict()}
    if size(enveloped) > tool.budget.max_chars:
        raise ToolError(
            "TOO_LARGE",
            f"the page is {size(enveloped):,} characters, more than the {tool.budget.max_chars:,} of a result",
            undone="None of it is shown.",
            next_step="ask for a smaller page_length",
        )
    return enveloped


def _published_failure(tool: ToolSpec, error: ToolError) -> dict[str, Any]:
    figures = dict.fromkeys(name for name in tool.output["properties"] if name not in ("data", "error", "successful"))
    empty: dict[str, Any] = {**figures, "data": None} if tool.style == "published_flat" else {"data": {}}
    return {
        **empty,
        "error": str(error),
        "successful": False,
        "retry": error.retry,
        **({"plan_id": error.details["plan"]["plan_id"]} if "plan" in error.details else {}),
        "verification": error.details["verification"],
    }


def _unknown(what: str, name: str, known: Sequence[str]) -> InputError:
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}"
    return InputError(f"there is no {what} {name!r}", hint=hint, code="FL202")
