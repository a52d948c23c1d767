"""What several commands take: the vendors on offer, and options that mean the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from importlib.machinery import PathFinder
from importlib.util import find_spec
from typing import Any

import click

from feedloom.cli.group import Named
from feedloom.vendors import VENDORS

DEFAULT_DATABASE = "duckdb:feedloom.duckdb"


def vendors_with_source() -> list[str]:
    """The slugs of vendors that can be loaded; looks for files only, so that dlt is not imported."""
    package = find_spec("feedloom.sources")
    places = package.submodule_search_locations if package is not None else None
    return [slug for slug in VENDORS if places and PathFinder.find_spec(f"feedloom.sources.{slug}", list(places))]


def vendors_with_emulator() -> list[str]:
    """The slugs of vendors that can be played; looks for files only."""
    return [slug for slug in VENDORS if find_spec(f"feedloom.vendors.{slug}.emulator") is not None]


def variables_of(name: str) -> str:
    """The environment variables in which each source finds the setting *name*, as help texts show them."""
    names = (f"SOURCES__{slug.upper()}_SOURCE__{name.upper()}" for slug in vendors_with_source())
    return f"[env var: {', '.join(names)}]"


source_argument = click.argument("source", type=Named("source", vendors_with_source()))

emulated_argument = click.argument("vendor", type=Named("emulator of", vendors_with_emulator()))

database_option = click.option(
    "--to",
    metavar="DEST",
    envvar="FEEDLOOM__TO",
    show_envvar=True,
    help=f"duckdb:FILE, or the name of a dlt destination.  [default: {DEFAULT_DATABASE}]",
)

_DATASETS = ", ".join(f"FEEDLOOM__{slug.upper()}_DATASET" for slug in vendors_with_source())

dataset_option = click.option(
    "--dataset", metavar="NAME", help=f"Where in it.  [env var: {_DATASETS}; default: SOURCE_data]"
)

base_url_option = click.option(
    "--base-url", metavar="URL", help=f"Another address of the API.  {variables_of('base_url')}"
)

yes_option = click.option("--yes", is_flag=True, help="Do it; without this it is only said what would be done.")

_RANGE_OPTIONS = (
    click.option("--only", metavar="TABLE[,TABLE]", help="Load these tables only."),
    click.option("--start", metavar="MOMENT", help="First moment wanted, with time zone."),
    click.option("--end", metavar="MOMENT", help="First moment no longer wanted, with time zone."),
    click.option("--full", is_flag=True, help="Read everything again and replace the tables."),
    click.option("--look-back", metavar="TIME", help="How far before the last run's end to read again, such as 7d."),
)


def range_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which tables to load, and from when to when."""
    for option in reversed(_RANGE_OPTIONS):
        command = option(command)
    return command


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")

progress_option = click.option(
    "-q",
    "--quiet",
    "--no-progress",
    "quiet",
    is_flag=True,
    envvar="FEEDLOOM_NO_PROGRESS",
    show_envvar=True,
    help="Show no progress.",
)
