"""``feedloom demo``: both vendors' emulated data into a database here, a report, four queries; no key needed."""

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
    (
        "NPS of people who used a feature, and of those who did not (Refiner and Gainsight PX joined by email)",
        """with scores as (
  select lower(r.contact__email) as email, a.value_number as score
  from refiner_data.responses r join refiner_data.responses__answers a on a.response_uuid = r.uuid
  where a.question = 'nps' and r.completed_at is not null
    and r.contact__email in (select email from aptrinsic_data.users)
), used as (
  select distinct f.name as feature, lower(u.email) as email
  from aptrinsic_data.events_feature_match e
  join aptrinsic_data.users u on u.identify_id = e.identify_id
  join aptrinsic_data.feature_flags f on f.id = e.feature_id
), compared as (
  select f.feature, s.score, u.email is not null as did
  from scores s cross join (select distinct feature from used) f
  left join used u on u.feature = f.feature and u.email = s.email
)
select feature,
  100.0 * avg(case when score >= 9 then 1 when score <= 6 then -1 else 0 end) filter (did) as nps_users,
  count(*) filter (did) as n_users,
  100.0 * avg(case when score >= 9 then 1 when score <= 6 then -1 else 0 end) filter (not did) as nps_others,
  count(*) filter (not did) as n_others
from compared group by feature having n_users >= 30 and n_others >= 30
order by nps_users - nps_others desc, feature limit 5""",
    ),
)

_RESPONSES_A_PERSON = 5

_NEXT = """Next:  feedloom query "from responses limit 3"     look at more
       feedloom status                              what is loaded, and when
       feedloom init                                your own key, in a folder of its own"""


@click.command(epilog="Examples:\n\n\b\n  feedloom demo\n  feedloom demo --rows 500")
@click.option(
    "--rows", type=click.IntRange(min=10), default=5_000, show_default=True, help="How many survey responses there are."
)
@click.option("--seed", default=7, show_default=True, help="The same seed makes the same data.")
@click.option("--to", metavar="DEST", default=DEFAULT_DATABASE, show_default=True, help="The database, a DuckDB file.")
@json_option
@progress_option
def demo(*, rows: int, seed: int, to: str, as_json: bool, quiet: bool) -> int:
    """Load an emulated Refiner and Gainsight PX into feedloom.duckdb here; a second run loads only what is new.

    The data is invented, so a database with data of your own is refused.
    """
    from feedloom.cli.progress import make_progress  # noqa: PLC0415 - all that is heavy is imported on use
    from feedloom.cli.report import print_report, report_as_dict  # noqa: PLC0415 - the same
    from feedloom.cli.running import KEPT, run_until_stopped  # noqa: PLC0415 - the same
    from feedloom.config import Setting  # noqa: PLC0415 - the same
    from feedloom.emulator import create_emulator, serve  # noqa: PLC0415 - the same
    from feedloom.sync.jobs import make_job  # noqa: PLC0415 - the same
    from feedloom.sync.warehouse import choose_target, mark_as_demo  # noqa: PLC0415 - the same
    from feedloom.vendors import VENDORS  # noqa: PLC0415 - the same

    targets = {slug: choose_target(vendor, to, vendor.dataset) for slug, vendor in VENDORS.items()}
    for target in targets.values():
        _refuse_own_data(target)
    reports = []
    for slug, vendor in VENDORS.items():
        emulated = create_emulator(slug, rows=rows if slug == "refiner" else rows // _RESPONSES_A_PERSON, seed=seed)
        with serve(emulated) as url:
            click.echo(f"an emulated {vendor.title} is at {url}", err=True)
            key = Setting(emulated.key, "the demo")
            job = make_job(vendor, to=to, dataset=vendor.dataset, base_url=url, key=key)
            mark_as_demo(targets[slug])
            report = run_until_stopped(job, make_progress(quiet=quiet))
        if report.interrupted:
            click.echo(KEPT, err=True)
            return INTERRUPTED
        reports.append(report)
    found = _answers(to)
    if as_json:
        print_json({"reports": [report_as_dict(report) for report in reports], "queries": found})
        return 0
    for report in reports:
        print_report(report)
        click.echo()
    for answer in found:
        click.echo(answer["title"])
        print_table(answer["columns"], [row.values() for row in answer["rows"]])
        click.echo()
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
