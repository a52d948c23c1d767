"""Opens the pipeline of a source: its destination, its dataset and its working folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dlt
from dlt.common.destination.exceptions import UnknownDestinationModule
from dlt.pipeline.pipeline import Pipeline

from feedloom.catalogue import Vendor
from feedloom.errors import DestinationError, InputError

DATABASE = "feedloom.duckdb"
"""The database file in the folder one stands in, unless the configuration says otherwise."""

WORK_FOLDER = ".feedloom"
"""Where pipelines keep their working files, beside the database."""

DUCKDB = "duckdb:"


@dataclass(frozen=True, slots=True)
class Target:
    """Where tables go: ``duckdb:<path>`` or the name of any dlt destination, and the dataset in it."""

    to: str
    dataset: str

    @property
    def file(self) -> Path | None:
        """The DuckDB file, where it is one."""
        return Path(self.to.removeprefix(DUCKDB)) if self.to.startswith(DUCKDB) else None


def choose_target(vendor: Vendor, to: str | None, dataset: str | None) -> Target:
    """The target from the command, else from dlt's configuration ``[feedloom]``, else ``feedloom.duckdb`` here."""
    chosen = to or dlt.config.get("feedloom.to", str) or f"{DUCKDB}{DATABASE}"
    if chosen == "duckdb":
        chosen = f"{DUCKDB}{DATABASE}"
    elif chosen.endswith((".duckdb", ".db")) and not chosen.startswith(DUCKDB):
        chosen = f"{DUCKDB}{chosen}"
    return Target(chosen, dataset or dlt.config.get(f"feedloom.{vendor.slug}_dataset", str) or vendor.dataset)


def open_pipeline(vendor: Vendor, target: Target) -> Pipeline:
    """The pipeline of *vendor* into *target*; nothing is written yet.

    Raises:
        InputError: dlt knows no such destination.
        DestinationError: The folder of the database, or the working folder, is missing or can't be written.
    """
    if target.file is not None:
        check_folder(target.file)
        return _pipeline(vendor, target, dlt.destinations.duckdb(str(target.file), replace_strategy=_WHOLE))
    try:
        destination = dlt.common.destination.Destination.from_reference(target.to, replace_strategy=_WHOLE)
    except (UnknownDestinationModule, ImportError, ValueError) as error:
        raise InputError(
            f"no destination is called {target.to!r}",
            hint="give duckdb, duckdb:<file>, postgres, bigquery, snowflake, redshift, databricks or filesystem",
            code="FL220",
        ) from error
    return _pipeline(vendor, target, destination)


_WHOLE = "insert-from-staging"
"""A table that is replaced changes in one transaction: readers never see it empty or half full."""


def _pipeline(vendor: Vendor, target: Target, destination: Any) -> Pipeline:
    folder = Path(WORK_FOLDER)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise DestinationError(
            f"the working folder {folder} can't be made in {Path.cwd().name}: {error.strerror}",
            hint="run feedloom in a folder you may write to",
            code="FL603",
        ) from error
    return dlt.pipeline(
        pipeline_name=f"{vendor.slug}_pipeline",
        destination=destination,
        dataset_name=target.dataset,
        pipelines_dir=str(folder),
    )


def journal_folder(pipeline: Pipeline) -> Path:
    """Where the journals of *pipeline*'s tables are kept until their rows are loaded; made when missing."""
    folder = Path(pipeline.working_dir) / "journal"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def check_folder(file: Path) -> None:
    """Refuse a database file that can't be made or written; raises DestinationError."""
    folder = file.parent
    if not folder.is_dir():
        raise DestinationError(
            f"the folder of the database does not exist: {folder}", hint=f"make it: mkdir -p {folder}", code="FL602"
        )
    writable = os.access(file, os.W_OK) if file.exists() else os.access(folder, os.W_OK)
    if not writable:
        raise DestinationError(
            f"the database can't be written: {file}",
            hint="change its permissions, or give another with --to",
            code="FL603",
        )
