"""A DuckDB file as feedloom leaves it: its rows put together again, how a row has to lie in it, and what differs.

It shares no code with the loader. Both comparisons of a database with its API stand on it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import duckdb

COLUMNS_TABLE = "feedloom_columns"
LEDGER = (
    "feedloom_runs",
    "feedloom_windows",
    "feedloom_checks",
    "feedloom_requests",
    "feedloom_schema_changes",
    "feedloom_question_changes",
)
DELETED_AT = "_feedloom_deleted_at"
MORE_KEYS = "feedloom_more_keys"
MOMENT = "TIMESTAMP WITH TIME ZONE"

_KINDS = {"VARCHAR": "text", "BIGINT": "bigint", "DOUBLE": "double", "BOOLEAN": "bool"}
_INT64 = range(-(2**63), 2**63)
_EXACT_FLOAT = 2**53
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Names: TypeAlias = Mapping[tuple[str, str], Mapping[str, str]]


@dataclass(slots=True)
class Row:
    """One row with its child rows: the cells that are not null, and the rows of each child table in their order."""

    cells: dict[str, Any] = field(default_factory=dict)
    children: dict[str, list[Row]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Json:
    """A value of a JSON column; ``text`` is the same for the same value."""

    text: str


class Database:
    """The tables of one schema of the database, read whole.

    Attributes:
        types: Table -> column -> type, as DuckDB writes it.
        names: Table and path of an open map -> key -> column.
        roots: Table -> its rows, with all child rows below them; child tables and the ledger are not in it.
        problems: What is wrong in the database by itself, one text each.
    """

    def __init__(self, file: Path, schema: str) -> None:
        self.problems: list[str] = []
        with duckdb.connect(str(file), read_only=True) as connection:
            self.types = _types(connection, schema)
            rows = {name: _rows(connection, f'{schema}."{name}"', columns) for name, columns in self.types.items()}
        self.names = self._read_names(rows.pop(COLUMNS_TABLE, []))
        aside = ("_dlt", *LEDGER)
        self.roots = self._as_trees({name: found for name, found in rows.items() if not name.startswith(aside)})

    def _read_names(self, rows: Sequence[Mapping[str, Any]]) -> Names:
        names: dict[tuple[str, str], dict[str, str]] = {}
        for row in rows:
            keys = names.setdefault((row["table_name"], row["map_path"]), {})
            where = f"{COLUMNS_TABLE}: {row['table_name']}, {row['map_path']}"
            if row["key"] in keys:
                self.problems.append(f"{where}: the key {row['key']!r} stands twice")
            if row["column_name"] in keys.values():
                self.problems.append(f"{where}: two keys have the column {row['column_name']}")
            keys[row["key"]] = row["column_name"]
        return names

    def _as_trees(self, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[Row]]:
        """The rows of the root tables that are not marked as gone, each row of a child table put below its parent."""
        made = {name: {cells["_dlt_id"]: Row(_own(cells)) for cells in found} for name, found in rows.items()}
        for name, found in rows.items():
            if len(made[name]) != len(found):
                self.problems.append(f"{name}: {len(found) - len(made[name])} rows share their _dlt_id with another")
            parents = [parent for parent in rows if name.startswith(f"{parent}__")]
            for cells in sorted(found, key=lambda cells: cells.get("_dlt_list_idx", 0)) if parents else ():
                parent_id = cells.get("_dlt_parent_id")
                holder = next((made[parent][parent_id] for parent in parents if parent_id in made[parent]), None)
                if holder is None:
                    self.problems.append(f"{name}: a row without parent: {_own(cells)}")
                    continue
                siblings = holder.children.setdefault(name, [])
                if cells["_dlt_list_idx"] != len(siblings):
                    self.problems.append(f"{name}: place {cells['_dlt_list_idx']} follows {len(siblings) - 1}")
                siblings.append(made[name][cells["_dlt_id"]])
        marked = {cells["_dlt_id"] for found in rows.values() for cells in found if DELETED_AT in cells}
        return {
            name: [row for row_id, row in found.items() if row_id not in marked]
            for name, found in made.items()
            if not any(name.startswith(f"{parent}__") for parent in rows)
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What has to be known of a vendor's rows to tell how they lie in a table.

    Attributes:
        column: The column of a key that the vendor chose; raises ValueError for one that is no plain name.
        keep: A scalar as it is kept, given its key and the value; None where nothing is.
        read_moment: The moment that a scalar of an open map stands for in a column of moments; None for none.
        open_maps: Paths of the maps whose keys the customer chose.
        json_columns: Paths of the values that are kept as JSON.
        declared: Path of an open map and key -> type of its column, where the vendor lists it.
    """

    column: Callable[[str], str]
    keep: Callable[[str, Any], Any]
    read_moment: Callable[[Any], datetime | None]
    open_maps: Collection[str] = ()
    json_columns: Collection[str] = ()
    declared: Mapping[tuple[str, str], str] = field(default_factory=dict)


class Builder:
    """Works out how the rows of one table have to look in the database."""

    def __init__(self, table: str, shape: Shape, database: Database) -> None:
        self._table = table
        self._shape = shape
        self._types = database.types
        self._names = database.names

    def row(self, given: Mapping[str, Any]) -> Row:
        """The row that the database must hold for a row of the API."""
        row = Row()
        self._put_members(row, self._table, given, prefix="", path="")
        return row

    def _put_members(self, row: Row, table: str, members: Mapping[str, Any], *, prefix: str, path: str) -> None:
        """Put the members of an object whose keys the vendor chose."""
        for name, value in members.items():
            inner = f"{path}.{name}" if path else name
            column = f"{prefix}{self._shape.column(name)}"
            if inner in self._shape.json_columns and value is not None:
                row.cells[column] = json_of(value)
            elif inner in self._shape.open_maps:
                self._put_map(row, table, value or {}, prefix=f"{column}__", path=inner)
            elif isinstance(value, dict):
                self._put_members(row, table, value, prefix=f"{column}__", path=inner)
            elif isinstance(value, list):
                self._put_list(row, f"{table}__{column}", value, path=None)
            elif (kept := self._shape.keep(name, value)) is not None:
                row.cells[column] = kept

    def _put_map(self, row: Row, table: str, members: Mapping[str, Any], *, prefix: str, path: str) -> None:
        """Put the members of an open map, whose columns the database itself names."""
        columns = self._names.get((self._table, path), {})
        more = {}
        for key, value in members.items():
            if value is None:
                continue
            if key not in columns:
                more[key] = value
            elif isinstance(value, dict):
                self._put_map(row, table, value, prefix=f"{prefix}{columns[key]}__", path=f"{path}.{key}")
            elif isinstance(value, list):
                self._put_list(row, f"{table}__{prefix}{columns[key]}", value, path=f"{path}.{key}[]")
            else:
                declared = self._shape.declared.get((path, key))
                self._put_scalar(row, table, f"{prefix}{columns[key]}", value, declared=declared)
        if more:
            row.cells[f"{prefix}{MORE_KEYS}"] = json_of(more)

    def _put_list(self, row: Row, table: str, items: Sequence[Any], *, path: str | None) -> None:
        """Put a list; *path* is that of its objects when their keys are open."""
        for item in items:
            child = Row()
            if isinstance(item, list):
                self._put_list(child, f"{table}__list", item, path=None)
            elif not isinstance(item, dict):
                self._put_scalar(child, table, "value", item)
            elif path is not None:
                self._put_map(child, table, item, prefix="", path=path)
            else:
                self._put_members(child, table, item, prefix="", path="[]")
            row.children.setdefault(table, []).append(child)

    def _put_scalar(self, row: Row, table: str, column: str, value: Any, *, declared: str | None = None) -> None:
        """Put a value into its column, or into the variant of its kind where the column holds another kind."""
        if value is None:
            return
        if isinstance(value, int) and not isinstance(value, bool) and value not in _INT64:
            value = str(value)
        held = declared or self._types.get(table, {}).get(column)
        kind = {str: "text", bool: "bool", int: "bigint", float: "double"}[type(value)]
        if held is None or _KINDS.get(held) == kind:
            row.cells[column] = value
        elif held == "DOUBLE" and kind == "bigint" and abs(value) <= _EXACT_FLOAT:
            row.cells[column] = float(value)
        elif held == MOMENT and (read := self._shape.read_moment(value)) is not None:
            row.cells[column] = read
        else:
            row.cells[f"{column}__v_{kind}"] = value


def differing(table: str, key: Sequence[str], here: Sequence[Row], there: Sequence[Row]) -> list[str]:
    """What differs between the rows of a table and those of the API, which the columns of *key* name."""
    ours, theirs = _by_key(key, here), _by_key(key, there)
    differences = [f"{table} {name} stands {len(rows)} times" for name, rows in ours.items() if len(rows) > 1]
    differences += [f"{table} {name} comes {len(rows)} times" for name, rows in theirs.items() if len(rows) > 1]
    differences += [f"{table} {name} is missing" for name in theirs if name not in ours]
    differences += [f"{table} {name} is not at the API" for name in ours if name not in theirs]
    for name, rows in theirs.items():
        if name in ours:
            differences += row_differences(f"{table} {name}", ours[name][0], rows[0])
    return differences


def row_differences(where: str, here: Row, there: Row) -> list[str]:
    """What differs between one row of the database and the row it has to be."""
    differences = [
        f"{where}: {column} is {here.cells.get(column)!r}, the API gives {there.cells.get(column)!r}"
        for column in sorted({*here.cells, *there.cells})
        if not same(here.cells.get(column), there.cells.get(column))
    ]
    for table in sorted({*here.children, *there.children}):
        ours, theirs = here.children.get(table, []), there.children.get(table, [])
        if len(ours) != len(theirs):
            differences.append(f"{where}: {len(ours)} rows in {table}, the API gives {len(theirs)}")
        for place, (our, their) in enumerate(zip(ours, theirs, strict=False)):
            differences += row_differences(f"{where}, {table} {place}", our, their)
    return differences


def same(here: object, there: object) -> bool:
    """Whether two values are of one type and equal."""
    return type(here) is type(there) and here == there


def json_of(value: Any) -> Json:
    """*value* as the cell of a JSON column."""
    return Json(json.dumps(value, sort_keys=True))


def _types(connection: duckdb.DuckDBPyConnection, schema: str) -> dict[str, dict[str, str]]:
    types: dict[str, dict[str, str]] = {}
    query = "select table_name, column_name, data_type from information_schema.columns where table_schema = ?"
    for table, column, data_type in connection.execute(query, [schema]).fetchall():
        types.setdefault(table, {})[column] = data_type
    return types


def _rows(connection: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str]) -> list[dict[str, Any]]:
    """The rows of one table, without their nulls."""
    columns = [f'epoch_us("{name}")' if held == MOMENT else f'"{name}"' for name, held in types.items()]
    found = connection.execute(f"select {', '.join(columns)} from {table}").fetchall()
    return [
        {
            name: _cell(value, held)
            for (name, held), value in zip(types.items(), values, strict=True)
            if value is not None
        }
        for values in found
    ]


def _cell(value: Any, held: str) -> Any:
    if held == MOMENT:
        return _EPOCH + timedelta(microseconds=value)
    return json_of(json.loads(value)) if held == "JSON" else value


def _own(cells: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in cells.items() if not name.startswith(("_dlt_", "_feedloom_"))}


def _by_key(key: Sequence[str], rows: Sequence[Row]) -> dict[tuple[str, ...], list[Row]]:
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(str(row.cells.get(name)) for name in key), []).append(row)
    return found
