"""One table under audit: what is known of it before anything is asked, and how single rows of it are looked up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlglot
from dlt.pipeline.pipeline import Pipeline
from sqlglot import expressions as sql

from feedloom.audit.asking import Asker
from feedloom.audit.checks import Request, request_of
from feedloom.audit.stored import Stored, Tree, key_of
from feedloom.catalogue import Endpoint, Pass, Table, Vendor, Window
from feedloom.columnar.types import parse_time
from feedloom.errors import InputError
from feedloom.http import Row
from feedloom.http.answer import ABSENT, dig
from feedloom.sources.planning import Cursor
from feedloom.sync.counts import loaded_range
from feedloom.sync.queries import ask, column, relation

LIST_LOOK_BACK = timedelta(days=1)
"""How far before the load of a whole list a row counts as late, for clocks that differ."""

_ONE_SECOND = timedelta(seconds=1)
_ONE_MS = timedelta(milliseconds=1)


@dataclass(slots=True, kw_only=True)
class Subject:
    """One table under audit.

    Attributes:
        vendor, table: Whose, and which.
        pipeline: The way to the database.
        asker: The way to the vendor.
        now: When the audit began.
    """

    vendor: Vendor
    table: Table
    pipeline: Pipeline
    asker: Asker
    now: datetime
    stored: Stored = field(init=False)
    _whole: dict[str, Row] | None = field(default=None, init=False)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _columns: dict[str, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Open what reads the table."""
        self.stored = Stored(self.pipeline, self.table)

    @property
    def endpoint(self) -> Endpoint:
        """Where its rows come from."""
        return self.vendor.endpoint(self.table.endpoint)

    @property
    def window(self) -> Window | None:
        """The window by which the vendor can be asked for a range of rows; None where the list is one whole.

        A disputed filter is none: the vendor may count all rows whatever it says.
        """
        window = self.table.window
        return None if window is None or window.disputed else window

    @property
    def is_whole_list(self) -> bool:
        """Whether the table was made equal to a list that can be read again as a whole."""
        return self.table.is_countable and self.table.write == "replace"

    @property
    def loaded(self) -> Cursor:
        """The range that is loaded."""
        return loaded_range(self.vendor, self.table, self.pipeline)

    @property
    def late_from(self) -> datetime | None:
        """From when on the next sync reads rows again by itself; None where that is not known."""
        if self.table.window is not None:
            through = self.loaded.through
            return through - self.table.window.look_back if through is not None else None
        query = sqlglot.select(sql.Max(this=sql.column("_dlt_load_id", quoted=True)))
        rows = ask(self.pipeline, query.from_(relation(self.pipeline, self.table.name)))
        load_id = rows[0][0] if rows else None  # dlt names a load by the second, since 1970, in which it began
        return datetime.fromtimestamp(float(load_id), UTC) - LIST_LOOK_BACK if load_id else None

    def column(self, path: str) -> str:
        """The column that holds the field at *path*."""
        if path not in self._columns:  # dlt reads its schema anew whenever it is asked for a name
            self._columns[path] = column(self.pipeline, path).name
        return self._columns[path]

    def is_copied(self, place: str) -> bool:
        """Whether the column at *place* belongs to a copy of another table's row, which each sync compares."""
        return any(place.startswith(f"{self.column(copy.path)}__") for copy in self.table.embedded)

    def key(self, row: Row) -> str:
        """The key of a row as the vendor sends it."""
        return key_of(self._value(row, name) for name in self.table.primary_key)

    def newest(self, row: Row) -> datetime | None:
        """The newest moment in a row of the vendor: of the window's columns, else of any moment that it carries."""
        passes = self.table.window.passes if self.table.window is not None else ()
        names = [step.column for step in passes] or [
            described.name
            for described in self.endpoint.fields
            if described.type == "timestamp" and "[]" not in described.name
        ]
        moments = [value for name in names if isinstance(value := self._value(row, name), datetime)]
        return max(moments, default=None)

    def moment(self, row: Row, step: Pass | None) -> datetime | None:
        """The moment by which a row lies in the window of *step*; its newest one where there is no window."""
        if step is None:
            return self.newest(row)
        value = self._value(row, step.column)
        return value if isinstance(value, datetime) else None

    async def look_up(self, key: str, held: Tree) -> tuple[Row | None, Request | None]:
        """The vendor's row for one that is *held* here, and the request that gave it; no row where it has none.

        No request where the vendor can't be asked for it. Where the list has a window, the row is looked for at its
        moment first, which is the shortest list there is; one that moved on since is then found by its own field.
        """
        if self.table.single is None:
            if not self.is_whole_list:
                return None, None
            whole = await self.whole()
            return whole.get(key), request_of(self.endpoint, self.table.params)
        request: Request | None = None
        for endpoint, params in self._calls(held):
            row, request = await self._find(endpoint, params, key)
            if row is not None:
                return row, request
        return None, request

    async def whole(self) -> Mapping[str, Row]:
        """The vendor's whole list by key, read once."""
        async with self._reading:
            if self._whole is None:
                rows = await self.asker.rows(self.endpoint, self.table.params, most=None)
                self._whole = {self.key(row): row for row in rows or ()}
            return self._whole

    async def _find(self, endpoint: Endpoint, params: Mapping[str, Any], key: str) -> tuple[Row | None, Request]:
        request = request_of(endpoint, params)
        if endpoint.is_list:
            rows = await self.asker.rows(endpoint, params) or []
        else:
            content = await self.asker.answer(endpoint, params)
            rows = [content] if isinstance(content, dict) else []
        return next((row for row in rows if self.key(row) == key), None), request

    def _calls(self, held: Tree) -> list[tuple[Endpoint, dict[str, Any]]]:
        """The calls that may give the row, the cheapest first; none for one that lacks what it is found by."""
        single, at_moment = self._single(held), self._by_moment(held)
        if single is None:
            return []
        return [single] if at_moment is None else [(self.endpoint, at_moment), single]

    def _single(self, held: Tree) -> tuple[Endpoint, dict[str, Any]] | None:
        """The call for one row; None where the row lacks what it is found by, or no URL can hold that."""
        single = self.table.single
        if single is None:
            return None
        endpoint = self.vendor.endpoint(single.endpoint)
        value = held.cells.get(self.column(single.column))
        if value in (None, ""):
            return None
        if not single.param:
            return endpoint, {**self.table.params, **_instant(endpoint, single.column, value)}
        params = {**single.params, single.param: value}
        try:
            request_of(endpoint, params)
        except InputError:
            return None
        return endpoint, params

    def _by_moment(self, held: Tree) -> dict[str, Any] | None:
        """The parameters that ask for the rows of the same second, where the window is given by parameters."""
        window, bounds = self.window, self.endpoint.window
        if window is None or window.style != "params" or bounds is None:
            return None
        step = window.passes[0]
        moment = held.cells.get(self.column(step.column))
        if not isinstance(moment, datetime):
            return None
        start = moment.replace(microsecond=0)
        return {**self.table.params, **step.params, bounds[0]: start, bounds[1]: start + _ONE_SECOND}

    def _value(self, row: Row, path: str) -> Any:
        found = dig(row, path)
        described = next((one for one in self.endpoint.fields if one.name == path), None)
        if found is ABSENT or found is None:
            return None
        return parse_time(found, described) if described is not None and described.type == "timestamp" else found


def _instant(endpoint: Endpoint, name: str, moment: datetime) -> dict[str, Any]:
    """The filter for rows of one millisecond."""
    start = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // _ONE_MS
    return {endpoint.filter_param: [f"{name}>={start};{name}<{start + 1}"], endpoint.sort_param: name}
