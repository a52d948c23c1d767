"""``feedloom plan``: what a sync would ask and bring, before it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from feedloom.cli.options import (
    base_url_option,
    database_option,
    dataset_option,
    json_option,
    progress_option,
    range_options,
    source_argument,
)
from feedloom.cli.output import print_json, print_table
from feedloom.vendors import VENDORS

if TYPE_CHECKING:
    from feedloom.sync.plan import Expected, Plan

_UNITS = {1: "second", 60: "minute", 3600: "hour", 86400: "day"}


@click.command(
    epilog="Examples:\n\n\b\n  feedloom plan refiner\n  feedloom plan refiner --full --json\n"
    "  feedloom plan aptrinsic --only events_custom --start 2026-01-01T00:00:00Z"
)
@source_argument
@range_options
@database_option
@dataset_option
@base_url_option
@json_option
@progress_option
def plan(*, source: str, as_json: bool, quiet: bool, **options: Any) -> None:
    """Say what a sync of SOURCE would ask and bring: windows, requests, rows, time and share of the quota.

    Takes a few requests for one row each, and writes nothing to the database. The next sync tells what it expected.
    """
    from feedloom.cli.progress import make_progress  # noqa: PLC0415 - all that needs dlt is imported on use
    from feedloom.config import past_moment  # noqa: PLC0415 - the same
    from feedloom.sync.jobs import make_job  # noqa: PLC0415 - the same
    from feedloom.sync.plan import make_plan  # noqa: PLC0415 - the same
    from feedloom.sync.warehouse import refuse_demo, work_folder_kept_on_success  # noqa: PLC0415 - the same

    past_moment(options["start"], "start")
    with work_folder_kept_on_success():
        job = make_job(VENDORS[source], **options)
        refuse_demo(job.target)
        job.tally.progress = progress = make_progress(quiet=quiet)
        try:
            made = make_plan(job)
        finally:
            progress.close()
    if as_json:
        print_json(asdict(made))
        return
    _print(made, f"{job.target.to}, {job.target.dataset}")


def _print(plan: Plan, where: str) -> None:
    print_table(
        ["table", "from", "up to", "windows", "rows", "requests", "known by"],
        [_row(table) for table in plan.tables],
    )
    least = "at least " if plan.unknown else ""
    click.echo(
        f"{least}{plan.rows:,} rows in {plan.requests:,} requests, into {len(plan.tables)} tables of {where}; "
        f"the limits allow that in {_duration(plan.least_s)}{_share(plan.quota)}"
    )
    if plan.unknown:
        click.echo(f"  ! not known before they are read: {', '.join(plan.unknown)}")
    for table in plan.tables:
        if table.journalled_bytes:
            click.echo(
                f"  ! {table.table}: {table.journalled_bytes:,} bytes of pages are here from a run that was cut off"
            )
    for table in plan.tables:
        if table.again_from is not None:
            click.echo(f"  ! {table.table}: what lies from {table.again_from:%Y-%m-%d} on is read again, which is due")
    click.echo(f"(asking for this took {plan.asked:,} requests)")


def _row(table: Expected) -> tuple[Any, ...]:
    since = f"{table.since:%Y-%m-%d %H:%M}" if table.since is not None else "the beginning"
    span = (since, f"{table.through:%Y-%m-%d %H:%M}") if table.through is not None else (None, None)
    return (table.table, *span, table.windows, table.rows, table.requests, table.basis)


def _duration(seconds: float) -> str:
    return "under a minute" if seconds < 60 else f"{seconds / 60:,.0f} minutes"  # noqa: PLR2004 - a minute


def _share(quota: Mapping[str, Any]) -> str:
    if not quota:
        return ""
    unit = _UNITS.get(quota["seconds"], f"{quota['seconds']:,} s")
    return f" ({quota['share']:.2%} of {quota['requests']:,} a {unit})"
