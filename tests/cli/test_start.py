"""Starting up: quick, without the heavy libraries, and with the commands and vendors that are there."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Sequence

import pytest

from cli.stage import COMMAND, Stage
from feedloom import __version__
from feedloom.cli.options import vendors_with_emulator, vendors_with_source
from feedloom.emulator import emulated_vendors
from feedloom.sources import SOURCES

HEAVY = ("dlt", "duckdb", "pandas", "pyarrow", "rich", "starlette", "uvicorn", "httpx2")
CPU_LIMIT_S = 0.15


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        *([command, "--help"] for command in ("sync", "audit", "emulator", "query", "init", "demo")),
    ],
)
def test_help_and_version_import_nothing_heavy(arguments: Sequence[str]) -> None:
    program = (
        "import sys\nfrom feedloom.cli.main import run\ntry:\n    run(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)  # noqa: S603 - a fixed program

    assert ended.stderr == "[]\n"
    assert ended.stdout


def test_the_version_is_told_at_once() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run([COMMAND, "--version"], capture_output=True, text=True, check=True)  # noqa: S603 - a fixed command
    after = resource.getrusage(resource.RUSAGE_CHILDREN)

    assert ended.stdout == f"feedloom {__version__}\n"
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < CPU_LIMIT_S


def test_the_vendors_on_offer_are_those_with_a_source_and_those_with_an_emulator() -> None:
    assert vendors_with_source() == list(SOURCES)
    assert sorted(vendors_with_emulator()) == list(emulated_vendors())


def test_without_a_command_the_help_is_shown_as_wrong_use(bare: Stage) -> None:
    ended = bare.run()

    assert ended.code == 2
    assert ended.out == ""
    assert ended.errors.startswith("Usage: feedloom")


def test_a_reader_that_leaves_is_no_failure(loaded: Stage) -> None:
    ended = loaded.run_program(["sh", "-c", f"{COMMAND} query --format csv 'from range(200000)' | head -n 1"])

    assert ended.out == "range\n"
    assert ended.errors == ""


def test_the_shell_can_complete_commands_and_options(bare: Stage) -> None:
    def completed(words: str) -> list[str]:
        environment = {
            "_FEEDLOOM_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
        }
        return [line.partition(",")[2] for line in bare.run(environment=environment).out.splitlines()]

    assert completed("feedloom s") == ["sync", "status", "state", "schema"]
    assert completed("feedloom sync re") == ["refiner"]
    assert "--dry-run" in completed("feedloom sync --d")
