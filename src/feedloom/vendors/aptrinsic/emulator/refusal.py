"""How Gainsight PX turns a call down: the exception by which operations do so, and the error body.

Source: aptrinsic-notes, section 7; openapi.yaml, components/responses.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from feedloom.emulator.behaviour import Answer, json_answer


@dataclass(frozen=True, slots=True, kw_only=True)
class SubError:
    """What was wrong with one input."""

    field: str | None
    rejected: Any
    message: str


class RefusalError(Exception):
    """The call is refused with ``status`` and ``message``; ``about`` names the input that was wrong, where one was."""

    def __init__(self, *, status: int, message: str, about: SubError | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.about = about


def bad_request(message: str) -> RefusalError:
    """The call makes no sense, or cannot be done."""
    return RefusalError(status=400, message=message)


def invalid(*, field: str, rejected: Any, message: str) -> RefusalError:
    """One input is wrong."""
    about = SubError(field=field, rejected=rejected, message=message)
    return RefusalError(status=400, message="Validation error", about=about)


def not_found(thing: str, **parameters: str) -> RefusalError:
    """There is no such *thing*; the parameters by which it was looked for are repeated."""
    shown = ", ".join(f"{name}={value}" for name, value in parameters.items())
    return RefusalError(status=404, message=f"{thing} was not found for parameters {{{shown}}}")


def error_answer(*, status: int, message: str, about: SubError | None = None) -> Answer:
    """``{"externalapierror": {...}}``, the wrapper of the application layer."""
    sub_errors = None
    if about is not None:
        sub_errors = [{"object": None, "field": about.field, "rejectedValue": about.rejected, "message": about.message}]
    return json_answer(
        {
            "externalapierror": {
                "status": HTTPStatus(status).name,
                "message": message,
                "debugMessage": None,
                "subErrors": sub_errors,
            }
        },
        status=status,
    )
