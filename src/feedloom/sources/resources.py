"""Makes the dlt resources of a vendor from its catalogue: what a user selects, limits and gives hints to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dlt
from dlt.extract import DltResource

from feedloom.catalogue import Endpoint, Table, Vendor
from feedloom.columnar import MORE_KEYS, KeyNames, RowShaper, column_hints
from feedloom.http import Client, Key
from feedloom.sources import cursors
from feedloom.sources.bridge import iterate
from feedloom.sources.fanning import plan_fan_out, slice_state
from feedloom.sources.planning import Range, Read, plan_windows
from feedloom.sources.reading import Finished, Rows, read_many
from feedloom.sources.session import Reading, Session, current_session

SIDE_BY_SIDE = 4
"""Lists of one table that are read at once."""

COLUMN_CAP = 300
"""Keys of a table's open maps that become columns, unless the user says otherwise."""

NAMES_TABLE = "feedloom_columns"
"""The table that says which key of an open map each column holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user of a source may choose.

    Attributes:
        wanted: The range of windowed tables.
        params: Extra parameters by table, for example filters.
        lookups: Calls to make instead of the planned ones, by table, as the parameters of each; no cursor moves.
        full: Windowed tables are read whole again and replace what was loaded.
        column_cap: See ``COLUMN_CAP``.
        tables: Changed descriptions, by name.
    """

    wanted: Range = field(default_factory=Range)
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lookups: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    full: bool = False
    column_cap: int = COLUMN_CAP
    tables: Mapping[str, Table] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to reach the vendor: its key and where it is."""

    key: Key
    base_url: str | None = None
    auth: str | None = None
    server: str | None = None


def make_resources(vendor: Vendor, connection: Connection, options: Options) -> list[DltResource]:
    """One resource for each table of *vendor*, in loading order, bound to the session under way."""
    session = current_session()
    return [
        _resource(_Plan(vendor, options.tables.get(table.name, table), connection, options, session))
        for table in vendor.tables
    ]


class StoppedError(Exception):
    """The reading of a list that replaces its table was stopped before its end; nothing of it may be loaded."""


@dataclass(frozen=True, slots=True)
class _Plan:
    vendor: Vendor
    table: Table
    connection: Connection
    options: Options
    session: Session

    @property
    def endpoint(self) -> Endpoint:
        return self.vendor.endpoint(self.table.endpoint)

    @property
    def replaces(self) -> bool:
        """The table becomes what is read now, so that half a list must not be loaded."""
        full = self.options.full and self.table.window is not None
        return (self.table.write == "replace" or full) and self.table.name not in self.options.lookups

    @property
    def params(self) -> dict[str, Any]:
        return {**self.table.params, **self.options.params.get(self.table.name, {})}

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        transport = self.session.transport
        async with Client(
            self.vendor,
            self.connection.key,
            base_url=self.connection.base_url,
            auth=self.connection.auth,
            server=self.connection.server,
            observer=self.session.observer,
            transport=transport() if transport is not None else None,
        ) as client:
            yield client


def _resource(plan: _Plan) -> DltResource:
    table = plan.table
    write = "merge" if table.write == "replace" else table.write
    nested: dict[str, Any] = {}
    if table.long_answers is not None:
        nested[table.long_answers.name] = {"columns": _LONG_COLUMNS}
    made: DltResource = dlt.resource(  # type: ignore[call-overload]  # a plain function is no overload of dlt's
        _rows(plan),
        name=table.name,
        primary_key=table.primary_key or None,
        write_disposition="replace" if plan.replaces else write,
        columns=column_hints(table, plan.endpoint),
        file_format="parquet",
        nested_hints=nested or None,
        selected=table.selected or table.name in plan.options.lookups,
    )()
    return made


_LONG_COLUMNS = {
    "position": {"data_type": "bigint"},
    "value_text": {"data_type": "text"},
    "value_number": {"data_type": "double"},
    "value_json": {"data_type": "text"},
}


def _rows(plan: _Plan) -> Callable[[], Iterator[Any]]:
    def rows() -> Iterator[Any]:
        table, reading = plan.table, plan.session.reading(plan.table.name)
        state = dlt.current.resource_state()
        naming = dlt.current.source_schema().naming
        names = KeyNames(state.setdefault("names", {}), naming.normalize_identifier, cap=plan.options.column_cap)
        shaper = RowShaper(table, plan.endpoint, names)
        for event in _events(plan, state, reading):
            reading.pages += 1
            reading.rows += len(event.rows)
            shaped = shaper.shape(event.rows, _extra(table, event.read))
            plan.session.on_rows(table, shaped)
            more = bool(names.refused) and not reading.keys_past_cap
            reading.keys_past_cap |= names.refused
            yield _with_more_keys(shaped, table, naming.make_path) if more else shaped
        if plan.replaces and not reading.complete:
            raise StoppedError(table.name)
        if names.added:
            yield _name_rows(table, names)

    return rows


def _extra(table: Table, read: Read) -> dict[str, Any]:
    return {**read.extra, table.read_at: datetime.now(UTC)} if table.read_at else dict(read.extra)


def _events(plan: _Plan, state: dict[str, Any], reading: Reading) -> Iterator[Rows]:
    """The pages of everything *plan* has to read now; moves the table's cursor once the last one was handed on."""
    table = plan.table
    if table.arguments or table.name in plan.options.lookups:
        reads = [Read(params={**plan.params, **params}) for params in plan.options.lookups.get(table.name, ())]
        reading.complete = yield from _pages(plan, lambda _: _each(reads))
    elif table.window is not None:
        yield from _windowed(plan, state, reading)
    elif table.fan_out is not None:
        known = slice_state(state)
        finished = yield from _pages(
            plan, lambda client: plan_fan_out(client, plan.vendor, table, known, plan.session.now)
        )
        if finished:
            known.commit(plan.session.now)
        reading.complete = finished
    else:
        reading.complete = yield from _pages(plan, lambda _: _each([Read(params=plan.params)]))


def _windowed(plan: _Plan, state: dict[str, Any], reading: Reading) -> Iterator[Rows]:
    window = plan.table.window
    if window is None:
        raise ValueError(f"table {plan.table.name} has no window")
    place = cursors.place(state, plan.options.params.get(plan.table.name, {}))
    if plan.options.full:
        place.clear()
    cursor = cursors.load(place)
    whole, reads = plan_windows(window, plan.endpoint, cursor, plan.options.wanted, plan.session.now)
    now_reads = reads[: plan.session.windows_at_once]
    filled = [Read(params={**read.params, **plan.params}, extra=read.extra, window=read.window) for read in now_reads]
    done: list[tuple[str, str, str]] = []
    finished = yield from _pages(plan, lambda _: _each(filled), done)
    reading.windows_left = len(reads) - len(done)
    reading.complete = finished and not reading.windows_left
    cursors.save(place, cursors.after(cursor, whole, done, complete=reading.complete))


def _pages(
    plan: _Plan, reads: Callable[[Client], AsyncIterator[Read]], done: list[tuple[str, str, str]] | None = None
) -> Generator[Rows, None, bool]:
    """Yields pages; returns whether all of them came. Windows that end are added to *done*."""

    async def events() -> AsyncGenerator[Rows | Finished, None]:
        async with plan.client() as client:
            async for event in read_many(client, plan.endpoint, reads(client), side_by_side=SIDE_BY_SIDE):
                yield event

    for event in iterate(events):
        if isinstance(event, Finished):
            if done is not None and event.read.window is not None:
                done.append(event.read.window)
        else:
            yield event
        if plan.session.stop.is_set():
            return False
    return True


async def _each(reads: Sequence[Read]) -> AsyncIterator[Read]:
    for read in reads:
        yield read


def _with_more_keys(rows: list[dict[str, Any]], table: Table, make_path: Callable[..., str]) -> Any:
    columns = {
        (name := make_path(*path.split("."), MORE_KEYS)): {"name": name, "data_type": "json"}
        for path in table.open_maps
    }
    return dlt.mark.with_hints(rows, dlt.mark.make_hints(columns=columns))


def _name_rows(table: Table, names: KeyNames) -> Any:
    rows = [
        {"table_name": table.name, "map_path": path, "key": key, "column_name": column}
        for path, key, column in names.added
    ]
    hints = dlt.mark.make_hints(
        table_name=NAMES_TABLE,
        write_disposition="merge",
        primary_key=("table_name", "map_path", "key"),
        columns={"key": {"data_type": "text"}},
    )
    return dlt.mark.with_hints(rows, hints, create_table_variant=True)
