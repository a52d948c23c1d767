"""Numbers, moments and texts as Gainsight PX reads them, wherever they come from.

Source: aptrinsic-notes, sections 3 (dates) and 10 (numbers sent as text).
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from feedloom.vendors.aptrinsic.emulator.refusal import invalid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE = re.compile(r"-?\d{1,16}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_FARTHEST_MS = 253_402_300_800_000
"""The end of the year 9999; moments beyond it, and as far before 1970, are no moments."""

_WORDS = {"true": True, "false": False}


def read_moment_ms(value: Any) -> int:
    """Epoch milliseconds from a whole number, its digits, or ISO 8601 text, UTC where that names no zone.

    Raises ValueError for anything else.
    """
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        return _iso_ms(value)
    number = read_number(value)
    if not isinstance(number, int) or abs(number) > _FARTHEST_MS:
        raise ValueError(value)
    return number


def checked_moment_ms(value: Any, *, field: str) -> int:
    """Epoch milliseconds from an input called *field*; refuses the call when it is none."""
    try:
        return read_moment_ms(value)
    except ValueError:
        raise invalid(field=field, rejected=str(value), message="must be a moment in epoch milliseconds") from None


def read_number(value: Any) -> int | float:
    """A finite number from a number or its text; raises ValueError for anything else."""
    number = value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        number = int(value) if _WHOLE.fullmatch(value) else float(value)
    if isinstance(number, (bool, str)) or not isinstance(number, (int, float)) or not math.isfinite(number):
        raise ValueError(value)
    return number


def read_truth(value: Any) -> bool:
    """A truth value from itself or its word, whatever the case; raises ValueError for anything else."""
    truth = _WORDS.get(str(value).lower()) if isinstance(value, (bool, str)) else None
    if truth is None:
        raise ValueError(value)
    return truth


def as_text(value: Any) -> str:
    """A scalar as text, truth values in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _iso_ms(text: str) -> int:
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(milliseconds=1)
