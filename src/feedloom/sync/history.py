"""Positions through time: what each run left, as the ledger has it, and how to put earlier ones back or forget them."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import sqlglot
from dlt.pipeline.pipeline import Pipeline
from dlt.pipeline.state_sync import force_state_extract

from feedloom.catalogue import Table, Vendor
from feedloom.errors import InputError
from feedloom.sources import cursors
from feedloom.sources.journal import forget_reading, unloaded
from feedloom.sync.ledger import RUNS
from feedloom.sync.positions import KINDS, Positions, kept_positions
from feedloom.sync.queries import ask, column, has_column, relation
from feedloom.sync.warehouse import journal_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One run of the ledger.

    Attributes:
        run_id: Its name.
        started_at: When it began, in UTC.
        outcome: How it ended.
        positions: How far each table was loaded when it ended.
    """

    run_id: str
    started_at: datetime
    outcome: str
    positions: Positions


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far one table is loaded.

    Attributes:
        table: Its name.
        since: First moment loaded; None when the whole history is, or the table has no window.
        through: First moment not yet loaded; None before the first complete load.
        slices: Rows of the fanned-out table whose months are kept.
        filtered: Cursors of readings with filters, beside the common one.
    """

    table: str
    since: datetime | None = None
    through: datetime | None = None
    slices: int = 0
    filtered: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """How putting positions back or forgetting them changes one table; None stands for no position."""

    table: str
    before: Position | None
    after: Position | None


def past_runs(pipeline: Pipeline) -> list[PastRun]:
    """The runs of the ledger, newest first; none before the first. Asks the destination."""
    if not has_column(pipeline, RUNS, "positions"):
        return []
    names = ("run_id", "started_at", "outcome", "positions")
    query = sqlglot.select(*(column(pipeline, name) for name in names)).from_(relation(pipeline, RUNS))
    rows = ask(pipeline, query.order_by(column(pipeline, "started_at").desc(), column(pipeline, "run_id").desc()))
    return [
        PastRun(run_id=run_id, started_at=started.astimezone(UTC), outcome=outcome, positions=_parsed(positions))
        for run_id, started, outcome, positions in rows
    ]


def past_run(pipeline: Pipeline, name: str) -> PastRun:
    """The run whose id begins with *name*; raises InputError when there is none, or more than one."""
    found = [run for run in past_runs(pipeline) if run.run_id.startswith(name)]
    if len(found) == 1:
        return found[0]
    problem = f"{len(found)} runs are called {name}…" if found else f"the ledger knows no run {name!r}"
    raise InputError(problem, hint="`feedloom state history SOURCE` names them", code="FL254")


def positions_now(pipeline: Pipeline, vendor: Vendor, tables: Sequence[Table]) -> list[Position]:
    """The position of each of *tables*, those without any too."""
    kept = kept_positions(pipeline, vendor)
    return [_position(table.name, kept.get(table.name, {})) for table in tables]


def to_earlier(pipeline: Pipeline, vendor: Vendor, run: PastRun) -> Positions:
    """The positions of *run*, and those of now of tables that can't be read again from there.

    Sums over ranges of days belong to the range they were asked for: ranges that overlap would count days twice.
    """
    now = kept_positions(pipeline, vendor)
    fixed = {table.name for table in vendor.tables if holds_sums(table)}
    earlier = {name: kept for name, kept in run.positions.items() if name not in fixed}
    return earlier | {name: kept for name, kept in now.items() if name in fixed}


def without(pipeline: Pipeline, vendor: Vendor, table: Table) -> Positions:
    """The positions of now, but none of *table*; raises InputError where that would count days twice."""
    if holds_sums(table):
        raise InputError(
            f"{table.name} holds sums over ranges of days, and ranges that overlap would count days twice",
            hint=f"run `feedloom sync {vendor.slug} --only {table.name} --full`, which replaces the table",
            where=table.name,
            code="FL255",
        )
    return {name: kept for name, kept in kept_positions(pipeline, vendor).items() if name != table.name}


def holds_sums(table: Table) -> bool:
    """Whether the rows of *table* are sums over the ranges that were asked for."""
    return table.window is not None and table.window.whole_days


def moves_to(pipeline: Pipeline, vendor: Vendor, wanted: Positions) -> list[Move]:
    """How the tables would change if their positions were *wanted*; only those that would."""
    now = kept_positions(pipeline, vendor)
    return [
        Move(table=name, before=_position_or_none(name, now), after=_position_or_none(name, wanted))
        for name in sorted({*now, *wanted})
        if now.get(name) != wanted.get(name)
    ]


def put_back(pipeline: Pipeline, vendor: Vendor, wanted: Positions) -> list[Move]:
    """Make the positions those *wanted*, here and in the destination; returns what changed.

    Pages that were journalled for a table that changes are forgotten, so that its rows are asked for again. The caller
    holds the lock. Raises InputError when an earlier run is half loaded.
    """
    if pipeline.has_pending_data:
        raise InputError(
            "an earlier run is half loaded, and its positions with it",
            hint=f"run `feedloom sync {vendor.slug}` first, which finishes it",
            code="FL256",
        )
    moves = moves_to(pipeline, vendor, wanted)
    with pipeline.managed_state(extract_state=True) as state:
        resources = state.setdefault("sources", {}).setdefault(vendor.source_name, {}).setdefault("resources", {})
        for move in moves:
            kept = resources.setdefault(move.table, {})
            for kind in KINDS:
                kept.pop(kind, None)
            kept.update(deepcopy(wanted.get(move.table, {})))
        force_state_extract(state)
    pipeline.normalize()
    pipeline.load(raise_on_failed_jobs=True)
    for move in moves:
        for reading in unloaded(journal_folder(pipeline), move.table):
            forget_reading(reading)
    return moves


def _parsed(positions: Any) -> Positions:
    found: Positions = orjson.loads(positions) if isinstance(positions, str | bytes) else positions or {}
    return found


def _position_or_none(table: str, positions: Positions) -> Position | None:
    return _position(table, positions[table]) if table in positions else None


def _position(table: str, kept: dict[str, Any]) -> Position:
    by_filter = kept.get("cursors", {})
    common = cursors.load(by_filter.get("all", {}))
    return Position(
        table=table,
        since=common.since,
        through=common.through,
        slices=len(kept.get("slices", {})),
        filtered=sum(name != "all" for name in by_filter),
    )
