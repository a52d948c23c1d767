"""Rows with their child rows, as the database holds them."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import orjson
import sqlglot
from dlt.pipeline.pipeline import Pipeline
from sqlglot import expressions as sql

from feedloom.catalogue import Table
from feedloom.sync.queries import ask, column, literal, live, relation

_ROWS_AT_ONCE = 500
_FETCHED_AT_ONCE = 100_000


@dataclass(slots=True)
class Tree:
    """A row: its cells that are not null, and the rows of each child table in their order."""

    cells: dict[str, Any] = field(default_factory=dict)
    children: dict[str, list[Tree]] = field(default_factory=dict)


def key_of(values: Iterable[Any]) -> str:
    """The values of a primary key as one text, the same for a row of the vendor and one of the database."""
    return "\x1f".join(
        value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value) for value in values
    )


def differences(here: Tree, there: Tree, where: str = "") -> dict[str, tuple[Any, Any]]:
    """What differs between two rows and their child rows: place -> what is here and what is there.

    A child row stands at ``<child table>[<position>]``; a whole list of another length at the child table's name.
    """
    found = {
        f"{where}{name}": (here.cells.get(name), there.cells.get(name))
        for name in sorted({*here.cells, *there.cells})
        if not _same(here.cells.get(name), there.cells.get(name))
    }
    for name in sorted({*here.children, *there.children}):
        ours, theirs = here.children.get(name, []), there.children.get(name, [])
        if len(ours) != len(theirs):
            found[f"{where}{name}"] = (f"{len(ours)} rows", f"{len(theirs)} rows")
        for position, (our, their) in enumerate(zip(ours, theirs, strict=False)):
            found |= differences(our, their, f"{where}{name}[{position}].")
    return found


def _same(here: Any, there: Any) -> bool:
    return type(here) is type(there) and bool(here == there)


class Stored:
    """The rows of one table as the destination holds them."""

    def __init__(self, pipeline: Pipeline, table: Table) -> None:
        self._pipeline = pipeline
        self._schema = pipeline.default_schema
        self._name = self._schema.naming.normalize_table_identifier(table.name)
        self._key = [column(pipeline, name) for name in table.primary_key]

    def sample_keys(self, count: int, seed: int) -> list[tuple[Any, ...]]:
        """The keys of *count* rows (all, where there are fewer), the same for the same rows and seed, in no order."""
        salt = str(seed).encode()

        def lot(values: Sequence[Any]) -> bytes:
            return blake2b(key_of(values).encode("utf-8", "surrogatepass"), digest_size=8, salt=salt[:16]).digest()

        return [tuple(row) for row in heapq.nsmallest(count, self._keys(), key=lot)]

    def keys(self, conditions: Sequence[sql.Expression | sql.Condition]) -> dict[str, tuple[Any, ...]]:
        """The keys of the rows that meet all *conditions*, by ``key_of`` them; none of rows that are marked as gone."""
        rows = ask(self._pipeline, self._all_keys().where(*conditions))
        return {key_of(row): tuple(row) for row in rows}

    def trees(self, keys: Sequence[tuple[Any, ...]]) -> dict[str, Tree]:
        """The rows with these keys, by ``key_of`` them; each with ``_feedloom_hash`` among its cells."""
        found: dict[str, Tree] = {}
        for start in range(0, len(keys), _ROWS_AT_ONCE):
            some = keys[start : start + _ROWS_AT_ONCE]
            first = self._key[0].isin(*[literal(key[0]) for key in some])
            wanted = {key_of(key) for key in some}
            rows = [
                row for row in self._select(self._name, first) if key_of(row[one.name] for one in self._key) in wanted
            ]
            trees = {row["_dlt_id"]: Tree(own_cells(row)) for row in rows}
            self._put_children(self._name, trees)
            found |= {key_of(row[one.name] for one in self._key): trees[row["_dlt_id"]] for row in rows}
        return found

    def query(self, key: Sequence[Any]) -> str:
        """The SQL that shows the row with this key."""
        conditions = [sql.EQ(this=one, expression=literal(value)) for one, value in zip(self._key, key, strict=True)]
        query = sqlglot.select("*").from_(relation(self._pipeline, self._name)).where(*conditions)
        return sql_text(self._pipeline, query)

    def _all_keys(self) -> sql.Select:
        query = sqlglot.select(*self._key).from_(relation(self._pipeline, self._name))
        return query.where(*live(self._pipeline, self._name))

    def _keys(self) -> Iterator[Sequence[Any]]:
        with (
            self._pipeline.sql_client() as client,
            client.execute_query(self._all_keys().sql(dialect=client.capabilities.sqlglot_dialect)) as cursor,
        ):
            while rows := cursor.fetchmany(_FETCHED_AT_ONCE):
                yield from rows

    def _put_children(self, table: str, parents: Mapping[str, Tree]) -> None:
        """Put the rows of the child tables of *table* below their parents, and theirs below them."""
        if not parents:
            return
        for name, described in self._schema.tables.items():
            if described.get("parent") != table:
                continue
            below = sql.column("_dlt_parent_id", quoted=True).isin(*[literal(one) for one in parents])
            rows = sorted(self._select(name, below), key=lambda row: row["_dlt_list_idx"])
            trees = {row["_dlt_id"]: Tree(own_cells(row)) for row in rows}
            for row in rows:
                parents[row["_dlt_parent_id"]].children.setdefault(name, []).append(trees[row["_dlt_id"]])
            self._put_children(name, trees)

    def _select(self, table: str, condition: sql.Condition) -> list[dict[str, Any]]:
        columns = {
            name: str(known["data_type"])
            for name, known in self._schema.get_table_columns(table).items()
            if "data_type" in known
        }
        query = sqlglot.select(*[sql.column(name, quoted=True) for name in columns])
        found = ask(self._pipeline, query.from_(relation(self._pipeline, table)).where(condition))
        return [
            {
                name: cell_of(value, kind)
                for (name, kind), value in zip(columns.items(), row, strict=True)
                if value is not None
            }
            for row in found
        ]


def sql_text(pipeline: Pipeline, query: sql.Query) -> str:
    """*query* in the destination's dialect."""
    with pipeline.sql_client() as client:
        return query.sql(dialect=client.capabilities.sqlglot_dialect)


def cell_of(value: Any, kind: str) -> Any:
    """*value* in one form, whatever the driver: JSON parsed, moments in UTC as plain datetimes."""
    if kind == "json":
        return orjson.loads(value) if isinstance(value, str) else value
    if isinstance(value, datetime):
        moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return datetime(*moment.timetuple()[:6], moment.microsecond, tzinfo=UTC)
    return value


def own_cells(cells: Mapping[str, Any]) -> dict[str, Any]:
    """*cells* without dlt's own."""
    return {name: value for name, value in cells.items() if not name.startswith("_dlt_")}
