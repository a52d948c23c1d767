"""Opens the journal in which a table is read, for exactly what is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from feedloom.sources import cursors
from feedloom.sources.journal import Journal, Opening, fingerprint, note_load
from feedloom.sources.table_plan import TablePlan


@contextmanager
def kept_while_read(plan: TablePlan, state: Mapping[str, Any], load_id: str | None) -> Iterator[Journal | None]:
    """Yields the journal of the reading of *plan*; None where the session keeps none, or reads from one itself.

    *load_id* names the load that takes the rows, where there is one. When the block ends well and the reading is
    complete, the journal notes that too.
    """
    reading = plan.session.reading(plan.table.name)
    reading.complete, reading.short = False, ""
    reading.absences, reading.read_at, reading.keys_put_aside = None, None, set()
    reading.is_filtered = bool(plan.options.params.get(plan.table.name))
    journals, kept = plan.session.own_journals, plan.session.kept
    if kept is not None and load_id is not None:
        note_load(kept.folder, load_id)
    if journals is None or kept is not None:
        yield None
        return
    journal = journals.open(_opening(plan, state), lasting=plan.table.window is not None and not plan.is_lookup)
    try:
        if load_id is not None:
            journal.goes_to(load_id)
        yield journal
        if reading.complete:
            journal.finish()
    finally:
        journal.close()


def _opening(plan: TablePlan, state: Mapping[str, Any]) -> Opening:
    name = plan.table.name
    own = plan.options.params.get(name, {})
    calls = [dict(call) for call in plan.options.lookups.get(name, ())] if plan.is_lookup else None
    wanted = plan.options.wanted
    purpose = {
        "endpoint": plan.endpoint.name,
        "url": plan.connection.base_url or plan.connection.server,
        "key": plan.connection.holder.key.value,
        "params": plan.params,
        "calls": calls,
        "window": repr(plan.table.window),
        "wanted": [wanted.start, wanted.end],
        "full": plan.options.full,
        "after": cursors.peek(state, own).through if plan.table.window is not None and plan.table.fan_out else None,
    }
    return Opening(
        table=name,
        purpose=fingerprint(purpose),
        at=plan.session.now,
        full=plan.options.full,
        calls=calls,
        params=own,
    )
