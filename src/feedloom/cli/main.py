"""The ``feedloom`` command: finds the command asked for, and gives every failure its text and exit code.

Commands are imported when they are called, so that ``--version`` and ``--help`` start at once.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from feedloom import __version__
from feedloom.cli.failures import report_failure, wants_json
from feedloom.cli.group import Commands

_COMMANDS = {
    "demo": "Load invented data of an emulated Refiner into a database here, and show it.",
    "init": "Set up a project here: source, key and database.",
    "check": "Tell whether the key works and the database can be written.",
    "plan": "Say what a sync would ask and bring: requests, rows, time.",
    "sync": "Load what is new from a source into the database.",
    "audit": "Compare the database with the source: counts, figures and sampled rows.",
    "status": "Show each table: its rows, and when it was last loaded.",
    "query": "Run SQL on the database, read-only.",
    "lateness": "Show how late rows arrive, and whether the look-back is enough.",
    "state": "Show how far tables are loaded, and go back to an earlier run.",
    "schema": "Show how fields of tables and questions of surveys changed.",
    "loads": "Show, retry or drop rows that the database refused.",
    "trace": "Tell which request brought a row, and show its bytes.",
    "replay": "Load once more what runs read, without a request.",
    "journal": "List, show and forget what runs keep of the pages they read.",
    "tool": "List, show and call the tools that agents get.",
    "mcp": "Serve the tools to an agent (Model Context Protocol).",
    "approve": "Approve a plan of a tool that writes, at a terminal.",
    "reject": "Reject a plan of a tool that writes.",
    "undo": "Take back a change that a tool made.",
    "emulator": "Play a vendor's API on this machine.",
}


class _LazyCommands(Commands):
    """Commands that are imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(importlib.import_module(f"feedloom.cli.{cmd_name}"), cmd_name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=_LazyCommands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 failed, 2 wrong use, 3 done with findings, 4 key missing or refused, "
    "5 source unreachable or rate-limited, 6 database locked or unwritable, 130 interrupted.",
)
@click.version_option(__version__, "--version", "-V", message="feedloom %(version)s")
@click.option(
    "--debug",
    is_flag=True,
    envvar="FEEDLOOM_DEBUG",
    show_envvar=True,
    expose_value=False,
    help="Show the traceback of an error.",
)
def feedloom() -> None:
    """Load what your users say (Refiner) and do (Gainsight PX) into your own database.

    \b
    feedloom demo                      try it, without a key
    feedloom init                      set up your own
    feedloom sync refiner              load what is new
    feedloom query "select ..."        look at it
    """  # noqa: D301 - \b is click's mark for "do not wrap"


DLT_SETTINGS = {
    "RUNTIME_DLT_SETTINGSHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "CRITICAL",  # what goes wrong is raised too, and told once
    "RUNTIME__INTERCEPT_SIGNALS": "false",  # dlt would drop a Ctrl-C that comes while it writes
}
"""How dlt behaves below the command line, unless the environment says otherwise."""


def run(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    for name, value in DLT_SETTINGS.items():
        os.environ.setdefault(name, value)
    given: list[str] = sys.argv[1:] if arguments is None else arguments
    try:
        code: Any = feedloom.main(given, prog_name="feedloom", standalone_mode=False)
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001 - the outermost edge: everything ends as a text and an exit code
        code = report_failure(error, as_json=wants_json(given), debug=_wants_debug(given))
    sys.exit(code if isinstance(code, int) else 0)


def _wants_debug(arguments: list[str]) -> bool:
    return "--debug" in arguments or os.environ.get("FEEDLOOM_DEBUG", "").lower() not in ("", "0", "false", "no")
