"""``feedloom query``: SQL on the database, read-only."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feedloom.cli.output import print_json, print_table
from feedloom.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_SHOWN = 200


@click.command(
    epilog='Examples:\n\n\b\n  feedloom query "select count(*) from refiner_data.responses"\n'
    '  feedloom query "from responses limit 5" --format csv\n'
    '  feedloom query "from contacts" --format parquet --output contacts.parquet'
)
@click.argument("sql")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json", "parquet"]), help="[default: table]")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
@click.option("--to", metavar="DEST", help="The database.  [default: duckdb:feedloom.duckdb]")
def query(*, sql: str, form: str | None, as_json: bool, output: Path | None, to: str | None) -> None:
    """Run SQL on the database and print what it gives.

    Nothing can be written, and no file or network read, whatever the SQL says. Datasets are refiner_data and
    aptrinsic_data; their names can be left out.
    """
    from feedloom.sync.reading import read_only  # noqa: PLC0415 - duckdb is imported on use

    form = "json" if as_json else form or "table"
    if form == "parquet" and output is None:
        raise InputError("Parquet needs a file", hint="add --output rows.parquet", code="FL241")
    with read_only(to) as ask:
        _write(ask(sql), form, output)


def _write(rows: pa.RecordBatchReader, form: str, output: Path | None) -> None:
    names = rows.schema.names
    if form == "parquet" and output is not None:
        import pyarrow.parquet as pq  # noqa: PLC0415 - imported on use

        with pq.ParquetWriter(output, rows.schema) as writer:
            for batch in rows:
                writer.write_batch(batch)
        return
    if form == "table":
        _print_rows(names, rows)
        return
    target: Any = output.open("w", encoding="utf-8", newline="") if output is not None else sys.stdout
    try:
        if form == "csv":
            writer_csv = csv.writer(target)
            writer_csv.writerow(names)
            for batch in rows:
                writer_csv.writerows(zip(*(column.to_pylist() for column in batch.columns), strict=True))
        else:
            print_json({"columns": names, "rows": [row for batch in rows for row in batch.to_pylist()]})
    finally:
        if output is not None:
            target.close()


def _print_rows(names: list[str], rows: pa.RecordBatchReader) -> None:
    shown: list[tuple[Any, ...]] = []
    more = 0
    for batch in rows:
        values = list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
        room = _MOST_SHOWN - len(shown)
        shown.extend(values[:room])
        more += len(values[room:])
    print_table(names, shown)
    if more:
        click.echo(f"... and {more:,} rows more; --format csv prints all", err=True)
