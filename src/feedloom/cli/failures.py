"""Prints a failure in its one shape, for people on stderr or as JSON on stdout, and says the exit code."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

import click
import orjson

from feedloom.errors import FeedloomError, InputError

INTERRUPTED = 130
_UNFORESEEN = "FL999"


def report_failure(error: BaseException, *, as_json: bool, debug: bool) -> int:
    """Print *error* and return the exit code; a bug shows its traceback only when *debug* is on."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, KeyboardInterrupt | click.Abort):
        click.echo("interrupted; nothing more was done", err=True)
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - the reader left; stay silent
        return 0
    known = _known(error)
    if debug or os.environ.get("FEEDLOOM_DEBUG"):
        traceback.print_exception(error)
    click.echo(orjson.dumps({"error": as_dict(known)}).decode() if as_json else as_text(known), err=not as_json)
    return known.exit_code


def as_text(error: FeedloomError) -> str:
    """The failure for a person: what happened, where, and what to do."""
    lines = [f"error[{error.code}]: {error.message}"]
    if error.where:
        lines.append(f"  at {error.where}")
    lines.append(f"help: {error.hint}")
    return "\n".join(lines)


def as_dict(error: FeedloomError) -> dict[str, Any]:
    """The failure for a program."""
    return {
        "code": error.code,
        "message": error.message,
        "help": error.hint,
        "retryable": error.retryable,
        "retry_after_s": error.retry_after_s,
        "where": error.where or None,
    }


def _known(error: BaseException) -> FeedloomError:
    if isinstance(error, FeedloomError):
        return error
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx is not None else "feedloom"
        return InputError(error.format_message(), hint=f"`{command} --help` shows what it takes", code="FL201")
    if isinstance(error, click.ClickException):
        return InputError(error.format_message(), hint="`feedloom --help` shows what it takes", code="FL201")
    if "dlt" in sys.modules or isinstance(error, OSError):
        from feedloom.sync.failures import explain  # noqa: PLC0415 - only for failures of dlt and the database

        if (explained := explain(error)) is not None:
            return explained
    return _UnforeseenError(error)


class _UnforeseenError(FeedloomError):
    code = _UNFORESEEN

    def __init__(self, error: BaseException) -> None:
        super().__init__(
            f"something unforeseen failed ({type(error).__name__})",
            hint="run the command again with `feedloom --debug ...` and report what it prints",
        )
