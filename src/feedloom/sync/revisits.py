"""Reads the last part of windowed tables again from time to time, for changes that move no cursor, and deletions.

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
    policy = table.revisit
    is_plain = job.replayed is None and not job.full and job.wanted.start is None and job.wanted.end is None
    if policy is None or not is_plain or loaded.through is None:
        return None
    last = _last(job.pipeline, table)
    if last is not None and job.session.now - last < policy.every:
        return None
    since = loaded.through - policy.back
    return Cursor(since=since if loaded.since is None else max(since, loaded.since), through=loaded.through)


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
