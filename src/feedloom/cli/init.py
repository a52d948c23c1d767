"""``feedloom init``: three questions, a tested key, two files."""

from __future__ import annotations

import os
import sys

import click

from feedloom.config import Setting
from feedloom.errors import InputError
from feedloom.vendors import VENDORS


@click.command(
    epilog="Examples:\n\n\b\n  feedloom init\n  feedloom init --source refiner --key env:REFINER_KEY --to duckdb"
)
@click.option("--source", type=click.Choice(list(VENDORS)), help="1. Where the data comes from.")
@click.option("--key", metavar="KEY", help="2. The API key; env:NAME reads a variable, - reads standard input.")
@click.option("--to", metavar="DEST", help="3. Where the data goes: duckdb, duckdb:<file> or a dlt destination.")
@click.option("--base-url", metavar="URL", help="Another address of the API.")
def init(*, source: str | None, key: str | None, to: str | None, base_url: str | None) -> None:
    """Set up a project in this folder: ask three questions, test the key, write .dlt/config.toml and secrets.toml.

    Nothing is written unless the vendor accepts the key.
    """
    from feedloom.sync.checks import check_database, check_key  # noqa: PLC0415 - dlt is imported on use
    from feedloom.sync.project import write_project  # noqa: PLC0415 - the same

    slug = source or _ask_source()
    vendor = VENDORS[slug]
    value = _given_key(key) if key is not None else _ask_key(vendor.title, vendor.key_page)
    answer = check_key(vendor, base_url=base_url, key=Setting(value, "the answer to `feedloom init`"))
    click.echo(f"     the key works ({answer['url']})")
    destination = to or _ask_destination()
    check_database(vendor, destination)
    for file in write_project(vendor, key=value, to=destination, base_url=base_url):
        click.echo(f"wrote {file}")
    click.echo(f"next:  feedloom sync {slug}")


def _ask_source() -> str:
    _need_terminal("--source")
    slugs = list(VENDORS)
    choices = "  ".join(f"[{number}] {VENDORS[slug].title}" for number, slug in enumerate(slugs, start=1))
    number = click.prompt(f"1/3  Where is the data?   {choices}", type=click.IntRange(1, len(slugs)), default=1)
    return slugs[number - 1]


def _ask_key(title: str, key_page: str) -> str:
    _need_terminal("--key")
    return str(click.prompt(f"2/3  {title} API key (hidden; from {key_page})", hide_input=True)).strip()


def _ask_destination() -> str:
    _need_terminal("--to")
    return str(click.prompt("3/3  Where should it go?  duckdb, duckdb:<file>, postgres, ...", default="duckdb")).strip()


def _given_key(given: str) -> str:
    if given == "-":
        return sys.stdin.readline().strip()
    if not given.startswith("env:"):
        return given
    name = given.removeprefix("env:")
    if name not in os.environ:
        raise InputError(f"the environment has no {name}", hint=f"export {name}=... and run again", code="FL244")
    return os.environ[name].strip()


def _need_terminal(flag: str) -> None:
    if not sys.stdin.isatty():
        raise InputError("there is no terminal to ask at", hint=f"give {flag}", code="FL245")
