"""The ledger: tables beside the data that tell what each run asked, what came, how it was checked and what it holds.

A run writes its entry to a file in the pipeline's folder first, and the file goes once the entry is loaded. So runs
that end in an error, with or without a database, are told of by the next one that gets through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import dlt
import orjson
import sqlglot
from dlt.common.exceptions import DltException
from dlt.extract import DltResource
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline

from feedloom import __version__
from feedloom.errors import DestinationError, FeedloomError
from feedloom.sync.jobs import Job
from feedloom.sync.packages import is_refusal
from feedloom.sync.positions import kept_positions
from feedloom.sync.queries import ask, column, relation
from feedloom.sync.report import Report, TableReport

RUNS: Final = "feedloom_runs"
WINDOWS: Final = "feedloom_windows"
CHECKS: Final = "feedloom_checks"
REQUESTS: Final = "feedloom_requests"
SCHEMA_CHANGES: Final = "feedloom_schema_changes"
QUESTION_CHANGES: Final = "feedloom_question_changes"

REFUSED: Final = "FL611"
"""Code of the DestinationError for entries that the database refused."""

ColumnType: TypeAlias = Literal["text", "bigint", "double", "timestamp", "json"]

LEDGER: Final[Mapping[str, Mapping[str, ColumnType]]] = {
    RUNS: {
        "run_id": "text",
        "source": "text",
        "started_at": "timestamp",
        "seconds": "double",
        "outcome": "text",
        "tables": "bigint",
        "rows_read": "bigint",
        "rows_new": "bigint",
        "rows_changed": "bigint",
        "requests": "bigint",
        "retries": "bigint",
        "waited_s": "double",
        "expected_requests": "bigint",
        "expected_rows": "bigint",
        "error_code": "text",
        "error": "text",
        "positions": "json",
        "feedloom_version": "text",
    },
    WINDOWS: {
        "run_id": "text",
        "table_name": "text",
        "since": "timestamp",
        "through": "timestamp",
        "outcome": "text",
        "requests": "bigint",
        "pages": "bigint",
        "rows_read": "bigint",
        "rows_new": "bigint",
        "rows_changed": "bigint",
        "rows_same": "bigint",
        "rows_gone": "bigint",
        "rows_returned": "bigint",
        "rows_withheld": "bigint",
        "rows_repeated": "bigint",
        "rows_quarantined": "bigint",
        "rows_held": "bigint",
        "rows_late": "json",
        "seconds": "double",
        "error_code": "text",
        "error": "text",
    },
    CHECKS: {
        "run_id": "text",
        "table_name": "text",
        "kind": "text",
        "rows_there": "bigint",
        "rows_here": "bigint",
        "verdict": "text",
    },
    REQUESTS: {
        "run_id": "text",
        "minute": "timestamp",
        "endpoint": "text",
        "status": "bigint",
        "requests": "bigint",
        "seconds": "double",
    },
    SCHEMA_CHANGES: {
        "run_id": "text",
        "seen_at": "timestamp",
        "table_name": "text",
        "column_name": "text",
        "kind": "text",
        "old_type": "text",
        "new_type": "text",
    },
    QUESTION_CHANGES: {
        "run_id": "text",
        "seen_at": "timestamp",
        "form_uuid": "text",
        "form_name": "text",
        "question": "text",
        "aspect": "text",
        "old_value": "text",
        "new_value": "text",
        "seen_in": "text",
        "version_at": "timestamp",
    },
}
"""Table -> column -> dlt's type; tables are made with their first row. ``status`` 0 stands for a request that got no
answer."""

Entry: TypeAlias = Mapping[str, Sequence[Mapping[str, Any]]]
"""The rows of one run, by table."""

_MOST_KEPT = 100
"""Entries of runs that never got through to the database; the oldest go."""


def entry_of(job: Job, report: Report, error: FeedloomError | None = None) -> Entry:
    """What the ledger says of a run: of one that was cut off by *error*, what it had done by then."""
    run_id = report.run_id
    return {
        RUNS: [_run(job, report, error)],
        WINDOWS: [{"run_id": run_id, **_window(job, table)} for table in report.tables],
        CHECKS: [
            {
                "run_id": run_id,
                "table_name": table.table,
                "kind": "count",
                "rows_there": table.source_rows,
                "rows_here": table.rows_checked,
                "verdict": table.verdict,
            }
            for table in report.tables
            if table.source_rows is not None
        ],
        REQUESTS: [
            {
                "run_id": run_id,
                "minute": minute,
                "endpoint": endpoint,
                "status": status,
                "requests": sum_.requests,
                "seconds": sum_.seconds,
            }
            for (minute, endpoint, status), sum_ in sorted(job.tally.minutes.items())
        ],
        SCHEMA_CHANGES: [
            {
                "run_id": run_id,
                "seen_at": job.session.now,
                "table_name": change.table,
                "column_name": change.column,
                "kind": change.kind,
                "old_type": change.old_type,
                "new_type": change.new_type,
            }
            for table in report.tables
            for change in table.schema_changes
        ],
        QUESTION_CHANGES: [
            {
                "run_id": run_id,
                "seen_at": job.session.now,
                "form_uuid": change.form,
                "form_name": change.form_name,
                "question": change.question,
                "aspect": change.aspect,
                "old_value": change.old,
                "new_value": change.new,
                "seen_in": change.seen_in,
                "version_at": change.version_at,
            }
            for table in report.tables
            for change in table.question_changes
        ],
    }


def keep(pipeline: Pipeline, run_id: str, entry: Entry) -> None:
    """Write *entry* to its file, to be loaded by :func:`send`, now or at the end of a later run."""
    folder = _folder(pipeline)
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / f"{run_id}.part"
    written.write_bytes(orjson.dumps(entry))
    written.replace(folder / f"{run_id}.json")
    for old in sorted(folder.glob("*.json"))[:-_MOST_KEPT]:
        old.unlink()


def send(pipeline: Pipeline, current: str) -> None:
    """Load the entries that are kept, in one small load: that of the *current* run and those left from earlier ones.

    Before anything was loaded there is no schema yet, and the entries stay kept. An earlier entry that did get through,
    in a run that was killed right then, is not loaded twice.

    Raises DestinationError (FL611) when the database refuses them; nothing is left pending then, and the entries stay
    kept.
    """
    files = sorted(_folder(pipeline).glob("*.json"))
    if not files or pipeline.default_schema_name is None:
        return
    entries = [orjson.loads(file.read_bytes()) for file in files]
    earlier = [file.stem for file in files if file.stem != current]
    rows = {
        name: _not_there(pipeline, name, earlier, [row for entry in entries for row in entry.get(name, ())])
        for name in LEDGER
    }
    try:
        pipeline.extract([_resource(name, found) for name, found in rows.items()], schema=pipeline.default_schema)
        pipeline.normalize()
        pipeline.load(workers=1, raise_on_failed_jobs=True)
    except (PipelineStepFailed, DltException) as error:
        if not is_refusal(error):
            raise
        pipeline.abort_packages()
        raise DestinationError(
            "the database refused the ledger of this run; the other tables are loaded",
            hint=f"see what was changed in {', '.join(LEDGER)} there; the next run tries again",
            code=REFUSED,
        ) from error
    for file in files:
        file.unlink()


def _folder(pipeline: Pipeline) -> Path:
    return Path(pipeline.pipelines_dir) / "ledger" / pipeline.pipeline_name


def _not_there(pipeline: Pipeline, table: str, earlier: Sequence[str], rows: list[Any]) -> list[Any]:
    """Those of *rows* that belong to no *earlier* run that *table* knows already."""
    if not earlier or table not in pipeline.default_schema.tables:
        return rows
    query = sqlglot.select(column(pipeline, "run_id")).distinct().from_(relation(pipeline, table))
    known = {str(run_id) for (run_id,) in ask(pipeline, query.where(column(pipeline, "run_id").isin(*earlier)))}
    return [row for row in rows if row["run_id"] not in known]


def _resource(name: str, rows: list[Any]) -> DltResource:
    made: DltResource = dlt.resource(
        rows,
        name=name,
        write_disposition="append",
        columns={column: {"data_type": kind} for column, kind in LEDGER[name].items()},
        file_format="parquet",
    )
    return made


def _run(job: Job, report: Report, error: FeedloomError | None) -> dict[str, Any]:
    failure = error or report.failure
    return {
        "run_id": report.run_id,
        "source": report.source,
        "started_at": job.session.now,
        "seconds": report.seconds,
        "outcome": _outcome(report, error),
        "tables": len(report.tables),
        "rows_read": sum(table.read for table in report.tables),
        "rows_new": report.new,
        "rows_changed": report.changed,
        "requests": report.requests,
        "retries": job.tally.retries,
        "waited_s": job.tally.waited_s,
        "expected_requests": report.expected_requests,
        "expected_rows": report.expected_rows,
        **_told(failure),
        "positions": kept_positions(job.pipeline, job.vendor),
        "feedloom_version": __version__,
    }


def _outcome(report: Report, error: FeedloomError | None) -> str:
    if error is not None:
        return "failed"
    if report.interrupted:
        return "interrupted"
    if report.failure is not None:
        return "partly failed"
    return "findings" if report.findings else "complete"


def _window(job: Job, table: TableReport) -> dict[str, Any]:
    reading = job.session.reading(table.table)
    since, through = reading.span or (None, None)
    return {
        "table_name": table.table,
        "since": since,
        "through": through,
        "outcome": table.outcome,
        "requests": table.requests,
        "pages": reading.pages,
        "rows_read": table.read,
        "rows_new": table.new,
        "rows_changed": table.changed,
        "rows_same": table.same,
        "rows_gone": table.gone,
        "rows_returned": table.returned,
        "rows_withheld": table.withheld,
        "rows_repeated": table.repeated,
        "rows_quarantined": table.quarantined,
        "rows_held": table.rows,
        "rows_late": None if table.late is None else {str(late_s): rows for late_s, rows in table.late.items()},
        "seconds": table.seconds,
        **_told(table.error),
    }


def _told(error: FeedloomError | None) -> dict[str, str | None]:
    return {"error_code": None if error is None else error.code, "error": None if error is None else error.message}
