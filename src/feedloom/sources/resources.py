"""Makes the dlt resources of a vendor from its catalogue: what a user selects, limits and gives hints to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, TypeVar

import dlt
from dlt.extract import DltResource

from feedloom.catalogue import Endpoint, Table, Vendor, Window
from feedloom.columnar import MORE_KEYS, KeyNames, RowShaper, column_hints, column_name
from feedloom.errors import InputError
from feedloom.http import Client, Key
from feedloom.sources import cursors
from feedloom.sources.bridge import iterate
from feedloom.sources.fanning import FanOutReads, slice_state
from feedloom.sources.journal import Journal
from feedloom.sources.naming import UnderWay, kept_names, names_resource
from feedloom.sources.planning import Cursor, Range, Read, Span, advance, plan_windows, span_to_read
from feedloom.sources.reading import Reader, Rows
from feedloom.sources.session import Reading, Session, current_session

Given = TypeVar("Given")

SIDE_BY_SIDE = 8
"""Lists of one table that are read at once."""

COLUMN_CAP = 300
"""Keys of a table's open maps that become columns, unless the user says otherwise."""


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
    """One resource for each table of *vendor*, in loading order, bound to the session under way.

    Raises InputError when *options* speak of a table that *vendor* does not have.
    """
    session = current_session()
    options = replace(options, params=_by_table(vendor, options.params), lookups=_by_table(vendor, options.lookups))
    # A text that looks like a date is a text: what is a moment, the catalogue says.
    dlt.current.source_schema().remove_type_detection("iso_timestamp")
    plans = [
        _Plan(vendor, options.tables.get(table.name, table), connection, options, session) for table in vendor.tables
    ]
    under_way = UnderWay()
    return [*(_resource(plan, under_way) for plan in plans), names_resource(under_way)]


def _by_table(vendor: Vendor, given: Mapping[str, Given]) -> dict[str, Given]:
    """*given* under the tables' own names, where an alias may stand in it."""
    try:
        return {vendor.table(name).name: value for name, value in given.items()}
    except KeyError as missing:
        raise InputError(
            f"{vendor.title} has no table {missing.args[0]!r}",
            hint=f"choose from {', '.join(table.name for table in vendor.tables)}",
            code="FL230",
        ) from None


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


def _resource(plan: _Plan, under_way: UnderWay) -> DltResource:
    table = plan.table
    write = "merge" if table.write == "replace" else table.write
    nested: dict[str, Any] = {}
    if table.long_answers is not None:
        nested[table.long_answers.name] = {"columns": _LONG_COLUMNS}
    made: DltResource = dlt.resource(  # type: ignore[call-overload]  # a plain function is no overload of dlt's
        _rows(plan, under_way),
        name=table.name,
        primary_key=tuple(column_name(name) for name in table.primary_key) or None,
        write_disposition="replace" if plan.replaces else write,
        columns=column_hints(table, plan.endpoint),
        file_format="parquet",
        nested_hints=nested or None,
        selected=table.selected or table.name in plan.options.lookups,
    )()
    return made


_LONG_COLUMNS = {
    name: {"name": name, "data_type": data_type}
    for name, data_type in (
        ("position", "bigint"),
        ("value_text", "text"),
        ("value_number", "double"),
        ("value_json", "text"),
    )
}


def _rows(plan: _Plan, under_way: UnderWay) -> Callable[[], Iterator[Any]]:
    @under_way.watched
    def rows() -> Iterator[Any]:
        table, reading = plan.table, plan.session.reading(plan.table.name)
        state, kept = dlt.current.resource_state(), kept_names(table.name)
        naming = dlt.current.source_schema().naming
        names = KeyNames(
            kept.setdefault("columns", {}),
            naming.normalize_identifier,
            cap=plan.options.column_cap,
            declared=_declared_kinds(plan),
            items=kept.setdefault("items", {}),
        )
        shaper = RowShaper(table, plan.endpoint, names)
        seen: set[bytes] | None = set() if plan.replaces else None
        for event in _events(plan, state, reading):
            if event.note:
                reading.notes.append(event.note)
                continue
            reading.pages += 1
            reading.rows += len(event.rows)
            shaped = shaper.shape(event.rows, _extra(table, event.read))
            plan.session.on_rows(table, shaped)
            if seen is not None:
                shaped = [row for row in shaped if _is_first(table, row, seen)]
            more = bool(names.refused) and not reading.keys_past_cap
            reading.keys_past_cap |= names.refused
            yield _with_more_keys(shaped, table, naming.make_path) if more else shaped
        if plan.replaces and not reading.complete:
            raise StoppedError(table.name)

    return rows


def _is_first(table: Table, row: Mapping[str, Any], seen: set[bytes]) -> bool:
    """Whether no row with this key came before: a list may repeat one while it is paged, and nothing here merges it."""
    key = "\x1f".join(str(row.get(name)) for name in table.primary_key)
    digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    known = len(seen)
    seen.add(digest)
    return len(seen) > known


def _declared_kinds(plan: _Plan) -> dict[tuple[str, str], str]:
    """The kinds of the values of an open map, as the vendor lists them."""
    types = plan.table.map_types
    if types is None:
        return {}
    endpoint = plan.vendor.endpoint(types.endpoint)

    async def pages() -> AsyncGenerator[list[dict[str, Any]], None]:
        async with plan.client() as client:
            async for page in client.pages(endpoint, types.params):
                yield page.rows

    return {
        (types.path, str(row[types.key])): types.kinds[row[types.type]]
        for rows in iterate(pages)
        for row in rows
        if row.get(types.type) in types.kinds and types.key in row
    }


def _extra(table: Table, read: Read) -> dict[str, Any]:
    return {**read.extra, table.read_at: datetime.now(UTC)} if table.read_at else dict(read.extra)


def _events(plan: _Plan, state: dict[str, Any], reading: Reading) -> Iterator[Rows]:
    """The pages of everything *plan* has to read now; moves the table's cursor once the last one was handed on."""
    table = plan.table
    if table.arguments or table.name in plan.options.lookups:
        calls = plan.options.lookups.get(table.name, ())
        if table.arguments and not calls:
            raise _nothing_named(plan.vendor, table)
        reading.complete = yield from _pages(
            plan, lambda _: _each([Read(params={**plan.params, **call}) for call in calls])
        )
    elif table.window is not None:
        yield from _windowed(plan, table.window, state, reading)
    elif table.fan_out is not None:
        known = slice_state(state, full=plan.options.full)
        with _journal(plan, lasting=False) as journal:
            reads = FanOutReads(plan.vendor, table, known, plan.session.now)
            reading.complete = yield from _pages(plan, reads.for_each_row, journal)
        if reading.complete:
            known.commit()
    else:
        with _journal(plan, lasting=False) as journal:
            reading.complete = yield from _pages(plan, lambda _: _each([Read(params=plan.params)]), journal)


def _nothing_named(vendor: Vendor, table: Table) -> InputError:
    argument = table.arguments[0]
    return InputError(
        f"{table.name} holds only rows that are looked up by {' or '.join(table.arguments)}, and none was named",
        hint=f'pass lookups={{"{table.name}": [{{"{argument}": "..."}}]}} to the source, or put '
        f'{table.name} = [{{{argument} = "..."}}] under [sources.{vendor.source_name}.lookups] in .dlt/config.toml',
        where=table.name,
        code="FL219",
    )


def _windowed(plan: _Plan, window: Window, state: dict[str, Any], reading: Reading) -> Iterator[Rows]:
    place = cursors.place(state, plan.options.params.get(plan.table.name, {}))
    cursor = Cursor() if plan.options.full else cursors.load(place)
    span = span_to_read(window, cursor, plan.options.wanted, plan.session.now)
    with _journal(plan, lasting=True) as journal:
        if journal is not None:
            span = _kept_span(journal, cursor, span)
        reads = plan_windows(window, plan.endpoint, span, plan.params, first=cursor.through is None)
        if plan.table.fan_out is None:
            reading.complete = yield from _pages(plan, lambda _: _each(reads), journal)
        else:
            rows = FanOutReads(plan.vendor, plan.table, slice_state(state), plan.session.now)
            reading.complete = yield from _pages(plan, lambda client: rows.for_each_row(client, reads), journal)
    if reading.complete:
        cursors.save(place, advance(cursor, span))


def _kept_span(journal: Journal, cursor: Cursor, span: Span) -> Span:
    """The span of a run that was cut off, so that its windows are the same ones; *span* where there was none."""
    kept = journal.plan
    if kept is not None and kept["after"] == (cursor.through.isoformat() if cursor.through is not None else None):
        since = datetime.fromisoformat(kept["since"]) if kept["since"] else None
        return since, datetime.fromisoformat(kept["through"])
    since, through = span
    journal.keep_plan(
        {
            "after": cursor.through.isoformat() if cursor.through is not None else None,
            "since": since.isoformat() if since is not None else None,
            "through": through.isoformat(),
        }
    )
    return span


@contextmanager
def _journal(plan: _Plan, *, lasting: bool) -> Iterator[Journal | None]:
    """The journal of the table, where the session keeps journals; kept until the run says that its rows are loaded."""
    folder = plan.session.journals
    if folder is None:
        yield None
        return
    wanted = plan.options.wanted
    journal = Journal(
        folder / f"{plan.table.name}.journal",
        purpose={
            "endpoint": plan.endpoint.name,
            "url": plan.connection.base_url or plan.connection.server,
            "key": plan.connection.key.value,
            "params": plan.params,
            "window": repr(plan.table.window),
            "wanted": [wanted.start, wanted.end],
            "full": plan.options.full,
        },
        now=plan.session.now,
        lasting=lasting,
    )
    try:
        yield journal
    finally:
        journal.close()


def _pages(
    plan: _Plan, reads: Callable[[Client], AsyncIterator[Read]], journal: Journal | None = None
) -> Generator[Rows, None, bool]:
    """Yields pages; returns whether all of them came."""

    async def events() -> AsyncGenerator[Rows, None]:
        async with plan.client() as client:
            reader = Reader(client, plan.endpoint, journal)
            async for rows in reader.read_many(reads(client), side_by_side=SIDE_BY_SIDE):
                yield rows

    for rows in iterate(events):
        yield rows
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
