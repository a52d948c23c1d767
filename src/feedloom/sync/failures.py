"""Turns what dlt, DuckDB and the system raise into errors that say what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import duckdb
from dlt.common.configuration.exceptions import ConfigFieldMissingException

from feedloom.errors import DestinationError, FeedloomError, InputError


def explain(error: BaseException) -> FeedloomError | None:
    """The feedloom error that *error* is or stands for; None for what nobody foresaw (a bug)."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, FeedloomError):
            return cause
    for cause in causes:
        if (known := _known(cause)) is not None:
            return known
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _known(cause: BaseException) -> FeedloomError | None:
    if isinstance(cause, ConfigFieldMissingException):
        fields = ", ".join(cause.fields)
        return InputError(
            f"the destination's settings are missing: {fields}",
            hint="put them into .dlt/secrets.toml, section [destination.<name>.credentials], or the environment",
            code="FL221",
        )
    if isinstance(cause, OSError) and cause.errno == errno.ENOSPC:
        return _disk_full()
    if isinstance(cause, OSError) and cause.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return DestinationError(
            f"{cause.filename or 'a file'} can't be written: {cause.strerror}",
            hint="run feedloom where you may write, or give another database with --to",
            code="FL603",
        )
    text = str(cause)
    if isinstance(cause, duckdb.Error) or type(cause).__module__.startswith("dlt.destinations"):
        return _database(text)
    return None


def _database(text: str) -> FeedloomError | None:
    lowered = text.lower()
    if "could not set lock" in lowered or "conflicting lock" in lowered:
        return DestinationError(
            f"the database is locked by another program{_holder(text)}",
            hint="close that program (or connect it read-only) and run the command again; nothing was changed",
            code="FL601",
        )
    if "no space left" in lowered or "out of disk" in lowered:
        return _disk_full()
    if "permission denied" in lowered or "read-only" in lowered:
        return DestinationError(
            "the database can't be written", hint="change its permissions, or give another with --to", code="FL603"
        )
    if "not a valid duckdb database" in lowered:
        return DestinationError(
            "the file is no DuckDB database", hint="give another file with --to duckdb:<file>", code="FL604"
        )
    if "connection refused" in lowered or "could not connect" in lowered or "could not translate host" in lowered:
        return DestinationError(
            "the database server can't be reached", hint="check its host and port in .dlt/secrets.toml", code="FL605"
        )
    return None


def _disk_full() -> DestinationError:
    return DestinationError(
        "the disk is full",
        hint="free some space and run the command again: it goes on from the last finished table",
        code="FL606",
    )


def _holder(text: str) -> str:
    """The process that holds the lock, as DuckDB names it."""
    start = text.find("PID ")
    if start < 0:
        return ""
    digits = text[start + 4 :].split(")", maxsplit=1)[0].split(maxsplit=1)[0].strip(".,")
    return f" (process {digits})" if digits.isdigit() else ""
