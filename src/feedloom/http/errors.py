"""The errors that only an HTTP client can tell apart from their kin in ``feedloom.errors``.

RetryLaterError
├── StartOverError       the list has to be started over
│   └── ScrollLostError  a page of a scroll is gone
└── OutcomeUnknownError  a call that must not be sent twice may or may not have been carried out
"""

from __future__ import annotations

from feedloom.errors import RetryLaterError


class StartOverError(RetryLaterError):
    """A list cannot be read on from where it is: discard what was read of it and start it over.

    ``is_smaller`` tells that its pages kept failing at their size, so that the client asks for smaller ones next time.
    There are only so many sizes, so this ends.
    """

    code = "FL540"
    is_smaller = False


class ScrollLostError(StartOverError):
    """A page of a scroll was handed out by the vendor but never arrived, or the scroll itself is gone.

    The vendor hands out each page of a scroll once, so the page cannot be asked for again.
    """

    code = "FL520"


class OutcomeUnknownError(RetryLaterError):
    """A call whose effect doubles when it is sent twice got no clear answer: it may have been carried out.

    ``retryable`` is False, since the same call, unchanged, may have its effect a second time.
    """

    code = "FL530"
    retryable = False
