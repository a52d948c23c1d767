"""``feedloom query``: SQL on the database, read-only."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from feedloom.cli.options import database_option
from feedloom.errors import InputError


@click.command(
    epilog='Examples:\n\n\b\n  feedloom query "select count(*) from refiner_data.responses"\n'
    '  feedloom query "from responses limit 5" --format csv\n'
    '  feedloom query "from contacts" --format parquet --output contacts.parquet'
)
@click.argument("sql")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    default="table",
    show_default=True,
    help="How to write the rows.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write to FILE, whole or not at all."
)
@database_option
def query(*, sql: str, form: str, as_json: bool, output: Path | None, to: str | None) -> None:
    """Run one SELECT on the database and print what it gives.

    Nothing can be written, and no file, secret or network be read, whatever the SQL says. Names of datasets
    (refiner_data, aptrinsic_data) can be left out. A table shows at most 200 rows; the other formats have all. In JSON,
    columns of the same name get a number, moments are ISO 8601 and bytes base64.
    """
    from feedloom.cli.rows import WRITERS  # noqa: PLC0415 - duckdb and pyarrow are imported on use
    from feedloom.sync.reading import read_only  # noqa: PLC0415 - the same

    form = "json" if as_json else form
    if form == "parquet" and output is None and sys.stdout.isatty():
        raise InputError("Parquet can't be shown", hint="add --output rows.parquet", code="FL241")
    with read_only(to) as database, _target(output) as target:
        WRITERS[form](database.ask(sql), target)


@contextmanager
def _target(output: Path | None) -> Iterator[IO[bytes]]:
    """Where the rows go: stdout, or a file that takes the place of *output* once it is whole."""
    if output is None:
        yield sys.stdout.buffer
        return
    if not output.parent.is_dir() or output.is_dir():
        raise InputError(f"{output} can't be made", hint="name a file in a folder that exists", code="FL248")
    descriptor, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
        draft.chmod(0o666 & ~_umask())
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)


def _umask() -> int:
    """The permissions that this process takes from new files; asking changes them for an instant."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
