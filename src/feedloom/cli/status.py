"""``feedloom status``: each table, its rows and when it was last loaded."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from feedloom.cli.options import database_option, json_option
from feedloom.cli.output import print_json, print_table

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400


@click.command(epilog="Examples:\n\n\b\n  feedloom status\n  feedloom status --json")
@database_option
@json_option
def status(*, to: str | None, as_json: bool) -> None:
    """Show each table: its rows, when it was last loaded, and its newest row in UTC."""
    from feedloom.sync.status import table_states  # noqa: PLC0415 - duckdb is imported on use

    states = table_states(to)
    if as_json:
        print_json({"tables": states})
        return
    now = datetime.now(UTC)
    print_table(
        ["table", "rows", "last load", "newest row"],
        [
            (f"{row['dataset']}.{row['table']}", row["rows"], _ago(row["loaded_at"], now), _minute(row["newest"]))
            for row in states
        ],
    )
    if not states:
        click.echo("nothing is loaded yet; `feedloom sync` loads it", err=True)


def _ago(moment: datetime | None, now: datetime) -> str | None:
    if moment is None:
        return None
    seconds = (now - moment).total_seconds()
    for unit, size in (("d", _DAY_S), ("h", _HOUR_S), ("min", _MINUTE_S)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit} ago"
    return "just now"


def _minute(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if moment is not None else None
