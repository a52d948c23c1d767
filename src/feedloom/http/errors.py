"""The errors that only an HTTP client can tell apart from their kin in ``feedloom.errors``.

RetryLaterError
├── ScrollLostError      a page of a scroll is gone; the list has to be started over
└── OutcomeUnknownError  a call that must not be sent twice may or may not have been carried out
"""

from __future__ import annotations

from feedloom.errors import RetryLaterError


class ScrollLostError(RetryLaterError):
    """A page of a scroll was handed out by the vendor but never arrived, or the scroll itself is gone.

    The vendor hands out each page of a scroll once, so the page cannot be asked for again: discard what was read of the
    list and start it over.
    """

    code = "FL520"


class OutcomeUnknownError(RetryLaterError):
    """A call whose effect doubles when it is sent twice got no clear answer: it may have been carried out.

    ``retryable`` is False, since the same call, unchanged, may have its effect a second time.
    """

    code = "FL530"
    retryable = False
