"""The client: one vendor, one key, every endpoint of its description."""

from __future__ import annotations

import asyncio
import random as random_numbers
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

import httpx2

from feedloom.catalogue import Endpoint, NoPaging, Vendor
from feedloom.errors import CredentialError, InputError, RefusedError
from feedloom.http.address import checked_base_url, host_of, join, server_url
from feedloom.http.answer import Answer, Page, read_date
from feedloom.http.auth import Key, KeyHolder, choose_auth, hide_from_logs, key_headers, with_key
from feedloom.http.concurrency import Concurrency, Gate
from feedloom.http.encode import Call, Value, encode
from feedloom.http.judge import Reply, Request, give_up, judge, not_repeated
from feedloom.http.limits import Limits, limits_of
from feedloom.http.observe import SILENT, Observer
from feedloom.http.paging import PageFailedError, list_params, read_pages, uses_up_a_page, with_page_size
from feedloom.http.retry import Failure, Kind, Patience, blames_size, may_repeat
from feedloom.http.sizes import TRIES, PageSizes

_WHOLE_ANSWER: Final = 10
"""An answer that keeps trickling in may take this many times the time allowed for silence."""

_FORBIDDEN: Final = 403
_TOO_LARGE: Final = 413
_TOO_MANY: Final = 429
_FIRST_FAILURE: Final = 500


class Client:
    """Calls one vendor's API with one key, paced, retried and checked as the vendor's description says.

    An asynchronous context manager: calls work inside ``async with``, from as many tasks as one likes.

    Args:
        vendor: The description.
        key: The key, or who holds it; it shows in no text, log line or error made here. When the vendor refuses it, its
            holder is asked for another once in each call.
        base_url: Where the API is, in place of the vendor's servers (a proxy, the emulator). Proxies and certificates
            are taken from the environment as usual.
        server: Name of one of the vendor's servers; None for its first.
        auth: Name of one of the vendor's ways to send the key; None for its first.
        observer: Is told what happens.
        transport: Carries requests in place of the network.
        reads_only: Refuse every call that is no GET, whatever its description says of it.
        attempts: How often one request is sent at most, from 1.
        timeout_s: Seconds without a byte after which an attempt is over; a whole answer may take ten times as long.
        connections: How many requests are under way at once at most; fewer where the vendor does not keep up.
        limits: The limits to keep, in place of those shared by all that use the key on this machine.
        clock: Seconds since 1970.
        sleep: Waits that many seconds.
        random: Draws from [0, 1).

    Raises InputError for a *server*, *auth* or *base_url* that does not exist or cannot be.
    """

    def __init__(
        self,
        vendor: Vendor,
        key: Key | KeyHolder,
        *,
        base_url: str | None = None,
        server: str | None = None,
        auth: str | None = None,
        observer: Observer = SILENT,
        transport: httpx2.AsyncBaseTransport | None = None,
        reads_only: bool = False,
        attempts: int = 6,
        timeout_s: float = 60.0,
        connections: int = 24,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        random: Callable[[], float] = random_numbers.random,
    ) -> None:
        if attempts < 1 or connections < 1 or timeout_s <= 0:
            raise ValueError("attempts and connections start at 1, and timeout_s is more than 0")
        self.vendor = vendor
        self._holder = key if isinstance(key, KeyHolder) else KeyHolder(key)
        self._is_own_base = base_url is not None
        self._base = server_url(vendor, server) if base_url is None else checked_base_url(base_url)
        self._auth = choose_auth(vendor, auth)
        if self._auth.kind == "param":
            hide_from_logs(self._auth.field)
        self._observer = observer
        self._transport = transport
        self._reads_only = reads_only
        self._attempts = attempts
        self._timeout_s = timeout_s
        self._own_limits = limits
        self._connections = connections
        self._concurrency = Concurrency(most=connections)
        self._gate = Gate(self._concurrency)
        self._sizes = PageSizes()
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._http: httpx2.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        self._http = httpx2.AsyncClient(
            transport=self._transport,
            timeout=httpx2.Timeout(self._timeout_s),
            limits=httpx2.Limits(max_connections=self._connections, max_keepalive_connections=self._connections),
            follow_redirects=False,
            headers={"User-Agent": "feedloom"},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def call(self, endpoint: Endpoint, params: Mapping[str, Value]) -> Answer:
        """The vendor's answer to one call; of a list, one page, of the largest size unless *params* says another.

        Raises InputError before anything is sent, CredentialError, RefusedError, RateLimitedError, RetryLaterError
        (OutcomeUnknownError for a call that must not be sent twice) or VendorError.
        """
        return await self._call(endpoint, params, may_shrink=False)

    def pages(
        self,
        endpoint: Endpoint,
        params: Mapping[str, Value],
        *,
        page_size: int | None = None,
        kept: Iterable[Page] = (),
    ) -> AsyncIterator[Page]:
        """The pages of a list, first to last; of an endpoint that is no list, the one answer as a page of one row.

        *page_size* is the most rows a page, lowered to what the vendor allows; None for that. A page that keeps failing
        is asked for with half the size, and later lists of the endpoint start with it. Pages are asked for one after
        the other, each when the one before was taken. *kept* are the first pages of the same list, read before and
        walked twice, which are not asked for again. Raises what ``call`` raises, VendorError when the list breaks off
        or repeats itself, and StartOverError when it has to be started over (ScrollLostError where a page of a scroll
        is lost).
        """
        whole = list_params(endpoint, params, page_size)

        async def ask(asked: Mapping[str, Value], may_shrink: bool) -> Answer:  # noqa: FBT001 - called in one place
            return await self._call(endpoint, asked, may_shrink=may_shrink)

        return read_pages(endpoint, whole, ask=ask, on_page=self._observer.on_page, sizes=self._sizes, kept=kept)

    async def check_key(self) -> Answer:
        """The answer of the cheapest call there is; raises CredentialError when the vendor refuses the key."""
        probe = self.vendor.endpoint(self.vendor.probe)
        size = {} if isinstance(probe.paging, NoPaging) else {probe.paging.size_param: 1}
        return await self.call(probe, size)

    async def _call(self, endpoint: Endpoint, params: Mapping[str, Value], *, may_shrink: bool) -> Answer:
        """As ``call``; raises PageFailedError early where the page's size may be to blame and *may_shrink*."""
        if self._reads_only and endpoint.method != "GET":
            raise InputError(
                f"{endpoint.name} is a {endpoint.method}, and this client only reads",
                hint="Use a client that may write.",
                where=endpoint.name,
            )
        sized = with_page_size(endpoint, params)
        call = encode(endpoint, sized)
        consumes = uses_up_a_page(endpoint, sized)
        request = self._request(endpoint, call, self._holder.key, consumes=consumes)
        patience = Patience(attempts=self._attempts, random=self._random)
        first_key = request.key
        while True:
            try:
                outcome = await self._attempt(request, self._message(request, call), sized)
            except (CredentialError, RefusedError) as refused:
                status = refused.status if isinstance(refused, RefusedError) else None
                if may_shrink and status == _TOO_LARGE:
                    raise PageFailedError(refused.message) from None
                may_be_the_key = status in (None, _FORBIDDEN) and request.key is first_key
                another = self._holder.another_than(first_key) if may_be_the_key else None
                if another is None:
                    raise
                request = self._request(endpoint, call, another, consumes=consumes)
                self._observer.on_new_key(endpoint, another.origin)
                continue
            if isinstance(outcome, Answer):
                return outcome
            if not may_repeat(outcome, endpoint, consumes=consumes):
                raise not_repeated(request, outcome.reason)
            wait_s = patience.wait_s(outcome)
            if wait_s is None:
                raise give_up(request, outcome, attempts=patience.attempts_made)
            self._observer.on_wait(outcome.reason, wait_s)
            await self._sleep(wait_s)
            if may_shrink and blames_size(outcome) and patience.attempts_made >= TRIES:
                raise PageFailedError(f"{request.title}: {outcome.reason}")
            self._observer.on_retry(endpoint, outcome.reason, patience.attempts_made + 1)

    async def _attempt(
        self, request: Request, message: httpx2.Request, params: Mapping[str, Value]
    ) -> Answer | Failure:
        """One request, when the limits let it leave, and what its reply means."""
        endpoint, limits = request.endpoint, self._limits(request.key)
        async with self._gate.place():
            ticket = await limits.acquire(endpoint, params, sleep=self._sleep, on_wait=self._observer.on_wait)
            started_s = self._clock()
            try:
                reply = await self._send(request, message)
            finally:
                limits.settle(ticket)
            ended_s = self._clock()
            status = reply.status if isinstance(reply, Reply) else None
            self._observer.on_request(endpoint, status, max(0.0, ended_s - started_s))
            if _is_trouble(status):
                self._concurrency.failed(left_at_s=started_s, now_s=ended_s)
            else:
                self._concurrency.answered(left_at_s=started_s, now_s=ended_s)
        outcome = judge(request, reply) if isinstance(reply, Reply) else reply
        if isinstance(outcome, Failure) and outcome.kind is Kind.LIMITED and outcome.retry_after_s:
            limits.pause(endpoint, params, outcome.retry_after_s)
        return outcome

    async def _send(self, request: Request, message: httpx2.Request) -> Reply | Failure:
        """One request on the wire; the transport's errors, which hold the URL with the key, become words here."""
        try:
            async with asyncio.timeout(self._timeout_s * _WHOLE_ANSWER):
                response = await self._opened.send(message)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError) as error:
            host = message.url.netloc.decode()
            return Failure(kind=Kind.UNSENT, reason=f"no connection to {host} ({request.quote(_words(error))})")
        except (TimeoutError, httpx2.TimeoutException):
            return Failure(kind=Kind.LOST, reason=f"no whole answer within the timeout of {self._timeout_s:g} s")
        except httpx2.DecodingError:
            return Failure(kind=Kind.GARBLED, reason="an answer that cannot be unpacked")
        except httpx2.RequestError as error:
            return Failure(kind=Kind.LOST, reason=f"the connection broke ({request.quote(_words(error))})")
        now = datetime.fromtimestamp(self._clock(), UTC)
        return Reply(
            status=response.status_code,
            headers=response.headers,
            body=response.content,
            received_at=read_date(response.headers.get("date")) or now,
        )

    def _limits(self, key: Key) -> Limits:
        own = self._own_limits
        return limits_of(self.vendor, key, host=host_of(self._base)) if own is None else own

    def _request(self, endpoint: Endpoint, call: Call, key: Key, *, consumes: bool) -> Request:
        url = key.mask(self._url(endpoint, call))
        return Request(vendor=self.vendor, endpoint=endpoint, key=key, url=url, consumes=consumes)

    def _message(self, request: Request, call: Call) -> httpx2.Request:
        """The request as it is sent, with the key; an endpoint on a server of its own is called without.

        Source: aptrinsic.openapi, listEngagementRuleEvents ("other host, no API key").
        """
        headers = {"Accept": "application/json" if request.endpoint.answer == "json" else "*/*"}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        url = self._url(request.endpoint, call)
        if not request.endpoint.server:
            headers.update(key_headers(self._auth, request.key))
            url = with_key(url, self._auth, request.key)
        try:
            return self._opened.build_request(request.endpoint.method, url, headers=headers, content=call.body)
        except httpx2.InvalidURL as error:
            problem = f"{request.endpoint.name} was given more than a URL can hold: {request.quote(str(error))}"
            hint = "Send fewer or shorter parameters."
            raise InputError(problem, hint=hint, where=request.endpoint.name) from error

    def _url(self, endpoint: Endpoint, call: Call) -> str:
        """Where the call goes, without the key."""
        base = self._base
        if endpoint.server and not self._is_own_base:
            base = self.vendor.servers[endpoint.server]
        url = join(base, call.path, template=endpoint.path)
        return f"{url}?{call.query}" if call.query else url

    @property
    def _opened(self) -> httpx2.AsyncClient:
        if self._http is None:
            raise RuntimeError("A Client makes calls inside `async with`")
        return self._http


def _is_trouble(status: int | None) -> bool:
    """Whether the vendor does not keep up: no answer, a limit reached, or a failure of its own."""
    return status is None or status == _TOO_MANY or status >= _FIRST_FAILURE


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
