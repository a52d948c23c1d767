"""What the engine is measured against: ``RowShaper``, then dlt's own relational normaliser, in memory.

Where dlt loses something, the reference is told to keep it, in words of its own: see ``_lossless``.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any, TypeAlias

import orjson
from dlt.common.data_types.type_helpers import coerce_value
from dlt.common.destination.capabilities import DestinationCapabilitiesContext
from dlt.common.json import json as dlt_json
from dlt.common.json import may_have_pua
from dlt.common.schema import Schema
from dlt.common.schema.utils import new_table
from dlt.normalize.configuration import NormalizeConfiguration
from dlt.normalize.items_normalizers import JsonLItemsNormalizer

from columnar.made_up import Page
from feedloom.catalogue import Endpoint, Table
from feedloom.columnar import MORE_KEYS, KeyNames, RowShaper, column_hints
from feedloom.columnar.arrow import ArrowShaper, Naming, Quarantined
from feedloom.http.cutting import cut

LONG_TYPES = {"position": "bigint", "value_text": "text", "value_number": "double", "value_json": "text"}
BOOKKEEPING = ("_dlt_id", "_dlt_parent_id", "_dlt_root_id", "_dlt_list_idx", "_dlt_load_id", "_feedloom_hash")

Rows = dict[str, list[dict[str, Any]]]
Types = dict[str, dict[str, str]]


def make_schema(table: Table, endpoint: Endpoint) -> Schema:
    """A dlt schema with the table as the source declares it."""
    schema = Schema("test")
    schema.remove_type_detection("iso_timestamp")
    columns = [{"name": name, **hint} for name, hint in column_hints(table, endpoint).items()]
    columns += [
        {"name": schema.naming.make_path(*path.split("."), MORE_KEYS), "data_type": "json"} for path in table.open_maps
    ]
    schema.update_table(new_table(table.name, write_disposition="merge", columns=columns))  # type: ignore[arg-type]
    if table.long_answers is not None:
        long_columns = [{"name": name, "data_type": kind} for name, kind in LONG_TYPES.items()]
        name = f"{table.name}__{table.long_answers.name}"
        schema.update_table(new_table(name, table.name, columns=long_columns))  # type: ignore[arg-type]
    return schema


def make_names(state: dict[str, Any], schema: Schema, cap: int) -> KeyNames:
    """The columns of the open maps, kept in *state* between runs."""
    return KeyNames(
        state.setdefault("columns", {}),
        schema.naming.normalize_identifier,
        cap=cap,
        items=state.setdefault("items", {}),
    )


def stored_types(schema: Schema) -> Types:
    """The types of all complete columns."""
    return {
        name: {
            str(column["name"]): str(column["data_type"])
            for column in table["columns"].values()
            if "data_type" in column
        }
        for name, table in schema.tables.items()
        if not name.startswith("_dlt")
    }


class _Storage:
    """Keeps what the normaliser writes."""

    def __init__(self) -> None:
        self.rows: Rows = defaultdict(list)

    def write_data_item(self, _load: str, _schema: str, table: str, row: dict[str, Any], _columns: Any) -> int:
        """One row."""
        self.rows[table].append(row)
        return 1


def _lossless(to_type: Any, from_type: Any, value: Any) -> Any:
    try:
        fitted = coerce_value(to_type, from_type, value)
    except OSError as error:  # a moment too far off, which makes dlt fail the load
        raise ValueError(value) from error
    if to_type == "bigint" and not -(2**63) <= fitted < 2**63:
        raise ValueError(value)
    if to_type == "bool" and from_type in {"bigint", "double"} and value not in {0, 1}:
        raise ValueError(value)
    if to_type == "double" and from_type in {"bigint", "text"}:
        try:
            wanted = Fraction(value)
        except ValueError:
            return fitted
        if Fraction(repr(fitted)) != wanted if from_type == "text" else Fraction(fitted) != wanted:
            raise ValueError(value)
    return fitted


@dataclass
class Reference:
    """The slow way through several runs, with the state that dlt keeps between them."""

    table: Table
    endpoint: Endpoint
    cap: int = 300
    names: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """A schema without stored data."""
        self.schema = make_schema(self.table, self.endpoint)

    def run(self, pages: Sequence[Page]) -> Rows:
        """The rows of one load, table by table."""
        storage = _Storage()
        config = NormalizeConfiguration()
        config.destination_capabilities = DestinationCapabilitiesContext.generic_capabilities()
        normalizer = JsonLItemsNormalizer(storage, None, None, self.schema, "1", config)  # type: ignore[arg-type]
        normalizer._coerce_type = _lossless
        names = make_names(self.names, self.schema, self.cap)
        shaper = RowShaper(self.table, self.endpoint, names)
        for body, extra in pages:
            shaped = shaper.shape(json.loads(body)["items"], extra)
            line = dlt_json.typed_dumpb(shaped)
            normalizer._normalize_chunk(self.table.name, dlt_json.loadb(line), may_have_pua(line), skip_write=False)
        types = stored_types(self.schema)
        return {name: [_written(row, types[name]) for row in rows] for name, rows in storage.rows.items()}


def _written(row: Mapping[str, Any], types: Mapping[str, str]) -> dict[str, Any]:
    """*row* with the values of JSON columns as the JSON they are; dlt would write text without its quotes."""
    return {
        name: Json(orjson.dumps(value, default=str).decode()) if types[name] == "json" and value is not None else value
        for name, value in row.items()
    }


@dataclass
class Columnar:
    """The engine through several runs."""

    table: Table
    endpoint: Endpoint
    cap: int = 300
    unique: bool = False
    names: dict[str, Any] = field(default_factory=dict)
    types: Types = field(default_factory=dict)
    quarantined: list[Quarantined] = field(default_factory=list)
    one_by_one: int = 0

    def run(self, batches: Sequence[Sequence[Page]]) -> Rows:
        """The rows of one load that comes in several batches, table by table."""
        schema = Schema("test")
        shaper = ArrowShaper(
            table=self.table,
            endpoint=self.endpoint,
            names=make_names(self.names, schema, self.cap),
            naming=Naming.of(schema),
            stored=self.types,
            load_id="1",
            root_ids=True,
            unique=self.unique,
        )
        rows: Rows = defaultdict(list)
        for batch in batches:
            shaped = shaper.shape([cut(self.endpoint, body) for body, _ in batch], [extra for _, extra in batch])
            self.quarantined += shaped.quarantined
            self.one_by_one += shaped.one_by_one
            for name, table, types, _ in shaped.tables:
                rows[name] += _rows(table, types)
                known = self.types.setdefault(name, {})
                for column in table.schema:
                    known[column.name] = types.get(column.name) or ARROW_NAMES[str(column.type)]
        return rows


ARROW_NAMES = {
    "string": "text",
    "int64": "bigint",
    "double": "double",
    "bool": "bool",
    "timestamp[us, tz=UTC]": "timestamp",
    "date32[day]": "date",
}


def _rows(table: Any, types: Mapping[str, str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.to_pylist()
    for row in rows:
        for column, kind in types.items():
            if kind == "json" and row[column] is not None:
                row[column] = Json(row[column])
    return rows


class Json(str):
    """A value of a JSON column, written."""

    __slots__ = ()


Tree: TypeAlias = tuple[str, tuple[Any, ...], tuple[Any, ...]]
"""A row: its table, its values, and the lists in it."""


def trees(root: str, rows: Rows) -> list[Tree]:
    """Each root row with all below it, without ids, in an order that depends on nothing but their content."""
    below: dict[tuple[str, str], list[tuple[int, Tree]]] = defaultdict(list)
    tables = sorted((name for name in rows if name.startswith(f"{root}__")), key=len, reverse=True)
    ids = {row["_dlt_id"] for name in (root, *tables) for row in rows.get(name, ())}

    def tree(name: str, row: Mapping[str, Any]) -> Tree:
        plain = {key: _plain(value) for key, value in row.items() if value is not None and key not in BOOKKEEPING}
        lists = [(child, tuple(sorted(below[child, row["_dlt_id"]]))) for child in tables]
        return name, tuple(sorted(plain.items())), tuple(sorted(found for found in lists if found[1]))

    for name in tables:
        for row in rows[name]:
            assert row["_dlt_parent_id"] in ids
            below[name, row["_dlt_parent_id"]].append((row["_dlt_list_idx"], tree(name, row)))
    return sorted(tree(root, row) for row in rows.get(root, []))


def _plain(value: Any) -> str:
    match value:
        case Json():
            return f"json {value}"
        case datetime():
            return f"timestamp {value.astimezone(UTC).isoformat()}"
        case date():
            return f"date {value}"
        case _:
            return f"{type(value).__name__} {value!r}"
