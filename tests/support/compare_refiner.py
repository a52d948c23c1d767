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
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx2

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from support.loaded import MORE_KEYS, Builder, Database, Row, Shape, differing, json_of, row_differences

SCHEMA = "refiner_data"
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

ITEM = "value"
"""The column of a child table that holds the items of a list."""

_TOO_MANY_REQUESTS = 429
_PLAIN_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


def compare(
    url: str, key: str, database_path: str | Path, *, tables: Collection[str] = tuple(KEYS), now: datetime | None = None
) -> list[str]:
    """What differs between the API at *url* and the database, one text each; empty when they are equal.

    Only *tables* are looked at. *now* is the time up to which reports are due, the clock's when left out.
    """
    database = Database(Path(database_path), SCHEMA)
    differences = [*database.problems]
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as http:
        vendor = Vendor(http, now or datetime.now(UTC))
        for table in tables:
            builder = RefinerBuilder(table, database)
            there = [builder.row(row) for row in vendor.rows(table)]
            here = [loosened(row) for row in database.roots.get(table, [])]
            if KEYS[table]:
                differences += differing(table, KEYS[table], here, there)
            else:
                differences += account_differences(here, there[0])
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


class RefinerBuilder(Builder):
    """Works out how the rows of one table of Refiner have to look in the database."""

    def __init__(self, table: str, database: Database) -> None:
        shape = Shape(
            column=plain_name,
            keep=kept,
            read_moment=moment_or_none,
            open_maps=OPEN_MAPS.get(table, ()),
            json_columns=JSON_COLUMNS.get(table, ()),
        )
        super().__init__(table, shape, database)
        self._long = {"responses": self._with_answers, "reporting": self._with_values}.get(table, super().row)

    def row(self, given: Mapping[str, Any]) -> Row:
        """The row that the database must hold for a row of the API."""
        return loosened(self._long(given))

    def _with_answers(self, given: Mapping[str, Any]) -> Row:
        row = super().row(given)
        keys = {"response_uuid": given["uuid"]}
        return _with_long(row, "responses__answers", _long_rows(given["data"], keys, label="question"))

    def _with_values(self, given: Mapping[str, Any]) -> Row:
        row = super().row({name: value for name, value in given.items() if name != "data"})
        keys = {name: given[name] for name in KEYS["reporting"]}
        return _with_long(row, "reporting__values", _long_rows(given.get("data"), keys, label="label"))


def _with_long(row: Row, table: str, children: Sequence[Row]) -> Row:
    if children:
        row.children[table] = [*children]
    return row


def _long_rows(answers: Any, keys: Mapping[str, Any], *, label: str) -> list[Row]:
    """A map of answers in its long form: a row for each answer, or for each choice of one."""
    rows = []
    for name, answer in answers.items() if isinstance(answers, dict) else ():
        several = isinstance(answer, list) and bool(answer)
        for position, value in enumerate(answer) if several else [(None if answer == [] else 0, answer)]:
            cells = {**keys, label: name, "position": position, **long_values(value)}
            rows.append(Row({column: cell for column, cell in cells.items() if cell is not None}))
    return rows


def long_values(value: Any) -> dict[str, Any]:
    """The columns that hold the value of one answer in its long form."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    written = value if isinstance(value, str) or value is None else text
    return {"value_text": written, "value_number": number(value), "value_json": text}


def loosened(row: Row) -> Row:
    """The same row in the terms in which it is compared.

    The items of all lists of a column share it, so that the loader may write one of them as another kind, or into a
    variant of the column; items are compared by what they say. Keys past the cap are one document, whatever the type of
    their column.
    """
    cells = {name: _document(value) if name.endswith(MORE_KEYS) else value for name, value in row.cells.items()}
    if len(cells) == 1 and (name := next(iter(cells))) and (name == ITEM or name.startswith(f"{ITEM}__v_")):
        cells = {ITEM: said(cells[name])}
    return Row(cells, {table: [loosened(child) for child in children] for table, children in row.children.items()})


def said(value: Any) -> Any:
    """What an item of a list says, whichever kind it is written as: a moment, a number or a text."""
    if isinstance(value, datetime):
        return value
    read = moment_or_none(value)
    if read is not None:
        return read
    figure = number(value)
    return str(value) if figure is None else figure


def account_differences(here: Sequence[Row], there: Row) -> list[str]:
    """What differs between the newest row of the account and the API's; every row has to say when it was read."""
    if not here:
        return ["account: no row"]
    if any("read_at" not in row.cells for row in here):
        return ["account: a row does not say when it was read"]
    newest = max(here, key=lambda row: row.cells["read_at"])
    cells = {column: value for column, value in newest.cells.items() if column != "read_at"}
    return row_differences("account", Row(cells, newest.children), there)


def kept(name: str, value: Any) -> Any:
    """How a scalar outside open maps is kept."""
    if isinstance(value, str) and (name.endswith("_at") or name.startswith("date_range_")):
        return moment(value)
    return float(value) if name in FRACTIONS and value is not None else value


def plain_name(key: str) -> str:
    """The column of a key that the vendor chose; raises ValueError for one that is no plain name."""
    if _PLAIN_NAME.fullmatch(key) is None:
        raise ValueError(f"{key!r} is no plain name and stands in no open map")
    return key


def number(value: Any) -> float | None:
    """The number that *value* is or writes down; None for what is none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number or (isinstance(value, str) and _NUMBER.fullmatch(value)) else None


def moment(text: str) -> datetime:
    """The moment that a text of the API names, UTC where it names no zone; raises ValueError for any other text."""
    read = datetime.fromisoformat(text)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def moment_or_none(value: Any) -> datetime | None:
    """The moment that a text names; None for any other value."""
    try:
        return moment(value)
    except (TypeError, ValueError):
        return None


def next_month(day: date) -> date:
    """The first day of the month after that of *day*."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _document(value: Any) -> Any:
    return json_of(json.loads(value)) if isinstance(value, str) else value


if __name__ == "__main__":
    found = compare(*sys.argv[1:4])
    sys.stdout.write("".join(f"{difference}\n" for difference in found) or "equal\n")
    sys.exit(bool(found))
