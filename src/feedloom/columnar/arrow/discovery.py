"""Finds the rows that bring something new: a key, or a kind of value, that no row before them had at that place.

Column names and types are chosen by the first value that comes. Such rows are therefore read one by one first, in their
order, by the exact way; for all other rows every name and type is known by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedloom.columnar.arrow.contests import Path


class Discovery:
    """What was seen so far in the batches of one table."""

    def __init__(self) -> None:
        self._seen: set[tuple[Path, str]] = set()

    def first_rows(self, columns: Mapping[str, Any]) -> set[int]:
        """The rows of a batch, by position, that are the first to hold some place and kind of value."""
        found: set[int] = set()
        for key, array in columns.items():
            self._visit(array, (key,), None, found)
        return found

    def _visit(self, array: Any, path: Path, roots: Any, found: set[int]) -> None:
        if array.null_count == len(array):
            return
        seen = (path, _token(array.type))
        if seen not in self._seen:
            self._seen.add(seen)
            first = pc.index(array.is_valid(), value=True).as_py()
            found.add(int(roots[first]) if roots is not None else first)
        if pa.types.is_struct(array.type):
            for field, inner in zip(array.type, array.flatten(), strict=True):
                self._visit(inner, (*path, field.name), roots, found)
        elif pa.types.is_list(array.type) and self._is_new(array.type.value_type, (*path, None)):
            parents = np.asarray(pc.list_parent_indices(array))
            self._visit(array.flatten(), (*path, None), parents if roots is None else roots[parents], found)

    def _is_new(self, kind: Any, path: Path) -> bool:
        """Whether something in a type may not have been seen yet."""
        if pa.types.is_null(kind):
            return False
        if (path, _token(kind)) not in self._seen:
            return True
        if pa.types.is_struct(kind):
            return any(self._is_new(field.type, (*path, field.name)) for field in kind)
        return bool(pa.types.is_list(kind)) and self._is_new(kind.value_type, (*path, None))


def _token(kind: Any) -> str:
    if pa.types.is_struct(kind):
        return "object"
    return "list" if pa.types.is_list(kind) else str(kind)
