"""What one resource of one run needs to know: its table, how to reach the vendor, and what the user chose."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from feedloom.catalogue import Endpoint, Table, Vendor
from feedloom.columnar.arrow import TableContract
from feedloom.errors import InputError
from feedloom.http import Client, KeyHolder
from feedloom.sources.planning import Range
from feedloom.sources.session import Session

COLUMN_CAP = 300
"""Keys of a table's open maps that become columns, unless the user says otherwise."""

Engine = Literal["arrow", "json"]
"""How rows become tables: ``arrow`` many at once, ``json`` one by one, through dlt's own normaliser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user of a source may choose.

    Attributes:
        wanted: The range of windowed tables.
        params: Extra parameters by table, for example filters.
        lookups: Calls to make instead of the planned ones, by table, as the parameters of each; no cursor moves.
        full: Windowed tables are read whole again and replace what was loaded.
        column_cap: See ``COLUMN_CAP``.
        engine: See ``Engine``.
        contracts: What becomes of new and re-typed fields, by table; what is not named evolves.
        tables: Changed descriptions, by name.
    """

    wanted: Range = field(default_factory=Range)
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lookups: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    full: bool = False
    column_cap: int = COLUMN_CAP
    engine: Engine = "arrow"
    contracts: Mapping[str, TableContract] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to reach the vendor: its key and where it is."""

    holder: KeyHolder
    base_url: str | None = None
    auth: str | None = None
    server: str | None = None


@dataclass(frozen=True, slots=True)
class TablePlan:
    """One table in one run."""

    vendor: Vendor
    table: Table
    connection: Connection
    options: Options
    session: Session

    @property
    def endpoint(self) -> Endpoint:
        """Where the table's rows come from."""
        return self.vendor.endpoint(self.table.endpoint)

    @property
    def is_lookup(self) -> bool:
        """Calls are made in place of the planned ones."""
        return bool(self.table.arguments) or self.table.name in self.options.lookups

    @property
    def replaces(self) -> bool:
        """The table becomes what is read now, so that half a list must not be loaded."""
        full = self.options.full and self.table.window is not None
        return (self.table.write == "replace" or full) and self.table.name not in self.options.lookups

    @property
    def write(self) -> str:
        """Dlt's write disposition."""
        if self.replaces:
            return "replace"
        return "merge" if self.table.write == "replace" else self.table.write

    @property
    def only_appends(self) -> bool:
        """Rows are merged, and there is nothing to merge them with: appending them, each key once, does the same."""
        return self.write == "merge" and bool(self.table.primary_key) and self.table.name in self.session.empty

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of every call."""
        return {**self.table.params, **self.options.params.get(self.table.name, {})}

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """An open client of the vendor."""
        transport = self.session.transport
        async with Client(
            self.vendor,
            self.connection.holder,
            base_url=self.connection.base_url,
            auth=self.connection.auth,
            server=self.connection.server,
            observer=self.session.observer,
            transport=transport() if transport is not None else None,
        ) as client:
            yield client


def checked_engine(name: str) -> Engine:
    """*name* as an engine; raises InputError when there is none of that name."""
    match name:
        case "arrow" | "json":
            return name
        case _:
            raise InputError(f"there is no engine {name!r}", hint="choose arrow or json", code="FL241")
