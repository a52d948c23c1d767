"""Makes a sync ready to run from what a person asked for, and refuses what cannot work before anything is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import dlt
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.extract import DltSource
from dlt.pipeline.pipeline import Pipeline

from feedloom.catalogue import Table, Vendor
from feedloom.config import Setting, duration, find_setting, find_text, moment
from feedloom.errors import InputError
from feedloom.http import Client
from feedloom.sources import SOURCES
from feedloom.sources.contracts import checked_contracts, flat_contracts, parsed_contracts
from feedloom.sources.journal import KeptReading
from feedloom.sources.keys import hold_needed_key
from feedloom.sources.planning import Cursor, Range, plan_windows, span_to_read, with_look_back
from feedloom.sources.session import Session
from feedloom.sync.counts import loaded_range
from feedloom.sync.report import Deletes
from feedloom.sync.tally import Tally
from feedloom.sync.warehouse import Target, choose_target, journal_folder, open_pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """What to read again of a table: the parameters of each call, or all of it where that asks less of the vendor.

    Where the calls read *windows* whole, rows in them that do not come are gone.
    """

    calls: Sequence[Mapping[str, Any]] = ()
    whole: bool = False
    windows: Sequence[Cursor] = ()


@dataclass(slots=True, kw_only=True)
class Job:
    """One sync, ready to run.

    Attributes:
        vendor: Whose data.
        target: Where to.
        pipeline: The way there.
        tables: The tables wanted, in loading order.
        source: Makes the dlt source for a table; with calls to make instead of the planned ones, where some are given.
        client: Makes a client of the vendor, for counting.
        wanted: The range asked for.
        full: Windowed tables are read whole again.
        deletes: What becomes of rows that are gone at the source.
        allow_deletes: Also where they are more than a tenth of a table.
        session: The run's own.
        tally: Its counts.
        fresh: Tables that this run has read whole.
        history_moved: Rows of long ago came to light, so that reports of their months are out of date.
        replayed: What earlier runs read of each table, which is loaded in place of what the vendor has; None else.
    """

    vendor: Vendor
    target: Target
    pipeline: Pipeline
    tables: Sequence[Table]
    source: Callable[[Table, Reread | None], DltSource]
    client: Callable[[], Client]
    wanted: Range
    full: bool = False
    deletes: Deletes = "soft"
    allow_deletes: bool = False
    session: Session = field(default_factory=Session)
    tally: Tally = field(default_factory=Tally)
    fresh: set[str] = field(default_factory=set)
    history_moved: bool = False
    replayed: Mapping[str, Sequence[KeptReading]] | None = None


def make_job(
    vendor: Vendor,
    *,
    only: str | None = None,
    start: str | None = None,
    end: str | None = None,
    look_back: str | None = None,
    full: bool = False,
    deletes: str | None = None,
    allow_deletes: bool = False,
    contracts: Sequence[str] = (),
    to: str | None = None,
    dataset: str | None = None,
    base_url: str | None = None,
    key: Setting | None = None,
    scratch: Path | None = None,
) -> Job:
    """A sync of *vendor* as the command line asks for it; the key comes from dlt's configuration when none is given.

    *contracts*, each like ``responses=freeze``, come on top of those in the configuration.

    A job with a *scratch* folder for its working files only looks: it disturbs no sync, and can load nothing.

    Raises:
        InputError: An unknown table, destination or contract, a date without zone, a start not before the end, a
            look-back or deletes of no known kind.
        CredentialError: No key is set.
        DestinationError: The database's folder is missing or can't be written.
    """
    tables = chosen_tables(vendor, [name.strip() for name in only.split(",")] if only else ())
    wanted = Range(start=moment(start, "start"), end=moment(end, "end"))
    asked_back = duration(look_back, "look-back")
    back = asked_back if asked_back is not None else configured_look_back(vendor)
    if back is not None:
        tables = [with_look_back(table, back) for table in tables]
    holder = hold_needed_key(vendor, key)
    agreed = _contracts(vendor, contracts)
    address = base_url or _setting(vendor, "base_url")
    target = choose_target(vendor, to, dataset)
    tally = Tally()
    pipeline = open_pipeline(vendor, target, scratch=scratch)
    about = {"source": vendor.slug, "to": target.to, "dataset": target.dataset}
    session = Session(observer=tally, journals=journal_folder(pipeline), key=holder, about=about)

    def source(table: Table, again: Reread | None) -> DltSource:
        settings: dict[str, Any] = {"api_key": holder.key.value, "base_url": address, "contracts": agreed}
        if asked_back is not None:
            settings["look_back_hours"] = asked_back.total_seconds() / 3600
        if again is None:
            settings |= {"start": wanted.start, "end": wanted.end, "full": full}
        elif again.whole:
            settings["full"] = True
        else:
            settings["lookups"] = {table.name: again.calls}
        made: DltSource = SOURCES[vendor.slug](**settings)
        return made

    def client() -> Client:
        return Client(
            vendor,
            holder,
            base_url=address,
            server=_setting(vendor, "region"),
            observer=tally.without_rows(),
        )

    return Job(
        vendor=vendor,
        target=target,
        pipeline=pipeline,
        tables=tables,
        source=source,
        client=client,
        wanted=wanted,
        full=full,
        deletes=chosen_deletes(deletes),
        allow_deletes=allow_deletes,
        session=session,
        tally=tally,
    )


def chosen_tables(vendor: Vendor, names: Sequence[str]) -> list[Table]:
    """The tables called *names*, or all that are loaded by default, in loading order; raises InputError for no name."""
    if not names:
        return [table for table in vendor.tables if table.selected]
    try:
        wanted = {vendor.table(name).name for name in names}
        return [table for table in vendor.tables if table.name in wanted]
    except KeyError as missing:
        raise InputError(
            f"{vendor.title} has no table {missing.args[0]!r}",
            hint=f"choose from {', '.join(table.name for table in vendor.tables)}",
            code="FL230",
        ) from None


def configured_look_back(vendor: Vendor) -> timedelta | None:
    """The look-back in the configuration, ``[sources.<source>] look_back_hours``; None where it says nothing of use.

    What is wrong with it, the source tells.
    """
    try:
        hours = dlt.config.get(f"sources.{vendor.source_name}.look_back_hours", float)
    except (ValueError, ConfigurationException):
        return None
    return timedelta(hours=hours) if hours is not None and hours >= 0 else None


def chosen_deletes(given: str | None) -> Deletes:
    """What becomes of rows that are gone: as *given*, else as configured (``[feedloom] deletes``), else ``soft``.

    Raises InputError for anything but ``soft`` and ``hard``.
    """
    found = find_text("feedloom", "deletes") if given is None else None
    chosen = given or (str(found.value) if found is not None else "soft")
    match chosen:
        case "soft" | "hard":
            return chosen
        case _:
            raise InputError(
                f"deletes can't be {chosen!r}",
                hint="choose soft, which marks rows that are gone, or hard, which removes them",
                where=found.origin if found is not None else "",
                code="FL218",
            )


def plan(job: Job) -> list[dict[str, Any]]:
    """What *job* would read, a row a table: how, and the calls or lists it begins.

    Nothing is asked of the vendor, and nothing is written to the destination, which is asked how far it is.
    """
    if job.target.file is None or job.target.file.exists():
        job.pipeline.sync_destination()
    return [_planned(job, table) for table in job.tables]


def _planned(job: Job, table: Table) -> dict[str, Any]:
    row: dict[str, Any] = {"table": table.name, "endpoint": table.endpoint}
    if table.window is not None:
        cursor = Cursor() if job.full else loaded_range(job.vendor, table, job.pipeline)
        endpoint = job.vendor.endpoint(table.endpoint)
        since, through = span = span_to_read(table.window, cursor, job.wanted, job.session.now)
        reads = plan_windows(table.window, endpoint, span, table.params, first=cursor.through is None)
        beginning = "the beginning" if since is None else since.isoformat()
        calls = "1 window" if len(reads) == 1 else f"{len(reads)} windows"
        return row | {"how": f"from {beginning} to {through.isoformat()}", "calls": calls}
    if table.fan_out is not None:
        return row | {"how": f"once for each of {table.fan_out.table}", "calls": "one or more each"}
    return row | {"how": "the whole list" if table.write == "replace" else "once", "calls": "one list"}


def _contracts(vendor: Vendor, given: Sequence[str]) -> dict[str, Any]:
    """The contracts of the configuration, ``[sources.<source_name>.contracts]``, and those *given* on top of them."""
    section = f"sources.{vendor.source_name}.contracts"
    try:
        configured = dlt.config.get(section, dict)
    except (ValueError, ConfigurationException):
        raise InputError(
            "contracts is no section of tables and their contracts",
            hint=f'write {vendor.tables[0].name} = "freeze" and so on under [{section}] in .dlt/config.toml',
            code="FL234",
        ) from None
    found: dict[str, Any] = flat_contracts(configured or {}) | parsed_contracts(given)
    checked_contracts(vendor, found)
    return found


def _setting(vendor: Vendor, name: str) -> str | None:
    found = find_setting(vendor.source_name, name)
    return str(found.value) if found is not None else None
