"""What a whole reading says of the rows that it did not bring: the words that travel with its load to the destination.

Vendors tell of no deletion. A row that a whole list does not bring any more is gone at the source, unless the list was
filtered, did not reach so far, or brought the row in a shape that could not be loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import dlt

from feedloom.sources.cursors import moment_in

if TYPE_CHECKING:
    from feedloom.sources.session import Reading
    from feedloom.sources.table_plan import TablePlan

_KEY: Final = "feedloom_absences"


@dataclass(frozen=True, slots=True, kw_only=True)
class Absences:
    """How a destination takes the rows that it holds and that a whole reading did not bring.

    Attributes:
        noticed_at: When the last page of the reading came, aware: what marked rows get.
        tells: Whether their absence says anything; else they stay as they are.
        column: The column of the destination that a ranged reading compared; empty for a list without range.
        since, through: That range, [since, through); None stands for no bound. Rows outside stay as they are.
        spared: Keys, as text, of rows that came and could not be loaded; theirs stay as they are.
    """

    noticed_at: datetime
    tells: bool = True
    column: str = ""
    since: datetime | None = None
    through: datetime | None = None
    spared: tuple[str, ...] = ()


def note_absences(plan: TablePlan, reading: Reading) -> None:
    """Keep with the load under way what the *reading* that just ended says of rows that it did not bring.

    Nothing is kept of readings that merge, nor where rows that vanish are to be removed.
    """
    table = plan.table
    if not (plan.replaces and plan.session.keeps_vanished and table.is_countable):
        return
    schema = dlt.current.source_schema()
    column = ""
    span: tuple[datetime | None, datetime | None] = (None, None)
    if table.window is not None and not table.window.disputed and reading.span is not None:
        path = table.window.passes[0].column.split(".")
        column = schema.naming.make_path(*(schema.naming.normalize_identifier(part) for part in path))
        span = reading.span
    spared = reading.keys_put_aside
    reading.absences = Absences(
        noticed_at=reading.read_at or datetime.now(UTC),
        tells=not reading.is_filtered and all(key is not None and _is_safe(key) for key in spared),
        column=column,
        since=span[0],
        through=span[1],
        spared=tuple(sorted(key for key in spared if key is not None)),
    )
    name = schema.naming.normalize_table_identifier(table.name)
    dlt.current.destination_state().setdefault(_KEY, {})[name] = _as_json(reading.absences)


def noted_absences(state: Mapping[str, Any], table: str) -> Absences | None:
    """What was kept for *table* in a load's destination *state*; None where the load replaces it."""
    kept = state.get(_KEY, {}).get(table)
    return None if kept is None else _of_json(kept)


def _is_safe(key: str) -> bool:
    """Whether dlt can carry *key* in its SQL files, which it cuts at line ends and semicolons."""
    return key.isprintable() and ";" not in key


def _as_json(absences: Absences) -> dict[str, Any]:
    return {
        "noticed_at": absences.noticed_at.isoformat(),
        "tells": absences.tells,
        "column": absences.column,
        "since": absences.since.isoformat() if absences.since is not None else None,
        "through": absences.through.isoformat() if absences.through is not None else None,
        "spared": list(absences.spared),
    }


def _of_json(kept: Mapping[str, Any]) -> Absences:
    return Absences(
        noticed_at=datetime.fromisoformat(kept["noticed_at"]),
        tells=kept["tells"],
        column=kept["column"],
        since=moment_in(kept["since"]),
        through=moment_in(kept["through"]),
        spared=tuple(kept["spared"]),
    )
