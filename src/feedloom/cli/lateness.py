"""``feedloom lateness``: how late rows arrive, and the look-back that would have seen them in time."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from feedloom.cli.options import database_option, dataset_option, json_option, source_argument
from feedloom.cli.output import print_json, print_table
from feedloom.vendors import VENDORS

if TYPE_CHECKING:
    from feedloom.sync.lateness import Lateness

_HOUR_S = 3600
_UNITS = (("d", 86400), ("h", 3600), ("min", 60))

_LIMITS = """Rows that come later than the look-back are seen only where counts are compared with the source (Refiner),
or with --full: where many rows are nearly as late as the look-back, others may be later."""


@click.command(epilog="Examples:\n\n\b\n  feedloom lateness refiner\n  feedloom lateness aptrinsic --json")
@source_argument
@database_option
@dataset_option
@json_option
def lateness(*, source: str, to: str | None, dataset: str | None, as_json: bool) -> None:
    """Show how late the rows of SOURCE arrived, over all runs after the first, as the ledger tells it.

    A row is late when the run before could have seen it by its time, and did not. A look-back is called enough when it
    would have seen 99.9 % of the new rows; with fewer than 1,000 of them, or 3 runs, nothing is said.
    """
    from feedloom.sync.jobs import configured_look_back  # noqa: PLC0415 - dlt is imported on use
    from feedloom.sync.lateness import lateness as measured  # noqa: PLC0415 - the same
    from feedloom.sync.warehouse import choose_target, open_known_pipeline  # noqa: PLC0415 - the same

    vendor = VENDORS[source]
    pipeline = open_known_pipeline(vendor, choose_target(vendor, to, dataset))
    pipeline.sync_destination()
    found = measured(pipeline, vendor, look_back=configured_look_back(vendor))
    if as_json:
        print_json({"tables": [asdict(table) for table in found]})
        return
    print_table(
        ["table", "runs", "new rows", "late", "latest", "look-back", "99.9 % within", "it is"],
        [_row(table) for table in found],
    )
    wanted_s = max((table.wanted_s or 0 for table in found if table.advice == "longer"), default=0)
    if wanted_s:
        click.echo(
            f"A longer look-back: `feedloom sync {source} --look-back {_option(wanted_s)}`; for every run, "
            f"look_back_hours = {wanted_s / _HOUR_S:g} under [sources.{vendor.source_name}] in .dlt/config.toml"
        )
    click.echo(_LIMITS, err=True)


def _row(table: Lateness) -> tuple[Any, ...]:
    latest = max(table.late, default=None)
    return (
        table.table,
        table.runs,
        table.new_rows,
        sum(table.late.values()),
        _time(latest),
        _time(table.look_back_s),
        _time(table.wanted_s),
        table.advice,
    )


def _time(seconds: int | None) -> str | None:
    if seconds is None:
        return None
    for unit, size in _UNITS:
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return "0"


def _option(seconds: int) -> str:
    """*seconds*, a whole number of minutes, as ``--look-back`` takes it."""
    unit, size = next((unit, size) for unit, size in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"
