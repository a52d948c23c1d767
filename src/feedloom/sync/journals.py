"""The journals of all pipelines of this folder: what runs keep, how long, and where one is found again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dlt
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.pipeline.pipeline import Pipeline

from feedloom.catalogue import Vendor
from feedloom.config import WORK_FOLDER
from feedloom.errors import InputError
from feedloom.sources.journal import (
    KeptReading,
    KeptRun,
    Retention,
    Walk,
    forget,
    forget_reading,
    kept_runs,
    runs_to_forget,
    unloaded,
)
from feedloom.sources.session import Session
from feedloom.sync.warehouse import JOURNALS

_DEFAULT = Retention()


def settle(pipeline: Pipeline, vendor: Vendor, session: Session) -> None:
    """Note which additions of earlier runs are in the database by now, so that nobody adds them a second time.

    Readings whose rows are merged may be gone on with all the same: that repeats no request, and doubles nothing.
    """
    added = {table.name for table in vendor.tables if table.write == "append"}
    if session.own_journals is not None:
        session.own_journals.settle(set(pipeline.list_completed_load_packages()), tables=added)


def note_loaded(session: Session, table: str) -> None:
    """Note that what was read of *table* is in the database, unless part of it is still to be read."""
    if session.own_journals is not None:
        session.own_journals.loaded(table)


def forget_unloaded(session: Session, table: str) -> None:
    """Forget what was read of *table* and is not in the database, so that it is asked for again."""
    if session.journals is not None:
        for reading in unloaded(session.journals, table):
            forget_reading(reading)


def forget_old_runs(session: Session) -> None:
    """Remove what the configuration does not keep of the pipeline's runs."""
    if session.journals is not None:
        for run in runs_to_forget(kept_runs(session.journals), configured_retention(), datetime.now(UTC)):
            forget(run)


def configured_retention() -> Retention:
    """What the configuration keeps, ``[feedloom] journal_days`` and ``journal_mb``; raises InputError for no number."""
    return Retention(
        days=_whole_number("journal_days", _DEFAULT.days), megabytes=_whole_number("journal_mb", _DEFAULT.megabytes)
    )


def _whole_number(name: str, default: int) -> int:
    try:
        found = dlt.config.get(f"feedloom.{name}", int)
    except (ValueError, ConfigurationException):
        found = -1
    if found is None:
        return default
    if found < 0:
        raise InputError(
            f"{name} is no whole number from 0 on",
            hint=f"write {name} = {default} under [feedloom] in .dlt/config.toml, or leave it out; 0 keeps none",
            code="FL218",
        )
    return found


@dataclass(frozen=True, slots=True)
class Shelf:
    """The runs of one pipeline, and the folder they are kept in."""

    folder: Path
    runs: list[KeptRun]


def shelves() -> list[Shelf]:
    """What is kept of each pipeline of the folder one stands in, in the order of their folders."""
    folders = sorted(Path(WORK_FOLDER).glob(f"*/*/{JOURNALS}/*"))
    return [Shelf(folder, runs) for folder in folders if (runs := kept_runs(folder))]


def find_run(name: str) -> tuple[Shelf, KeptRun]:
    """The run called *name*, or the only one whose name begins so; raises InputError when there is none."""
    found = [(shelf, run) for shelf in shelves() for run in shelf.runs if run.name.startswith(name)] if name else []
    if len(found) != 1:
        what = f"{len(found)} runs begin with {name!r}" if found else f"no run {name!r} is kept here"
        raise InputError(what, hint="`feedloom journal list` shows the runs that are kept", code="FL260")
    return found[0]


def readings_of_load(load_id: str) -> list[tuple[KeptRun, KeptReading]]:
    """The readings whose rows went into the load called *load_id*, newest run first."""
    return [
        (run, reading)
        for shelf in shelves()
        for run in reversed(shelf.runs)
        for reading in run.readings
        if load_id in reading.note.load_ids
    ]


def run_row(run: KeptRun) -> dict[str, Any]:
    """One run for a list: ``run``, ``source``, ``to``, ``dataset``, ``tables``, ``bytes`` and ``state``."""
    tables = {reading.table for reading in run.readings}
    return {
        "run": run.name,
        "source": run.about.get("source"),
        "to": run.about.get("to"),
        "dataset": run.about.get("dataset"),
        "tables": len(tables),
        "bytes": run.size_bytes,
        "state": "loaded" if all(reading.is_loaded for reading in run.readings) else "unfinished",
    }


def reading_row(reading: KeptReading) -> dict[str, Any]:
    """One reading: its ``table``, ``lists``, ``pages``, ``bytes``, ``since``, ``until``, ``loads`` and ``state``.

    ``since`` and ``until`` are when the first and the last page came, aware; None without pages.
    """
    walk = Walk(reading.folder)
    moments = [page.at for page in walk.every_page()]
    if reading.note.pages is not None and walk.pages != reading.note.pages:
        state = "damaged"
    else:
        state = "loaded" if reading.is_loaded else "unfinished"
    return {
        "table": reading.table,
        "lists": len(walk.lists),
        "pages": walk.pages,
        "bytes": reading.size_bytes,
        "since": min(moments, default=None),
        "until": max(moments, default=None),
        "loads": list(reading.note.load_ids),
        "state": state,
    }


def prune(
    *, days: int | None, megabytes: int | None, dry_run: bool, on_run: Callable[[KeptRun], None] = lambda _run: None
) -> int:
    """Remove what *days* and *megabytes*, else the configuration, do not keep of each pipeline.

    *on_run* hears of each run that goes, or would in a *dry_run*. Returns the bytes that are free then.
    """
    configured = configured_retention()
    retention = Retention(
        days=configured.days if days is None else days,
        megabytes=configured.megabytes if megabytes is None else megabytes,
    )
    freed = 0
    for shelf in shelves():
        for run in runs_to_forget(shelf.runs, retention, datetime.now(UTC)):
            freed += run.size_bytes
            on_run(run)
            if not dry_run:
                forget(run)
    return freed
