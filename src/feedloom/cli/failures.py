"""Prints a failure in its one shape, for people on stderr or as JSON on stdout, and says the exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import click
import orjson

from feedloom.cli.terminal import shows_colours
from feedloom.errors import FeedloomError, InputError

INTERRUPTED = 130
_WRONG_USE = 2


class InterruptedRunError(FeedloomError):
    """Ctrl-C, or the signal to end; the text says what was kept."""

    code = "FL130"
    exit_code = INTERRUPTED
    retryable = True


class UnforeseenError(FeedloomError):
    """A bug: nobody foresaw it, so all it can say is what was raised and how to see more."""

    code = "FL999"

    def __init__(self, error: BaseException) -> None:
        origin = error
        while (inner := origin.__cause__ or origin.__context__) is not None and inner is not error:
            origin = inner
        kinds = " from ".join(dict.fromkeys(type(one).__name__ for one in (error, origin)))
        super().__init__(
            f"something unforeseen failed ({kinds})",
            hint="run the command again with `feedloom --debug ...` and report what it prints",
        )


def report_failure(error: BaseException, *, as_json: bool, debug: bool) -> int:
    """Print *error* and return the exit code; a bug shows its traceback only when *debug* is on."""
    match error:
        case SystemExit():
            return error.code if isinstance(error.code, int) else 1
        case click.exceptions.Exit():
            return error.exit_code
        case click.exceptions.NoArgsIsHelpError():
            click.echo(error.format_message(), err=True)
            return _WRONG_USE
        case BrokenPipeError():
            _let_go_of_stdout()
            return 0
        case _:
            known = explained(error)
    if debug:
        traceback.print_exception(error)
    if as_json:
        click.echo(orjson.dumps({"error": as_dict(known)}).decode())
    else:
        click.echo(as_text(known, coloured=shows_colours(sys.stderr)), err=True, color=True)
    return known.exit_code


def as_text(error: FeedloomError, *, coloured: bool = False) -> str:
    """The failure for a person: what happened, where, and what to do."""
    title, hint = f"error[{error.code}]", "help"
    if coloured:
        title, hint = click.style(title, fg="red", bold=True), click.style(hint, fg="cyan", bold=True)
    lines = [f"{title}: {error.message}"]
    if error.where:
        lines.append(f"  at {error.where}")
    lines.append(f"{hint}: {error.hint}")
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


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether the command line asks for JSON, also where it is too wrong to be parsed."""
    given = list(arguments)
    options = given[: given.index("--")] if "--" in given else given
    formats = [after for option, after in pairwise(options) if option == "--format"]
    return "--json" in options or "--format=json" in options or "json" in formats


def explained(error: BaseException) -> FeedloomError:
    """The feedloom error that *error* is or stands for."""
    if isinstance(error, FeedloomError):
        return error
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return InterruptedRunError("interrupted", hint="run the command again")
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "feedloom"
        return InputError(
            " ".join(error.format_message().split()), hint=f"`{command} --help` shows what it takes", code="FL201"
        )
    if "dlt" in sys.modules or isinstance(error, OSError):
        from feedloom.sync.failures import explain  # noqa: PLC0415 - only for failures of dlt and the database

        if (known := explain(error)) is not None:
            return known
    return UnforeseenError(error)


def _let_go_of_stdout() -> None:
    """The reader left: what is still to be written at exit goes nowhere, without a complaint."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
