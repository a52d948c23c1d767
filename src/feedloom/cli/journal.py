"""``feedloom journal``: what runs keep of the pages they read."""

from __future__ import annotations

from typing import Any

import click

from feedloom.cli.group import Commands
from feedloom.cli.options import json_option
from feedloom.cli.output import print_json, print_table


@click.group(cls=Commands)
def journal() -> None:
    """List, show and forget what runs keep of the pages they read.

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


def _second(moment: Any) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S")
