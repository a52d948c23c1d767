"""How late rows arrive: noted by each run, and told from the ledger with the look-back that would have seen them.

A row is late when its own time lies before the end of the window that the run before had read: that run might have seen
it and did not, as it was not there yet. By how much is what a look-back has to reach back.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias

import orjson
import sqlglot
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.pipeline.pipeline import Pipeline

from feedloom.catalogue import Table, Vendor
from feedloom.sources.planning import Cursor
from feedloom.sync.changes import ChangeCounter
from feedloom.sync.ledger import WINDOWS
from feedloom.sync.queries import ask, at, column, has_column, relation

_MINUTE, _HOUR, _DAY = 60, 3600, 86400

STEPS_S: Final = (
    _MINUTE,
    5 * _MINUTE,
    15 * _MINUTE,
    _HOUR,
    3 * _HOUR,
    6 * _HOUR,
    12 * _HOUR,
    _DAY,
    2 * _DAY,
    3 * _DAY,
    7 * _DAY,
    14 * _DAY,
    30 * _DAY,
    90 * _DAY,
    365 * _DAY,
    3650 * _DAY,
)
"""Seconds to which lateness is rounded up; the last stands for anything beyond."""

_ONE_IN = 1_000
"""A look-back should see all but one row in so many."""

_ENOUGH_ROWS = 1_000
_ENOUGH_RUNS = 3

Advice: TypeAlias = Literal["enough", "longer", "too little history"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """How late the rows of one windowed table came, over the runs after its first.

    Attributes:
        table: Its name.
        runs: Runs that measured it.
        new_rows: Rows that they brought first.
        late: Seconds, rounded up to one of ``STEPS_S`` -> rows that were so late; the others were in time.
        look_back_s: How far a run reaches back now.
        wanted_s: The look-back that would have seen 99.9 % of them in time; None where there is too little history.
        advice: Whether the look-back of now is enough; ``too little history`` where fewer than 1,000 rows came, or in
            fewer than 3 runs.
    """

    table: str
    runs: int
    new_rows: int
    late: Mapping[int, int]
    look_back_s: int
    wanted_s: int | None
    advice: Advice


def late_rows(
    pipeline: Pipeline, table: Table, counter: ChangeCounter, *, load_id: str, before: Cursor
) -> dict[int, int]:
    """The rows that load *load_id* brought first although they lie before the end of the range of *before*.

    As seconds, rounded up to one of ``STEPS_S`` -> rows. *counter* has just compared that load.
    """
    if table.window is None or before.through is None:
        return {}
    moment = column(pipeline, table.window.passes[0].column)
    query = (
        sqlglot.select(*(column(pipeline, name) for name in table.primary_key), moment)
        .from_(relation(pipeline, table.name))
        .where(column(pipeline, "_dlt_load_id").eq(load_id), moment < at(before.through))
    )
    found: Counter[int] = Counter()
    with pipeline.sql_client() as client:
        try:
            with client.execute_query(query.sql(dialect=client.capabilities.sqlglot_dialect)) as cursor:
                for rows in cursor.iter_arrow(_CHUNK_ROWS):
                    for late_s, count in counter.unseen_before(rows, before.through):
                        found[_rounded_up(late_s)] += count
        except DestinationUndefinedEntity:
            return {}
    return dict(sorted(found.items()))


_CHUNK_ROWS = 100_000


def _rounded_up(late_s: int) -> int:
    return STEPS_S[min(bisect_left(STEPS_S, late_s), len(STEPS_S) - 1)]


def lateness(pipeline: Pipeline, vendor: Vendor, *, look_back: timedelta | None = None) -> list[Lateness]:
    """The lateness of each table that has a look-back, as the ledger tells it. Asks the destination.

    *look_back* is how far runs reach back by the configuration; None for what the catalogue says.
    """
    measured = _measured(pipeline)
    return [
        _of_table(
            table.name,
            int((table.window.look_back if look_back is None else look_back).total_seconds()),
            measured.get(table.name, ()),
        )
        for table in vendor.tables
        if table.window is not None and table.window.look_back
    ]


_Run: TypeAlias = tuple[int, Mapping[int, int]]


def _measured(pipeline: Pipeline) -> Mapping[str, Sequence[_Run]]:
    """Table -> of each run that measured it, the new rows and how late they were."""
    if not has_column(pipeline, WINDOWS, "rows_late"):
        return {}
    names = [column(pipeline, name) for name in ("table_name", "rows_new", "rows_late")]
    query = sqlglot.select(*names).from_(relation(pipeline, WINDOWS)).where(names[-1].is_(sqlglot.exp.Null()).not_())
    found: dict[str, list[_Run]] = {}
    for table, new_rows, late in ask(pipeline, query):
        parsed: Mapping[str, Any] = orjson.loads(late) if isinstance(late, str | bytes) else late
        found.setdefault(table, []).append((int(new_rows), {int(step): int(rows) for step, rows in parsed.items()}))
    return found


def _of_table(table: str, look_back_s: int, runs: Sequence[_Run]) -> Lateness:
    late: Counter[int] = Counter()
    for _, steps in runs:
        late.update(steps)
    new_rows = sum(rows for rows, _ in runs)
    wanted_s = look_back_for(late, new_rows) if new_rows >= _ENOUGH_ROWS and len(runs) >= _ENOUGH_RUNS else None
    advice: Advice = "too little history"
    if wanted_s is not None:
        advice = "enough" if wanted_s <= look_back_s else "longer"
    return Lateness(
        table=table,
        runs=len(runs),
        new_rows=new_rows,
        late=dict(sorted(late.items())),
        look_back_s=look_back_s,
        wanted_s=wanted_s,
        advice=advice,
    )


def look_back_for(late: Mapping[int, int], new_rows: int) -> int:
    """The smallest of 0 and ``STEPS_S`` that at least 99.9 % of *new_rows* were no later than."""
    missed = sum(late.values())
    for step in (0, *STEPS_S):
        missed -= late.get(step, 0)
        if missed * _ONE_IN <= new_rows:
            return step
    return STEPS_S[-1]
