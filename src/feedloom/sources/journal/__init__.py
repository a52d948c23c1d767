"""Keeps every page that came, before anything else happens to it: for going on, for replay and for trace."""

from feedloom.sources.journal.notes import LoadNote, note_load
from feedloom.sources.journal.reading import (
    Journal,
    KeptList,
    KeptPage,
    Opening,
    Walk,
    fingerprint,
    list_identity,
    read_opening,
    read_plan,
)
from feedloom.sources.journal.runs import (
    FRESH,
    KeptReading,
    KeptRun,
    Retention,
    RunJournals,
    forget,
    forget_reading,
    kept_runs,
    new_run_id,
    runs_to_forget,
    unloaded,
)

__all__ = [
    "FRESH",
    "Journal",
    "KeptList",
    "KeptPage",
    "KeptReading",
    "KeptRun",
    "LoadNote",
    "Opening",
    "Retention",
    "RunJournals",
    "Walk",
    "fingerprint",
    "forget",
    "forget_reading",
    "kept_runs",
    "list_identity",
    "new_run_id",
    "note_load",
    "read_opening",
    "read_plan",
    "runs_to_forget",
    "unloaded",
]
