"""What a load would store of a row that the vendor sends now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, cast

import msgspec
from dlt.common.schema import Schema
from dlt.normalize.configuration import NormalizeConfiguration
from dlt.normalize.items_normalizers.jsonl import JsonLItemsNormalizer
from dlt.pipeline.pipeline import Pipeline

from feedloom.audit.stored import Tree, cell_of, own_cells
from feedloom.catalogue import Table, Vendor
from feedloom.columnar import ROW_HASH, KeyNames, RowShaper
from feedloom.columnar.arrow import ArrowShaper, Naming
from feedloom.columnar.arrow.dlt_seam import stored_types
from feedloom.columnar.arrow.fingerprint import PREFIX as COLUMNAR
from feedloom.columnar.rows import row_hash
from feedloom.http import Cut, Row
from feedloom.sources.table_plan import COLUMN_CAP


class Shaper:
    """Shapes rows of the vendor as a load would store them, on copies of all that a load would change."""

    def __init__(self, pipeline: Pipeline, vendor: Vendor, table: Table) -> None:
        self._schema: Schema = pipeline.default_schema.clone()
        self._table = table
        self._kinds = self._schema.tables
        source: Any = pipeline.state.get("sources", {}).get(vendor.source_name, {})
        kept = deepcopy(source.get("names", {}).get(table.name, {}))
        names = KeyNames(
            kept.get("columns", {}),
            self._schema.naming.normalize_identifier,
            cap=COLUMN_CAP,
            items=kept.get("items", {}),
        )
        endpoint = vendor.endpoint(table.endpoint)
        self._shaper = RowShaper(table, endpoint, names)
        naming = Naming.of(self._schema)
        self._columnar = ArrowShaper(
            table=table,
            endpoint=endpoint,
            names=names,
            naming=naming,
            stored=stored_types(self._schema, naming.table(table.name)),
            load_id="",
        )
        with pipeline.sql_client() as client:
            config = NormalizeConfiguration(destination_capabilities=client.capabilities)
        nothing = cast("Any", None)  # stands for storages that are not used to coerce a row
        self._normalizer = JsonLItemsNormalizer(nothing, nothing, nothing, self._schema, "", config)

    def tree(self, row: Row) -> Tree:
        """*row* as a load would store it; the row itself stays as it is."""
        [shaped] = self._shaper.shape([deepcopy(row)])
        placed: dict[str, Tree] = {}
        root = Tree()
        for (name, parents, _), cells in self._schema.normalize_data_item(shaped, "", self._table.name):
            parent = self._schema.naming.shorten_fragments(*parents) if parents else None
            coerced = self._coerced(name, parent, cells)
            tree = placed[coerced["_dlt_id"]] = Tree(own_cells(coerced))
            if "_dlt_parent_id" in coerced:
                placed[coerced["_dlt_parent_id"]].children.setdefault(name, []).append(tree)
            else:
                root = tree
        return root

    def has_fingerprint(self, row: Row, held: Any) -> bool:
        """Whether *held*, the fingerprint of a row that was loaded, by either engine, is that of *row*."""
        if not isinstance(held, str) or not held.startswith(COLUMNAR):
            return bool(held == row_hash(row))
        page = Cut([msgspec.Raw(json.dumps(row).encode())], {}, 0)
        keys = self._columnar.shape([page]).keys
        return keys is not None and held in keys[ROW_HASH].to_pylist()

    def _coerced(self, table: str, parent: str | None, cells: Mapping[str, Any]) -> dict[str, Any]:
        """*cells* in the types and variant columns that dlt gives them."""
        coerced, new = self._normalizer._coerce_row(table, cast("Any", parent), cells)  # noqa: SLF001 - dlt has no other door to it
        if new is not None:
            self._schema.update_table(new, normalize_identifiers=False)
        kinds = self._schema.get_table_columns(table, include_incomplete=True)
        return {
            name: cell_of(value, str(kinds.get(name, {}).get("data_type")))
            for name, value in coerced.items()
            if value is not None
        }
