"""Runs an audit: every table that is loaded, one after the other, with one client; the database is only read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from dlt.dataset import Dataset

from feedloom.audit.asking import Asker
from feedloom.audit.checks import Audit, Check
from feedloom.audit.counting import Evidence, count_checks
from feedloom.audit.refiner import refiner_checks
from feedloom.audit.sampling import sample_checks
from feedloom.audit.subject import Subject
from feedloom.catalogue import CursorPaging, NumberPaging, ScrollPaging, Table
from feedloom.errors import DestinationError, VendorError
from feedloom.sync.jobs import Job

SAMPLE_ROWS = 50
"""Rows of each table that are fetched again, unless the user says otherwise."""

_FIGURES = {("refiner", "responses"): refiner_checks}
"""Vendor and table -> the checks of the vendor's own figures that rest on that table."""


def run_audit(
    job: Job,
    *,
    sample: int = SAMPLE_ROWS,
    seed: int = 0,
    now: datetime | None = None,
    on_table: Callable[[str], None] = lambda _table: None,
) -> Audit:
    """Hold the tables of *job* against the vendor; *on_table* hears of each as it is done.

    Only the key, the tables and the way to both sides are taken from *job*; nothing is loaded. A table that the vendor
    answers wrongly is left at that, with its error, and the others go on.

    Args:
        job: Whose data, and where they are.
        sample: How many rows of each table are fetched again one by one.
        seed: With the same one, the same rows.
        now: Up to when newer rows are asked for; this moment when left out.
        on_table: Hears of each table.

    Raises:
        DestinationError: Nothing is loaded yet, or the database can't be read.
        CredentialError, RetryLaterError: As the client raises them.
    """
    started = time.monotonic()
    file = job.target.file
    if file is None or file.exists():
        job.pipeline.sync_destination()
    if job.pipeline.default_schema_name is None or (file is not None and not file.exists()):
        raise DestinationError(
            f"nothing of {job.vendor.title} has been loaded into {job.target.to} yet",
            hint=f"run `feedloom sync {job.vendor.slug}`",
            code="FL607",
        )
    audit = Audit(source=job.vendor.slug, destination=job.target.to, dataset=job.target.dataset, seed=seed)
    asyncio.run(_audit(job, audit, sample, (now or datetime.now(UTC)).replace(microsecond=0), on_table))
    audit.requests = job.tally.requests
    audit.seconds = time.monotonic() - started
    return audit


async def _audit(job: Job, audit: Audit, sample: int, now: datetime, on_table: Callable[[str], None]) -> None:
    dataset = job.pipeline.dataset()
    with job.pipeline.sql_client():  # as long as one connection is open, DuckDB opens further ones at once
        await _audit_tables(job, dataset, audit, sample, now, on_table)


async def _audit_tables(
    job: Job, dataset: Dataset, audit: Audit, sample: int, now: datetime, on_table: Callable[[str], None]
) -> None:
    async with job.client() as client:
        asker = Asker(client, job.tally.progress)
        for table in job.tables:
            if table.name not in dataset.tables:
                audit.checks.append(Check(table=table.name, name="rows", verdict="not checked", why="not loaded yet"))
                continue
            asker.begin(table.name)
            subject = Subject(vendor=job.vendor, table=table, pipeline=job.pipeline, asker=asker, now=now)
            try:
                audit.checks += await _checks(subject, dataset, sample, audit.seed)
            except VendorError as error:
                audit.errors.append((table.name, error))
            job.tally.end(table.name)
            on_table(table.name)


async def _checks(subject: Subject, dataset: Dataset, sample: int, seed: int) -> Sequence[Check]:
    evidence = Evidence()
    checks: list[Check] = []
    if _is_counted(subject):
        checks += await count_checks(subject, dataset, evidence)
    figures = _FIGURES.get((subject.vendor.slug, subject.table.name))
    if figures is not None:
        checks += await figures(subject, dataset, evidence)
    checks += await sample_checks(subject, count=sample, seed=seed)
    return checks or [_not_checked(subject.table)]


def _is_counted(subject: Subject) -> bool:
    paging = subject.endpoint.paging
    has_total = isinstance(paging, CursorPaging | NumberPaging | ScrollPaging) and bool(paging.total)
    return subject.table.is_countable and (has_total or subject.is_whole_list)


def _not_checked(table: Table) -> Check:
    if table.write == "append":
        why = "one row a run, as history"
    elif table.fan_out is not None:
        why = f"asked for once for each of {table.fan_out.table}; the vendor gives no count"
    else:
        why = "the vendor gives neither a count nor single rows"
    return Check(table=table.name, name="rows", verdict="not checked", why=why)
