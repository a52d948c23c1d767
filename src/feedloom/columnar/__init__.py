"""The seam where a vendor's rows become the rows of tables: names, types and child rows, nothing lost."""

from feedloom.columnar.names import DELETED_AT, MORE_KEYS, ROW_HASH, KeyNames
from feedloom.columnar.rows import RowShaper
from feedloom.columnar.types import column_hints, column_name, parse_time

__all__ = [
    "DELETED_AT",
    "MORE_KEYS",
    "ROW_HASH",
    "KeyNames",
    "RowShaper",
    "column_hints",
    "column_name",
    "parse_time",
]
