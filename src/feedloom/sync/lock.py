"""Lets one process at a time work on a pipeline, and tells every other who does and since when.

The operating system holds the lock on an open file, so that a process that is killed leaves none behind. What the file
says of its holder is for people only.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import orjson
from dlt.pipeline.pipeline import Pipeline

from feedloom.errors import DestinationError

if sys.platform == "win32":
    import msvcrt

    _BEYOND = 1 << 30
    """A byte that no text reaches: Windows keeps others from reading what is locked."""

    def _try_lock(file: BinaryIO) -> bool:
        file.seek(_BEYOND)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who works on a pipeline: the process, its machine, and since when, in UTC."""

    process: int
    host: str
    since: datetime


@contextmanager
def locked(pipeline: Pipeline) -> Iterator[None]:
    """Nobody else works on *pipeline* inside the block; a lock whose holder is dead is taken over.

    Raises DestinationError (FL610) when somebody does.
    """
    path = _path(pipeline)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Never removed: whoever waits for a removed file would hold a lock that nobody else sees.
    with path.open("a+b") as file:
        if not _try_lock(file):
            raise _taken(pipeline, path)
        _write(file, Holder(process=os.getpid(), host=socket.gethostname(), since=datetime.now(UTC)))
        yield
        file.truncate(0)


def refuse_when_locked(pipeline: Pipeline) -> None:
    """Raise DestinationError (FL610) when somebody works on *pipeline*; nothing is made or held."""
    if _path(pipeline).exists():
        with locked(pipeline):
            return


def _path(pipeline: Pipeline) -> Path:
    return Path(pipeline.pipelines_dir) / f"{pipeline.pipeline_name}.lock"


def _write(file: BinaryIO, holder: Holder) -> None:
    file.truncate(0)
    file.write(orjson.dumps(asdict(holder)))
    file.flush()


def _read(path: Path) -> Holder | None:
    """Who holds the lock, as the file says; None in the moment before it does."""
    try:
        found = orjson.loads(path.read_bytes())
        return Holder(
            process=int(found["process"]), host=str(found["host"]), since=datetime.fromisoformat(found["since"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _taken(pipeline: Pipeline, path: Path) -> DestinationError:
    holder = _read(path)
    who, hint = "another process", "wait until it is done, and run the command again; nothing was changed"
    if holder is not None:
        who = f"process {holder.process} on {holder.host}, since {holder.since:%Y-%m-%d %H:%M:%S} UTC"
        hint = f"wait until it is done, or end process {holder.process}, and run the command again; nothing was changed"
    return DestinationError(
        f"another command works on {pipeline.pipeline_name} into {pipeline.dataset_name}: {who}",
        hint=hint,
        code="FL610",
    )
