"""Help pages, the shapes of errors and the report of a sync, compared with files.

``FEEDLOOM_REWRITE_GOLDEN=1 pytest tests/cli/test_golden.py`` writes the files; their difference is what to review.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from cli.stage import Here, Stage

GOLDEN = Path(__file__).parent / "golden"
REWRITES = bool(os.environ.get("FEEDLOOM_REWRITE_GOLDEN"))
COMMANDS = (
    "",
    "demo",
    "init",
    "check",
    "plan",
    "sync",
    "audit",
    "status",
    "query",
    "lateness",
    "state",
    "state show",
    "state history",
    "state revert",
    "state reset",
    "schema",
    "schema changes",
    "schema questions",
    "loads",
    "loads list",
    "loads show",
    "loads retry",
    "loads drop",
    "trace",
    "replay",
    "journal",
    "journal list",
    "journal show",
    "journal prune",
    "journal calls",
    "tool",
    "tool list",
    "tool show",
    "tool call",
    "mcp",
    "approve",
    "reject",
    "undo",
    "emulator",
    "emulator start",
    "emulator faults",
)
PLACES = {
    r"http://127\.0\.0\.1:\d+": "<address>",
    r"\b\d{8}T\d{6}-[0-9a-f]{4}\b": "<run>",
    r"\b\d+\.\d(?= s;)": "<seconds>",
    r" +\d+\.\d(?=  )": " <seconds>",
    r'(?<="seconds": )[\d.]+': "<seconds>",
    r" +seconds(?=  counts)": " seconds",
}
"""Patterns of what differs from run to run -> what stands in the files."""


def check(name: str, text: str) -> None:
    """Compare *text* with the file called *name*, or write it."""
    for pattern, place in PLACES.items():
        text = re.sub(pattern, place, text)
    file = GOLDEN / name
    if REWRITES:
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command(command: str, bare: Stage, here: Here) -> None:
    ended = here(bare, *command.split(), "--help")

    assert ended.code == 0
    assert ended.errors == ""
    check(f"help-{command.replace(' ', '-') or 'feedloom'}.txt", ended.out)


def test_the_shape_of_an_error(stage: Stage, here: Here) -> None:
    wrong = ("check", "refiner", "--base-url", f"{stage.environment['SOURCES__REFINER_SOURCE__BASE_URL']}/nothing")

    check("error.txt", here(stage, *wrong).errors)
    check("error.json", here(stage, *wrong, "--json").out)


def test_the_report_of_a_sync(stage: Stage, here: Here) -> None:
    tables = ("--only", "forms,responses,account", "--quiet")

    check("sync-first.txt", here(stage, "sync", "refiner", *tables).out)
    check("sync-second.txt", here(stage, "sync", "refiner", *tables).out)
    check("sync.json", here(stage, "sync", "refiner", "--only", "forms", "--json").out)


def test_the_plan_of_a_sync(stage: Stage, here: Here) -> None:
    ended = here(stage, "sync", "refiner", "--dry-run", "--end", "2026-10-01T00:00:00Z")

    check("sync-plan.txt", ended.out)
    assert list(stage.folder.iterdir()) == []


def test_every_golden_file_has_a_command() -> None:
    helps = {f"help-{command.replace(' ', '-') or 'feedloom'}.txt" for command in COMMANDS}
    others = {"error.txt", "error.json", "sync-first.txt", "sync-second.txt", "sync.json", "sync-plan.txt"}
    others |= {"drift-frozen.txt", "drift-taken.txt"}
    others |= {"audit.txt", "audit-mismatch.txt", "audit.json"}

    assert {file.name for file in GOLDEN.iterdir()} == helps | others
