"""``feedloom replay``: load once more what runs read."""

from __future__ import annotations

import click

from feedloom.cli.failures import INTERRUPTED
from feedloom.cli.options import json_option, progress_option
from feedloom.cli.output import print_json


@click.command(
    epilog="Examples:\n\n\b\n  feedloom replay 20261122T010203-ab12\n"
    "  feedloom replay refiner --all --to duckdb:again.duckdb"
)
@click.argument("run", metavar="RUN|SOURCE")
@click.option("--all", "everything", is_flag=True, help="Replay every run of SOURCE that is kept, in their order.")
@click.option("--only", metavar="TABLE[,TABLE]", help="Replay these tables only.")
@click.option("--to", metavar="DEST", help="Another database.  [default: where the rows went at first]")
@click.option("--dataset", metavar="NAME", help="Where in it.  [default: where the rows went at first]")
@json_option
@progress_option
def replay(
    *,
    run: str,
    everything: bool,
    only: str | None,
    to: str | None,
    dataset: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Load the pages that RUN kept once more, without a request to the source.

    They go where they went at first, and what later runs read of the same tables follows, so that no newer row is taken
    back; or to another database or dataset. `feedloom journal list` shows the runs.
    """
    from feedloom.cli.progress import make_progress  # noqa: PLC0415 - all that needs dlt is imported on use
    from feedloom.cli.report import print_report, report_as_dict  # noqa: PLC0415 - the same
    from feedloom.cli.running import run_until_stopped  # noqa: PLC0415 - the same
    from feedloom.sync.checks import check_target  # noqa: PLC0415 - the same
    from feedloom.sync.replay import make_replay  # noqa: PLC0415 - the same

    job, left_out = make_replay(run, everything=everything, only=only, to=to, dataset=dataset)
    check_target(job.target, lambda: job.pipeline)
    report = run_until_stopped(job, make_progress(quiet=quiet))
    if as_json:
        print_json({**report_as_dict(report), "left_out": left_out})
    else:
        print_report(report)
        for sentence in left_out:
            click.echo(sentence)
    if report.interrupted:
        click.echo("interrupted: replay it again to load the rest", err=True)
        return INTERRUPTED
    return report.failure.exit_code if report.failure is not None else 0
