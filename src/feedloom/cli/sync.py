"""``feedloom sync``: load what is new from a vendor."""

from __future__ import annotations

from typing import Any

import click

from feedloom.cli.failures import INTERRUPTED
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
from feedloom.errors import RefusedError
from feedloom.vendors import VENDORS

FINDINGS = 3

_FORBIDDEN = 403
"""The key works, and may not do this: each table tells by itself what that means for it."""


@click.command(
    epilog="Examples:\n\n\b\n  feedloom sync refiner\n  feedloom sync refiner --only responses,contacts\n"
    "  feedloom sync refiner --start 2026-01-01T00:00:00Z --to postgres\n"
    "  feedloom sync refiner --contract responses=freeze"
)
@source_argument
@range_options
@click.option(
    "--contract",
    "contracts",
    metavar="TABLE=CONTRACT",
    multiple=True,
    help="What becomes of new and re-typed fields: evolve, freeze or quarantine; may be repeated.",
)
@click.option(
    "--deletes",
    type=click.Choice(["soft", "hard"]),
    envvar="FEEDLOOM__DELETES",
    show_envvar=True,
    help="Mark rows that are gone at the source, or remove them.  [default: soft]",
)
@click.option("--allow-deletes", is_flag=True, help="Believe also that more than 10 % of a table are gone.")
@database_option
@dataset_option
@base_url_option
@click.option("--dry-run", is_flag=True, help="Say what would be read; ask and write nothing.")
@json_option
@progress_option
def sync(*, source: str, as_json: bool, quiet: bool, dry_run: bool, **options: Any) -> int:
    """Load what is new from SOURCE into the database, then compare its counts with the source's.

    Ctrl-C stops after the page at hand, and keeps what came; the next run goes on from there. The key comes from the
    environment, .dlt/secrets.toml, or wherever else dlt finds settings.
    """
    from feedloom.cli.progress import Waits, make_progress  # noqa: PLC0415 - all that needs dlt is imported on use
    from feedloom.cli.report import print_report, report_as_dict  # noqa: PLC0415 - the same
    from feedloom.cli.running import KEPT, run_until_stopped  # noqa: PLC0415 - the same
    from feedloom.config import past_moment  # noqa: PLC0415 - the same
    from feedloom.sync.checks import check_key, check_target  # noqa: PLC0415 - the same
    from feedloom.sync.jobs import make_job, plan  # noqa: PLC0415 - the same
    from feedloom.sync.lock import refuse_when_locked  # noqa: PLC0415 - the same
    from feedloom.sync.warehouse import refuse_demo, work_folder_kept_on_success  # noqa: PLC0415 - the same

    vendor = VENDORS[source]
    past_moment(options["start"], "start")
    with work_folder_kept_on_success(keep=not dry_run):
        job = make_job(vendor, **options)
        refuse_demo(job.target)
        job.source(job.tables[0], None)  # the source reads its settings, so that a wrong one is refused here
        if dry_run:
            _print_plan(plan(job), as_json=as_json)
            return 0
        refuse_when_locked(job.pipeline)
        check_target(job.target, lambda: job.pipeline)
        try:
            check_key(vendor, base_url=options["base_url"], observer=Waits())
        except RefusedError as error:
            if error.status != _FORBIDDEN:
                raise
    report = run_until_stopped(job, make_progress(quiet=quiet))
    if as_json:
        print_json(report_as_dict(report))
    else:
        print_report(report)
    if report.interrupted:
        click.echo(KEPT, err=True)
        return INTERRUPTED
    if report.failure is not None:
        return report.failure.exit_code
    return FINDINGS if report.findings else 0


def _print_plan(planned: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json({"plan": planned})
        return
    print_table(["table", "how", "requests"], [(row["table"], row["how"], row["calls"]) for row in planned])
