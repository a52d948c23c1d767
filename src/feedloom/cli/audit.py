"""``feedloom audit``: is what the database holds what the vendor has?"""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path
from typing import Any

import click

from feedloom.cli.options import base_url_option, database_option, json_option, progress_option, source_argument
from feedloom.cli.output import print_json
from feedloom.cli.sync import FINDINGS
from feedloom.vendors import VENDORS

_SEEDS = 1_000_000


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
@click.option("--seed", type=int, help="Fetch the same rows as the audit that said this seed.  [default: other rows]")
@database_option
@click.option("--dataset", metavar="NAME", help="Where in it.  [default: SOURCE_data]")
@base_url_option
@json_option
@progress_option
def audit(*, source: str, sample: int, seed: int | None, as_json: bool, quiet: bool, **options: Any) -> int:
    """Compare what the database holds of SOURCE with what SOURCE says, and change nothing.

    Counts of rows, the source's own figures, and a random sample of rows, field by field. Each difference is named:
    late data (the next sync brings it), deleted at source, other counting rule, or mismatch, which ends with exit
    code 3 and comes with the SQL and the request that show it.
    """
    from feedloom.audit.run import run_audit  # noqa: PLC0415 - all that needs dlt is imported on use
    from feedloom.cli.audit_report import audit_as_dict, print_audit  # noqa: PLC0415 - the same
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
            found = run_audit(job, sample=sample, seed=secrets.randbelow(_SEEDS) if seed is None else seed)
        finally:
            progress.close()
        if as_json:
            print_json(audit_as_dict(found))
        else:
            print_audit(found)
    if found.errors:
        return found.errors[0][1].exit_code
    return FINDINGS if found.mismatches else 0
