"""``feedloom loads``: packages of rows that the database refused, and what can be done with them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from feedloom.cli.group import Commands
from feedloom.cli.options import database_option, dataset_option, json_option, source_argument, yes_option
from feedloom.cli.output import print_json, print_table
from feedloom.errors import InputError
from feedloom.vendors import VENDORS

if TYPE_CHECKING:
    from dlt.pipeline.pipeline import Pipeline

    from feedloom.sync.packages import RefusedPackage

load_argument = click.argument("load")


@click.group(cls=Commands)
def loads() -> None:
    """Show, retry or drop rows that the database refused.

    A sync puts them aside and goes on with the other tables. Their cursor stays where it was, so that the next sync
    reads the same rows again; once their table is loaded whole, they are forgotten.
    """


@loads.command("list", epilog="Examples:\n\n\b\n  feedloom loads list refiner\n  feedloom loads list refiner --json")
@source_argument
@database_option
@dataset_option
@json_option
def list_(*, source: str, to: str | None, dataset: str | None, as_json: bool) -> None:
    """List the loads that were put aside, oldest first."""
    from feedloom.sync.packages import refused_packages  # noqa: PLC0415 - dlt is imported on use

    found = refused_packages(_pipeline(source, to, dataset))
    if as_json:
        print_json({"loads": [asdict(package) for package in found]})
        return
    if not found:
        click.echo("nothing was put aside", err=True)
        return
    print_table(
        ["load", "tables", "refused", "MB", "reason"],
        [
            (
                package.load_id,
                ", ".join(package.tables),
                f"{package.refused_at:%Y-%m-%d %H:%M}",
                package.size_bytes / 1e6,
                package.reason,
            )
            for package in found
        ],
        widest=80,
    )


@loads.command(epilog="Example:\n\n\b\n  feedloom loads show refiner 1795310792.0614622")
@source_argument
@load_argument
@database_option
@dataset_option
@json_option
def show(*, source: str, load: str, to: str | None, dataset: str | None, as_json: bool) -> None:
    """Show one load that was put aside, with the whole reason."""
    from feedloom.sync.packages import refused_package  # noqa: PLC0415 - dlt is imported on use

    _print(refused_package(_pipeline(source, to, dataset), load), "was put aside", as_json=as_json)


@loads.command(epilog="Example:\n\n\b\n  feedloom loads retry refiner 1795310792.0614622")
@source_argument
@load_argument
@database_option
@dataset_option
@json_option
def retry(*, source: str, load: str, to: str | None, dataset: str | None, as_json: bool) -> None:
    """Load LOAD as it was put aside, without asking the source.

    It is refused where the table was loaded since, as it may hold older rows.
    """
    from feedloom.sync.lock import locked  # noqa: PLC0415 - dlt is imported on use
    from feedloom.sync.packages import retry as retry_package  # noqa: PLC0415 - the same

    pipeline = _pipeline(source, to, dataset)
    with locked(pipeline):
        _print(retry_package(pipeline, load), "is loaded", as_json=as_json)


@loads.command(epilog="Example:\n\n\b\n  feedloom loads drop refiner 1795310792.0614622 --yes")
@source_argument
@load_argument
@database_option
@dataset_option
@yes_option
@json_option
def drop(*, source: str, load: str, to: str | None, dataset: str | None, yes: bool, as_json: bool) -> None:
    """Forget LOAD; the next sync asks the source for its rows again."""
    from feedloom.sync.lock import locked  # noqa: PLC0415 - dlt is imported on use
    from feedloom.sync.packages import drop as drop_package  # noqa: PLC0415 - the same
    from feedloom.sync.packages import refused_package  # noqa: PLC0415 - the same

    pipeline = _pipeline(source, to, dataset)
    package = refused_package(pipeline, load)
    if not yes:
        raise InputError(
            f"load {load} of {', '.join(package.tables)} would be forgotten",
            hint="add --yes to do it; the next sync asks the source for its rows again",
            code="FL252",
        )
    with locked(pipeline):
        _print(drop_package(pipeline, load), "is forgotten", as_json=as_json)


def _pipeline(source: str, to: str | None, dataset: str | None) -> Pipeline:
    from feedloom.sync.warehouse import choose_target, open_known_pipeline  # noqa: PLC0415 - dlt is imported on use

    return open_known_pipeline(VENDORS[source], choose_target(VENDORS[source], to, dataset))


def _print(package: RefusedPackage, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(package))
        return
    click.echo(f"load {package.load_id} {what}")
    click.echo(f"  tables   {', '.join(package.tables)}")
    click.echo(f"  refused  {package.refused_at:%Y-%m-%d %H:%M:%S} UTC, {package.size_bytes:,} bytes")
    click.echo(f"  reason   {package.reason}")
