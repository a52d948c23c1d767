"""Finds where a loaded row came from: its load, the run, the request, and the bytes as the vendor sent them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import orjson
import sqlglot
from sqlglot import expressions as sql

from feedloom.catalogue import Endpoint, Table, Vendor
from feedloom.columnar import column_name, parse_time
from feedloom.errors import InputError
from feedloom.http import cut_body
from feedloom.http.answer import parse_json
from feedloom.sources.journal import KeptList, KeptPage, KeptReading, KeptRun, Walk
from feedloom.sync.journals import readings_of_load
from feedloom.sync.reading import Database, read_only
from feedloom.sync.warehouse import choose_target
from feedloom.vendors import VENDORS


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One page that brought a row.

    Attributes:
        run: The run whose journal holds it.
        asked_by: The run that asked for it, which may have been cut off before.
        at: When it came, aware.
        request: Method and URL, without the key.
        page: Its number in its list, from 1.
        status: HTTP status.
        raw: The row as the vendor sent it.
    """

    run: str
    asked_by: str
    at: datetime
    request: str
    page: int
    status: int
    raw: bytes = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON; what is no UTF-8 of the row is escaped."""
        return {
            "run": self.run,
            "asked_by": self.asked_by,
            "at": self.at,
            "request": self.request,
            "page": self.page,
            "status": self.status,
            "raw": self.raw.decode("utf-8", "backslashreplace"),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A row of the database, and the pages that brought it, in the order they came.

    Attributes:
        table: Dataset and table.
        key: Its primary key, by the vendor's names.
        load_id: The load that brought it.
        loaded_at: When that was done, aware.
        origins: The pages; the last one won.
    """

    table: str
    key: Mapping[str, Any]
    load_id: str
    loaded_at: datetime | None
    origins: Sequence[Origin]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "table": self.table,
            "key": {name: value if isinstance(value, int | float) else str(value) for name, value in self.key.items()},
            "load_id": self.load_id,
            "loaded_at": self.loaded_at,
            "origins": [origin.as_dict() for origin in self.origins],
        }


def trace(name: str, key: Sequence[str], *, to: str | None) -> Traced:
    """Where the row of the table *name* whose primary key reads *key* came from; *name* may begin with its dataset.

    Moments and days of a key are written as ``feedloom query`` shows them.

    Raises InputError for an unknown table, a table without primary key, a key that no row has, and a row whose journal
    is not kept any more; DestinationError where there is no database.
    """
    with read_only(to) as database:
        vendor, dataset, table = _find_table(database, name, to)
        if not table.primary_key:
            raise InputError(
                f"{table.name} has no primary key to find a row by", hint="ask for another table", code="FL265"
            )
        if len(key) != len(table.primary_key):
            raise InputError(
                f"a row of {table.name} is found by {len(table.primary_key)} values, not {len(key)}",
                hint=f"give, in this order: {', '.join(table.primary_key)}",
                code="FL265",
            )
        held, load_id, loaded_at = _find_row(database, f"{dataset}.{table.name}", table, key)
    readings = [found for found in readings_of_load(load_id) if found[1].table == table.name]
    origins = _origins(readings, vendor.endpoint(table.endpoint), held)
    if not origins:
        raise InputError(
            f"the pages of load {load_id} are not kept any more",
            hint="journal_days and journal_mb under [feedloom] in .dlt/config.toml say how long they are",
            where=f"{dataset}.{table.name}",
            code="FL267",
        )
    return Traced(table=f"{dataset}.{table.name}", key=held, load_id=load_id, loaded_at=loaded_at, origins=origins)


def _find_table(database: Database, name: str, to: str | None) -> tuple[Vendor, str, Table]:
    given, _, plain = name.rpartition(".")
    found = [
        (vendor, dataset, table)
        for vendor in VENDORS.values()
        for dataset in [choose_target(vendor, to, given or None).dataset]
        for table in vendor.tables
        if plain in (table.name, *table.aliases) and table.name in database.tables.get(dataset, ())
    ]
    if given:
        found = [one for one in found if one[0].dataset == given or len(found) == 1]
    if len(found) == 1:
        return found[0]
    if not found:
        raise InputError(
            f"the database holds no table {name!r} of a source", hint="`feedloom status` shows its tables", code="FL266"
        )
    choices = ", ".join(f"{dataset}.{table.name}" for _, dataset, table in found)
    raise InputError(f"{name} may be several tables", hint=f"choose from {choices}", code="FL266")


def _find_row(
    database: Database, place: str, table: Table, key: Sequence[str]
) -> tuple[dict[str, Any], str, datetime | None]:
    """The key of the row as it is held, its load, and when that was done."""
    dataset, _, _ = place.partition(".")
    columns = [sql.column(column_name(name), quoted=True) for name in table.primary_key]
    query = sqlglot.select(*columns, sql.column("_dlt_load_id", quoted=True)).from_(sql.to_table(place))
    for column, text in zip(columns, key, strict=True):
        query = query.where(sql.cast(column.copy(), "varchar").eq(sql.Literal.string(text)))
    rows = database.ask(query.sql(dialect="duckdb")).records()
    if not rows:
        named = ", ".join(f"{name} {text}" for name, text in zip(table.primary_key, key, strict=True))
        raise InputError(
            f"{place} holds no row with {named}",
            hint=f'look for it: feedloom query "from {place} limit 5"',
            code="FL266",
        )
    *values, load_id = rows[0].values()
    loads = sqlglot.select("inserted_at").from_(sql.to_table(f"{dataset}._dlt_loads"))
    loads = loads.where(sql.column("load_id").eq(sql.Literal.string(str(load_id))))
    done = database.ask(loads.sql(dialect="duckdb")).records()
    moment = done[0]["inserted_at"] if done else None
    return (
        dict(zip(table.primary_key, values, strict=True)),
        str(load_id),
        moment if isinstance(moment, datetime) else None,
    )


def _origins(
    readings: Sequence[tuple[KeptRun, KeptReading]], endpoint: Endpoint, key: Mapping[str, Any]
) -> list[Origin]:
    """The pages that hold the row; those in whose bytes the key shows are looked at first."""
    marks = [orjson.dumps(value)[1:-1] for value in key.values() if isinstance(value, str)]
    for is_quick in (True, False):
        found = [
            origin
            for run, reading in readings
            for origin in _origins_in(run, reading, endpoint, key, marks if is_quick else ())
        ]
        if found:
            return found
    return []


def _origins_in(
    run: KeptRun, reading: KeptReading, endpoint: Endpoint, key: Mapping[str, Any], marks: Sequence[bytes]
) -> Iterator[Origin]:
    walk = Walk(reading.folder)
    for page in walk.every_page():
        asked = walk.lists[page.list]
        if asked.endpoint != endpoint.name or (marks and not any(mark in page.body for mark in marks)):
            continue
        for raw in _rows_with(page, asked, endpoint, key):
            yield Origin(
                run=run.name,
                asked_by=page.run,
                at=page.at,
                request=page.request,
                page=page.number + 1,
                status=page.status,
                raw=raw,
            )


def _rows_with(page: KeptPage, asked: KeptList, endpoint: Endpoint, key: Mapping[str, Any]) -> Iterator[bytes]:
    for raw in cut_body(page.body, endpoint=endpoint, request=page.request).rows:
        try:
            row = {**parse_json(bytes(raw)), **asked.extra}
        except ValueError:
            continue
        if all(_is_held_as(row.get(name), value, name, endpoint) for name, value in key.items()):
            yield bytes(raw)


def _is_held_as(given: Any, held: Any, name: str, endpoint: Endpoint) -> bool:
    """Whether the database holds the value *given* by the vendor as *held*."""
    if isinstance(held, datetime):
        described = next((one for one in endpoint.fields if one.name == name), None)
        moment = parse_time(given, described) if described is not None else given
        held = held.replace(tzinfo=UTC) if held.tzinfo is None else held
        return isinstance(moment, datetime) and moment == held
    if isinstance(held, date):
        return str(given) == held.isoformat()
    return str(given) == str(held)
