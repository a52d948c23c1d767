"""Every error feedloom raises on purpose, grouped by what to do about it.

FeedloomError
├── InputError           the caller can fix it: arguments, configuration           exit 2
│   └── CredentialError  the key is missing or was refused                         exit 4
├── RetryLaterError      the same request may succeed later                        exit 5
│   └── RateLimitedError a limit of the vendor was reached
├── VendorError          the vendor answered something its description rules out   exit 1
│   ├── RefusedError     the vendor refused a call as wrong, or the row is not there
│   └── ContractError    a row brings a field that its table's contract keeps out
└── DestinationError     the database is locked, unwritable, full or away          exit 6

Each text says what happened and to which thing; ``hint`` says what to do now. Neither ever holds a secret.
"""

from __future__ import annotations

from typing import Final

UNREACHABLE: Final = "FL501"
"""Code of the RetryLaterError for a vendor whose host does not answer at all."""

REPORT_HINT = "Run it again; if it happens again, the vendor's API differs from its description here: report it."
"""The hint where a vendor answers otherwise than it is described."""


class FeedloomError(Exception):
    """Something feedloom raises on purpose; shown to people without a traceback.

    Attributes:
        code: Stable identifier of the kind of error, ``FL`` and three digits.
        hint: What to do now; never empty.
        where: The endpoint, table or file it happened to; empty when the text says it.
        exit_code: What a command that ends with it returns.
        retryable: Whether the same call may succeed later, unchanged.
        retry_after_s: Seconds to wait before that, when known.
    """

    code = "FL100"
    exit_code = 1
    retryable = False

    def __init__(
        self, message: str, *, hint: str, where: str = "", code: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where
        self.retry_after_s = retry_after_s
        if code is not None:
            self.code = code


class InputError(FeedloomError):
    """An argument or a setting is wrong; nothing was done."""

    code = "FL200"
    exit_code = 2


class CredentialError(InputError):
    """The key is missing, or the vendor refused it."""

    code = "FL400"
    exit_code = 4


class RetryLaterError(FeedloomError):
    """The vendor could not be reached, or kept failing after every retry."""

    code = "FL500"
    exit_code = 5
    retryable = True


class RateLimitedError(RetryLaterError):
    """The vendor kept refusing a request because a rate limit was reached."""

    code = "FL510"


class VendorError(FeedloomError):
    """The vendor answered something its description does not allow."""

    code = "FL300"
    exit_code = 1


class RefusedError(VendorError):
    """The vendor refused one call: its parameters were wrong, or the thing it names does not exist.

    ``status`` is the HTTP status.
    """

    code = "FL310"

    def __init__(self, message: str, *, hint: str, where: str = "", status: int) -> None:
        super().__init__(message, hint=hint, where=where)
        self.status = status


class ContractError(VendorError):
    """A row brings a new field, or one of another type, into a table whose contract does not take it."""

    code = "FL320"


class DestinationError(FeedloomError):
    """The database could not be opened, read or written."""

    code = "FL600"
    exit_code = 6
