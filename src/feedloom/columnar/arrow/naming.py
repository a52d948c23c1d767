"""How dlt spells keys as columns and lists as tables, as three functions that the engine calls for every new name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlt.common.schema import Schema

EMPTY_KEY = "_empty"
"""The column of a key that has no letters left, as dlt names it."""

VALUE = "value"
"""The column of a list item that is no object."""

LIST = "list"
"""The key under which a list inside a list is kept."""

ROW_ID = "_dlt_id"
LOAD_ID = "_dlt_load_id"
PARENT_ID = "_dlt_parent_id"
ROOT_ID = "_dlt_root_id"
POSITION = "_dlt_list_idx"

RESERVED = frozenset({ROW_ID, LOAD_ID, PARENT_ID, ROOT_ID, POSITION})
"""Columns that dlt's bookkeeping needs; a vendor's key of that name cannot be loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """The naming of one destination.

    Attributes:
        column: A key -> its part of a column's name; never empty.
        table: A key that holds a list -> its part of a table's name; never empty.
        join: Parts of a name, outermost first -> the name, shortened where the destination asks for it.
    """

    column: Callable[[str], str]
    table: Callable[[str], str]
    join: Callable[..., str]

    @classmethod
    def of(cls, schema: Schema) -> Naming:
        """The naming of a dlt schema, the very functions that its relational normaliser uses."""
        from dlt.common.normalizers.json import helpers  # noqa: PLC0415 - dlt takes a second to import

        naming = schema.naming
        return cls(
            column=cache(partial(_named, partial(helpers.normalize_identifier, schema, naming))),
            table=cache(partial(_named, partial(helpers.normalize_table_identifier, schema, naming))),
            join=cache(naming.shorten_fragments),
        )


def _named(normalize: Callable[[str], str], key: str) -> str:
    return (normalize(key) if key and not key.isspace() else "") or EMPTY_KEY
