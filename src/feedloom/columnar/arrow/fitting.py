"""Puts whole columns into the columns of a table, of the types these have.

Where the type is the same, nothing is touched. Integers and doubles change into each other where they keep their value.
Everything else goes through ``ColumnTypes.place``, once for each different value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedloom.columnar.arrow.blocks import Block
from feedloom.columnar.arrow.column_types import ARROW_TYPES, KINDS, ColumnTypes, json_text
from feedloom.columnar.arrow.naming import RESERVED

EXACT_FLOAT = 2**53
"""Below this, a double that is whole was written as just that integer; from here on it may have been one beside it."""


class Fitter:
    """Adds columns to the blocks of one batch.

    Args:
        types: The types of all columns.
        roots: Count of root rows in the batch.

    Attributes:
        bad: Mask of the root rows that have to be read one by one, because their values need their own spelling.
    """

    def __init__(self, types: ColumnTypes, roots: int) -> None:
        self._types = types
        self.bad = np.zeros(roots, dtype=bool)

    def is_json(self, block: Block, column: str) -> bool:
        """Whether objects and lists in *column* are kept whole."""
        return self._types.of(block.table, column) == "json"

    def give_up(self, block: Block, mask: Any) -> None:
        """Leave the root rows of *block*'s rows in *mask*, an Arrow array of booleans, to be read one by one."""
        self.bad[block.roots[np.asarray(pc.fill_null(mask, fill_value=False))]] = True

    def add(self, block: Block, column: str, values: Any) -> None:
        """Put *values*, of one of the types in ``KINDS``, into *column* and the variants beside it.

        A column that has no type yet gets none here: that is for the rows that are read one by one, in their order.
        """
        if values.null_count == len(values):
            return
        kind = KINDS[values.type]
        held = self._types.of(block.table, column)
        if held is None:
            self.give_up(block, values.is_valid())
        elif held == kind:
            self.put(block, column, values)
        elif (held, kind) == ("double", "bigint"):
            self._split(
                block,
                column,
                values,
                fits=is_held_exactly(values),
                change=lambda kept: kept.cast(pa.float64(), safe=False),
            )
        elif (held, kind) == ("bigint", "double"):
            fits = pc.and_(is_whole(values), pc.less(pc.abs(values), float(EXACT_FLOAT)))
            self._split(block, column, values, fits=fits, change=lambda kept: kept.cast(pa.int64()))
        elif kind == "double":
            spelled = is_whole(values)
            self.give_up(block, spelled)
            self._place_each(block, column, pc.if_else(spelled, pa.scalar(None, values.type), values))
        else:
            self._place_each(block, column, values)

    def add_variant(self, block: Block, column: str, values: Any) -> None:
        """Put *values* into *column*, which takes their type if it is new: a variant is named after what it holds."""
        if values.null_count < len(values):
            self._types.learn(block.table, column, KINDS[values.type])
            self.add(block, column, values)

    def put(self, block: Block, column: str, values: Any) -> None:
        """Put *values*, already of the column's type, into *column*.

        Two values for one column come from keys that are named alike; dlt keeps the last of a row, so that rows that
        hold either are read one by one.
        """
        if column in RESERVED:
            self.give_up(block, values.is_valid())
        elif column in block.columns:
            self.give_up(block, pc.or_(values.is_valid(), block.columns[column].is_valid()))
        else:
            block.columns[column] = values

    def check_doubles(self, block: Block, values: Any) -> None:
        """Give up rows whose double may have been an integer that no double holds, or a minus zero."""
        if pa.types.is_floating(values.type):
            numbers = values.to_numpy(zero_copy_only=False)
            unsure = (np.abs(numbers) >= EXACT_FLOAT) | ((numbers == 0) & np.signbit(numbers))
            if unsure.any():
                self.give_up(block, pa.array(unsure))

    def _split(self, block: Block, column: str, values: Any, *, fits: Any, change: Callable[[Any], Any]) -> None:
        """Put the values that fit into *column*, changed, and the others into its variant."""
        if pc.all(fits).as_py():
            self.put(block, column, change(values))
            return
        nothing = pa.scalar(None, values.type)
        self.put(block, column, change(pc.if_else(fits, values, nothing)))
        variant = self._types.variant(column, KINDS[values.type])
        self.add_variant(block, variant, pc.if_else(fits, nothing, values))

    def _place_each(self, block: Block, column: str, values: Any) -> None:
        encoded = values.dictionary_encode()
        different = encoded.dictionary.to_pylist()
        placed: dict[str, list[Any]] = defaultdict(lambda: [None] * len(different))
        for index, value in enumerate(different):
            target, fitted = self._types.place(block.table, column, value)
            placed[target][index] = fitted
        for target, fitted_values in placed.items():
            made, sorted_made = as_column(fitted_values, self._types.of(block.table, target) or "text")
            self.put(block, target, made.take(encoded.indices))
            if sorted_made is not None and target in block.columns:
                block.sorted_json[target] = sorted_made.take(encoded.indices)


def is_held_exactly(values: Any) -> Any:
    """Mask of the integers that a double holds without rounding; null where there is none."""
    return pc.equal(values.cast(pa.float64(), safe=False).cast(pa.int64(), safe=False), values)


def is_small(values: Any) -> Any:
    """Mask of the integers up to which a double holds every integer; null where there is none."""
    return pc.and_(pc.greater_equal(values, -EXACT_FLOAT), pc.less_equal(values, EXACT_FLOAT))


def is_whole(values: Any) -> Any:
    """Mask of the doubles that are integers; null where there is none."""
    return pc.equal(values, pc.floor(values))


def as_column(values: list[Any], kind: str) -> tuple[Any, Any]:
    """Python values of dlt type *kind* as an Arrow array; for JSON also with sorted keys, else None."""
    if kind != "json":
        return pa.array(values, ARROW_TYPES[kind]), None
    return pa.array([_text(value, sort_keys=False) for value in values], pa.string()), pa.array(
        [_text(value, sort_keys=True) for value in values], pa.string()
    )


def _text(value: Any, *, sort_keys: bool) -> str | None:
    return None if value is None else json_text(value, sort_keys=sort_keys)
