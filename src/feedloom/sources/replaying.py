"""Reads a table from the journal of an earlier run, without a request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from feedloom.catalogue import Endpoint
from feedloom.errors import InputError
from feedloom.http import Row, cut_body, read_rows
from feedloom.sources import cursors
from feedloom.sources.fanning import SliceState, slice_state
from feedloom.sources.journal import KeptReading, Walk
from feedloom.sources.planning import Read, Span, advance
from feedloom.sources.reading import Rows
from feedloom.sources.session import Reading
from feedloom.sources.table_plan import TablePlan


def replay(plan: TablePlan, kept: KeptReading, state: dict[str, Any], reading: Reading) -> Iterator[Rows]:
    """The pages that *kept* holds of the table, in the order they came; the cursor moves on to where they end.

    It never moves back. Raises InputError where pages are missing that were there when the reading ended.
    """
    walk = Walk(kept.folder)
    for page in walk.loaded_pages():
        known = walk.lists[page.list]
        if known.endpoint == plan.endpoint.name:
            parts = cut_body(page.body, endpoint=plan.endpoint, request=page.request)
            read = Read(params=known.params, extra=known.extra)
            yield Rows(read=read, endpoint=plan.endpoint, cut=parts, read_at=page.at)
    if walk.pages != kept.note.pages:
        raise _damaged(kept, walk.pages)
    reading.complete = True
    reading.is_filtered = walk.opening is not None and bool(walk.opening.params)
    reading.span = span_of(walk.plan) if walk.plan is not None else None
    if walk.opening is not None and walk.plan is not None:
        place = cursors.place(state, walk.opening.params)
        cursors.save(place, advance(cursors.load(place), span_of(walk.plan)))
    if walk.slices:
        known_slices = slice_state(state).kept
        later = {name: max(month, known_slices.get(name, "")) for name, month in walk.slices.items()}
        SliceState(known_slices, later).commit()


def kept_rows(kept: KeptReading, endpoint: Endpoint) -> Iterator[list[Row]]:
    """The rows, page by page, that *kept* holds of an *endpoint* beside that of its table."""
    walk = Walk(kept.folder)
    for page in walk.loaded_pages():
        if walk.lists[page.list].endpoint == endpoint.name:
            parts = cut_body(page.body, endpoint=endpoint, request=page.request)
            yield read_rows(parts, endpoint=endpoint, request=page.request)


def span_of(plan: Mapping[str, Any]) -> Span:
    """The range that a kept *plan* of windows reads."""
    since = plan["since"]
    return (datetime.fromisoformat(since) if since else None), datetime.fromisoformat(plan["through"])


def _damaged(kept: KeptReading, found: int) -> InputError:
    return InputError(
        f"the journal of {kept.table} in run {kept.folder.parent.name} holds {found} whole pages of {kept.note.pages}",
        hint=f"its files were changed; read the table from the source: `feedloom sync ... --only {kept.table} --full`",
        where=str(kept.folder),
        code="FL262",
    )
