"""The one exception by which an operation turns a call down."""

from __future__ import annotations


class RefusalError(Exception):
    """The call is refused with ``status`` and ``message``, in the vendor's error shape."""

    def __init__(self, *, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def bad_request(message: str) -> RefusalError:
    """The input is wrong."""
    return RefusalError(status=400, message=message)


def not_found(thing: str) -> RefusalError:
    """There is no such *thing*."""
    return RefusalError(status=404, message=f"{thing} not found")
