"""``feedloom emulator``: play a vendor's API on this machine until stopped."""

from __future__ import annotations

import os
from typing import Any

import click
import orjson

from feedloom.cli.group import Commands
from feedloom.cli.options import emulated_argument, json_option
from feedloom.cli.output import print_json, print_table
from feedloom.errors import InputError
from feedloom.vendors import VENDORS


@click.group(cls=Commands)
def emulator() -> None:
    """Play a vendor's API on this machine, with invented data."""


@emulator.command(
    epilog="Examples:\n\n\b\n  feedloom emulator start refiner\n  feedloom emulator start refiner --rows 1000 "
    "--fault 429=5 --json\n  feedloom emulator faults refiner"
)
@emulated_argument
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 takes a free one.")
@click.option("--rows", default=20_000, show_default=True, help="How many rows the largest list has.")
@click.option("--seed", default=7, show_default=True, help="The same seed makes the same data.")
@click.option("--latency-ms", default=0.0, show_default=True, help="How long each answer waits.")
@click.option("--fault", "faults", multiple=True, metavar="NAME[=ARG]", help="Misbehave; may be given again.")
@click.option("--quirk", "quirks", multiple=True, metavar="NAME=VALUE", help="Settle a disputed behaviour.")
@click.option("--json", "as_json", is_flag=True, help="Print url, key and pid as one line of JSON.")
def start(*, vendor: str, port: int, quirks: tuple[str, ...], as_json: bool, **settings: Any) -> None:
    """Serve VENDOR's API on 127.0.0.1 until Ctrl-C or SIGTERM, which end it with exit code 0."""
    from feedloom.emulator import create_emulator, run  # noqa: PLC0415 - the web server is imported on use

    emulated = create_emulator(vendor, quirks=dict(_pair(quirk) for quirk in quirks), **settings)

    def ready(url: str) -> None:
        if as_json:
            click.echo(orjson.dumps({"url": url, "key": emulated.key, "pid": os.getpid()}).decode())
        else:
            section = VENDORS[vendor].source_name.upper()
            click.echo(f"{VENDORS[vendor].title} is played at {url}; stop it with Ctrl-C. To use it:")
            click.echo(f"  export SOURCES__{section}__BASE_URL={url}")
            click.echo(f"  export SOURCES__{section}__API_KEY={emulated.key}")

    run(emulated, port=port, on_ready=ready)


@emulator.command()
@emulated_argument
@json_option
def faults(*, vendor: str, as_json: bool) -> None:
    """List the faults and quirks that VENDOR's emulator can be given."""
    from feedloom.emulator import describe  # noqa: PLC0415 - the web server is imported on use

    known = describe(vendor)
    if as_json:
        print_json({"faults": dict(known.faults), "quirks": dict(known.quirks)})
        return
    print_table(["fault", "what happens"], known.faults, widest=140)
    click.echo()
    print_table(["quirk", "what it settles"], known.quirks, widest=140)


def _pair(quirk: str) -> tuple[str, str]:
    name, equals, value = quirk.partition("=")
    if not equals:
        raise InputError(f"--quirk {quirk} has no value", hint=f"write --quirk {name}=VALUE", code="FL240")
    return name, value
