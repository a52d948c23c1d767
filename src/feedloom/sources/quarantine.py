"""The table ``feedloom_quarantine``: rows that cannot be loaded without losing part of them, as they came, and why.

A row stands there once, however often it is read. Which row of the source it is, and when it happened, is noted where
that can be read, so that counts stay comparable: a row that is mended later stands in its own table and no longer
counts as put aside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from hashlib import blake2b
from typing import Any

import dlt

from feedloom.catalogue import Endpoint, Table
from feedloom.columnar import MORE_KEYS
from feedloom.columnar.arrow import FlawError, Naming, Quarantined, load_row, refuse_nul, refuse_shared
from feedloom.columnar.types import parse_time
from feedloom.errors import VendorError
from feedloom.http import Row, glimpse
from feedloom.sources.naming import kept_names
from feedloom.sources.reading import Rows

QUARANTINE_TABLE = "feedloom_quarantine"
"""The name of the table."""

_UNREADABLE = "\ufffd"


def put_aside(table: Table, endpoint: Endpoint, quarantined: Sequence[Quarantined]) -> Any:
    r"""What a resource yields to put rows of *table*, which come from *endpoint*, aside.

    Columns: ``table_name``; ``row_digest``, 32 hex digits of the row's bytes; ``row_key``, the primary key where it is
    one column that can be read; ``row_moment``, the moment by which the table's window is read, where that can be;
    ``reason``; ``raw``, the row with bytes that are no text as ``\xff``.
    """
    rows = [{"table_name": table.name, **_described(table, endpoint, row)} for row in quarantined]
    columns: dict[str, Any] = {name: {"name": name, "data_type": "text"} for name in ("row_key", "reason", "raw")}
    hints = dlt.mark.make_hints(
        table_name=QUARANTINE_TABLE,
        write_disposition="merge",
        primary_key=("table_name", "row_digest"),
        columns={**columns, "row_moment": {"name": "row_moment", "data_type": "timestamp"}},
        nested_hints={},
    )
    return dlt.mark.with_hints(rows, hints, create_table_variant=True)


def readable_keys(table: Table, quarantined: Sequence[Quarantined]) -> set[str | None]:
    """The primary keys of rows that are put aside; None for those that cannot be read, or are more than one column."""
    return {_key(table, glimpse(row.raw) or {}) for row in quarantined}


def exact_rows(table: Table, page: Rows, *, with_nul: bool) -> Iterator[Row]:
    """The rows of *page* for an engine that puts none aside; *with_nul* allows U+0000 in them.

    Raises VendorError for one that cannot be kept whole.
    """
    for raw in page.cut.rows:
        with _named(table):
            if not with_nul:
                refuse_nul(bytes(raw))
            row, _ = load_row(bytes(raw))
        yield row


def check_names(table: Table, naming: Naming, shaped: Sequence[Row]) -> None:
    """Raises VendorError where two keys of a shaped row would share a column, of which one would be lost."""
    paths = [*table.json_columns, *(f"{path}.{MORE_KEYS}" for path in table.open_maps)]
    json_columns = {naming.join(*(naming.column(part) for part in path.split("."))) for path in paths}
    with _named(table):
        for row in shaped:
            refuse_shared(row, naming, json_columns.__contains__)


@contextmanager
def _named(table: Table) -> Iterator[None]:
    """Turn a flaw of a row into an error of its table."""
    try:
        yield
    except FlawError as flaw:
        raise VendorError(
            f"a row of {table.name} cannot be loaded whole: {flaw}",
            hint=f'with engine = "arrow", into a destination that takes Parquet, such rows are put aside in '
            f"{QUARANTINE_TABLE} and the others are loaded",
            where=table.name,
        ) from None


def note_whole_reading(table: str, load_id: str) -> None:
    """Keep that the load *load_id* read *table* whole: rows put aside before may be mended or gone since."""
    kept_names(table)["read_whole"] = load_id


def last_whole_reading(state: Mapping[str, Any], source: str, table: str) -> str | None:
    """The load that last read *table* of *source* whole, as a pipeline's *state* says; None for none."""
    names = state.get("sources", {}).get(source, {}).get("names", {})
    load_id: str | None = names.get(table, {}).get("read_whole")
    return load_id


def _described(table: Table, endpoint: Endpoint, row: Quarantined) -> dict[str, Any]:
    seen = glimpse(row.raw) or {}
    return {
        "row_digest": blake2b(row.raw, digest_size=16).hexdigest(),
        "row_key": _key(table, seen),
        "row_moment": _moment(table, endpoint, seen),
        "reason": row.reason,
        "raw": row.raw.decode("utf-8", "backslashreplace").replace("\0", "\\x00"),
    }


def _key(table: Table, seen: Mapping[str, Any]) -> str | None:
    value = seen.get(table.primary_key[0]) if len(table.primary_key) == 1 else None
    is_plain = isinstance(value, int | str) and not isinstance(value, bool)
    return str(value) if is_plain and _UNREADABLE not in str(value) and _is_text(str(value)) else None


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value


def _moment(table: Table, endpoint: Endpoint, seen: Mapping[str, Any]) -> datetime | None:
    if table.window is None:
        return None
    name = table.window.passes[0].column
    described = next((field for field in endpoint.fields if field.name == name), None)
    moment = parse_time(seen.get(name), described) if described is not None else None
    return moment if isinstance(moment, datetime) else None
