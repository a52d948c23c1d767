"""The key: sending it, keeping it out of every text, and recognising a vendor's refusal of it."""

from __future__ import annotations

import base64
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, quote_plus, urlencode

import httpx2

from feedloom.catalogue import Auth, Vendor
from feedloom.errors import CredentialError, InputError

MASK: Final = "***"

_UNAUTHORIZED: Final = 401


@dataclass(frozen=True, slots=True)
class Key:
    """A vendor's key and where it was found.

    Raises CredentialError when the key is empty or holds something no header can carry, such as a line break that was
    pasted along.

    Attributes:
        value: The key itself; in no text form of this object.
        origin: Where it was found, in words that end the sentence "The key came from ...":
            ``environment variable SOURCES__REFINER_SOURCE__API_KEY``.
    """

    value: str = field(repr=False)
    origin: str

    def __post_init__(self) -> None:
        """Refuse what would break, or show, in a header."""
        if not self.value:
            problem = "is empty"
        elif not (self.value.isascii() and self.value.isprintable()) or " " in self.value:
            problem = "holds a space, a line break or a letter that keys do not have"
        else:
            return
        hint = "Copy the key again, whole and without quotes or spaces around it."
        raise CredentialError(f"The key from {self.origin} {problem}", hint=hint)

    def mask(self, text: str) -> str:
        """*text* with the key, in each form in which it travels, replaced by stars."""
        for form in (self.value, quote(self.value, safe=""), quote_plus(self.value), _basic(self.value)):
            text = text.replace(form, MASK)
        return text


class KeyHolder:
    """The key that a vendor is asked with, for all clients that share this, and another one once it is refused.

    Args:
        key: The key.
        fetch: Gives what stands by now where the key was found, if anything; None where it was given by hand.
    """

    def __init__(self, key: Key, *, fetch: Callable[[], Key | None] | None = None) -> None:
        self._key = key
        self._fetch = fetch
        self._lock = threading.Lock()

    @property
    def key(self) -> Key:
        """The key at hand."""
        return self._key

    def another_than(self, refused: Key) -> Key | None:
        """The key to use in place of *refused*: one that was found since, or stands there now; None for the same."""
        with self._lock:
            if self._key.value == refused.value and self._fetch is not None:
                self._key = self._fetch() or self._key
            return None if self._key.value == refused.value else self._key


def choose_auth(vendor: Vendor, name: str | None) -> Auth:
    """The vendor's way to send the key that is called *name*, its first one for None; raises InputError."""
    if name is None:
        return vendor.auth[0]
    for auth in vendor.auth:
        if auth.name == name:
            return auth
    known = ", ".join(auth.name for auth in vendor.auth)
    raise InputError(f"{vendor.title} has no way to send the key called {name!r}", hint=f"Choose one of: {known}.")


def key_headers(auth: Auth, key: Key) -> Mapping[str, str]:
    """The headers that carry the key; empty where it travels in the URL."""
    match auth.kind:
        case "bearer":
            return {"Authorization": f"Bearer {key.value}"}
        case "basic":
            return {"Authorization": f"Basic {_basic(key.value)}"}
        case "header":
            return {auth.field: key.value}
        case "param":
            return {}


def with_key(url: str, auth: Auth, key: Key) -> str:
    """*url* as it is sent: with the key, where that travels in the URL."""
    if auth.kind != "param":
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode({auth.field: key.value})}"


def refusal_of(vendor: Vendor, *, status: int, body: bytes) -> str | None:
    """Why the vendor refused the key, in the words of its description; None when the answer is no such refusal.

    The status decides, together with the words of the body where the description asks for them. An undescribed 401 is a
    refusal too, as HTTP has it (RFC 9110, section 15.5.2).
    """
    candidates = [refusal for refusal in vendor.refusals if refusal.status == status]
    text = body.decode(errors="replace").casefold() if candidates else ""
    for refusal in candidates:
        if refusal.words.casefold() in text:
            return refusal.reason
    return "the vendor did not accept it (status 401)" if status == _UNAUTHORIZED else None


def hide_from_logs(parameter: str) -> None:
    """Keep the URL parameter out of the line that httpx2 logs for each request, from now on."""
    logger = logging.getLogger("httpx2")
    if not any(isinstance(one, _Hidden) and one.parameter == parameter for one in logger.filters):
        logger.addFilter(_Hidden(parameter))


class _Hidden(logging.Filter):
    """Takes one parameter out of the URLs in log records."""

    def __init__(self, parameter: str) -> None:
        super().__init__()
        self.parameter = parameter

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                arg.copy_remove_param(self.parameter) if isinstance(arg, httpx2.URL) else arg for arg in record.args
            )
        return True


def _basic(value: str) -> str:
    """The key as user name with an empty password (RFC 7617)."""
    return base64.b64encode(f"{value}:".encode()).decode()
