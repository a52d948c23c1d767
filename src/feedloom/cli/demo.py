"""``feedloom demo``: emulated data into a database here, a report, three queries; no key needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feedloom.cli.failures import INTERRUPTED
from feedloom.cli.options import DEFAULT_DATABASE, json_option, progress_option
from feedloom.cli.output import print_json, print_table
from feedloom.errors import InputError

if TYPE_CHECKING:
    from feedloom.sync.warehouse import Target

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

_NEXT = """
Next:  feedloom query "from responses limit 3"     look at more
       feedloom status                              what is loaded, and when
       feedloom init                                your own key, in a folder of its own"""


@click.command(epilog="Examples:\n\n\b\n  feedloom demo\n  feedloom demo --rows 500")
@click.option("--rows", default=5_000, show_default=True, help="How many survey responses there are.")
@click.option("--seed", default=7, show_default=True, help="The same seed makes the same data.")
@click.option("--to", metavar="DEST", default=DEFAULT_DATABASE, show_default=True, help="The database, a DuckDB file.")
@json_option
@progress_option
def demo(*, rows: int, seed: int, to: str, as_json: bool, quiet: bool) -> int:
    """Load an emulated Refiner into feedloom.duckdb here and show what came; a second run loads only news.

    The data is invented, so a database with data of your own is refused.
    """
    from feedloom.cli.progress import make_progress  # noqa: PLC0415 - all that is heavy is imported on use
    from feedloom.cli.report import print_report, report_as_dict  # noqa: PLC0415
    from feedloom.cli.running import KEPT, run_until_stopped  # noqa: PLC0415
    from feedloom.config import Setting  # noqa: PLC0415
    from feedloom.emulator import create_emulator, serve  # noqa: PLC0415
    from feedloom.sync.jobs import make_job  # noqa: PLC0415
    from feedloom.sync.warehouse import choose_target, mark_as_demo  # noqa: PLC0415
    from feedloom.vendors import VENDORS  # noqa: PLC0415

    refiner = VENDORS["refiner"]
    target = choose_target(refiner, to, refiner.dataset)
    _refuse_own_data(target)
    emulated = create_emulator("refiner", rows=rows, seed=seed)
    with serve(emulated) as url:
        click.echo(f"An emulated Refiner with {rows:,} responses is at {url}", err=True)
        key = Setting(emulated.key, "the demo")
        job = make_job(refiner, to=to, dataset=refiner.dataset, base_url=url, key=key)
        mark_as_demo(target)
        report = run_until_stopped(job, make_progress(quiet=quiet))
    if report.interrupted:
        click.echo(KEPT, err=True)
        return INTERRUPTED
    found = _answers(to)
    if as_json:
        print_json({"report": report_as_dict(report), "queries": found})
        return 0
    print_report(report)
    for answer in found:
        click.echo(f"\n{answer['title']}")
        print_table(answer["columns"], [row.values() for row in answer["rows"]])
    click.echo(_NEXT)
    return 0


def _refuse_own_data(target: Target) -> None:
    from feedloom.sync.warehouse import is_demo  # noqa: PLC0415 - dlt is imported on use

    if target.file is None:
        raise InputError(
            "the demo goes into a DuckDB file", hint="give --to duckdb:FILE, or leave it out", code="FL246"
        )
    if Path(".dlt/secrets.toml").exists():
        raise InputError("this folder has a project of its own", hint="run the demo in an empty folder", code="FL246")
    if target.file.exists() and not is_demo(target):
        raise InputError(
            f"{target.file} was not made by the demo", hint="run the demo in an empty folder", code="FL246"
        )


def _answers(to: str) -> list[dict[str, Any]]:
    from feedloom.sync.reading import read_only  # noqa: PLC0415 - duckdb is imported on use

    answers = []
    with read_only(to) as database:
        for title, sql in _QUERIES:
            rows = database.ask(sql)
            answers.append({"title": title, "sql": sql, "columns": rows.schema.names, "rows": rows.records()})
    return answers
