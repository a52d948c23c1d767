"""A copy of a DuckDB file to read from, so that reading neither waits for a sync nor makes one wait.

DuckDB lets one process write a file or several read it, never both. A copy is taken without asking it: first the log,
then the file, whose header names the state that the rest is read by. When the header is the same before and after, no
checkpoint came between, and DuckDB overwrites nothing that a header still names: the copy is one state of the database.
What is added to the log meanwhile is in the next copy.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Final

import duckdb

from feedloom.errors import DestinationError
from feedloom.sync.warehouse import Target
from feedloom.tools.failures import ToolError

HEADER_BYTES: Final = 3 * 4096
"""The main header and the two headers of states, of which the newer counts."""

LONGEST_S: Final = 10.0
_PAUSE_S: Final = 0.1
_NAME: Final = "warehouse.duckdb"
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A copy of a database file, and the moment it was known to be the newest state, UTC."""

    file: Path
    as_of: datetime


def take_snapshot(target: Target, *, longest_s: float = LONGEST_S) -> Snapshot:
    """A copy of *target*'s file in its working folder; the last one when the file is as it was.

    Raises ToolError when the database is no DuckDB file, or was rewritten all the time, and DestinationError when there
    is none yet.
    """
    file = target.file
    if file is None:
        raise ToolError(
            "UNSUPPORTED",
            f"the warehouse tools read DuckDB files, and the database is {target.to}",
            next_step="ask a person to run `feedloom query`",
            retry="never",
        )
    if not file.exists():
        raise DestinationError(
            f"there is no database {file} yet", hint="run `feedloom sync refiner`, or `feedloom demo`", code="FL607"
        )
    folder = target.folder / "snapshots"
    folder.mkdir(parents=True, exist_ok=True)
    until_s = time.monotonic() + longest_s
    with _one_at_a_time:
        while True:
            if (taken := _attempt(file, folder)) is not None:
                return taken
            if time.monotonic() > until_s:
                raise ToolError(
                    "BUSY",
                    "the database is being rewritten and no whole copy could be taken",
                    next_step="repeat the call when the sync is over",
                    retry="after 10 s",
                )
            time.sleep(_PAUSE_S)


def _attempt(file: Path, folder: Path) -> Snapshot | None:
    as_of = datetime.now(UTC)
    header = _header(file)
    place = folder / _name_of(file, header)
    if not (place / _NAME).exists():
        draft = Path(tempfile.mkdtemp(dir=folder, prefix="."))
        try:
            if not _copy(file, draft / _NAME) or _header(file) != header:
                return None
            draft.rename(place)
        except OSError:
            if not (place / _NAME).exists():
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        _forget_others(folder, place)
    return Snapshot(file=place / _NAME, as_of=as_of)


def _copy(file: Path, copy: Path) -> bool:
    """Copy log and file; whether DuckDB can open the two together, and has put the log into the file."""
    log = _log_of(file)
    if log.exists():
        shutil.copyfile(log, _log_of(copy))
    shutil.copyfile(file, copy)
    copy.chmod(0o600)
    try:
        duckdb.connect(str(copy), config={"threads": "1", "memory_limit": "512MB"}).close()
    except duckdb.Error:
        return False
    return True


def _header(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(HEADER_BYTES)


def _name_of(file: Path, header: bytes) -> str:
    """A digest of what tells two states of the file apart: its header, and how far its log has come."""
    digest = blake2b(header, digest_size=12)
    try:
        log = _log_of(file).stat()
        digest.update(f"{log.st_size} {log.st_mtime_ns}".encode())
    except FileNotFoundError:
        digest.update(b"no log")
    return digest.hexdigest()


def _log_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.wal")


def _forget_others(folder: Path, kept: Path) -> None:
    """Remove older copies; who reads one keeps it until it is closed."""
    for other in folder.iterdir():
        if other != kept and not other.name.startswith("."):
            shutil.rmtree(other, ignore_errors=True)
