"""Compares a Refiner database with the API it was loaded from, value by value and in both directions.

It shares no code with the client, the sources or the loader: it pages the API itself, works out on its own how every
row has to look in the database, and names whatever differs. Run it as a script::

    python tests/support/compare_refiner.py URL KEY FILE
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import httpx2

SCHEMA = "refiner_data"
COLUMNS_TABLE = "feedloom_columns"
MORE_KEYS = "feedloom_more_keys"
REPORT_TYPES = ("nps", "csat", "ratings", "distribution", "count")
PAGE_ROWS = 1000

KEYS = {
    "contacts": ("uuid",),
    "forms": ("uuid",),
    "responses": ("uuid",),
    "segments": ("uuid",),
    "account": (),
    "form_history": ("form_uuid", "uuid"),
    "reporting": ("report_type", "form_uuid", "month"),
}
"""The tables compared, with the columns that name a row; none where every run adds one."""

LISTS = tuple(table for table in KEYS if table != "reporting")
"""All but the table that takes a request for each survey, month and kind of report."""

OPEN_MAPS = {"responses": ("data", "contact.attributes"), "contacts": ("attributes", "account.attributes")}
JSON_COLUMNS = {"forms": ("config",), "form_history": ("snapshot",)}
FRACTIONS = frozenset({"nps", "csat", "sum", "average"})
"""Scores of reports, which may have a fraction; every other number outside open maps is whole."""

_KINDS = {"VARCHAR": "text", "BIGINT": "bigint", "DOUBLE": "double", "BOOLEAN": "bool"}
_MOMENT = "TIMESTAMP WITH TIME ZONE"
_INT64 = range(-(2**63), 2**63)
_EXACT_FLOAT = 2**53
_TOO_MANY_REQUESTS = 429
_PLAIN_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
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


def compare(
    url: str, key: str, database_path: str | Path, *, tables: Collection[str] = tuple(KEYS), now: datetime | None = None
) -> list[str]:
    """What differs between the API at *url* and the database, one text each; empty when they are equal.

    Only *tables* are looked at. *now* is the time up to which reports are due, the clock's when left out.
    """
    database = Database(Path(database_path))
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as http:
        vendor = Vendor(http, now or datetime.now(UTC))
        differences = [*database.problems]
        for table in tables:
            builder = Builder(table, database)
            there = [builder.row(row) for row in vendor.rows(table)]
            here = database.roots.get(table, [])
            differences += account_differences(here, there[0]) if table == "account" else differing(table, here, there)
    return differences + [f"{table}: a table that nobody asked for" for table in database.roots if table not in KEYS]


class Vendor:
    """The API, read list by list, by page number."""

    def __init__(self, http: httpx2.Client, now: datetime) -> None:
        self._http = http
        self._now = now

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """The rows that *table* must hold, as the API gives them, with the columns that the asking adds."""
        match table:
            case "contacts":
                yield from self._list("/contacts", {})
            case "forms":
                yield from self._forms()
            case "responses":
                yield from self._list("/responses", {"include": "all"})
            case "segments":
                yield from self._list("/segments", {})
            case "account":
                yield self._get("/account", {})
            case "form_history":
                for form in self._forms():
                    for row in self._list("/forms/history", {"form_uuid": form["uuid"]}):
                        yield {**row, "form_uuid": form["uuid"]}
            case "reporting":
                yield from self._reports()
            case _:
                raise KeyError(table)

    def _forms(self) -> Iterator[dict[str, Any]]:
        return self._list("/forms", {"list": "all_with_archived", "include_info": 1, "include_config": 1})

    def _reports(self) -> Iterator[dict[str, Any]]:
        for form in self._forms():
            if form["first_form_view_at"] is None:
                continue
            last = min(next_month(moment(form["last_form_view_at"]).date()), self._now.date())
            month = moment(form["first_form_view_at"]).date().replace(day=1)
            while month <= last:
                for report_type in REPORT_TYPES:
                    params = {
                        "type": report_type,
                        "form_uuids[]": form["uuid"],
                        "date_range_start": month.isoformat(),
                        "date_range_end": next_month(month).isoformat(),
                    }
                    report = self._get("/reporting", params)
                    yield {**report, "report_type": report_type, "form_uuid": form["uuid"], "month": month}
                month = next_month(month)

    def _list(self, path: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        number, count = 1, 0
        while True:
            page = self._get(path, {**params, "page": number, "page_length": PAGE_ROWS})
            count += len(page["items"])
            yield from page["items"]
            if number >= page["pagination"]["last_page"]:
                break
            number += 1
        if count != page["pagination"]["items_count"]:
            raise ValueError(f"{path} gave {count} rows and counts {page['pagination']['items_count']}")

    def _get(self, path: str, params: Mapping[str, Any]) -> dict[str, Any]:
        while (response := self._http.get(path, params=params)).status_code == _TOO_MANY_REQUESTS:
            time.sleep(float(response.headers["Retry-After"]))
        response.raise_for_status()
        answer: dict[str, Any] = json.loads(response.content)
        return answer


class Database:
    """The tables of the database, read whole.

    Attributes:
        types: Table -> column -> type, as DuckDB writes it.
        names: Table and path of an open map -> key -> column.
        roots: Table -> its rows, with all child rows below them; child tables are not in it.
        problems: What is wrong in the database by itself, one text each.
    """

    def __init__(self, file: Path) -> None:
        self.problems: list[str] = []
        with duckdb.connect(str(file), read_only=True) as connection:
            self.types = _types(connection)
            rows = {name: _rows(connection, name, columns) for name, columns in self.types.items()}
        self.names = self._read_names(rows.pop(COLUMNS_TABLE, []))
        self.roots = self._as_trees({name: found for name, found in rows.items() if not name.startswith("_dlt")})

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
        """The rows of the root tables, with each row of a child table put below its parent."""
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
        return {
            name: list(found.values())
            for name, found in made.items()
            if not any(name.startswith(f"{parent}__") for parent in rows)
        }


class Builder:
    """Works out how the rows of one table have to look in the database."""

    def __init__(self, table: str, database: Database) -> None:
        self._table = table
        self._types = database.types
        self._names = database.names
        self._open = OPEN_MAPS.get(table, ())
        self._json = JSON_COLUMNS.get(table, ())

    def row(self, given: Mapping[str, Any]) -> Row:
        """The row that the database must hold for a row of the API."""
        row = Row()
        if self._table == "responses":
            keys = {"response_uuid": given["uuid"]}
            self._put_long(row, "responses__answers", "question", keys, given["data"])
        if self._table == "reporting":
            keys = {name: given[name] for name in KEYS["reporting"]}
            self._put_long(row, "reporting__values", "label", keys, given.get("data"))
            given = {name: value for name, value in given.items() if name != "data"}
        self._put_members(row, self._table, given, prefix="", path="")
        return row

    def _put_members(self, row: Row, table: str, members: Mapping[str, Any], *, prefix: str, path: str) -> None:
        """Put the members of an object whose keys the vendor chose."""
        for name, value in members.items():
            inner = f"{path}.{name}" if path else name
            column = f"{prefix}{name}"
            if _PLAIN_NAME.fullmatch(name) is None:
                raise ValueError(f"{self._table}: {inner!r} is no plain name and stands in no open map")
            if inner in self._json and value is not None:
                row.cells[column] = _json(value)
            elif inner in self._open:
                self._put_map(row, table, value or {}, prefix=f"{column}__", path=inner)
            elif isinstance(value, dict):
                self._put_members(row, table, value, prefix=f"{column}__", path=inner)
            elif isinstance(value, list):
                self._put_list(row, f"{table}__{column}", value, path=None)
            elif isinstance(value, str) and (name.endswith("_at") or name.startswith("date_range_")):
                row.cells[column] = moment(value)
            elif value is not None:
                row.cells[column] = float(value) if name in FRACTIONS else value

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
                self._put_scalar(row, table, f"{prefix}{columns[key]}", value)
        if more:
            row.cells[f"{prefix}{MORE_KEYS}"] = _json(more)

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

    def _put_scalar(self, row: Row, table: str, column: str, value: Any) -> None:
        """Put a value into its column, or into the variant of its kind where the column holds another kind."""
        if value is None:
            return
        if isinstance(value, int) and not isinstance(value, bool) and value not in _INT64:
            value = str(value)
        held = self._types.get(table, {}).get(column)
        kind = {str: "text", bool: "bool", int: "bigint", float: "double"}[type(value)]
        if held is None or _KINDS.get(held) == kind:
            row.cells[column] = value
        elif held == "DOUBLE" and kind == "bigint" and abs(value) <= _EXACT_FLOAT:
            row.cells[column] = float(value)
        elif held == _MOMENT and kind == "text" and (read := moment_or_none(value)) is not None:
            row.cells[column] = read
        else:
            row.cells[f"{column}__v_{kind}"] = value

    def _put_long(self, row: Row, table: str, label: str, keys: Mapping[str, Any], answers: Any) -> None:
        """Put a map of answers in its long form: a row for each answer, or for each choice of one."""
        for name, answer in answers.items() if isinstance(answers, dict) else ():
            several = isinstance(answer, list) and bool(answer)
            for position, value in enumerate(answer) if several else [(None if answer == [] else 0, answer)]:
                cells = {**keys, label: name, "position": position, **_long_values(value)}
                child = Row({column: cell for column, cell in cells.items() if cell is not None})
                row.children.setdefault(table, []).append(child)


def differing(table: str, here: Sequence[Row], there: Sequence[Row]) -> list[str]:
    """What differs between the rows of a table and those of the API."""
    ours, theirs = _by_key(table, here), _by_key(table, there)
    differences = [f"{table}: {key} stands {len(rows)} times" for key, rows in ours.items() if len(rows) > 1]
    differences += [f"{table}: the API gives {key} {len(rows)} times" for key, rows in theirs.items() if len(rows) > 1]
    differences += [f"{table}: {key} is missing" for key in theirs if key not in ours]
    differences += [f"{table}: {key} is not at the API" for key in ours if key not in theirs]
    for key, rows in theirs.items():
        if key in ours:
            differences += row_differences(f"{table} {key}", ours[key][0], rows[0])
    return differences


def account_differences(here: Sequence[Row], there: Row) -> list[str]:
    """What differs between the newest row of the account and the API's; every row has to say when it was read."""
    if not here:
        return ["account: no row"]
    if any("read_at" not in row.cells for row in here):
        return ["account: a row does not say when it was read"]
    newest = max(here, key=lambda row: row.cells["read_at"])
    cells = {column: value for column, value in newest.cells.items() if column != "read_at"}
    return row_differences("account", Row(cells, newest.children), there)


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


def moment(text: str) -> datetime:
    """The moment that a text of the API names, UTC where it names no zone; raises ValueError for any other text."""
    read = datetime.fromisoformat(text)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def moment_or_none(text: str) -> datetime | None:
    """The moment that a text names; None for any other text."""
    try:
        return moment(text)
    except ValueError:
        return None


def next_month(day: date) -> date:
    """The first day of the month after that of *day*."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _types(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    types: dict[str, dict[str, str]] = {}
    query = "select table_name, column_name, data_type from information_schema.columns where table_schema = ?"
    for table, column, data_type in connection.execute(query, [SCHEMA]).fetchall():
        types.setdefault(table, {})[column] = data_type
    return types


def _rows(connection: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str]) -> list[dict[str, Any]]:
    """The rows of one table, without their nulls."""
    columns = [f'epoch_us("{name}")' if held == _MOMENT else f'"{name}"' for name, held in types.items()]
    found = connection.execute(f'select {", ".join(columns)} from {SCHEMA}."{table}"').fetchall()
    return [
        {
            name: _cell(value, held)
            for (name, held), value in zip(types.items(), values, strict=True)
            if value is not None
        }
        for values in found
    ]


def _cell(value: Any, held: str) -> Any:
    if held == _MOMENT:
        return _EPOCH + timedelta(microseconds=value)
    return _json(json.loads(value)) if held == "JSON" else value


def _own(cells: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in cells.items() if not name.startswith(("_dlt_", "_feedloom_"))}


def _json(value: Any) -> Json:
    return Json(json.dumps(value, sort_keys=True))


def _by_key(table: str, rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(" ".join(str(row.cells.get(name)) for name in KEYS[table]), []).append(row)
    return found


def _long_values(value: Any) -> dict[str, Any]:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    number: float | None = None
    if (isinstance(value, int | float) and not isinstance(value, bool)) or (
        isinstance(value, str) and _NUMBER.fullmatch(value)
    ):
        number = float(value)
    written = value if isinstance(value, str) or value is None else text
    return {"value_text": written, "value_number": number, "value_json": text}


if __name__ == "__main__":
    found = compare(*sys.argv[1:4])
    sys.stdout.write("".join(f"{difference}\n" for difference in found) or "equal\n")
    sys.exit(bool(found))
