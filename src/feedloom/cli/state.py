"""``feedloom state``: how far each table is loaded, now and after earlier runs, and how to go back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from feedloom.cli.group import Commands
from feedloom.cli.options import database_option, dataset_option, json_option, source_argument, yes_option
from feedloom.cli.output import print_json, print_table
from feedloom.vendors import VENDORS

if TYPE_CHECKING:
    from dlt.pipeline.pipeline import Pipeline

    from feedloom.sync.history import Move, Position
    from feedloom.sync.positions import Positions

_NOTHING_DONE = "nothing was changed; add --yes to do it"


@click.group(cls=Commands)
def state() -> None:
    """Show how far each table is loaded, and go back to where an earlier run left it.

    Going back loses no row: the next sync reads again from there, and merges what comes on its key.
    """


@state.command(epilog="Examples:\n\n\b\n  feedloom state show refiner\n  feedloom state show refiner --json")
@source_argument
@database_option
@dataset_option
@json_option
def show(*, source: str, to: str | None, dataset: str | None, as_json: bool) -> None:
    """Show up to where each table is loaded; whole lists, which have no such place, are left out."""
    from feedloom.sync.history import positions_now  # noqa: PLC0415 - dlt is imported on use

    vendor = VENDORS[source]
    tables = [table for table in vendor.tables if table.window or table.slices]
    found = positions_now(_opened(source, to, dataset), vendor, tables)
    if as_json:
        print_json({"tables": [asdict(position) for position in found]})
        return
    print_table(
        ["table", "from", "up to", "slices"],
        [
            (position.table, _beginning(position), _moment(position.through), position.slices or None)
            for position in found
        ],
    )


@state.command(epilog="Examples:\n\n\b\n  feedloom state history refiner\n  feedloom state history refiner --json")
@source_argument
@database_option
@dataset_option
@json_option
def history(*, source: str, to: str | None, dataset: str | None, as_json: bool) -> None:
    """List the runs of the ledger, newest first, with up to where their tables were loaded."""
    from feedloom.sync.history import past_runs  # noqa: PLC0415 - dlt is imported on use

    runs = past_runs(_opened(source, to, dataset))
    if as_json:
        print_json({"runs": [asdict(run) for run in runs]})
        return
    rows = [(run.run_id, f"{run.started_at:%Y-%m-%d %H:%M:%S}", run.outcome, len(run.positions)) for run in runs]
    print_table(["run", "started", "outcome", "tables with a place"], rows)


@state.command(epilog="Example:\n\n\b\n  feedloom state revert refiner 20261122T013541-ab05 --yes")
@source_argument
@click.argument("run")
@database_option
@dataset_option
@yes_option
@json_option
def revert(*, source: str, run: str, to: str | None, dataset: str | None, yes: bool, as_json: bool) -> None:
    """Go back to where RUN left the tables, so that the next sync reads again from there.

    Tables that hold sums over ranges of days stay where they are.
    """
    from feedloom.sync.history import past_run, to_earlier  # noqa: PLC0415 - dlt is imported on use

    def wanted(pipeline: Pipeline) -> Positions:
        return to_earlier(pipeline, VENDORS[source], past_run(pipeline, run))

    _change(source, to, dataset, wanted, yes=yes, as_json=as_json)


@state.command(epilog="Example:\n\n\b\n  feedloom state reset refiner responses --yes")
@source_argument
@click.argument("table")
@database_option
@dataset_option
@yes_option
@json_option
def reset(*, source: str, table: str, to: str | None, dataset: str | None, yes: bool, as_json: bool) -> None:
    """Forget how far TABLE is loaded, so that the next sync reads its whole history and merges it."""
    from feedloom.sync.history import without  # noqa: PLC0415 - dlt is imported on use
    from feedloom.sync.jobs import chosen_tables  # noqa: PLC0415 - the same

    [chosen] = chosen_tables(VENDORS[source], [table])
    _change(source, to, dataset, lambda pipeline: without(pipeline, VENDORS[source], chosen), yes=yes, as_json=as_json)


def _change(
    source: str,
    to: str | None,
    dataset: str | None,
    wanted: Callable[[Pipeline], Positions],
    *,
    yes: bool,
    as_json: bool,
) -> None:
    """Say how the positions would become those *wanted*, and make them so where *yes* is said."""
    from feedloom.sync.history import moves_to, put_back  # noqa: PLC0415 - dlt is imported on use
    from feedloom.sync.lock import locked  # noqa: PLC0415 - the same

    vendor = VENDORS[source]
    pipeline = _opened(source, to, dataset)
    with locked(pipeline):
        positions = wanted(pipeline)
        moves = put_back(pipeline, vendor, positions) if yes else moves_to(pipeline, vendor, positions)
    if as_json:
        print_json({"done": yes, "tables": [asdict(move) for move in moves]})
        return
    if not moves:
        click.echo("the tables are there already", err=True)
        return
    _print_moves(moves)
    click.echo("the next sync reads again from there" if yes else _NOTHING_DONE, err=True)


def _print_moves(moves: Sequence[Move]) -> None:
    rows = [(move.table, _place(move.before), _place(move.after)) for move in moves]
    print_table(["table", "loaded up to", "becomes"], rows)


def _opened(source: str, to: str | None, dataset: str | None) -> Pipeline:
    """The pipeline of *source* with the state that the destination has, where that is newer."""
    from feedloom.sync.warehouse import choose_target, open_known_pipeline  # noqa: PLC0415 - dlt is imported on use

    pipeline = open_known_pipeline(VENDORS[source], choose_target(VENDORS[source], to, dataset))
    pipeline.sync_destination()
    return pipeline


def _place(position: Position | None) -> str:
    if position is None:
        return "nothing"
    if position.through is not None:
        return str(_moment(position.through))
    return f"months of {position.slices:,}" if position.slices else "with filters only"


def _beginning(position: Position) -> str | None:
    if position.through is None:
        return None
    return "the beginning" if position.since is None else _moment(position.since)


def _moment(moment: Any) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"
