"""Moments as the vendors write and read them: everything is UTC, in whole seconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_S = 86_400
_HOUR_S = 3_600
_HOURS = tuple(f"{hour:02d}" for hour in range(24))
_WITHIN_HOUR = tuple(f"{second // 60:02d}:{second % 60:02d}" for second in range(_HOUR_S))


@lru_cache(maxsize=8_192)
def _day(number: int) -> str:
    return (_EPOCH + timedelta(days=number)).date().isoformat()


def space_text(moment_s: int) -> str:
    """``YYYY-MM-DD HH:MM:SS``."""
    day, second = divmod(moment_s, _DAY_S)
    hour, rest = divmod(second, _HOUR_S)
    return f"{_day(day)} {_HOURS[hour]}:{_WITHIN_HOUR[rest]}"


def iso_text(moment_s: int) -> str:
    """``YYYY-MM-DDTHH:MM:SS.000000Z``."""
    day, second = divmod(moment_s, _DAY_S)
    hour, rest = divmod(second, _HOUR_S)
    return f"{_day(day)}T{_HOURS[hour]}:{_WITHIN_HOUR[rest]}.000000Z"


def read_moment_s(text: str) -> int:
    """The second that a date, a date and time, or an ISO 8601 text names; fractions are rounded down.

    A text without a zone is UTC. Raises ValueError for anything else.
    """
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int((moment - _EPOCH) // timedelta(seconds=1))
