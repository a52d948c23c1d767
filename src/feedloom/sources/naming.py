"""The table ``feedloom_columns``: which key of an open map each column holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import dlt
from dlt.extract import DltResource, DltSource

from feedloom.vendors import VENDORS

NAMES_TABLE = "feedloom_columns"
"""The table, and the resource that fills it."""


class NamingSource(DltSource):
    """A dlt source whose table of names is loaded whichever other resources are selected."""

    def with_resources(self, *resource_names: str) -> DltSource:
        """A clone of the source with these resources, and the one for the names of their columns, selected.

        A table may be named by an alias (``features`` for ``feature_flags``).
        """
        aliases = {
            alias: table.name
            for vendor in VENDORS.values()
            if vendor.source_name == self.name
            for table in vendor.tables
            for alias in table.aliases
        }
        return super().with_resources(*{*(aliases.get(name, name) for name in resource_names), NAMES_TABLE})


def kept_names(table: str) -> dict[str, Any]:
    """The kept names of a table's columns; with the source, as dlt forgets the state of resources that replace."""
    kept: dict[str, Any] = dlt.current.source_state().setdefault("names", {}).setdefault(table, {})
    return kept


class UnderWay:
    """Counts the resources of a source that have begun and not ended."""

    def __init__(self) -> None:
        self.count = 0

    def watched(self, rows: Callable[[], Iterator[Any]]) -> Callable[[], Iterator[Any]]:
        """The same generator function, counted while it runs."""

        @wraps(rows)
        def counted() -> Iterator[Any]:
            self.count += 1
            try:
                yield from rows()
            finally:
                self.count -= 1

        return counted


def names_resource(under_way: UnderWay) -> DltResource:
    """The resource that writes down the names chosen since it was last loaded, once all others have ended.

    dlt takes an item from each resource in turn; None says that there is nothing yet, and to come back after the others
    had theirs. Two such rounds are enough for every other resource to have begun.
    """

    def rows() -> Iterator[Any]:
        yield None
        yield None
        while under_way.count:
            yield None
        for table, kept in dlt.current.source_state().get("names", {}).items():
            columns = kept.get("columns", {})
            count = sum(len(keys) for keys in columns.values())
            if kept.get("registered", 0) != count:
                yield [
                    {"table_name": table, "map_path": path, "key": key, "column_name": entry[0]}
                    for path, keys in columns.items()
                    for key, entry in keys.items()
                ]
                kept["registered"] = count

    made: DltResource = dlt.resource(
        rows,
        name=NAMES_TABLE,
        primary_key=("table_name", "map_path", "key"),
        write_disposition="merge",
        columns={name: {"data_type": "text"} for name in ("table_name", "map_path", "key", "column_name")},
        file_format="parquet",
    )()
    return made
