"""``feedloom check``: does the key work, and can the database be written?"""

from __future__ import annotations

import click

from feedloom.cli.output import print_json
from feedloom.vendors import VENDORS


@click.command(epilog="Examples:\n\n\b\n  feedloom check refiner\n  feedloom check refiner --json")
@click.argument("source", type=click.Choice(list(VENDORS)))
@click.option("--to", metavar="DEST", help="The database.  [default: duckdb:feedloom.duckdb]")
@click.option("--base-url", metavar="URL", help="Another address of the API.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(*, source: str, to: str | None, base_url: str | None, as_json: bool) -> None:
    """Tell whether SOURCE accepts the key and the database can be written; changes nothing."""
    from feedloom.sync.checks import check_database, check_key  # noqa: PLC0415 - dlt is imported on use

    vendor = VENDORS[source]
    answer = check_key(vendor, base_url=base_url)
    database = check_database(vendor, to)
    if as_json:
        print_json({"source": source, "key": answer, "database": database})
        return
    click.echo(f"key       works: {vendor.title}, {answer['url']}, from {answer['origin']}")
    click.echo(f"database  {database['state']}: {database['to']}")
