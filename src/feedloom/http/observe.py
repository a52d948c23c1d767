"""How a client tells what it does, for progress bars, metrics and logs."""

from __future__ import annotations

from typing import Protocol

from feedloom.catalogue import Endpoint
from feedloom.http.answer import Page


class Observer(Protocol):
    """Is told of every request, page, wait and retry, in the order they happen, in the client's event loop.

    Methods must return quickly and not raise; nothing they are given holds the key.
    """

    def on_request(self, endpoint: Endpoint, status: int | None, seconds: float) -> None:
        """One request is over: *status* is None when no answer arrived."""

    def on_page(self, page: Page) -> None:
        """One page of a list passed every check and is about to be handed out."""

    def on_wait(self, reason: str, seconds: float) -> None:
        """The client is about to wait, for a limit of its own or because the vendor failed or asked for it."""

    def on_retry(self, endpoint: Endpoint, reason: str, attempt: int) -> None:
        """The request is about to be sent again; *attempt* counts from 1, so the first retry is attempt 2."""

    def on_new_key(self, endpoint: Endpoint, origin: str) -> None:
        """The key was refused, and the request is about to be sent again with another one, found at *origin*."""


class Silent:
    """An observer that keeps everything to itself."""

    def on_request(self, endpoint: Endpoint, status: int | None, seconds: float) -> None:
        """Say nothing."""

    def on_page(self, page: Page) -> None:
        """Say nothing."""

    def on_wait(self, reason: str, seconds: float) -> None:
        """Say nothing."""

    def on_retry(self, endpoint: Endpoint, reason: str, attempt: int) -> None:
        """Say nothing."""

    def on_new_key(self, endpoint: Endpoint, origin: str) -> None:
        """Say nothing."""


SILENT = Silent()
