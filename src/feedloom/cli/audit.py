"""``feedloom audit``: is what the database holds what the vendor has?"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter, defaultdict
from itertools import islice
from pathlib import Path
from typing import Any

import click

from feedloom.audit.checks import GRAVITY, Audit, Check
from feedloom.cli.failures import as_dict, as_text
from feedloom.cli.options import base_url_option, database_option, json_option, progress_option, source_argument
from feedloom.cli.output import plain, print_json, print_table
from feedloom.cli.sync import FINDINGS
from feedloom.cli.terminal import shows_colours
from feedloom.vendors import VENDORS

_MOST_SHOWN = 20
"""Mismatches written out for people; JSON has all."""

_MOST_REMARKS = 10

_WIDEST = 60


@click.command(
    epilog="Examples:\n\n\b\n  feedloom audit refiner\n  feedloom audit refiner --only responses --sample 500\n"
    "  feedloom audit aptrinsic --only users,accounts --json"
)
@source_argument
@click.option("--only", metavar="TABLE[,TABLE]", help="Compare these tables only.")
@click.option(
    "--sample",
    type=click.IntRange(min=0),
    default=50,
    show_default=True,
    help="Rows of each table to fetch again one by one.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="With the same one, the same rows are fetched.")
@database_option
@click.option("--dataset", metavar="NAME", help="Where in it.  [default: SOURCE_data]")
@base_url_option
@json_option
@progress_option
def audit(*, source: str, sample: int, seed: int, as_json: bool, quiet: bool, **options: Any) -> int:
    """Compare what the database holds of SOURCE with what SOURCE says, and change nothing.

    Counts of rows, the source's own figures, and a random sample of rows, field by field. Each difference is named:
    late data (the next sync brings it), deleted at source, other counting rule, or mismatch, which ends with exit
    code 3 and comes with the SQL and the request that show it.
    """
    from feedloom.audit.run import run_audit  # noqa: PLC0415 - all that needs dlt is imported on use
    from feedloom.cli.progress import Waits, make_progress  # noqa: PLC0415 - the same
    from feedloom.sync.checks import check_key  # noqa: PLC0415 - the same
    from feedloom.sync.jobs import make_job  # noqa: PLC0415 - the same

    vendor = VENDORS[source]
    with tempfile.TemporaryDirectory(prefix="feedloom-") as scratch:
        job = make_job(vendor, **options, scratch=Path(scratch))
        check_key(vendor, base_url=options["base_url"], observer=Waits())
        progress = make_progress(quiet=quiet)
        job.tally.progress = progress
        try:
            found = run_audit(job, sample=sample, seed=seed)
        finally:
            progress.close()
        if as_json:
            print_json(audit_as_dict(found))
        else:
            print_audit(found)
    if found.errors:
        return found.errors[0][1].exit_code
    return FINDINGS if found.mismatches else 0


def print_audit(found: Audit) -> None:
    """A line for each table and kind of check, then what does not match, on stdout; what failed, on stderr."""
    groups: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for check in found.checks:
        groups[check.table, check.name][check.verdict] += 1
    verdicts = [verdict for verdict in GRAVITY if verdict in found.verdicts]
    print_table(
        ["table", "compared", "checks", *verdicts],
        [
            (table, name, counts.total(), *(counts[verdict] or None for verdict in verdicts))
            for (table, name), counts in groups.items()
        ],
    )
    summed_up = ", ".join(f"{number:,} {verdict}" for verdict, number in found.verdicts.items())
    click.echo(
        f"{len(found.checks):,} checks: {summed_up or 'none'}; {found.requests:,} requests, {found.seconds:.1f} s; "
        f"{found.destination}, {found.dataset}"
    )
    _print_remarks(found)
    for check in islice(found.mismatches, _MOST_SHOWN):
        _print_mismatch(check)
    if (more := len(found.mismatches) - _MOST_SHOWN) > 0:
        click.echo(f"  ... and {more:,} mismatches more; --json has all")
    for table, error in found.errors:
        click.echo(f"{table}: {as_text(error, coloured=shows_colours(sys.stderr))}", err=True, color=True)


def audit_as_dict(found: Audit) -> dict[str, Any]:
    """The audit for a program; ``error`` is the first of a table, where the vendor answered one wrongly."""
    failed = {"error": as_dict(found.errors[0][1])} if found.errors else {}
    return {
        "source": found.source,
        "destination": found.destination,
        "dataset": found.dataset,
        "seed": found.seed,
        "verdicts": found.verdicts,
        "checks": [check.as_dict() for check in found.checks],
        "failed": [table for table, _ in found.errors],
        "requests": found.requests,
        "seconds": found.seconds,
        **failed,
    }


def _print_remarks(found: Audit) -> None:
    """The differences that are explained, the gravest first."""
    explained = [check for check in found.checks if check.verdict not in {"matches", "mismatch"}]
    explained.sort(key=lambda check: -GRAVITY.index(check.verdict))
    for check in islice(explained, _MOST_REMARKS):
        click.echo(f"  {check.verdict}: {_title(check)}: {_sides(check)}{plain(check.why)}")
    if (more := len(explained) - _MOST_REMARKS) > 0:
        click.echo(f"  ... and {more:,} more; --json has all")


def _print_mismatch(check: Check) -> None:
    click.echo(f"  ! mismatch: {_title(check)}: {_sides(check)}{plain(check.why)}")
    if check.query is not None:
        click.echo(f"      here   {plain(check.query())}")
    if check.request is not None:
        click.echo(f"      there  {check.request.text}")


def _title(check: Check) -> str:
    return plain(
        " ".join(text for text in (check.table, check.name, f"({check.subject})" if check.subject else "") if text)
    )


def _sides(check: Check) -> str:
    if check.here is None and check.there is None:
        return ""
    return f"{_side(check.here)} here, {_side(check.there)} there; "


def _side(value: Any) -> str:
    match value:
        case int():
            return f"{value:,}"
        case dict():
            return plain(", ".join(f"{name} {_cut(inner)}" for name, inner in value.items()))
        case _:
            return "nothing" if value is None else plain(_cut(value))


def _cut(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
