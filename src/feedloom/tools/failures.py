"""Failures as callers of tools read them: a code, what happened, what was not done, what to do next.

A vendor's words are never passed on: they may be anybody's. What it meant is said in words of the description.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from feedloom.catalogue import Vendor
from feedloom.errors import (
    UNREACHABLE,
    CredentialError,
    DestinationError,
    FeedloomError,
    InputError,
    RateLimitedError,
    RefusedError,
    RetryLaterError,
    VendorError,
)

NEVER: Final = "never"
WITH_CHANGES: Final = "with changes"
UNKNOWN_OUTCOME: Final = "UNKNOWN_OUTCOME"
NOTHING_DONE: Final = "Nothing was changed."
_SOON_S: Final = 30
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404


class ToolError(Exception):
    """A call that failed; its text is the whole message for the caller.

    Attributes:
        code: The kind, in capitals.
        happened, undone, next_step: One sentence each.
        retry: ``never``, ``after N s`` or ``with changes``.
        details: Further facts, JSON types only.
    """

    def __init__(
        self,
        code: str,
        happened: str,
        *,
        next_step: str,
        undone: str = NOTHING_DONE,
        retry: str = WITH_CHANGES,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        self.code = code
        self.happened = _sentence(happened)
        self.undone = undone
        self.next_step = _sentence(next_step)
        self.retry = retry
        self.details = dict(details or {})
        super().__init__(f"{code}: {self.happened} {self.undone} {self.next_step}")

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {"code": self.code, "message": str(self), "retry": self.retry, "details": self.details}


def after(seconds: float | None) -> str:
    """The retry rule for something that passes; ``None`` seconds when nobody said how long it takes."""
    return f"after {_SOON_S if seconds is None else max(1, round(seconds))} s"


def refused_input(happened: str, next_step: str, **details: Any) -> ToolError:
    """An argument was wrong."""
    return ToolError("INPUT", happened, next_step=next_step, details=details)


def unforeseen(error: BaseException) -> ToolError:
    """A bug; it says no more than the kind of exception, since texts may hold anything."""
    return ToolError(
        "INTERNAL",
        f"something unforeseen failed ({type(error).__name__})",
        next_step="report it with the arguments of the call; other tools still work",
        retry=NEVER,
    )


def explained(error: FeedloomError, vendor: Vendor | None) -> ToolError:
    """What *error*, raised on behalf of *vendor* if any, means to the caller of a tool."""
    title = vendor.title if vendor is not None else "the vendor"
    what = f"{title}, {error.where}" if error.where else title
    match error:
        case CredentialError():
            return ToolError("CREDENTIAL", error.message, next_step=f"ask a person: {error.hint}", retry=NEVER)
        case InputError():
            return ToolError("INPUT", error.message, next_step=error.hint)
        case RetryLaterError():
            return _later(error, what)
        case RefusedError():
            is_list = vendor is not None and _is_list(vendor, error.where)
            return _not_there(what) if is_list and error.status == _NOT_FOUND else _refused(error, what)
        case VendorError():
            return _unlike_description(error, what)
        case _:
            is_database = isinstance(error, DestinationError)
            code, retry = ("WAREHOUSE", after(None)) if is_database else ("FAILED", NEVER)
            return ToolError(code, error.message, next_step=error.hint, retry=retry)


def _later(error: RetryLaterError, what: str) -> ToolError:
    if isinstance(error, RateLimitedError):
        return ToolError(
            "RATE_LIMITED",
            f"a rate limit of {what} was reached",
            next_step="wait, then repeat the call, or ask for less",
            retry=after(error.retry_after_s),
        )
    is_away = error.code == UNREACHABLE
    return ToolError(
        "UNREACHABLE" if is_away else "UNAVAILABLE",
        f"{what} {'cannot be reached' if is_away else 'kept failing after every retry'}",
        next_step="repeat the call later; if it goes on, tell a person",
        retry=after(error.retry_after_s),
    )


def _unlike_description(error: VendorError, what: str) -> ToolError:
    reason = f": {error.__cause__}" if _is_ours(error.__cause__) else ""
    return ToolError(
        "VENDOR",
        f"{what} answered something its description rules out{reason}",
        undone="Nothing of the answer is shown, since it may not be whole.",
        next_step="repeat the call once; if it fails again, report it",
        retry=after(None),
    )


def _not_there(what: str) -> ToolError:
    return ToolError(
        "REFUSED",
        f"{what} does not exist at the address in use (status 404)",
        next_step="ask a person to check base_url, and the region, of that source",
        retry=NEVER,
    )


def _is_list(vendor: Vendor, name: str) -> bool:
    return any(endpoint.name == name and endpoint.is_list for endpoint in vendor.endpoints)


def _refused(error: RefusedError, what: str) -> ToolError:
    if error.status == _NOT_FOUND:
        return ToolError(
            "NOT_FOUND", f"{what} found nothing of that name (status 404)", next_step="check the id; list what exists"
        )
    if error.status == _FORBIDDEN:
        return ToolError(
            "FORBIDDEN",
            f"{what} does not let this key do that (status 403)",
            next_step="ask a person to give the key that right, or use another tool",
            retry=NEVER,
        )
    return ToolError(
        "REFUSED", f"{what} refused the call (status {error.status})", next_step="correct the arguments of the call"
    )


def _is_ours(cause: BaseException | None) -> bool:
    """Whether the text of *cause* is made here and quotes no vendor."""
    return type(cause).__name__ == "MisplacedRowsError"


def _sentence(text: str) -> str:
    """*text* on one line with a full stop; its first word gets a capital unless it is a name of ours."""
    clean = " ".join(text.split()).rstrip(".;:")
    is_word = clean.partition(" ")[0].strip(",'?").isalpha()
    return f"{clean[:1].upper() if is_word else clean[:1]}{clean[1:]}."
