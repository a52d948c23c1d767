"""Brings what was extracted into the database: normalised, then loaded by dlt."""

from __future__ import annotations

import pyarrow as pa
from dlt.common.exceptions import DltException
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline

from feedloom.errors import (
    VendorError,
)
from feedloom.sync import packages
from feedloom.sync.failures import explain, is_out_of_memory
from feedloom.sync.jobs import Job
from feedloom.sync.warehouse import give_more_memory

LOAD_WORKERS = 20
"""Files that go to a database server at once; dlt's own number."""


def load(job: Job) -> None:
    """Load what is pending; into DuckDB one file after the other, as each gets all of its memory and threads.

    Raises DestinationError (FL620) for a package that the database refused, which is put aside.
    """
    if not job.pipeline.has_pending_data:
        return
    normalize(job.pipeline)
    pa.default_memory_pool().release_unused()
    workers = 1 if job.target.file is not None else LOAD_WORKERS
    while True:
        try:
            job.pipeline.load(workers=workers, raise_on_failed_jobs=True)
        except (PipelineStepFailed, DltException) as error:
            if is_out_of_memory(error) and give_more_memory(job.pipeline):
                continue
            if not packages.is_refusal(error):
                raise
            raise packages.put_aside(job.pipeline, error) from error
        else:
            return


def normalize(pipeline: Pipeline, table: str = "the last run") -> None:
    """Normalise what was extracted; what cannot be is taken back, so that it does not stop every later run as well.

    Nothing is lost by that: dlt takes the cursor back as well, and the journal has the pages.
    """
    try:
        pipeline.normalize()
    except PipelineStepFailed as error:
        pipeline.abort_packages()
        if explain(error) is not None:
            raise
        raise VendorError(
            f"rows of {table} could not be put into columns",
            hint="run it with `feedloom --debug sync ...` and report what it prints",
        ) from error
