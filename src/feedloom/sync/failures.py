"""Turns what dlt, DuckDB and the system raise into errors that say what to do."""

from __future__ import annotations

import errno
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from dlt.common.configuration.exceptions import (
    ConfigFieldMissingException,
    ConfigurationException,
    ConfigValueCannotBeCoercedException,
    InvalidNativeValue,
    LookupTraces,
)
from dlt.common.configuration.providers.toml import TomlProviderReadException
from dlt.common.destination.exceptions import DestinationException
from dlt.common.exceptions import MissingDependencyException

from feedloom.errors import DestinationError, FeedloomError, InputError

_OUT_OF_MEMORY = "FL609"
_SECRETS = ".dlt/secrets.toml"
_UNWRITABLE = frozenset({errno.EACCES, errno.EROFS, errno.EPERM})
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_HOLDER = re.compile(r"PID (\d+)")


def explain(error: BaseException) -> FeedloomError | None:
    """The feedloom error that *error* is or stands for; None for what nobody foresaw (a bug)."""
    causes = list(causes_of(error))
    for cause in causes:
        if isinstance(cause, FeedloomError):
            return cause
    for cause in causes:
        if (known := _known(cause)) is not None:
            return known
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether *error* says that the database needs more memory than it may take."""
    known = explain(error)
    return known is not None and known.code == _OUT_OF_MEMORY


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """*error* and what it was raised from, outermost first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _known(cause: BaseException) -> FeedloomError | None:
    if isinstance(cause, ConfigurationException | MissingDependencyException):
        return _configuration(cause)
    if isinstance(cause, OSError):
        return _system(cause)
    if isinstance(cause, duckdb.Error | DestinationException) or _is_operational(cause):
        return _database(str(cause))
    return None


def _is_operational(cause: BaseException) -> bool:
    """Whether *cause* is what drivers of databases raise when their server is not to be had (PEP 249)."""
    return any(kind.__name__ == "OperationalError" for kind in type(cause).__mro__)


def _configuration(cause: BaseException) -> InputError | None:
    match cause:
        case ConfigFieldMissingException():
            return _settings_missing(cause)
        case ConfigValueCannotBeCoercedException():
            return InputError(
                f"the setting {cause.field_name} has a value of the wrong kind",
                hint=f"write it as {_kind(cause.hint)} in .dlt/config.toml or the environment",
                code="FL216",
            )
        case InvalidNativeValue():
            return InputError(
                "the credentials of the destination can't be read",
                hint=f"write them in {_SECRETS} field by field, or as one URL: "
                "postgresql://user:password@host:5432/database",
                code="FL216",
            )
        case TomlProviderReadException():
            return _broken_toml(cause)
        case MissingDependencyException():
            return InputError(
                f"{cause.caller} needs a package that is not installed",
                hint=f"pip install {' '.join(repr(str(name)) for name in cause.dependencies)}",
                code="FL222",
            )
        case _:
            return None


def _settings_missing(error: ConfigFieldMissingException) -> InputError:
    config = error.config
    name = getattr(config, "destination_name", None) or getattr(config, "destination_type", None) or "<name>"
    inner = [trace for traces in error.traces.values() for trace in traces[:1] if isinstance(trace, LookupTraces)]
    fields = list(inner[0].traces) if inner else list(error.fields)
    section = f"destination.{name}.credentials" if inner else f"destination.{name}"
    variable = f"{section}.{fields[0]}".replace(".", "__").upper()
    return InputError(
        f"settings of the destination {name} are missing: {', '.join(fields)}",
        hint=f"put them into {_SECRETS}, section [{section}], or into the environment as {variable} and so on",
        code="FL221",
    )


def _broken_toml(error: TomlProviderReadException) -> InputError:
    for file in map(Path, error.full_paths):
        try:
            tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError:
            continue
        except ValueError:
            where = f"{file}"
            break
    else:
        where = error.file_name
    problem = str(error).strip().splitlines()[-1]
    return InputError(
        f"{where} is no valid TOML: {problem}", hint="correct that line, or remove the file", where=where, code="FL218"
    )


def _system(error: OSError) -> FeedloomError | None:
    if error.errno in _FULL:
        return _disk_full()
    if error.errno in _UNWRITABLE:
        return _unwritable(f"{error.filename or 'a file'} can't be written: {error.strerror}")
    return None


_BY_WORDS: Mapping[Sequence[str], tuple[str, str, str]] = {
    ("not a valid duckdb database", "could not read enough bytes"): (
        "FL604",
        "the file is no DuckDB database, or not a whole one",
        "give another file with --to duckdb:<file>, or move it away: a new one is made then",
    ),
    ("trying to read a database file with version number",): (
        "FL604",
        "the database file was written by a newer DuckDB",
        "install that version of duckdb, or give another file with --to duckdb:<file>",
    ),
    ("authentication failed", "access denied"): (
        "FL608",
        "the database server refused the login",
        f"check user name and password in {_SECRETS} or the environment",
    ),
    ("connection refused", "could not connect", "could not translate host", "timeout expired", "no route to host"): (
        "FL605",
        "the database server can't be reached",
        f"check its host and port in {_SECRETS} or the environment, and whether it runs",
    ),
    ("fatal:  database", "unknown database"): (
        "FL605",
        "the database server has no database of that name",
        f"make it, or correct its name in {_SECRETS} or the environment",
    ),
    ("out of memory", "could not allocate block", "failed to allocate", "failed to pin block"): (
        _OUT_OF_MEMORY,
        "the database needs more memory than it may take",
        "ask for fewer rows or columns at once; for a sync, raise memory_mb under [feedloom] in .dlt/config.toml",
    ),
}
"""Words in a database's message -> code, text and hint of what they mean."""


def _database(text: str) -> FeedloomError | None:
    lowered = text.lower()
    if "could not set lock" in lowered or "conflicting lock" in lowered:
        holder = _HOLDER.search(text)
        return DestinationError(
            f"the database is locked by another program{f' (process {holder[1]})' if holder else ''}",
            hint="close that program (or connect it read-only) and run the command again; nothing was changed",
            code="FL601",
        )
    if "no space left" in lowered or "out of disk" in lowered or "disk quota exceeded" in lowered:
        return _disk_full()
    if "permission denied" in lowered or "read-only" in lowered:
        return _unwritable("the database can't be written")
    for words, (code, message, hint) in _BY_WORDS.items():
        if any(word in lowered for word in words):
            return DestinationError(message, hint=hint, code=code)
    return None


def _unwritable(message: str) -> DestinationError:
    return DestinationError(
        message, hint="run feedloom where you may write, or give another database with --to", code="FL603"
    )


def _disk_full() -> DestinationError:
    return DestinationError(
        "the disk is full",
        hint="free some space and run the command again: it goes on from the last finished table",
        code="FL606",
    )


def _kind(hint: Any) -> str:
    kinds = {float: "a number", int: "a whole number", bool: "true or false", str: "a text"}
    return kinds.get(hint, "the reference says")
