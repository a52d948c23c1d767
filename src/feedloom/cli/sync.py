"""``feedloom sync``: load what is new from a vendor."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import Any

import click

from feedloom.cli.failures import INTERRUPTED, as_dict, as_text
from feedloom.cli.output import print_json, print_table
from feedloom.vendors import VENDORS

FINDINGS = 3


@click.command(
    epilog="Examples:\n\n\b\n  feedloom sync refiner\n  feedloom sync refiner --only responses,contacts\n"
    "  feedloom sync refiner --start 2026-01-01T00:00:00Z --to postgres"
)
@click.argument("source", type=click.Choice(list(VENDORS)))
@click.option("--only", metavar="TABLE[,TABLE]", help="Load these tables only.")
@click.option("--start", metavar="MOMENT", help="First moment wanted, with time zone.")
@click.option("--end", metavar="MOMENT", help="First moment no longer wanted, with time zone.")
@click.option("--full", is_flag=True, help="Read everything again and replace the tables.")
@click.option("--to", metavar="DEST", help="duckdb:<file>, or a dlt destination.  [default: duckdb:feedloom.duckdb]")
@click.option("--dataset", help="Name of the dataset.  [default: refiner_data or aptrinsic_data]")
@click.option("--base-url", metavar="URL", help="Another address of the API.")
@click.option("--dry-run", is_flag=True, help="Say what would be read; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def sync(*, source: str, as_json: bool, quiet: bool, dry_run: bool, **options: Any) -> int:
    """Load what is new from SOURCE into the database, then compare its counts with the vendor's."""
    from feedloom.cli.progress import make_progress  # noqa: PLC0415 - everything that needs dlt is imported on use
    from feedloom.sync.jobs import make_job, plan  # noqa: PLC0415
    from feedloom.sync.report import Report  # noqa: PLC0415
    from feedloom.sync.run import run  # noqa: PLC0415

    job = make_job(VENDORS[source], **options)
    if dry_run:
        planned = plan(job)
        if as_json:
            print_json(planned)
        else:
            print_table(["table", "how", "requests"], [(row["table"], row["how"], row["calls"]) for row in planned])
        return 0
    progress = make_progress(quiet=quiet or as_json)
    job.tally.progress = progress
    _stop_on_interrupt(job)
    try:
        report: Report = run(job)
    finally:
        progress.close()
    if as_json:
        failed = {"error": as_dict(report.failure)} if report.failure is not None else {}
        print_json({**report.as_dict(), **failed})
    else:
        print_report(report)
    if report.interrupted:
        click.echo(
            "interrupted: finished pages are loaded, cursors of unfinished tables did not move; run the command again "
            "to go on",
            err=True,
        )
        return INTERRUPTED
    if report.failure is not None:
        return report.failure.exit_code
    return FINDINGS if report.findings else 0


def _stop_on_interrupt(job: Any) -> None:
    """The first Ctrl-C finishes the page and commits; the second stops at once."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if job.session.stop.is_set():
            raise KeyboardInterrupt
        job.session.stop.set()
        click.echo("stopping after the page at hand; press Ctrl-C again to stop at once", err=True)

    signal.signal(signal.SIGINT, stop)


def print_report(report: Any) -> None:
    """The report for a person."""
    print_table(
        ["table", "rows", "new", "changed", "requests", "seconds", "counts"],
        [
            (row.table, row.rows, row.new, row.changed, row.requests, row.seconds, _verdict(row))
            for row in report.tables
        ],
    )
    click.echo(
        f"{report.new:,} new, {report.changed:,} changed in {len(report.tables)} tables; "
        f"{report.requests:,} requests, {report.seconds:.1f} s; {report.destination}, {report.dataset}"
    )
    for row in report.tables:
        for note in row.notes:
            click.echo(f"  ! {row.table}: {note}")
        if row.keys_past_cap:
            click.echo(f"  ! {row.table}: {row.keys_past_cap:,} keys past the cap of columns are in feedloom_more_keys")
        if row.error is not None:
            click.echo(as_text(row.error), err=True)
    for finding in report.findings:
        click.echo(f"  ! {finding}", file=sys.stderr)


def _verdict(row: Any) -> str:
    if row.history:
        return "one row a run"
    if row.source_rows is None:
        return str(row.verdict)
    if row.verdict == "matches":
        return f"matches the source ({row.source_rows:,})"
    return f"{row.verdict}: {row.source_rows:,} there, {row.rows_checked:,} here"
