"""The columnar engine: from the bytes of pages to Arrow tables, without a Python object for each value."""

from feedloom.columnar.arrow.flattening import refuse_shared
from feedloom.columnar.arrow.naming import Naming
from feedloom.columnar.arrow.shaper import ArrowShaper, Shaped, ShapedTable
from feedloom.columnar.arrow.strict import FlawError, Quarantined, load_row, refuse_nul

__all__ = [
    "ArrowShaper",
    "FlawError",
    "Naming",
    "Quarantined",
    "Shaped",
    "ShapedTable",
    "load_row",
    "refuse_nul",
    "refuse_shared",
]
