"""Load packages that the database refused: put aside with the reason, so that no later run is held up by them.

dlt tries a package again at every run until it is loaded, and loads nothing else before. Here a refused package is
copied to a folder of its own and taken back with its cursor: the next run reads its rows again, from the journal or the
vendor. Once the table is loaded whole by a later run, the package holds nothing that is not there, and goes.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import orjson
import sqlglot
from dlt.common.exceptions import DltException
from dlt.common.schema.utils import get_root_table
from dlt.load.exceptions import LoadClientJobException
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline
from sqlglot import expressions as sql

from feedloom.errors import DestinationError, InputError
from feedloom.sync.failures import causes_of, explain
from feedloom.sync.queries import ask, column, has_column, relation

REFUSED: Final = "FL620"
"""Code of the DestinationError for a package that was put aside."""

_OF_ONE_TABLE = frozenset({"FL603", "FL609"})
"""Codes of failures that may be of one table alone, where the database itself answers."""


_ADDED = ("_dlt", "feedloom_")

LOADED_KEPT: Final = 50
"""Loaded packages that stay in the working folder: more than one run makes, for `dlt pipeline info` and the curious."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedPackage:
    """A package that was put aside.

    Attributes:
        load_id: Its name, by which dlt knows it too.
        tables: The tables that its rows were meant for.
        reason: What the database said.
        refused_at: When, in UTC.
        size_bytes: What it takes on disk.
    """

    load_id: str
    tables: Sequence[str]
    reason: str
    refused_at: datetime
    size_bytes: int


def drop_loaded(pipeline: Pipeline, *, keep: int = LOADED_KEPT) -> None:
    """Remove loaded packages from the working folder, all but the latest *keep*; dlt itself would keep them for ever.

    What an earlier run loaded has to be settled with its journal before.
    """
    storage = pipeline._get_load_storage()  # noqa: SLF001 - no public way leads to it
    for load_id in sorted(pipeline.list_completed_load_packages())[:-keep]:
        storage.delete_loaded_package(load_id)


def is_refusal(error: BaseException) -> bool:
    """Whether *error*, raised by a load, is about what was loaded rather than about the database as a whole."""
    known = explain(error)
    if known is None:
        return not any(isinstance(cause, KeyboardInterrupt) for cause in causes_of(error))
    return known.code in _OF_ONE_TABLE and any(isinstance(cause, LoadClientJobException) for cause in causes_of(error))


def put_aside(pipeline: Pipeline, error: BaseException) -> DestinationError:
    """Put the package that is being loaded aside, take its cursor back, and return the failure to tell of."""
    load_id = pipeline.list_normalized_load_packages()[0]
    found = RefusedPackage(
        load_id=load_id,
        tables=_tables(pipeline, load_id),
        reason=_reason(error),
        refused_at=datetime.now(UTC),
        size_bytes=_size(_folder_of(pipeline, "normalized", load_id)),
    )
    aside = _folder(pipeline) / load_id
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(_folder_of(pipeline, "normalized", load_id), aside / "package")
    (aside / "reason.json").write_bytes(orjson.dumps(asdict(found)))
    for other in refused_packages(pipeline):
        if other.load_id != load_id and set(other.tables) <= set(found.tables):
            _remove(pipeline, other.load_id)
    pipeline.abort_packages()
    # dlt's own record of the abort would stand in the way of loading the package after all.
    shutil.rmtree(_folder_of(pipeline, "loaded", load_id), ignore_errors=True)
    return _refusal(found)


def refused_packages(pipeline: Pipeline) -> list[RefusedPackage]:
    """The packages that were put aside and not loaded since, oldest first."""
    return [_read(file) for file in sorted(_folder(pipeline).glob("*/reason.json"))]


def refused_package(pipeline: Pipeline, load_id: str) -> RefusedPackage:
    """The one called *load_id*; raises InputError when there is none."""
    for package in refused_packages(pipeline):
        if package.load_id == load_id:
            return package
    raise InputError(
        f"no load {load_id} was put aside", hint="`feedloom loads list SOURCE` names those that were", code="FL250"
    )


def forget_loaded(pipeline: Pipeline, table: str) -> None:
    """Remove the refused packages of *table*, which was loaded whole since."""
    for package in refused_packages(pipeline):
        if table in package.tables:
            _remove(pipeline, package.load_id)


def drop(pipeline: Pipeline, load_id: str) -> RefusedPackage:
    """Remove a refused package; its rows are still asked for again by the next run. Raises InputError for none."""
    package = refused_package(pipeline, load_id)
    _remove(pipeline, load_id)
    return package


def retry(pipeline: Pipeline, load_id: str) -> RefusedPackage:
    """Load a refused package as it is, without asking the vendor; the cursor stays where it is.

    Raises:
        InputError: There is none of that name; its table was loaded since, so that it may hold older rows; or an
            earlier run is half loaded.
        DestinationError: It is refused again, and stays put aside; or the database can't be had.
    """
    package = refused_package(pipeline, load_id)
    newer = [name for name in package.tables if _last_load(pipeline, name) > load_id]
    if newer:
        raise InputError(
            f"{', '.join(newer)} was loaded since load {load_id} was put aside, which may hold older rows",
            hint=f"run `feedloom loads drop SOURCE {load_id} --yes`, and sync to read what is missing",
            code="FL251",
        )
    if pipeline.has_pending_data:
        raise InputError("an earlier run is half loaded", hint="sync first, which finishes it", code="FL256")
    pending = _folder_of(pipeline, "normalized", load_id)
    shutil.copytree(_folder(pipeline) / load_id / "package", pending)
    try:
        pipeline.load(workers=1, raise_on_failed_jobs=True)
    except (PipelineStepFailed, DltException) as error:
        # Not dlt's abort, which would put the state of then back for every table.
        shutil.rmtree(pending, ignore_errors=True)
        if not is_refusal(error):
            raise
        raise _refusal(replace(package, reason=_reason(error))) from error
    _remove(pipeline, load_id)
    return package


def _refusal(package: RefusedPackage) -> DestinationError:
    return DestinationError(
        f"the database refused rows for {', '.join(package.tables)}: {package.reason}",
        hint=f"they are put aside as load {package.load_id}: correct the table there and sync again, "
        f"or run `feedloom loads retry SOURCE {package.load_id}`",
        code=REFUSED,
    )


def _folder(pipeline: Pipeline) -> Path:
    return Path(pipeline.pipelines_dir) / "refused" / pipeline.pipeline_name


def _folder_of(pipeline: Pipeline, stage: Literal["normalized", "loaded"], load_id: str) -> Path:
    """Where dlt keeps the package that is to be loaded, or was."""
    return Path(pipeline.working_dir) / "load" / stage / load_id


def _remove(pipeline: Pipeline, load_id: str) -> None:
    shutil.rmtree(_folder(pipeline) / load_id, ignore_errors=True)


def _read(file: Path) -> RefusedPackage:
    found = orjson.loads(file.read_bytes())
    return RefusedPackage(**{**found, "refused_at": datetime.fromisoformat(found["refused_at"])})


def _tables(pipeline: Pipeline, load_id: str) -> list[str]:
    """The root tables of a pending package; those that dlt and feedloom add only where there are no others."""
    known = pipeline.default_schema.tables
    jobs = pipeline.get_load_package_info(load_id).jobs.values()
    names = {job.job_file_info.table_name for kind in jobs for job in kind}
    roots = {str(get_root_table(known, name)["name"]) if name in known else name for name in names}
    return sorted(name for name in roots if not name.startswith(_ADDED)) or sorted(roots)


def _reason(error: BaseException) -> str:
    """The first line of what the database itself said: the innermost cause says it best."""
    *_, origin = causes_of(error)
    return next((line.strip() for line in str(origin).splitlines() if line.strip()), type(origin).__name__)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _last_load(pipeline: Pipeline, table: str) -> str:
    """The newest load that is in *table*; empty when nothing is."""
    if not has_column(pipeline, table, "_dlt_load_id"):
        return ""
    newest = sqlglot.select(sql.Max(this=column(pipeline, "_dlt_load_id"))).from_(relation(pipeline, table))
    found: Any = ask(pipeline, newest)
    return str(found[0][0] or "") if found else ""
