"""``feedloom check``: does the key work, and can the database be written?"""

from __future__ import annotations

import click

from feedloom.cli.options import base_url_option, database_option, json_option, source_argument
from feedloom.cli.output import print_json
from feedloom.vendors import VENDORS


@click.command(epilog="Examples:\n\n\b\n  feedloom check refiner\n  feedloom check refiner --json")
@source_argument
@database_option
@base_url_option
@json_option
def check(*, source: str, to: str | None, base_url: str | None, as_json: bool) -> None:
    """Tell whether SOURCE accepts the key and the database can be written; changes nothing."""
    from feedloom.cli.progress import Waits  # noqa: PLC0415 - dlt is imported on use
    from feedloom.sync.checks import check_database, check_key  # noqa: PLC0415 - the same

    vendor = VENDORS[source]
    answer = check_key(vendor, base_url=base_url, observer=Waits())
    database = check_database(vendor, to)
    if as_json:
        print_json({"source": source, "key": answer, "database": database})
        return
    click.echo(f"key       works: {vendor.title}, {answer['url']}, from {answer['origin']}")
    click.echo(f"database  {database['state']}: {database['to']}")
