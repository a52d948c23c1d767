"""Reads windowed tables again from time to time, for changes that move no cursor, and deletions.

Which tables, how far back and how often is a word of the catalogue (``Revisit``). When a table was last read so is kept
in the pipeline's local state; where that is lost, it is done once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from dlt.pipeline.pipeline import Pipeline

from feedloom.catalogue import Table
from feedloom.sources.planning import Cursor, plan_windows
from feedloom.sync.jobs import Job

_KEY: Final = "feedloom_revisited"


def due(job: Job, table: Table, loaded: Cursor) -> Cursor | None:
    """The last part of *table*, which is *loaded* so far, that is to be read again in this run.

    None where that is not due, or a range was asked for.
    """
    if table.revisit is None or table.revisit.back is None or loaded.through is None or not _is_time(job, table):
        return None
    since = loaded.through - table.revisit.back
    return Cursor(since=since if loaded.since is None else max(since, loaded.since), through=loaded.through)


def is_whole_due(job: Job, table: Table, loaded: Cursor) -> bool:
    """Whether all of *table*, which is *loaded* so far, is to be read again in this run, in place of what is new.

    Not where a range was asked for.
    """
    is_whole = table.revisit is not None and table.revisit.back is None
    return is_whole and loaded.through is not None and _is_time(job, table)


def calls(job: Job, table: Table, window: Cursor) -> list[Mapping[str, Any]]:
    """The parameters of the calls that read *window* of *table* whole."""
    if table.window is None or window.through is None:
        return []
    cut = replace(table.window, passes=(replace(table.window.passes[0], first=True),), parts=1)
    span = (window.since, window.through)
    found = plan_windows(cut, job.vendor.endpoint(table.endpoint), span, table.params, first=True)
    return [read.params for read in found]


def note_read(job: Job, table: Table) -> None:
    """Keep that the last part of *table* was read in this run."""
    if table.revisit is not None:
        job.pipeline.set_local_state_val(_KEY, {**_kept(job.pipeline), table.name: job.session.now.isoformat()})


def _is_time(job: Job, table: Table) -> bool:
    is_plain = job.replayed is None and not job.full and job.wanted.start is None and job.wanted.end is None
    last = _last(job.pipeline, table)
    return is_plain and table.revisit is not None and (last is None or job.session.now - last >= table.revisit.every)


def _last(pipeline: Pipeline, table: Table) -> datetime | None:
    kept = _kept(pipeline).get(table.name)
    return None if kept is None else datetime.fromisoformat(kept)


def _kept(pipeline: Pipeline) -> Mapping[str, str]:
    """Table -> when its last part was read."""
    try:
        kept: Mapping[str, str] = pipeline.get_local_state_val(_KEY)
    except KeyError:
        return {}
    return kept
