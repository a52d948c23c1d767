"""Shows what a sync did, to people and programs."""

from __future__ import annotations

import sys
from typing import Any

import click

from feedloom.cli.drift import drift_notes
from feedloom.cli.failures import as_dict, as_text
from feedloom.cli.output import print_table
from feedloom.cli.terminal import shows_colours
from feedloom.columnar import DELETED_AT
from feedloom.sync.report import Report, TableReport


def print_report(report: Report) -> None:
    """A line a table, the sums, and what a person should know, on stdout; why tables failed, on stderr."""
    print_table(
        ["table", "rows", "new", "changed", "requests", "seconds", "counts"],
        [
            (row.table, row.rows, row.new, row.changed, row.requests, row.seconds, _verdict(row))
            for row in report.tables
        ],
    )
    gone = f", {report.gone:,} gone" if report.gone else ""
    click.echo(
        f"{report.new:,} new, {report.changed:,} changed{gone} in {len(report.tables)} tables; "
        f"{report.requests:,} requests, {report.seconds:.1f} s; {report.destination}, {report.dataset}"
    )
    if report.expected_requests is not None and report.expected_rows is not None:
        read = sum(row.read for row in report.tables)
        click.echo(
            f"planned: {report.expected_rows:,} rows in {report.expected_requests:,} requests; "
            f"came: {read:,} in {report.requests:,}"
        )
    of_tables = [f"{row.table}: {note}" for row in report.tables for note in _notes(row, report.source)]
    for remark in [*report.notes, *of_tables, *report.findings]:
        click.echo(f"  ! {remark}")
    for row in report.tables:
        if row.error is not None:
            click.echo(as_text(row.error, coloured=shows_colours(sys.stderr)), err=True, color=True)


def report_as_dict(report: Report) -> dict[str, Any]:
    """The report for a program; ``error`` is the first of a table, where one failed."""
    failed = {"error": as_dict(report.failure)} if report.failure is not None else {}
    return {**report.as_dict(), **failed}


def _verdict(row: TableReport) -> str:
    if row.history:
        return "one row a run"
    if row.source_rows is None:
        return str(row.verdict)
    if row.verdict == "matches":
        return f"matches the source ({row.source_rows:,})"
    return f"{row.verdict}: {row.source_rows:,} there, {row.rows_checked:,} here"


def _notes(row: TableReport, source: str) -> list[str]:
    past_cap = f"{row.keys_past_cap:,} keys past the cap of columns are in feedloom_more_keys"
    done = f"marked in {DELETED_AT}" if row.deletes == "soft" else "removed here"
    gone = "1 row is" if row.gone == 1 else f"{row.gone:,} rows are"
    back = "1 row that was" if row.returned == 1 else f"{row.returned:,} rows that were"
    return [
        *row.notes,
        *([f"{gone} gone at the source, and {done}."] if row.gone else []),
        *([f"{back} marked as gone came back."] if row.returned else []),
        *([past_cap] if row.keys_past_cap else []),
        *drift_notes(row, source),
    ]
