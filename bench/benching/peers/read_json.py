"""The bound: DuckDB alone, from pages that lie on the disk, with nobody to ask and nothing to wait for.

    python -m benching.peers.read_json refiner --pages FOLDER [--threads 1] [--root-only]

``--root-only`` is one statement, ``CREATE TABLE ... AS SELECT unnest(...) FROM read_json(...)``; maps stay maps and
lists stay lists. Without it, the pages are read into a temporary table, out of which come the root table with a column
for each nested field and a table for each nested list, as feedloom and dlt make them; but no ids, no load ids, no
fingerprints, no long form of the answers, and nothing is merged.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import duckdb
from duckdb.sqltypes import DuckDBPyType

from benching.subjects import SUBJECTS, Subject

Path: TypeAlias = tuple[str, ...]
"""Names of fields, from the row down."""

SEPARATOR = "__"
_LARGEST_PAGE_BYTES = 64 * 1024 * 1024


def read_pages(subject: Subject, pages: str) -> str:
    """SQL for the rows of all pages, each field of a row a column.

    Every page is looked at before types are chosen, and objects are structs whatever their keys.
    """
    options = (
        f"maximum_object_size = {_LARGEST_PAGE_BYTES}, sample_size = -1, maximum_sample_files = 1000000, "
        "map_inference_threshold = -1, field_appearance_threshold = 0"
    )
    return f"select unnest({subject.records}, max_depth := 2) from read_json('{pages}/*.json', {options})"  # noqa: S608 - names of its own


def fields(columns: Iterable[tuple[str, Any]], above: Path = ()) -> Iterator[tuple[Path, DuckDBPyType]]:
    """The path and type of everything that is no struct, below structs of any depth."""
    for name, kind in columns:
        if kind.id == "struct":
            yield from fields(kind.children, (*above, name))
        else:
            yield (*above, name), kind


def quoted(*names: str) -> str:
    """A path as SQL."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def make_tables(subject: Subject, connection: duckdb.DuckDBPyConnection, pages: str) -> None:
    """The root table flattened, and a table with parent's key, position and value for each list."""
    connection.execute(f"create temp table pages as {read_pages(subject, pages)}")
    rows = connection.table("pages")
    found = list(fields(zip(rows.columns, rows.types, strict=True)))
    key = rows.columns[0]
    lists = [path for path, kind in found if kind.id == "list" and path[0] not in subject.whole_lists]
    kept = ", ".join(f"{quoted(*path)} as {quoted(SEPARATOR.join(path))}" for path, _ in found if path not in lists)
    connection.execute(f"create table {subject.table} as select {kept} from pages")  # noqa: S608 - the same
    for path in lists:
        place, table = quoted(*path), quoted(SEPARATOR.join((subject.table, *path)))
        connection.execute(
            f"create table {table} as select {quoted(key)} as parent, "  # noqa: S608 - names of its own
            f"generate_subscripts({place}, 1) - 1 as position, unnest({place}) as value "
            f"from pages where len({place}) > 0"
        )


def main() -> None:
    """Load and return."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subject", choices=SUBJECTS)
    parser.add_argument("--pages", required=True, metavar="FOLDER")
    parser.add_argument("--threads", type=int, help="as many as there are cores when left out")
    parser.add_argument("--root-only", action="store_true")
    options = parser.parse_args()
    subject = SUBJECTS[options.subject]
    with duckdb.connect("bench.duckdb") as connection:
        if options.threads is not None:
            connection.execute(f"set threads = {options.threads}")
        connection.execute(f"create schema {subject.dataset}; use {subject.dataset}")
        if options.root_only:
            connection.execute(f"create table {subject.table} as {read_pages(subject, options.pages)}")
        else:
            make_tables(subject, connection, options.pages)


if __name__ == "__main__":
    main()
