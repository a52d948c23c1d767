"""``feedloom journal``: what runs keep of the pages they read, and what tools were called."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from feedloom.cli.group import Commands
from feedloom.cli.options import json_option
from feedloom.cli.output import print_json, print_table

_FINDINGS = 3


@click.group(cls=Commands)
def journal() -> None:
    """List, show and forget what runs keep of the pages they read, and list the calls of tools.

    Every sync keeps its pages under .feedloom, for 14 days and at most 2,000 MB a database, unless journal_days and
    journal_mb under [feedloom] in .dlt/config.toml say otherwise. `feedloom replay` loads them once more, and
    `feedloom trace` finds a row in them.
    """


@journal.command(name="list", epilog="Examples:\n\n\b\n  feedloom journal list")
@json_option
def list_runs(*, as_json: bool) -> None:
    """List the runs that are kept, oldest first."""
    from feedloom.sync.journals import run_row, shelves  # noqa: PLC0415 - dlt is imported on use

    rows = sorted((run_row(run) for shelf in shelves() for run in shelf.runs), key=lambda row: str(row["run"]))
    if as_json:
        print_json({"runs": rows})
        return
    print_table(
        ["run", "source", "database", "dataset", "tables", "MB", "state"],
        [
            (row["run"], row["source"], row["to"], row["dataset"], row["tables"], row["bytes"] / 1e6, row["state"])
            for row in rows
        ],
    )
    if not rows:
        click.echo("nothing is kept here; each sync keeps what it reads", err=True)


@journal.command(epilog="Examples:\n\n\b\n  feedloom journal show 20261122T010203-ab12")
@click.argument("run")
@json_option
def show(*, run: str, as_json: bool) -> None:
    """Show what RUN read, in its order: tables, lists, pages, and the loads that took them.

    The beginning of its name is enough.
    """
    from feedloom.sync.journals import find_run, reading_row, run_row  # noqa: PLC0415 - dlt is imported on use

    _, found = find_run(run)
    rows = [reading_row(reading) for reading in found.readings]
    if as_json:
        print_json({**run_row(found), "readings": rows})
        return
    print_table(
        ["table", "lists", "pages", "MB", "from", "to", "loads", "state"],
        [
            (
                row["table"],
                row["lists"],
                row["pages"],
                row["bytes"] / 1e6,
                _second(row["since"]),
                _second(row["until"]),
                ", ".join(row["loads"]) or None,
                row["state"],
            )
            for row in rows
        ],
    )


@journal.command(
    epilog="Examples:\n\n\b\n  feedloom journal prune --days 3 --dry-run\n  feedloom journal prune --mb 500"
)
@click.option("--days", type=click.IntRange(min=0), help="Keep the latest days.  [default: journal_days, else 14]")
@click.option(
    "--mb", "megabytes", type=click.IntRange(min=0), help="Keep at most so much.  [default: journal_mb, else 2000]"
)
@click.option("--dry-run", is_flag=True, help="Say what would go; remove nothing.")
@json_option
def prune(*, days: int | None, megabytes: int | None, dry_run: bool, as_json: bool) -> None:
    """Forget loaded runs, oldest first; 0 of either keeps none. What is still to be loaded stays.

    Rows of a run that is forgotten can be neither traced nor replayed any more; the database keeps them.
    """
    from feedloom.sync.journals import prune as prune_runs  # noqa: PLC0415 - dlt is imported on use

    gone: list[str] = []
    freed = prune_runs(days=days, megabytes=megabytes, dry_run=dry_run, on_run=lambda run: gone.append(run.name))
    if as_json:
        print_json({"runs": gone, "bytes": freed, "dry_run": dry_run})
        return
    for name in gone:
        click.echo(name)
    said = "would be forgotten" if dry_run else "forgotten"
    click.echo(f"{len(gone)} runs {said}, {freed / 1e6:,.1f} MB")


@journal.command(
    epilog="Examples:\n\n\b\n  feedloom journal calls\n  feedloom journal calls --last 1000 --json --verify"
)
@click.option("--last", type=click.IntRange(min=1), default=20, show_default=True, help="How many, the latest.")
@click.option("--verify", is_flag=True, help="Check that no line was altered, removed or put in between.")
@json_option
def calls(*, last: int, verify: bool, as_json: bool) -> int:
    """List the calls of tools in this folder: when, what, how approved, and how they ended.

    Arguments that name a person stand as pseudonyms that only this user's key makes. With --verify, the exit code is 3
    where the chain is broken.
    """
    from collections import deque  # noqa: PLC0415 - beside what it is used with
    from pathlib import Path  # noqa: PLC0415 - the same

    from feedloom.config import WORK_FOLDER  # noqa: PLC0415 - the same
    from feedloom.tools.call_journal import CallJournal  # noqa: PLC0415 - the tools are imported on use

    kept = CallJournal(Path(WORK_FOLDER))
    entries = list(deque(kept.entries(), maxlen=last))
    verdict = kept.check() if verify else None
    if as_json:
        found = {} if verdict is None else {"chain": {**asdict(verdict), "whole": not verdict.broken}}
        print_json({"calls": entries, **found})
    else:
        print_table(
            ["call", "at", "tool", "plan", "approval", "outcome", "status"],
            [
                (
                    str(one["n"]),
                    one["at"][:19],
                    *(one.get(key) for key in ("tool", "plan", "approval", "outcome", "status")),
                )
                for one in entries
            ],
        )
    if verdict is None:
        return 0
    if not as_json:
        said = f"the chain is broken: {verdict.broken}" if verdict.broken else "every line is as it was written"
        click.echo(f"{said}; {verdict.calls:,} lines from call {verdict.first:,}")
    return _FINDINGS if verdict.broken else 0


def _second(moment: Any) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S")
