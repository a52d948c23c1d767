"""``feedloom demo``: emulated data into a database here, a report, three queries; no key needed."""

from __future__ import annotations

from pathlib import Path

import click

from feedloom.cli.output import print_table
from feedloom.errors import InputError

_QUERIES = (
    (
        "Newest answers",
        """select strftime(r.last_data_reception_at, '%Y-%m-%d %H:%M') as at, r.form__name as survey, a.question,
  a.value_text as answer
from refiner_data.responses r join refiner_data.responses__answers a on a.response_uuid = r.uuid
where a.value_text <> '' and r.completed_at is not null
order by r.last_data_reception_at desc, r.uuid, a.question limit 5""",
    ),
    (
        "NPS, all completed answers",
        """select 100.0 * (count(*) filter (value_number >= 9) - count(*) filter (value_number <= 6)) / count(*) as nps,
  count(*) as n
from refiner_data.responses__answers a join refiner_data.responses r on r.uuid = a.response_uuid
where a.question = 'nps' and r.completed_at is not null""",
    ),
    (
        "Contacts by plan",
        """select attributes__plan as plan, count(*) as contacts
from refiner_data.contacts group by all order by contacts desc""",
    ),
)


@click.command(epilog="Examples:\n\n\b\n  feedloom demo\n  feedloom demo --rows 500")
@click.option("--rows", default=5_000, show_default=True, help="How many survey responses there are.")
@click.option("--seed", default=7, show_default=True, help="The same seed makes the same data.")
@click.option("--to", metavar="DEST", default="duckdb:feedloom.duckdb", show_default=True, help="The database.")
def demo(*, rows: int, seed: int, to: str) -> None:
    """Load an emulated Refiner into feedloom.duckdb here and show what came; a second run loads only news."""
    if Path(".dlt/secrets.toml").exists():
        raise InputError("this folder has a project of its own", hint="run the demo in an empty folder", code="FL246")
    from feedloom.cli.progress import make_progress  # noqa: PLC0415 - everything heavy is imported on use
    from feedloom.cli.sync import print_report  # noqa: PLC0415
    from feedloom.config import Setting  # noqa: PLC0415
    from feedloom.emulator import create_emulator, serve  # noqa: PLC0415
    from feedloom.sync.jobs import make_job  # noqa: PLC0415
    from feedloom.sync.reading import read_only  # noqa: PLC0415
    from feedloom.sync.run import run  # noqa: PLC0415
    from feedloom.vendors import VENDORS  # noqa: PLC0415

    emulated = create_emulator("refiner", rows=rows, seed=seed)
    with serve(emulated) as url:
        click.echo(f"An emulated Refiner with {rows:,} responses is at {url}")
        job = make_job(VENDORS["refiner"], to=to, base_url=url, key=Setting(emulated.key, "the demo"))
        job.tally.progress = progress = make_progress(quiet=False)
        try:
            report = run(job)
        finally:
            progress.close()
    click.echo()
    print_report(report)
    with read_only(to) as ask:
        for title, sql in _QUERIES:
            found = ask(sql).read_all()
            click.echo(f"\n{title}")
            print_table(found.column_names, zip(*(column.to_pylist() for column in found.columns), strict=True))
    click.echo('\nNext:  feedloom query "from responses limit 3"     look at more')
    click.echo("       feedloom status                              what is loaded, and when")
    click.echo("       feedloom init                                your own key, in a folder of its own")
