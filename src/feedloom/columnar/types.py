"""The types that the catalogue promises, as dlt's column hints and as parsed values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from feedloom.catalogue import Endpoint, Field, Known, Table
from feedloom.columnar.names import ROW_HASH

if TYPE_CHECKING:
    from dlt.common.data_types import TDataType
    from dlt.common.schema.typing import TColumnSchema

DATA_TYPES: dict[str, TDataType] = {
    "text": "text",
    "integer": "bigint",
    "number": "double",
    "boolean": "bool",
    "timestamp": "timestamp",
}
"""The catalogue's type of a plain field -> dlt's type of its column."""

_SHORTEST_DATE = len("2026-01-31")


def parse_time(value: Any, field: Field) -> Any:
    """The moment that *value* stands for, as an aware UTC datetime; *value* itself when it is no moment.

    Where ``field.time`` is ``epoch_ms``, milliseconds are read, and 0 is None if ``field.zero_is_null``; else texts in
    ISO 8601, with ``T`` or a space, taken as UTC where they name no zone. Microseconds are kept.

    Source: refiner-notes, "Dates and time zones"; aptrinsic-notes, section 5.
    """
    if field.time == "epoch_ms":
        return _from_epoch_ms(value, zero_is_null=field.zero_is_null)
    if not isinstance(value, str) or len(value) < _SHORTEST_DATE:
        return value
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the year 1 or 9999 may leave the calendar on its way to UTC
        return value


def _from_epoch_ms(value: Any, *, zero_is_null: bool) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    if value == 0 and zero_is_null:
        return None
    try:
        return datetime.fromtimestamp(value // 1000, UTC).replace(microsecond=value % 1000 * 1000)
    except (OverflowError, ValueError, OSError):
        return value


def column_name(path: str) -> str:
    """The column of the field at *path*, in dlt's snake_case: ``form__uuid`` for ``form.uuid``."""
    from dlt.common.normalizers.naming.snake_case import NamingConvention  # noqa: PLC0415 - dlt takes a second to import

    naming = NamingConvention()
    return naming.make_path(*(naming.normalize_identifier(part) for part in path.split(".")))


def column_hints(table: Table, endpoint: Endpoint) -> dict[str, TColumnSchema]:
    """The columns that the catalogue vouches for, by name in dlt's snake_case (``form__uuid``), for ``dlt.resource``.

    Fields that no document confirms are left out: their columns appear with their first value, typed by it.
    """
    column = column_name
    long = table.long_answers
    long_only = f"{long.path}." if long is not None and long.instead else "\0"
    hints: dict[str, TColumnSchema] = {
        column(field.name): {"data_type": DATA_TYPES[field.type]}
        for field in endpoint.fields
        if field.type in DATA_TYPES
        and field.known is not Known.ASSUMED
        and "[]" not in field.name
        and not field.name.startswith(long_only)
    }
    for path in table.json_columns:
        hints[column(path)] = {"data_type": "json"}
    if table.read_at:
        hints[column(table.read_at)] = {"data_type": "timestamp"}
    if table.slices is not None:
        hints["month"] = {"data_type": "date"}
        hints[column(table.slices.column)] = {"data_type": "text"}
    if table.fan_out is not None:
        hints.update({column(name): {"data_type": "text"} for name in table.fan_out.carry})
    hints[ROW_HASH] = {"data_type": "text"}
    return hints
