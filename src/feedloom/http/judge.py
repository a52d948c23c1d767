"""What a vendor's reply means: success, a failure that may pass, or an error; and the errors in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson

from feedloom.catalogue import Endpoint, Vendor
from feedloom.errors import (
    REPORT_HINT,
    UNREACHABLE,
    CredentialError,
    FeedloomError,
    RateLimitedError,
    RefusedError,
    RetryLaterError,
    VendorError,
)
from feedloom.http.answer import ABSENT, Answer, dig, parse_json
from feedloom.http.auth import Key, refusal_of
from feedloom.http.cutting import MisplacedRowsError, cut
from feedloom.http.errors import OutcomeUnknownError, ScrollLostError
from feedloom.http.retry import Failure, Kind, read_retry_after

LONGEST_QUOTE: Final = 300
LONGEST_URL: Final = 500
SCROLL_GONE: Final = frozenset({400, 404, 410})
"""Refusals that, at a request that differs from the accepted one before by the scroll's id alone, blame that id."""

_NO_CONTENT: Final = 204
_TOO_MANY_REQUESTS: Final = 429
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_HINTS: Final = {
    403: "Give the key the right to do this at the vendor, or use another key.",
    404: "Check that what the request names exists at the vendor.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP response, read to its end; header names are matched without case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime

    @property
    def is_html(self) -> bool:
        """Whether a page for people came in place of data."""
        return "html" in self.headers.get("content-type", "") or self.body[:64].lstrip()[:1] == b"<"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call as it is spoken of: the URL, like every text made here, is without the key.

    ``consumes`` marks one that takes the next page of a scroll, which cannot be asked for a second time.
    """

    vendor: Vendor
    endpoint: Endpoint
    key: Key
    url: str
    consumes: bool

    @property
    def title(self) -> str:
        """The endpoint with method and URL, as messages name it."""
        url = self.url if len(self.url) <= LONGEST_URL else f"{self.url[:LONGEST_URL]}..."
        return f"{self.endpoint.name} ({self.endpoint.method} {url})"

    def quote(self, text: str) -> str:
        """Somebody else's text on one line: without the key and control characters, and not long."""
        clean = _CONTROL.sub(" ", self.key.mask(text)).strip()
        return clean if len(clean) <= LONGEST_QUOTE else f"{clean[:LONGEST_QUOTE]}..."


def judge(request: Request, reply: Reply) -> Answer | Failure:
    """The answer, or how the request failed for now; raises the error where asking again is of no use.

    Any status of success will do. Raises CredentialError, RefusedError, ScrollLostError for a scroll that the vendor
    knows no more, and VendorError for a redirect.
    """
    if (reason := refusal_of(request.vendor, status=reply.status, body=reply.body)) is not None:
        raise _key_refused(request, reason)
    if reply.status == _TOO_MANY_REQUESTS:
        return _failure(request, reply, Kind.LIMITED)
    match reply.status // 100:
        case 2:
            return _read(request, reply)
        case 4:
            raise _refused(request, reply)
        case 5:
            return _failure(request, reply, Kind.BROKEN)
        case _:
            raise _redirected(request, reply)


def give_up(request: Request, failure: Failure, *, attempts: int) -> FeedloomError:
    """The error for a call that failed each time it could be tried."""
    title, where = request.vendor.title, request.endpoint.name
    tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    match failure.kind:
        case Kind.LIMITED:
            message = f"{title} kept refusing {request.title} because of a rate limit, {tries}: {failure.reason}"
            wait = "later" if failure.retry_after_s is None else f"in {failure.retry_after_s:.0f} s"
            hint = f"Run it again {wait}; check what else uses the key."
            return RateLimitedError(message, hint=hint, where=where, retry_after_s=failure.retry_after_s)
        case Kind.GARBLED:
            message = f"{title} answered {request.title} with something that cannot be read, {tries}: {failure.reason}"
            return VendorError(message, hint=REPORT_HINT, where=where)
        case Kind.UNSENT:
            message = f"{title} cannot be reached for {request.title}, {tries}: {failure.reason}"
            hint = "Check the network, the proxy settings and the base URL, then run it again."
            return RetryLaterError(message, hint=hint, where=where, code=UNREACHABLE)
        case Kind.LOST | Kind.BROKEN:
            message = f"{title} kept failing at {request.title}, {tries}: {failure.reason}"
            hint = "Run it again later."
            return RetryLaterError(message, hint=hint, where=where, retry_after_s=failure.retry_after_s)


def not_repeated(request: Request, reason: str) -> RetryLaterError:
    """The error for a failed request that must not be sent a second time."""
    if request.consumes:
        message = f"A page of the scroll {request.title} is lost: {reason}"
        hint = "Each page of a scroll is handed out once: start the list over, without the pages read so far."
        return ScrollLostError(message, hint=hint, where=request.endpoint.name)
    message = f"Whether {request.title} was carried out is unknown: {reason}"
    hint = f"Look it up at {request.vendor.title} before sending it again, or it may take effect twice."
    return OutcomeUnknownError(message, hint=hint, where=request.endpoint.name)


def _read(request: Request, reply: Reply) -> Answer | Failure:
    endpoint = request.endpoint
    answer = Answer(
        endpoint=endpoint, url=request.url, status=reply.status, body=reply.body, received_at=reply.received_at
    )
    if endpoint.answer != "json":
        return answer
    if not reply.body.strip():
        if endpoint.effect != "read" or reply.status == _NO_CONTENT:
            return answer
        return _garbled(reply, "an empty answer")
    try:
        _check(answer)
    except ValueError:
        return _garbled(reply, "an HTML page instead of JSON" if reply.is_html else "JSON that is cut off or malformed")
    return answer


def _check(answer: Answer) -> None:
    """Raises ValueError where an answer is no JSON; whether its rows are where they belong is asked later."""
    if not answer.endpoint.is_list:
        answer.__dict__["content"] = parse_json(answer.body)
        return
    with suppress(MisplacedRowsError):
        answer.__dict__["cut"] = cut(answer.endpoint, answer.body)


def _garbled(reply: Reply, reason: str) -> Failure:
    return Failure(kind=Kind.GARBLED, reason=f"{reason}, with status {reply.status}", status=reply.status)


def _failure(request: Request, reply: Reply, kind: Kind) -> Failure:
    wait_s = read_retry_after(reply.headers.get("retry-after"), now=reply.received_at)
    return Failure(kind=kind, reason=_with_status(request, reply), status=reply.status, retry_after_s=wait_s)


def _with_status(request: Request, reply: Reply) -> str:
    """The status, and the vendor's own message where its error body has one."""
    message = "an HTML page" if reply.is_html else _vendor_message(request, reply)
    return f"status {reply.status}, {message}" if message else f"status {reply.status}"


def _vendor_message(request: Request, reply: Reply) -> str:
    try:
        content = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return ""
    for path in request.vendor.error_paths:
        text = dig(content, path)
        if text is not ABSENT and isinstance(text, str) and text.strip():
            return request.quote(text)
    return ""


def _key_refused(request: Request, reason: str) -> CredentialError:
    message = f"{request.vendor.title} refused the key from {request.key.origin}, at {request.title}: {reason}"
    hint = f"Find a working key at {request.vendor.key_page} and put it in place of that one."
    return CredentialError(message, hint=hint, where=request.endpoint.name)


def _refused(request: Request, reply: Reply) -> FeedloomError:
    reason = _with_status(request, reply)
    if request.consumes and reply.status in SCROLL_GONE:
        return not_repeated(request, reason)
    hint = _HINTS.get(reply.status, "Correct the parameters of the call.")
    message = f"{request.vendor.title} refused {request.title}: {reason}"
    return RefusedError(message, hint=hint, where=request.endpoint.name, status=reply.status)


def _redirected(request: Request, reply: Reply) -> VendorError:
    target = request.quote(reply.headers.get("location", "")) or "nowhere"
    message = f"{request.vendor.title} answered {request.title} with status {reply.status}, a redirect to {target}"
    hint = "Redirects are not followed, since the key would go along: check the base URL."
    return VendorError(message, hint=hint, where=request.endpoint.name)
