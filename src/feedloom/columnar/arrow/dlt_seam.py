"""Hands shaped tables to dlt, children included, from inside a resource.

dlt loads Arrow tables well and knows nothing of child tables among them. What it needs is public, save for one thing:
when it counts what was extracted it asks every table for its resource, and tables below others have none.
``_NestingSchema`` is that seam, and :func:`check_version` the guard around it: the differential tests hold for the
versions it names.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast

import dlt
from dlt.common.schema import Schema
from dlt.common.schema.typing import TPartialTableSchema, TTableSchema
from dlt.common.schema.utils import get_nested_tables

from feedloom.columnar.arrow.naming import LOAD_ID, PARENT_ID, POSITION, ROOT_ID, ROW_ID
from feedloom.columnar.arrow.shaper import Shaped, ShapedTable
from feedloom.errors import InputError

TESTED = ("1.31.",)
"""Beginnings of the dlt versions that the engine was tested with."""


def check_version(version: str = dlt.__version__) -> None:
    """Raises InputError when this dlt is not one that the engine was tested with."""
    if not version.startswith(TESTED):
        tested = " or ".join(f"{beginning}x" for beginning in TESTED)
        raise InputError(
            f"The columnar engine was tested with dlt {tested}, not with dlt {version}",
            hint=f'install dlt {tested}, or choose the slower engine with engine = "json"',
            code="FL240",
        )


def takes_parquet(destination: Any) -> bool:
    """Whether a dlt destination loads Parquet, and with it Arrow tables, as it is installed here; None stands for yes.

    Others get Arrow tables as CSV, which cannot tell an empty text from null. PostgreSQL takes Parquet with the ADBC
    driver alone.
    """
    if destination is None:
        return True
    capabilities = destination.capabilities()
    supported = capabilities.supported_loader_file_formats or ()
    if (selector := capabilities.loader_file_format_selector) is not None:
        _, supported = selector(
            capabilities.preferred_loader_file_format, supported, table_schema={"name": "any", "columns": {}}
        )
    return "parquet" in supported


def takes_nul(destination: Any) -> bool:
    """Whether a dlt destination can store U+0000 in texts, as far as is known; None stands for yes.

    Source: PostgreSQL's manual, "Character Types"; dlt's ``common.data_writers.escape``, which drops it for both.
    """
    return destination is None or destination.destination_type.rpartition(".")[2] not in {"postgres", "redshift"}


def stored_types(schema: Schema, root_table: str) -> dict[str, dict[str, str]]:
    """The types of the columns that *schema* has for a root table and all tables below it: table -> column -> type."""
    if root_table not in schema.tables:
        return {}
    return {
        str(table["name"]): {
            str(name): str(column["data_type"]) for name, column in table["columns"].items() if "data_type" in column
        }
        for table in get_nested_tables(schema.tables, root_table)
    }


def needs_root_ids(stored: Mapping[str, Mapping[str, str]], write_disposition: Any) -> bool:
    """Whether child rows carry the id of their root: for merges, and once they have done so, for ever."""
    config = write_disposition if isinstance(write_disposition, Mapping) else {"disposition": write_disposition}
    return config["disposition"] == "merge" or any(ROOT_ID in columns for columns in stored.values())


def row_id_kind(write_disposition: Any) -> Literal["random", "key"]:
    """How ``_dlt_id`` is made: ``key`` for the merge strategies that find a row by it, else ``random``."""
    if isinstance(write_disposition, Mapping) and write_disposition["disposition"] == "merge":
        return "key" if write_disposition.get("strategy") in {"upsert", "insert-only", "cdc"} else "random"
    return "random"


class Handover:
    """Yields shaped tables from a dlt resource; made once for each run of it, inside it.

    Args:
        write_disposition: How this run writes, where that is not as the resource says.

    Raises InputError for a dlt that was not tested.
    """

    def __init__(self, *, write_disposition: Literal["append"] | None = None) -> None:
        check_version()
        self._write: dict[str, Any] = {"write_disposition": write_disposition} if write_disposition else {}
        schema = dlt.current.source_schema()
        if type(schema) is Schema:
            schema.__class__ = _NestingSchema
        logging.getLogger("dlt").addFilter(_is_news)
        self._hinted: dict[str, dict[str, str]] = {}

    def items(self, shaped: Shaped) -> Iterator[Any]:
        """What the resource is to yield for *shaped*; empty where there was no row."""
        for table in shaped.tables:
            if table.parent:
                yield from self._child(table)
            else:
                yield self._root(table)

    def _root(self, table: ShapedTable) -> Any:
        if self._is_known(table):
            return table.rows
        # dlt would give tables named in nested hints the columns of this one; as Arrow, they bring their own.
        hints = dlt.mark.make_hints(columns=_columns(table), nested_hints={}, **self._write)
        return dlt.mark.with_hints(table.rows, hints)

    def _child(self, table: ShapedTable) -> Iterator[Any]:
        if self._is_known(table):
            yield dlt.mark.with_table_name(table.rows, table.name)
            return
        if table.name not in self._hinted:
            yield self._introduced(table)
        hints = dlt.mark.make_hints(table_name=table.name, columns=_columns(table))
        self._hinted[table.name] = table.types
        yield dlt.mark.with_hints(table.rows, hints, create_table_variant=True)

    def _introduced(self, table: ShapedTable) -> Any:
        """Nothing, with the hints of a child table: without any of what is true of the resource's own table alone."""
        hints = dlt.mark.make_hints(
            table_name=table.name,
            parent_table_name=table.parent,
            primary_key="",
            merge_key="",
            columns={},
            nested_hints={},
        )
        return dlt.mark.with_hints([], hints, create_table_variant=True)

    def _is_known(self, table: ShapedTable) -> bool:
        known = self._hinted.get(table.name)
        if not table.parent:
            self._hinted[table.name] = table.types
        return known is not None and table.types.items() <= known.items()


_KEYS: dict[str, Any] = {
    ROW_ID: {"row_key": True, "unique": True},
    PARENT_ID: {"parent_key": True},
    ROOT_ID: {"root_key": True},
    POSITION: {},
    LOAD_ID: {},
}


def _columns(table: ShapedTable) -> dict[str, Any]:
    """What dlt has to be told about the columns of a table: its own ones, and which hold JSON."""
    keys = {
        name: {"name": name, "nullable": False, "data_type": "bigint" if name == POSITION else "text", **hints}
        for name, hints in _KEYS.items()
        if name in table.rows.column_names
    }
    return {**keys, **{name: {"name": name, "data_type": kind} for name, kind in table.types.items()}}


class _NestingSchema(Schema):
    """The schema of one extraction, for child tables that come as Arrow.

    They know the resource that they come from, and how a table is written is said of its root alone: a child that kept
    "replace" from a whole reading would lose its rows when its root is merged next time.
    """

    def get_table(self, table_name: str) -> TTableSchema:
        """The table, as dlt has it; a child table with the resource of its root."""
        table = super().get_table(table_name)
        if "resource" not in table and (parent := table.get("parent")):
            return {**table, "resource": self.get_table(parent)["resource"]}
        return table

    def update_table(
        self,
        partial_table: TPartialTableSchema,
        normalize_identifiers: bool = True,  # noqa: FBT001, FBT002 - dlt's signature
        merge_compound_props: bool = True,  # noqa: FBT001, FBT002 - dlt's signature
    ) -> TPartialTableSchema:
        """Add a table or columns, as dlt does; of a child table only what dlt's own child tables have."""
        if partial_table.get("parent"):
            kept = {key: value for key, value in partial_table.items() if key in _OF_CHILDREN}
            partial_table = cast("TPartialTableSchema", kept)
        return super().update_table(partial_table, normalize_identifiers, merge_compound_props)


_OF_CHILDREN = frozenset({"name", "parent", "columns"})


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a message of dlt says something new: that JSON columns arrive as text is as it should be."""
    return "several column hints were different" not in str(record.msg)
