"""``feedloom schema``: how the fields of tables changed, and the questions of surveys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from feedloom.cli.group import Commands, Named
from feedloom.cli.options import database_option, dataset_option, json_option, vendors_with_source
from feedloom.cli.output import print_json, print_table

_source_or_all = click.argument("source", type=Named("source", vendors_with_source()), required=False)

_since_option = click.option("--since", metavar="MOMENT", help="Only what was seen from then on; with time zone.")


@click.group(cls=Commands)
def schema() -> None:
    """Show how the fields of tables and the questions of surveys changed, as the ledger keeps it."""


@schema.command(
    epilog="Examples:\n\n\b\n  feedloom schema changes\n  feedloom schema changes refiner --table responses --json"
)
@_source_or_all
@click.option("--table", metavar="TABLE", help="Only this table, and those below it.")
@_since_option
@database_option
@dataset_option
@json_option
def changes(
    *, source: str | None, table: str | None, since: str | None, to: str | None, dataset: str | None, as_json: bool
) -> None:
    """List the fields that came, changed their type or bring no values any more, newest first.

    The first load of a table changes nothing. A field brings no values any more when 20 of them were to be expected
    in new rows since the last, or 5 in a list that came whole.
    """
    from feedloom.cli.drift import change_in_words, place  # noqa: PLC0415 - dlt is imported on use
    from feedloom.config import past_moment  # noqa: PLC0415 - the same
    from feedloom.sync.past_changes import schema_changes  # noqa: PLC0415 - the same

    found = schema_changes(source, to=to, dataset=dataset, table=table, since=past_moment(since, "since"))
    if as_json:
        print_json({"changes": found})
        return
    rows = [
        (
            _moment(row["seen_at"]),
            row["run_id"],
            row["table_name"],
            change_in_words(
                row["kind"],
                place(row["table_name"], row["column_name"], row["table_name"]) or row["table_name"],
                old=row["old_type"],
                new=row["new_type"],
            ),
        )
        for row in found
    ]
    _print(["seen", "run", "table", "change"], rows)


@schema.command(epilog="Examples:\n\n\b\n  feedloom schema questions\n  feedloom schema questions refiner --json")
@_source_or_all
@_since_option
@database_option
@dataset_option
@json_option
def questions(*, source: str | None, since: str | None, to: str | None, dataset: str | None, as_json: bool) -> None:
    """List the questions of surveys whose text, type or scale changed, newest first."""
    from feedloom.config import past_moment  # noqa: PLC0415 - dlt is imported on use
    from feedloom.sync.past_changes import question_changes  # noqa: PLC0415 - the same

    found = question_changes(source, to=to, dataset=dataset, since=past_moment(since, "since"))
    if as_json:
        print_json({"changes": found})
        return
    rows = [
        (
            _moment(row["version_at"] or row["seen_at"]),
            row["form_name"] or row["form_uuid"],
            row["question"],
            row["aspect"],
            row["old_value"],
            row["new_value"],
        )
        for row in found
    ]
    _print(["noted", "survey", "question", "changed", "before", "after"], rows)


def _print(headings: list[str], rows: list[tuple[Any, ...]]) -> None:
    if rows:
        print_table(headings, rows)
    else:
        click.echo("nothing changed", err=True)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
