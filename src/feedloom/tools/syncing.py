"""The tools around the sync, which runs as the command does: in a process of its own, stopped as Ctrl-C would."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from feedloom.catalogue import Argument
from feedloom.tools.context import SOURCE
from feedloom.tools.failures import NEVER, WITH_CHANGES, ToolError, after
from feedloom.tools.outputs import output
from feedloom.tools.spec import Budget, Result, ToolSpec
from feedloom.tools.verification import Verification
from feedloom.tools.workspace import Workspace
from feedloom.vendors import VENDORS

_ITEMS: Final = {"type": "array", "items": {"type": "object"}}
_LONGEST_S: Final = 3600.0
_STOP_S: Final = 20.0
_CODES: Final = {2: "INPUT", 4: "CREDENTIAL", 5: "UNAVAILABLE", 6: "WAREHOUSE"}
"""Exit codes of the command that say what went wrong."""

_OWN_WORDS: Final = frozenset({2, 4, 6})
"""Those whose texts quote no vendor."""


def sync_tools() -> Iterator[ToolSpec]:
    """The tools of the toolset ``sync``."""
    yield ToolSpec(
        name="sync_status",
        toolset="sync",
        effect="local",
        title="Sync status",
        description="Tables of one source: rows, last load and newest row.",
        arguments=(SOURCE,),
        output=output({"tables": _ITEMS, "truncated": {"type": "boolean"}}),
        handler=_status,
    )
    yield ToolSpec(
        name="sync_run",
        toolset="sync",
        effect="load",
        title="Sync",
        description="Loads what is new from a source into the database here, never the other way, and compares counts. "
        "dry_run=true, the default, only says what would be read. A stopped run keeps its pages; the next goes on.",
        arguments=(
            SOURCE,
            Argument(name="tables", type="texts", summary="Only these"),
            Argument(name="dry_run", type="boolean", default=True),
        ),
        output=output({"dry_run": {"type": "boolean"}, "tables": _ITEMS, "truncated": {"type": "boolean"}}),
        handler=_run,
        budget=Budget(deadline_s=_LONGEST_S),
    )


async def _status(workspace: Workspace, given: Mapping[str, Any], verification: Verification) -> Result:
    tables = await asyncio.to_thread(_states, workspace.to, given["source"])
    verification.checks.append("snapshot")
    return Result(body={"tables": tables}, items="tables", is_masked=True, verification=verification)


def _states(to: str | None, source: str) -> list[dict[str, Any]]:
    from feedloom.sync.status import table_states  # noqa: PLC0415 - dlt and duckdb are imported on use
    from feedloom.sync.warehouse import choose_target  # noqa: PLC0415 - the same
    from feedloom.tools.snapshot import take_snapshot  # noqa: PLC0415 - the same

    target = choose_target(VENDORS[source], to, None)
    states = table_states(f"duckdb:{take_snapshot(target).file}")
    return [row for row in states if row["dataset"] == target.dataset]


async def _run(workspace: Workspace, given: Mapping[str, Any], verification: Verification) -> Result:
    arguments = [given["source"], "--json", "--quiet"]
    arguments += ["--only", ",".join(given["tables"])] if given.get("tables") else []
    arguments += ["--to", workspace.to] if workspace.to else []
    arguments += ["--dry-run"] if given["dry_run"] else []
    document, code = await _command("sync", *arguments)
    if "error" in document:
        raise _failed(document["error"], code)
    if not given["dry_run"]:
        _check_end(code, verification)
    tables = document["plan"] if given["dry_run"] else document["tables"]
    return Result(
        body={"dry_run": given["dry_run"], "tables": tables},
        items="tables",
        cut_hint="name fewer tables",
        is_masked=True,
        verification=verification,
    )


def _check_end(code: int, verification: Verification) -> None:
    """Note what the exit code of a sync says of its counts."""
    match code:
        case 0:
            verification.checks.append("counts")
        case 3:
            verification.doubt("counts: some differ from the source's")
        case _:
            verification.doubt(f"the sync ended with exit code {code}")


async def _command(*arguments: str) -> tuple[dict[str, Any], int]:
    """The JSON that a command of feedloom prints, and its exit code; it is stopped when the call is."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "feedloom",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        out, _ = await process.communicate()
    except asyncio.CancelledError:
        await _stop(process)
        raise
    try:
        document = orjson.loads(out)
    except orjson.JSONDecodeError:
        document = {"error": {"message": "the sync ended without a report", "help": "run `feedloom sync` by hand"}}
    return document, process.returncode or 0


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End *process* after the page at hand, and at once when that takes too long."""
    process.send_signal(signal.SIGINT)
    try:
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()


def _failed(error: Mapping[str, Any], code: int) -> ToolError:
    code_name = _CODES.get(code, "FAILED")
    retry = NEVER if code_name == "CREDENTIAL" else WITH_CHANGES
    is_ours = code in _OWN_WORDS
    return ToolError(
        code_name,
        str(error.get("message")) if is_ours else f"the sync failed ({error.get('code', 'no code')})",
        undone="What was loaded before is kept.",
        next_step=str(error.get("help")),
        retry=after(error.get("retry_after_s")) if error.get("retryable") else retry,
    )
