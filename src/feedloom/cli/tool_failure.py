"""A tool's own failure, in the shape of the other commands' failures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from feedloom.errors import FeedloomError

if TYPE_CHECKING:
    from feedloom.tools.failures import ToolError

_LATER: Final = 5
_EXIT_CODES: Final = {
    **dict.fromkeys(("INPUT", "CURSOR", "SQL", "SQL_REFUSED"), 2),
    **dict.fromkeys(("APPROVAL_NEEDED", "UNKNOWN_OUTCOME"), 3),
    "CREDENTIAL": 4,
    **dict.fromkeys(("WAREHOUSE", "BUSY"), 6),
}


class ToolFailedError(FeedloomError):
    """What a ToolError says, with the exit code that fits it."""

    def __init__(self, error: ToolError) -> None:
        super().__init__(f"{error.happened} {error.undone}", hint=error.next_step, code=error.code)
        self.retryable = error.retry.startswith("after")
        if self.retryable:
            self.retry_after_s = float(error.retry.split()[1])
        self.exit_code = _EXIT_CODES.get(error.code, _LATER if self.retryable else 1)
