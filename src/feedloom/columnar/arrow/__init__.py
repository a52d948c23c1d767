"""The columnar engine: from the bytes of pages to Arrow tables, without a Python object for each value."""

from feedloom.columnar.arrow.naming import Naming
from feedloom.columnar.arrow.shaper import ArrowShaper, Shaped, ShapedTable
from feedloom.columnar.arrow.strict import Quarantined

__all__ = ["ArrowShaper", "Naming", "Quarantined", "Shaped", "ShapedTable"]
