"""Reads again what an incremental load cannot see: renamed people and forms, late imports, deletions.

Refiner's date window moves only when answers come in. A contact that is renamed, or an old answer that is imported
today, leaves the window as it was. So after a load the copies of contacts and forms inside the responses are compared
with their own tables, and the vendor's count with ours; whatever differs is read again, and nothing else.

Source: refiner-notes, "Incremental sync".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlglot
from sqlglot import expressions as sql

from feedloom.catalogue import Embedded, Table
from feedloom.sources.planning import Cursor
from feedloom.sync.counts import Counts, bounds, counts_in, loaded_range
from feedloom.sync.jobs import Job, Reread
from feedloom.sync.queries import ask, column, has_column, live, relation
from feedloom.sync.report import Verdict

PAGE_ROWS = 1000
_SHORTEST = timedelta(minutes=10)
_MOST_COUNTS = 400
_FEW_CALLS = 10


def stale_copies(job: Job, table: Table) -> Reread | None:
    """What to read again because a copied contact or form was changed; None when every copy is fresh.

    Asks for the rows of each changed one, or for the whole table where that takes fewer requests.
    """
    calls: list[Mapping[str, Any]] = []
    base = table.window.passes[0].params if table.window is not None else {}
    for embedded in table.embedded:
        calls.extend({**base, embedded.param: key} for key in _stale_keys(job, table, embedded))
    if not calls:
        return None
    rows = ask(job.pipeline, sqlglot.select(sql.Count(this=sql.Star())).from_(relation(job.pipeline, table.name)))
    return Reread(calls=calls, whole=len(calls) > rows[0][0] // PAGE_ROWS + _FEW_CALLS)


def _stale_keys(job: Job, table: Table, embedded: Embedded) -> list[str]:
    pipeline = job.pipeline
    key = f"{embedded.path}.{embedded.key}"
    if not has_column(pipeline, table.name, key) or not has_column(pipeline, embedded.table, embedded.key):
        return []

    def side(alias: str, name: str, path: str) -> sql.Expression:
        return column(pipeline, path, alias) if has_column(pipeline, name, path) else sql.Null()

    differences = [
        sql.NullSafeNEQ(
            this=side("copy", table.name, f"{embedded.path}.{field}"), expression=side("own", embedded.table, field)
        )
        for field in embedded.fields
    ]
    query = (
        sqlglot.select(column(pipeline, key, "copy"))
        .distinct()
        .from_(relation(pipeline, table.name, "copy"))
        .join(
            relation(pipeline, embedded.table, "own"),
            on=sql.EQ(this=column(pipeline, key, "copy"), expression=column(pipeline, embedded.key, "own")),
        )
        .where(sql.or_(*differences), *live(pipeline, table.name, "copy"), *live(pipeline, embedded.table, "own"))
    )
    return [str(row[0]) for row in ask(pipeline, query)]


def differing_windows(job: Job, table: Table, found: Counts) -> Reread | None:
    """The windows in which the vendor counts other rows than are here, by halving; None when *found*, the sum, agrees.

    So are those that hold rows whose owner was deleted, so that an import cannot hide behind a deletion. Asks the
    vendor for one row a step. Windows of at most 1,000 rows, or ten minutes, are not halved further.
    """
    if table.window is None or found.is_settled:
        return None
    windows: list[Cursor] = []
    asked = 0
    open_windows = [(loaded_range(job.vendor, table, job.pipeline), found)]
    while open_windows:
        window, counts = open_windows.pop()
        if counts.is_settled:
            continue
        halves = _halves(job, table, window)
        if halves is None or max(counts.there, counts.here) <= PAGE_ROWS or asked >= _MOST_COUNTS:
            windows.append(window)
            continue
        for half in halves:
            asked += 1
            inside = counts_in(
                job.vendor, table, job.pipeline, job.client(), half, fresh=job.fresh, stop=job.session.stop
            )
            if inside is None:
                windows.append(half)
            else:
                open_windows.append((half, inside))
    return Reread(calls=[bounds(job.vendor, table, window) for window in windows], windows=windows)


def _halves(job: Job, table: Table, window: Cursor) -> tuple[Cursor, Cursor] | None:
    since, through = window.since, window.through
    if through is None:
        return None
    if since is None:
        since = _oldest(job, table)
        if since is None or since >= through:
            return None
        return Cursor(through=since), Cursor(since=since, through=through)
    if through - since <= _SHORTEST:
        return None
    middle = (since + (through - since) / 2).replace(microsecond=0)
    return Cursor(since=since, through=middle), Cursor(since=middle, through=through)


def _oldest(job: Job, table: Table) -> datetime | None:
    if table.window is None:
        return None
    moment = column(job.pipeline, table.window.passes[0].column)
    rows = ask(job.pipeline, sqlglot.select(sql.Min(this=moment)).from_(relation(job.pipeline, table.name)))
    oldest = rows[0][0] if rows else None
    return oldest.astimezone(UTC).replace(microsecond=0) if isinstance(oldest, datetime) else None


def verdict(counts: Counts | None, *, reread: bool) -> tuple[Verdict, str]:
    """The verdict on *counts*, and a sentence for people; *reread* says that the differing windows were read again."""
    if counts is None:
        return "not checked", ""
    if counts.there == counts.here + counts.quarantined:
        return "matches", ""
    gone = counts.here + counts.quarantined - counts.there
    if gone > 0 and (reread or counts.agree):
        return "deleted at source", (
            f"{gone:,} rows are no longer at the source and still here; `--full` reads all again, and finds which."
        )
    return "more at source", "The source counts other rows than came; run the command again."
