"""Makes ready the replay of runs: their pages are loaded once more, from the journal alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import httpx2
from dlt.extract import DltSource
from dlt.pipeline.pipeline import Pipeline
from sqlglot import expressions as sql

from feedloom.catalogue import Table, Vendor
from feedloom.errors import FeedloomError, InputError
from feedloom.http import Client, Key
from feedloom.sources import SOURCES, cursors
from feedloom.sources.journal import KeptReading, KeptRun, read_opening, read_plan
from feedloom.sources.planning import Range
from feedloom.sources.session import Session
from feedloom.sync.jobs import Job, Reread, chosen_tables
from feedloom.sync.journals import Shelf, find_run, shelves
from feedloom.sync.queries import count
from feedloom.sync.tally import Tally
from feedloom.sync.warehouse import Target, choose_target, open_pipeline
from feedloom.vendors import VENDORS

_NO_KEY = "replays-need-no-key"


def make_replay(
    what: str, *, everything: bool = False, only: str | None = None, to: str | None = None, dataset: str | None = None
) -> tuple[Job, list[str]]:
    """The replay of the run called *what*, or of *everything* kept of the source called so; ready for ``run``.

    Into the database that the rows first went to, unless *to* or *dataset* name another. There, the readings that later
    runs made of the same tables follow, so that no newer row is taken back. Readings that were never finished are left
    out; the sentences that come beside the job tell which.

    Raises InputError where nothing of that name is kept, or nothing in it can be replayed.
    """
    shelf, runs = _everything_of(what) if everything else _one_run(what)
    vendor = VENDORS[runs[0].about["source"]]
    origin = Target(runs[0].about["to"], runs[0].about["dataset"])
    target = choose_target(vendor, to or origin.to, dataset or origin.dataset)
    wanted = _names(vendor, only)
    readings, unfinished = _readings(runs, wanted)
    if not readings:
        raise InputError(
            f"nothing of {what} can be replayed",
            hint="`feedloom journal show RUN` shows what a run read; one that was cut off is gone on with by a sync",
            code="FL261",
        )
    if _is_same(target, origin):
        later = [run for run in shelf.runs if run.name > runs[-1].name]
        following, _ = _readings(later, set(readings))
        for name, more in following.items():
            readings[name] += more
    return _job(vendor, target, readings), [
        f"{table} of run {run} was not read to its end, and is left out; `feedloom sync {vendor.slug}` goes on with it"
        for run, table in unfinished
    ]


def refuse_older(job: Job, table: Table, readings: Sequence[KeptReading]) -> None:
    """Raise InputError where the last of *readings* is older than what the table holds: newer rows would be lost."""
    if table.window is None:
        return
    sources: Mapping[str, Any] = job.pipeline.state.get("sources", {})
    state = sources.get(job.vendor.source_name, {}).get("resources", {}).get(table.name, {})
    for reading in reversed(readings):
        opening, plan = read_opening(reading.folder), read_plan(reading.folder)
        if opening is None or plan is None:
            continue
        held = cursors.peek(state, opening.params).through
        if held is not None and held > datetime.fromisoformat(plan["through"]):
            raise InputError(
                f"{table.name} holds rows up to {held.isoformat()}, and run {reading.folder.parent.name} read less",
                hint=f"replay all: `feedloom replay {job.vendor.slug} --all`; or give another dataset with --dataset",
                where=table.name,
                code="FL263",
            )
        return


def is_there(pipeline: Pipeline, table: Table, reading: KeptReading) -> bool:
    """Whether the table holds rows that *reading* brought."""
    return count(pipeline, table.name, sql.column("_dlt_load_id", quoted=True).isin(*reading.note.load_ids)) > 0


def _job(vendor: Vendor, target: Target, readings: dict[str, list[KeptReading]]) -> Job:
    tally = Tally()
    session = Session(observer=tally, transport=_NoNetwork)

    def source(table: Table, _again: Reread | None) -> DltSource:
        """As the source was made when the pages were read, so that they replace or merge as they did then."""
        opening = read_opening(session.kept.folder) if session.kept is not None else None
        settings: dict[str, Any] = {"api_key": _NO_KEY}
        if opening is not None and opening.calls is not None:
            settings["lookups"] = {table.name: opening.calls}
        elif opening is not None:
            settings["full"] = opening.full
        made: DltSource = SOURCES[vendor.slug](**settings)
        return made

    return Job(
        vendor=vendor,
        target=target,
        pipeline=open_pipeline(vendor, target),
        tables=[table for table in vendor.tables if table.name in readings],
        source=source,
        client=lambda: Client(vendor, Key(_NO_KEY, "no setting"), transport=_NoNetwork()),
        wanted=Range(),
        session=session,
        tally=tally,
        replayed=readings,
    )


def _one_run(name: str) -> tuple[Shelf, list[KeptRun]]:
    shelf, run = find_run(name)
    if run.about.get("source") not in VENDORS:
        raise InputError(
            f"nobody noted what run {run.name} was for", hint="read the tables from the source", code="FL261"
        )
    return shelf, [run]


def _everything_of(slug: str) -> tuple[Shelf, list[KeptRun]]:
    """All runs of the source into the configured database."""
    if slug not in VENDORS:
        raise InputError(f"there is no source {slug!r}", hint=f"choose from {', '.join(VENDORS)}", code="FL202")
    target = choose_target(VENDORS[slug], None, None)
    for shelf in shelves():
        runs = [run for run in shelf.runs if run.about.get("source") == slug]
        if runs and _is_same(Target(runs[-1].about["to"], runs[-1].about["dataset"]), target):
            return shelf, runs
    raise InputError(
        f"no run of {slug} into {target.to}, {target.dataset} is kept here",
        hint="`feedloom journal list` shows the runs that are kept",
        code="FL260",
    )


def _names(vendor: Vendor, only: str | None) -> set[str] | None:
    if only is None:
        return None
    return {table.name for table in chosen_tables(vendor, [name.strip() for name in only.split(",")])}


def _readings(
    runs: Sequence[KeptRun], wanted: set[str] | None
) -> tuple[dict[str, list[KeptReading]], list[tuple[str, str]]]:
    """The finished readings of *runs* by table, in their order, and the run and table of those that are not."""
    found: dict[str, list[KeptReading]] = {}
    unfinished = []
    for run in runs:
        for reading in run.readings:
            if wanted is not None and reading.table not in wanted:
                continue
            if reading.note.pages is None:
                unfinished.append((run.name, reading.table))
            else:
                found.setdefault(reading.table, []).append(reading)
    return found, unfinished


def _is_same(one: Target, other: Target) -> bool:
    if one.dataset != other.dataset:
        return False
    if one.file is None or other.file is None:
        return one.to == other.to
    return Path(one.file).resolve() == Path(other.file).resolve()


class _NoNetwork(httpx2.AsyncBaseTransport):
    """Carries no request: a replay that needs one is wrong, and says so."""

    async def handle_async_request(self, request: httpx2.Request) -> NoReturn:
        raise FeedloomError(
            f"a replay would ask the source for {request.url.path}",
            hint="report it; until then, `feedloom sync` reads the table from the source",
            code="FL264",
        )
