"""Holds rows against the columns that a table has: finds those that bring a field it does not know.

A field is known where the table has its column, or the catalogue describes it, of that type. Lists are tables, and
known alike. Open maps, whose keys the customer chose, are judged apart, and by default not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa

from feedloom.catalogue import Endpoint, Field, Table
from feedloom.columnar.arrow.blocks import Block
from feedloom.columnar.arrow.naming import RESERVED, VALUE, Naming
from feedloom.columnar.names import ROW_HASH
from feedloom.columnar.types import DATA_TYPES

Contract: TypeAlias = Literal["evolve", "freeze", "quarantine"]
"""What becomes of a field that a table does not know: it is taken, the table stops, or its rows are put aside."""

VARIANT = "__v_"
"""Stands between a column's name and the type, in the column beside it that takes values of that type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableContract:
    """The contract of one table.

    Attributes:
        fields: For the fields that the vendor chose.
        maps: For the keys of open maps, by path; those that are not named here evolve.
    """

    fields: Contract = "evolve"
    maps: Mapping[str, Contract] = field(default_factory=dict)

    @property
    def evolves(self) -> bool:
        """Whether everything is taken."""
        return all(contract == "evolve" for contract in (self.fields, *self.maps.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A field that breaks a contract.

    Attributes:
        reason: How, in words.
        contract: The contract that it breaks.
        path: The open map that it stands in; empty for a field that the vendor chose.
        raw: The row that it came in, as it came.
    """

    reason: str
    contract: Contract
    path: str = ""
    raw: bytes = b""


class Guard:
    """Finds the rows of one table that break its contract.

    Args:
        contract: The contract.
        table: How the rows become a table.
        endpoint: Where they come from.
        naming: How the destination spells names.
        stored: Table -> column -> dlt type, of this table and those below it, before this load.
    """

    def __init__(
        self,
        contract: TableContract,
        *,
        table: Table,
        endpoint: Endpoint,
        naming: Naming,
        stored: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._contract = contract
        self._stored = stored
        root = naming.table(table.name)
        self._described = describe(endpoint.fields, naming, root)
        self._loose = _without_values(self._described.loose, stored.get(root, {}))
        self._long_table = naming.join(root, naming.table(table.long_answers.name)) if table.long_answers else ""
        self._maps = [(tuple(naming.column(part) for part in path.split(".")), path) for path in table.open_maps]
        self._join = naming.join

    def breaches(self, blocks: Sequence[Block], type_of: Callable[[str, str], str | None]) -> dict[int, Breach]:
        """Position of a row in its batch -> how it breaks the contract, the rows' bytes left out.

        Where a row breaks it in more than one way, freezing counts. *type_of* tells the dlt type of a table's column.
        """
        found: dict[int, Breach] = {}
        for block in blocks:
            for part in block.walk():
                for rows, breach in self._strange(part, type_of):
                    for row in rows.tolist():
                        if row not in found or (breach.contract == "freeze" != found[row].contract):
                            found[row] = breach
        return found

    def _strange(self, block: Block, type_of: Callable[[str, str], str | None]) -> Iterator[tuple[Any, Breach]]:
        """The root rows that hold something strange in *block*, each with what it is."""
        if block.table == self._long_table or not len(block):
            return
        if block.table not in self._stored and block.table not in self._described.columns:
            path, contract = self._contract_of(block.parts[1:])
            if contract != "evolve":
                reason = f"its list {block.table} is new"
                yield np.unique(block.roots), Breach(reason=reason, contract=contract, path=path)
            return
        for column, values in block.columns.items():
            path, contract = self._contract_of((*block.parts[1:], column))
            if contract == "evolve" or column in block.not_hashed or values.null_count == len(values):
                continue
            kind = type_of(block.table, column) or "text"
            if not self._is_known(block.table, column, kind):
                reason = self._in_words(block.table, column, kind)
                yield np.unique(block.roots[_mask(values)]), Breach(reason=reason, contract=contract, path=path)

    def _contract_of(self, parts: tuple[str, ...]) -> tuple[str, Contract]:
        """The open map that a column or a list is in, and its contract; *parts* are its name's, below the root's."""
        name = self._join(*parts)
        for above, path in self._maps:
            if parts[: len(above)] == above or name.startswith(f"{self._join(*above)}__"):
                return path, self._contract.maps.get(path, "evolve")
        return "", self._contract.fields

    def _is_known(self, table: str, column: str, kind: str) -> bool:
        if column in self._stored.get(table, {}) or column in RESERVED or column == ROW_HASH:
            return True
        described = self._described.columns.get(table, {})
        if column in described:
            return (described[column], kind) == ("double", "bigint") or described[column] in (kind, "")
        return any(column == name or column.startswith(f"{name}__") for name in self._loose)

    def _in_words(self, table: str, column: str, kind: str) -> str:
        base, is_variant, _ = column.rpartition(VARIANT)
        held = self._stored.get(table, {}).get(base) or self._described.columns.get(table, {}).get(base)
        if is_variant and held:
            return f"its {_place(table, base, self._stored)} is {held}, and {kind} here"
        return f"its {_place(table, column, self._stored)} ({kind}) is new"


@dataclass(slots=True)
class Described:
    """What the catalogue says a table and the tables below it may hold.

    Attributes:
        columns: Table -> column -> dlt type; an empty type stands for any.
        loose: Columns of the root table whose inner shape is not described.
    """

    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    loose: set[str] = field(default_factory=set)


def describe(fields: Sequence[Field], naming: Naming, root: str) -> Described:
    """The tables and columns that *fields*, of the rows of the table *root*, may come to."""
    described = Described({root: {}})
    inner = {one.name.rpartition(".")[0] for one in fields}
    for one in fields:
        tables, above = [root], []
        *path, last = one.name.split(".")
        for part in path:
            above.append(part.removesuffix("[]"))
            if part.endswith("[]"):
                tables += [*(naming.column(name) for name in above[:-1]), naming.table(above[-1])]
                described.columns.setdefault(naming.join(*tables), {})
                above = []
        above = [naming.column(name) for name in (*above, last.removesuffix("[]"))]
        columns = described.columns.setdefault(naming.join(*tables), {})
        column = naming.join(*above)
        if one.type == "list":
            items = naming.join(*tables, *above[:-1], naming.table(last))
            is_plain = f"{one.name}[]" not in inner
            described.columns.setdefault(items, {}).update({VALUE: ""} if is_plain else {})
        elif one.type in DATA_TYPES:
            columns[column] = DATA_TYPES[one.type]
        elif one.name not in inner and len(tables) == 1:
            described.loose.add(column)
    return described


def _without_values(loose: set[str], stored: Mapping[str, str]) -> set[str]:
    """Those of *loose* of which no value came so far: their first ones are no surprise."""
    return {name for name in loose if not any(column == name or column.startswith(f"{name}__") for column in stored)}


def _mask(values: Any) -> Any:
    valid = values.is_valid() if not isinstance(values, pa.ChunkedArray) else values.combine_chunks().is_valid()
    return valid.to_numpy(zero_copy_only=False)


def _place(table: str, column: str, stored: Mapping[str, Any]) -> str:
    root = min(stored, key=len, default=table)
    return f"column {column}" if table == root else f"column {table}.{column}"
