"""Finds the database and opens the pipeline of a source into it: destination, dataset and working folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import dlt
import duckdb
from dlt.common.destination import Destination
from dlt.common.destination.exceptions import UnknownDestinationModule
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials
from dlt.pipeline.pipeline import Pipeline

from feedloom.catalogue import Vendor
from feedloom.config import WORK_FOLDER, find_text
from feedloom.errors import DestinationError, InputError
from feedloom.sync.carrying import keeping
from feedloom.sync.memory import configured_memory

DATABASE = "feedloom.duckdb"
"""The database file in the folder one stands in, unless the configuration says otherwise."""

"""Where pipelines keep their working files, in the folder one stands in."""

JOURNALS = "journals"
"""The folder of journals, beside the pipelines' own."""

DUCKDB = "duckdb:"

_DEMO_MARK = "demo"
_DUCKDB_ENDINGS = (".duckdb", ".db")
_MOST_TIMES = 8
"""How many times its share of the memory DuckDB may take at most, when it needs to."""

_WHOLE = "insert-from-staging"
"""A table that is replaced changes in one transaction: readers never see it empty or half full."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where tables go: ``duckdb:<path>`` or the name of any dlt destination, and the dataset in it."""

    to: str
    dataset: str

    @property
    def file(self) -> Path | None:
        """The DuckDB file, where it is one."""
        return Path(self.to.removeprefix(DUCKDB)).expanduser() if self.to.startswith(DUCKDB) else None

    @property
    def folder(self) -> Path:
        """The working files of this database."""
        place = self.to if self.file is None else os.path.relpath(self.file)
        digest = blake2b(place.encode(), digest_size=4).hexdigest()
        return Path(WORK_FOLDER) / f"{self.file.name if self.file else self.to.rpartition('.')[2]}-{digest}"

    @property
    def pipelines(self) -> Path:
        """The working files of pipelines into this dataset, apart from others for its own state and journals."""
        return self.folder / self.dataset


def choose_target(vendor: Vendor, to: str | None, dataset: str | None) -> Target:
    """The target from the command, else from dlt's configuration ``[feedloom]``, else ``feedloom.duckdb`` here.

    Raises InputError for what can be no database.
    """
    chosen = to or _configured("to") or f"{DUCKDB}{DATABASE}"
    if chosen == "duckdb":
        chosen = f"{DUCKDB}{DATABASE}"
    elif chosen.endswith(_DUCKDB_ENDINGS) and not chosen.startswith(DUCKDB):
        chosen = f"{DUCKDB}{chosen}"
    if chosen in (DUCKDB, f"{DUCKDB}:memory:"):
        raise InputError(
            f"{chosen} names no file", hint=f"write {DUCKDB}<file>, for example {DUCKDB}{DATABASE}", code="FL220"
        )
    return Target(chosen, dataset or _configured(f"{vendor.slug}_dataset") or vendor.dataset)


def open_pipeline(vendor: Vendor, target: Target, *, scratch: Path | None = None) -> Pipeline:
    """The pipeline of *vendor* into *target*; nothing but the working folder is made yet.

    One that only looks has its working files in *scratch*, where it disturbs no sync, and opens a DuckDB file beside
    other readers.

    Raises:
        InputError: dlt knows no such destination.
        DestinationError: The folder of the database, or the working folder, is missing or can't be written.
    """
    destination = open_destination(target, read_only=scratch is not None)
    folder = scratch or target.pipelines
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DestinationError(
            f"the working folder {WORK_FOLDER} can't be made here: {error.strerror}",
            hint="run feedloom in a folder you may write to",
            where=str(Path.cwd()),
            code="FL603",
        ) from error
    return dlt.pipeline(
        pipeline_name=pipeline_name(vendor),
        destination=destination,
        dataset_name=target.dataset,
        pipelines_dir=str(folder),
    )


def open_known_pipeline(vendor: Vendor, target: Target) -> Pipeline:
    """The same where something was loaded before, from this folder; nothing is made.

    Raises InputError when nothing was, and what ``open_pipeline`` raises.
    """
    is_gone = target.file is not None and not target.file.exists()
    if is_gone or not (target.pipelines / pipeline_name(vendor)).is_dir():
        raise InputError(
            f"nothing was loaded from {vendor.title} into {target.to}, {target.dataset}, in this folder",
            hint=f"run `feedloom sync {vendor.slug}`, or go to the folder it was run in",
            where=str(target.pipelines),
            code="FL253",
        )
    return open_pipeline(vendor, target)


def pipeline_name(vendor: Vendor) -> str:
    """The name of the pipeline of *vendor*."""
    return f"{vendor.slug}_pipeline"


def open_destination(target: Target, *, read_only: bool = False) -> Any:
    """The dlt destination of *target*, its settings not yet read; raises what ``open_pipeline`` raises of it.

    A DuckDB file is opened *read_only* where that is wanted.
    """
    if target.file is not None:
        if read_only:
            return dlt.destinations.duckdb(DuckDbCredentials(str(target.file), read_only=True))
        check_file(target.file)
        return keeping(dlt.destinations.duckdb(_credentials(target.file), replace_strategy=_WHOLE))
    try:
        return keeping(Destination.from_reference(target.to, replace_strategy=_WHOLE))
    except (UnknownDestinationModule, ImportError, ValueError) as error:
        raise InputError(
            f"no destination is called {target.to!r}",
            hint="give duckdb, duckdb:<file>, postgres, bigquery, snowflake, redshift, databricks or filesystem",
            code="FL220",
        ) from error


def _credentials(file: Path) -> DuckDbCredentials:
    credentials = DuckDbCredentials(str(file))
    # Rows need no order, and keeping theirs takes memory that grows with a load.
    credentials.global_config = {
        "memory_limit": f"{configured_memory().warehouse_mb}MB",
        "preserve_insertion_order": False,
    }
    return credentials


def give_more_memory(pipeline: Pipeline) -> bool:
    """Let DuckDB take twice as much as before, for rows that are longer than usual; False where that is no way out.

    A single text of 50 MB takes DuckDB 300 MB to load, measured with DuckDB 1.5.
    """
    credentials = pipeline.destination.config_params.get("credentials") if pipeline.destination is not None else None
    if not isinstance(credentials, DuckDbCredentials) or not credentials.global_config:
        return False
    limit_mb = int(str(credentials.global_config["memory_limit"]).removesuffix("MB"))
    if limit_mb >= configured_memory().warehouse_mb * _MOST_TIMES:
        return False
    credentials.global_config["memory_limit"] = f"{limit_mb * 2}MB"
    return True


def journal_folder(pipeline: Pipeline) -> Path:
    """Where each run of *pipeline* keeps the pages it read; made when missing.

    It stands beside the pipeline's own files, which dlt removes when the database they speak of is gone.
    """
    folder = Path(pipeline.pipelines_dir) / JOURNALS / pipeline.pipeline_name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def work_folder_kept_on_success(*, keep: bool = True) -> Iterator[None]:
    """Leave no working folder behind when the block fails, or *keep* is off, and there was none before."""
    folder = Path(WORK_FOLDER)
    is_new = not folder.exists()
    succeeded = False
    try:
        yield
        succeeded = keep
    finally:
        if is_new and not succeeded:
            shutil.rmtree(folder, ignore_errors=True)


def mark_as_demo(target: Target) -> None:
    """Note that what *target* holds is invented."""
    target.folder.mkdir(parents=True, exist_ok=True)
    (target.folder / _DEMO_MARK).touch()


def is_demo(target: Target) -> bool:
    """Whether *target* was noted to hold invented data, and is still there."""
    return (target.folder / _DEMO_MARK).exists() and (target.file is None or target.file.exists())


def refuse_demo(target: Target) -> None:
    """Raise InputError where own data would be mixed with invented; forget a note about a file that is gone."""
    if is_demo(target):
        raise InputError(
            "this database holds the demo's invented data",
            hint="use a folder of its own, or give another database with --to",
            where=target.to,
            code="FL249",
        )
    (target.folder / _DEMO_MARK).unlink(missing_ok=True)


def check_file(file: Path) -> None:
    """Refuse a database file that can't be made or written; raises DestinationError."""
    folder = file.parent
    if not folder.is_dir():
        raise DestinationError(
            f"the folder of the database does not exist: {folder}", hint=f"make it: mkdir -p {folder}", code="FL602"
        )
    if file.is_dir():
        raise DestinationError(
            f"the database can't be written: {file} is a folder",
            hint=f"name a file in it: --to {DUCKDB}{file / DATABASE}",
            code="FL603",
        )
    writable = os.access(file, os.W_OK) if file.exists() else os.access(folder, os.W_OK)
    if not writable:
        raise DestinationError(
            f"the database can't be written: {file}",
            hint="change its permissions, or give another with --to",
            code="FL603",
        )


def make_file(file: Path) -> None:
    """Make an empty DuckDB database where *file* is missing or has no byte; it is never there in part.

    DuckDB writes the parts of a new file one after the other, and can't open one that lacks any, as a kill leaves it.
    """
    if file.exists() and file.stat().st_size:
        return
    made = file.with_name(f".{file.name}.{os.getpid()}")
    made.unlink(missing_ok=True)
    duckdb.connect(str(made)).close()
    with made.open("rb+") as written:
        os.fsync(written.fileno())
    try:
        os.link(made, file)
    except FileExistsError:
        if not file.stat().st_size:
            made.replace(file)
    except OSError:  # a file system without hard links
        made.replace(file)
    finally:
        made.unlink(missing_ok=True)


def _configured(name: str) -> str | None:
    found = find_text("feedloom", name)
    return str(found.value) if found is not None else None
