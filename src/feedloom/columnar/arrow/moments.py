"""Reads whole columns of moments as UTC timestamps: what ``parse_time`` does, a column at a time.

Arrow reads fewer forms of ISO 8601 than Python does, and reads those alike; a column that holds others is read by
Python, each different text once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from feedloom.catalogue import Field
from feedloom.columnar.arrow.column_types import TIMESTAMP
from feedloom.columnar.types import parse_time

_NAIVE = pa.timestamp("us")
_YEAR_1_MS = -62_135_596_800_000
_YEAR_10000_MS = 253_402_300_800_000


def read_moments(values: Any, field: Field) -> tuple[Any, Any]:
    """*values* as timestamps, and a mask of those that are no moment, which are null among the timestamps.

    The mask is None when all are moments. Nulls stay null; where ``field.zero_is_null`` says so, so does 0.
    """
    if field.time == "epoch_ms":
        return read_epoch_ms(values, zero_is_null=field.zero_is_null)
    for read in (_read_naive, _read_zoned):
        try:
            return read(values), None
        except pa.ArrowInvalid:
            continue
    return _read_each(values, field)


def read_epoch_ms(values: Any, *, zero_is_null: bool) -> tuple[Any, Any]:
    """Integers as timestamps, like :func:`read_moments`."""
    if zero_is_null:
        values = pc.if_else(pc.equal(values, 0), pa.scalar(None, pa.int64()), values)
    outside = pc.or_(pc.less(values, _YEAR_1_MS), pc.greater_equal(values, _YEAR_10000_MS))
    outside = pc.fill_null(outside, fill_value=False)
    if not pc.any(outside).as_py():
        return _from_ms(values), None
    return _from_ms(pc.if_else(outside, pa.scalar(None, pa.int64()), values)), outside


def _from_ms(values: Any) -> Any:
    return values.cast(pa.timestamp("ms", "UTC")).cast(TIMESTAMP)


def _read_naive(values: Any) -> Any:
    """Text without a zone, taken as UTC; raises ArrowInvalid unless all of it is that."""
    return pc.assume_timezone(values.cast(_NAIVE), "UTC")


def _read_zoned(values: Any) -> Any:
    """Text with a zone; raises ArrowInvalid unless all of it is that, and in years that Python has dates for."""
    moments = values.cast(TIMESTAMP)
    bounds = pc.min_max(moments.cast(pa.int64())).as_py()
    if bounds["min"] is not None and (bounds["min"] < _YEAR_1_MS * 1000 or bounds["max"] >= _YEAR_10000_MS * 1000):
        raise pa.ArrowInvalid("a year that Python has no dates for")
    return moments


def _read_each(values: Any, field: Field) -> tuple[Any, Any]:
    """Each different text on its own, for columns that mix forms."""
    encoded = values.dictionary_encode()
    read = [_moment(text, field) for text in encoded.dictionary.to_pylist()]
    moments = pa.array(read, TIMESTAMP).take(encoded.indices)
    failed = pc.and_(pc.is_valid(values), pc.is_null(moments))
    return moments, failed if pc.any(failed).as_py() else None


def _moment(text: str, field: Field) -> datetime | None:
    moment = parse_time(text, field)
    return moment if isinstance(moment, datetime) else None
