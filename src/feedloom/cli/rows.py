"""Writes the rows of a query as a table, CSV, JSON or Parquet."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Mapping
from typing import IO, Any

import click
import pyarrow as pa
from pyarrow import parquet

from feedloom.cli.output import json_text, table_text
from feedloom.cli.values import as_json, as_text, distinct, rows_of
from feedloom.sync.reading import Rows

_MOST_SHOWN = 200


def _write_table(rows: Rows, target: IO[bytes]) -> None:
    shown: list[tuple[Any, ...]] = []
    more = 0
    for row in rows_of(rows.batches):
        if len(shown) < _MOST_SHOWN:
            shown.append(row)
        else:
            more += 1
    target.write(table_text(distinct(rows.schema.names), shown, show=as_text).encode())
    if more:
        click.echo(f"... and {more:,} rows more; --format csv writes all", err=True)


def _write_csv(rows: Rows, target: IO[bytes]) -> None:
    writer = csv.writer(codecs.getwriter("utf-8")(target), lineterminator="\n")
    writer.writerow(distinct(rows.schema.names))
    writer.writerows([as_text(value) for value in row] for row in rows_of(rows.batches))


def _write_json(rows: Rows, target: IO[bytes]) -> None:
    names = distinct(rows.schema.names)
    found = [dict(zip(names, map(as_json, row), strict=True)) for row in rows_of(rows.batches)]
    target.write(f"{json_text({'columns': names, 'rows': found})}\n".encode())


def _write_parquet(rows: Rows, target: IO[bytes]) -> None:
    names = distinct(rows.schema.names)
    schema = pa.schema([column.with_name(name) for column, name in zip(rows.schema, names, strict=True)])
    with parquet.ParquetWriter(target, schema) as writer:
        for batch in rows.batches:
            writer.write_batch(batch.rename_columns(names))


WRITERS: Mapping[str, Callable[[Rows, IO[bytes]], None]] = {
    "table": _write_table,
    "csv": _write_csv,
    "json": _write_json,
    "parquet": _write_parquet,
}
"""By name of the format; columns of the same name get a number in all of them."""
