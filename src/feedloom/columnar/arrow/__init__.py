"""The columnar engine: from the bytes of pages to Arrow tables, without a Python object for each value."""

from feedloom.columnar.arrow.flattening import refuse_shared
from feedloom.columnar.arrow.guard import VARIANT, Breach, Contract, Guard, TableContract
from feedloom.columnar.arrow.naming import Naming
from feedloom.columnar.arrow.shaper import ArrowShaper, Shaped, ShapedTable
from feedloom.columnar.arrow.strict import FlawError, Quarantined, load_row, refuse_nul

__all__ = [
    "VARIANT",
    "ArrowShaper",
    "Breach",
    "Contract",
    "FlawError",
    "Guard",
    "Naming",
    "Quarantined",
    "Shaped",
    "ShapedTable",
    "TableContract",
    "load_row",
    "refuse_nul",
    "refuse_shared",
]
