"""``feedloom init``: three questions, a tested key, three files."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from feedloom.cli.group import Named
from feedloom.cli.options import base_url_option, json_option, vendors_with_source
from feedloom.cli.output import print_json
from feedloom.errors import InputError
from feedloom.vendors import VENDORS

if TYPE_CHECKING:
    from feedloom.catalogue import Vendor

_SETTINGS_MISSING = "FL221"


@click.command(
    epilog="Examples:\n\n\b\n  feedloom init\n  feedloom init --source refiner --key env:REFINER_KEY --to duckdb"
)
@click.option("--source", type=Named("source", vendors_with_source()), help="1. Where the data comes from.")
@click.option("--key", metavar="KEY", help="2. The API key; env:NAME reads a variable, - reads standard input.")
@click.option("--to", metavar="DEST", help="3. Where the data goes: duckdb, duckdb:FILE or a dlt destination.")
@base_url_option
@json_option
def init(*, source: str | None, key: str | None, to: str | None, base_url: str | None, as_json: bool) -> None:
    """Set up a project in this folder: ask three questions, test the key, write .dlt/config.toml and secrets.toml.

    Nothing is written unless the source accepts the key. What the files hold already is kept. The secrets are for your
    eyes only (mode 0600), and git is told to ignore them.
    """
    from feedloom.cli.progress import Waits  # noqa: PLC0415 - dlt is imported on use
    from feedloom.config import Setting  # noqa: PLC0415 - the same
    from feedloom.sync.checks import check_key  # noqa: PLC0415 - the same
    from feedloom.sync.project import write_project  # noqa: PLC0415 - the same

    vendor = VENDORS[source or _ask_source()]
    value = _given_key(key) if key is not None else _ask_key(vendor)
    tested = Setting(value, "the answer to `feedloom init`")
    answer = check_key(vendor, base_url=base_url, key=tested, observer=Waits())
    click.echo(f"     the key works ({answer['url']})", err=True)
    destination = to or _ask_destination()
    database = _checked_database(vendor, destination)
    files = [str(file) for file in write_project(vendor, key=value, to=destination, base_url=base_url)]
    step = database.get("help") or f"feedloom sync {vendor.slug}"
    if as_json:
        print_json({"source": vendor.slug, "key": {"url": answer["url"]}, "database": database, "wrote": files})
        return
    for file in files:
        click.echo(f"wrote {file}")
    click.echo(f"next:  {step}")


def _checked_database(vendor: Vendor, destination: str) -> dict[str, Any]:
    """What the database's check says; settings that are still missing are the next thing to write, and no failure."""
    from feedloom.sync.checks import check_database  # noqa: PLC0415 - dlt is imported on use
    from feedloom.sync.warehouse import choose_target, refuse_demo  # noqa: PLC0415 - the same

    refuse_demo(choose_target(vendor, destination, None))
    try:
        return check_database(vendor, destination)
    except Exception as error:
        from feedloom.sync.failures import explain  # noqa: PLC0415 - the same

        known = explain(error)
        if known is None or known.code != _SETTINGS_MISSING:
            raise
        return {"to": destination, "state": known.message, "help": f"{known.hint}; then feedloom check {vendor.slug}"}


def _ask_source() -> str:
    _need_terminal("--source")
    slugs = vendors_with_source()
    choices = "  ".join(f"[{number}] {VENDORS[slug].title}" for number, slug in enumerate(slugs, start=1))
    number = click.prompt(
        f"1/3  Where is the data?   {choices}", type=click.IntRange(1, len(slugs)), default=1, err=True
    )
    return slugs[number - 1]


def _ask_key(vendor: Vendor) -> str:
    _need_terminal("--key")
    question = f"2/3  {vendor.title} API key (hidden; from {vendor.key_page})"
    return str(click.prompt(question, hide_input=True, err=True)).strip()


def _ask_destination() -> str:
    _need_terminal("--to")
    question = "3/3  Where should it go?  duckdb, duckdb:FILE, postgres, ..."
    return str(click.prompt(question, default="duckdb", err=True)).strip()


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
