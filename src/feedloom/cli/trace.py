"""``feedloom trace``: where a row came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from feedloom.cli.options import database_option, json_option
from feedloom.cli.output import print_json

if TYPE_CHECKING:
    from feedloom.sync.trace import Traced


@click.command(
    epilog="Examples:\n\n\b\n  feedloom trace responses 5c7d8a2e-8f0b-11ee-8e6b-0242ac120002\n"
    "  feedloom trace refiner_data.reporting nps 5c7d8a2e-8f0b-11ee-8e6b-0242ac120002 2026-01-01"
)
@click.argument("table")
@click.argument("key", nargs=-1, required=True)
@database_option
@json_option
def trace(*, table: str, key: tuple[str, ...], to: str | None, as_json: bool) -> None:
    """Show the load, the run, the request and the bytes that brought the row of TABLE whose primary key is KEY.

    A key of several columns is given as several values, in the order of the reference.
    """
    from feedloom.sync.trace import trace as trace_row  # noqa: PLC0415 - duckdb and dlt are imported on use

    found = trace_row(table, key, to=to)
    if as_json:
        print_json(found.as_dict())
    else:
        _print(found)


def _print(found: Traced) -> None:
    loaded = "" if found.loaded_at is None else f", {found.loaded_at.isoformat(timespec='seconds')}"
    click.echo(f"row      {found.table}  {'  '.join(f'{name}={value}' for name, value in found.key.items())}")
    click.echo(f"load     {found.load_id}{loaded}")
    for origin in found.origins:
        asked = "" if origin.asked_by == origin.run else f", asked for by run {origin.asked_by}"
        click.echo(f"run      {origin.run}{asked}")
        click.echo(f"request  {origin.request}")
        click.echo(f"page     {origin.page}, status {origin.status}, {origin.at.isoformat(timespec='milliseconds')}")
        click.echo(origin.raw.decode("utf-8", "backslashreplace"))
