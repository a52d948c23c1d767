"""Reads several lists side by side and hands on their rows as pages come in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property

from feedloom.catalogue import Endpoint, ScrollPaging
from feedloom.errors import RefusedError
from feedloom.http import (
    Answer,
    Client,
    Cut,
    Page,
    Row,
    StartOverError,
    cut_body,
    legible_rows,
    other_lists,
    page_of,
    read_rows,
)
from feedloom.sources.journal import Journal, KeptPage
from feedloom.sources.planning import Proof, Read
from feedloom.sources.session import ScrollCounts

_RESTARTS = 5
_NO_MISCOUNT = 10
_NOT_FOUND = 404


class _UnprovenError(Exception):
    """A page shows that the vendor *ignored* the filter or the sort; *otherwise* is what to read in place of *read*."""

    def __init__(self, proof: Proof, read: Read, ignored: str) -> None:
        super().__init__(f"The vendor ignored the {ignored} by {proof.column}: read whole.")
        self.otherwise = replace(read, params=proof.otherwise, proof=None)


@dataclass(slots=True)
class _Tally:
    """How many rows of a scroll came, and how many the vendor counts; a count of 0 says nothing."""

    rows: int = 0
    counted: int = 0
    ends_empty: bool = False
    shrank: bool = False

    def add(self, page: Page) -> None:
        self.rows += len(page)
        self.ends_empty = not len(page)
        count = page.total or 0
        self.shrank |= 0 < count < self.counted
        self.counted = count

    @property
    def end(self) -> tuple[int, int]:
        """How the scroll ended; two that end alike are believed."""
        return self.rows, self.counted

    @property
    def is_doubtful(self) -> bool:
        """Whether rows may be missing: the scroll ended on an empty page before the vendor's count, or grew shorter.

        Where a scroll shows a list as it is now, a row that leaves it draws the others one place forward, and one of
        them past the edge of a page. Newest first, a count that never falls says that nobody was passed over, as all
        that comes in stands in front.
        """
        return self.shrank or (self.ends_empty and self.rows < self.counted)

    @property
    def complaint(self) -> tuple[str, str]:
        """What is doubtful, and how a person is told of it."""
        if self.shrank:
            return "shrank", "Rows left the list whenever it was read, so others may be missing; --full reads it again."
        return "count", f"{self.shortness}; --start reads a range again."

    @property
    def is_empty(self) -> bool:
        """Whether nothing came of so many rows that no way of counting explains it."""
        return not self.rows and self.counted >= _NO_MISCOUNT

    @property
    def shortness(self) -> str:
        """How far the scroll stayed behind the count."""
        return f"The vendor counts {self.counted:,} rows where {self.rows:,} came, twice in a row"


NO_ROWS = Cut([], {}, 0)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """One page of one read, not yet parsed, or a note on the reading.

    Attributes:
        read: What was read.
        endpoint: Where.
        cut: The page in parts.
        total: What the vendor says the whole list holds, when it says so.
        read_at: When the page came, aware.
        other_lists: Keys of the answer that hold a list beside that of its rows; looked for on a list's first page.
        note: What a person should know; such an event has no rows.
        is_short: The note says that the list ended before the vendor's count, which was right before.
    """

    read: Read
    endpoint: Endpoint
    cut: Cut = NO_ROWS
    total: int | None = None
    read_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    other_lists: tuple[str, ...] = ()
    note: str = ""
    is_short: bool = False

    def __len__(self) -> int:
        """Count of rows."""
        return len(self.cut.rows)

    @cached_property
    def rows(self) -> list[Row]:
        """The rows, parsed when they are first asked for; raises VendorError when one of them is no JSON."""
        return read_rows(self.cut, endpoint=self.endpoint, request="page")


class Reader:
    """Reads lists of one endpoint through a client.

    Args:
        client: An open client.
        endpoint: What is read.
        journal: Keeps the pages, and gives those that an earlier run kept; None to keep none.
        counts: What is known of the vendor's counts of scrolls; what the lists show is added.
    """

    def __init__(
        self,
        client: Client,
        endpoint: Endpoint,
        journal: Journal | None = None,
        *,
        counts: ScrollCounts | None = None,
    ) -> None:
        self._client = client
        self._endpoint = endpoint
        self._journal = journal
        self._counts = counts or ScrollCounts()
        self._in_doubt: list[tuple[Read, _Tally]] = []
        self._is_scroll = isinstance(endpoint.paging, ScrollPaging)
        self._told: set[str] = set()

    async def read_many(self, reads: AsyncIterator[Read], *, side_by_side: int) -> AsyncGenerator[Rows, None]:
        """The pages of all *reads*, at most *side_by_side* lists under way at once.

        Pages of one read keep their order; pages of different reads mix. The first error stops all of them and is
        raised here. Memory holds one page a read under way, and one more. The ``verdicts`` come at the end.
        """
        events: asyncio.Queue[Rows | None] = asyncio.Queue(maxsize=1)
        taking = asyncio.Lock()

        async def work() -> None:
            while True:
                async with taking:
                    read = await anext(reads, None)
                if read is None:
                    return
                async with aclosing(self.read_list(read)) as pages:
                    async for rows in pages:
                        await events.put(rows)

        async def work_all() -> None:
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(side_by_side):
                        group.create_task(work())
            finally:
                await events.put(None)

        working = asyncio.create_task(work_all())
        try:
            while (event := await events.get()) is not None:
                yield event
            await _raise_first(working)
        finally:
            await _stop(working, events)
        for verdict in self.verdicts():
            yield verdict

    def verdicts(self) -> Iterator[Rows]:
        """Notes on the lists read so far that ended alike twice, and before the vendor's count.

        They are short, unless the vendor's counts were never right and another list showed that it counts too many.
        """
        for read, tally in self._in_doubt:
            is_short = self._counts.exact or not self._counts.inflated or tally.is_empty
            if note := tally.shortness if is_short else self._once(*tally.complaint):
                yield Rows(read=read, endpoint=self._endpoint, note=note, is_short=is_short)
        self._in_doubt.clear()

    async def read_list(self, read: Read) -> AsyncGenerator[Rows, None]:
        """The pages of one read, in order; a single answer that is no list comes as one row.

        A list that an earlier run finished comes from the journal; one that it did not goes on after the last page it
        kept, where the way of paging and the vendor allow it, and else starts over.

        A scroll that lost a page starts over, at most five times: rows that come twice merge on their key. So does one
        that rows left while it was read, and one that ends on an empty page before the vendor's count; when it ends
        alike twice, the end is taken, and is for ``verdicts`` to judge. A list whose pages turn out too large starts
        over with smaller ones each time. A window that the vendor finds too long is read in halves. A filter that does
        not prove itself is left out, on whichever page that shows. A row that was listed and is not found any more
        brings no page, but a note.

        Source: aptrinsic-notes, section 2: such a page was seen; section 10: the count may be too large, and scrolls
        may show rows as they are now.
        """
        if self._journal is not None and self._journal.is_finished(self._endpoint, read):
            for kept in self._journal.pages(self._endpoint, read):
                parts = cut_body(kept.body, endpoint=self._endpoint, request=kept.request)
                others = () if kept.number else other_lists(self._endpoint, kept.body)
                yield self._rows(read, parts, read_at=kept.at, others=others)
            return
        try:
            async with aclosing(self._ask_patiently(read)) as pages:
                async for rows in pages:
                    yield rows
        except (RefusedError, _UnprovenError) as problem:
            in_place, note = self._instead(read, problem)
        else:
            return
        if note:
            yield Rows(read=read, endpoint=self._endpoint, note=note)
        for other in in_place:
            async with aclosing(self.read_list(other)) as pages:
                async for rows in pages:
                    yield rows

    def _instead(self, read: Read, problem: RefusedError | _UnprovenError) -> tuple[tuple[Read, ...], str]:
        """What to read in place of *read*, and what to tell; raises *problem* where nothing can take its place."""
        if isinstance(problem, _UnprovenError):
            return (problem.otherwise,), str(problem)
        if read.may_be_gone and problem.status == _NOT_FOUND:
            return (), self._once("gone", "Some rows were listed and then not found: deleted meanwhile.")
        halves = read.halves() if _is_too_long(problem) else None
        if halves is None:
            raise problem
        return halves, ""

    def _once(self, subject: str, note: str) -> str:
        """*note*, unless something was told of *subject* before."""
        is_new = subject not in self._told
        self._told.add(subject)
        return note if is_new else ""

    async def _ask_patiently(self, read: Read) -> AsyncGenerator[Rows, None]:
        end_before: tuple[int, int] | None = None
        restarts, is_alike = 0, False
        kept = self._kept(read)
        while restarts <= _RESTARTS:
            tally = _Tally()
            try:
                async with aclosing(self._ask(read, tally, kept)) as pages:
                    async for rows in pages:
                        yield rows
            except StartOverError as problem:
                kept = None
                if not problem.is_smaller:
                    if restarts == _RESTARTS:
                        raise
                    restarts += 1
                continue
            restarts += 1
            if not self._doubts(tally):
                return
            is_alike = tally.end == end_before
            if is_alike:
                break
            end_before = tally.end
        if is_alike and not tally.shrank:
            self._in_doubt.append((read, tally))
        elif note := self._once(*tally.complaint):
            yield Rows(read=read, endpoint=self._endpoint, note=note)

    async def _ask(self, read: Read, tally: _Tally, kept: _KeptPages | None) -> AsyncGenerator[Rows, None]:
        count = 0 if kept is None else len(kept)
        if self._journal is not None and not count:
            self._journal.begin(self._endpoint, read)
        async for page in self._client.pages(self._endpoint, read.params, kept=kept or ()):
            if read.proof is not None:
                ignored = read.proof.ignored(legible_rows(page.cut), is_first=page.number == 0)
                if ignored:
                    raise _UnprovenError(read.proof, read, ignored)
            tally.add(page)
            read_at = datetime.now(UTC)
            if self._journal is not None and page.number >= count:
                is_last = page.is_last and not self._doubts(tally)
                read_at = self._journal.add(self._endpoint, read, page, is_last=is_last)
            others = () if page.number else other_lists(self._endpoint, page.body)
            yield self._rows(read, page.cut, page.total, read_at=read_at, others=others)

    def _kept(self, read: Read) -> _KeptPages | None:
        """What an earlier run kept of a list that can be gone on with."""
        if self._journal is None or self._endpoint.paging.resumes == "never":
            return None
        return _KeptPages(self._journal, self._endpoint, read) if self._journal.count(self._endpoint, read) else None

    def _doubts(self, tally: _Tally) -> bool:
        """Whether a scroll may lack rows; other lists are held against the vendor's count by the client."""
        if self._is_scroll and tally.rows and not tally.shrank:
            self._counts.exact |= tally.rows == tally.counted
            self._counts.inflated |= tally.rows < tally.counted and not tally.ends_empty
        return self._is_scroll and tally.is_doubtful

    def _rows(
        self, read: Read, parts: Cut, total: int | None = None, *, read_at: datetime, others: tuple[str, ...] = ()
    ) -> Rows:
        return Rows(read=read, endpoint=self._endpoint, cut=parts, total=total, read_at=read_at, other_lists=others)


@dataclass(frozen=True, slots=True)
class _KeptPages:
    """The pages of a list that an earlier run kept, read from the journal each time they are walked."""

    journal: Journal
    endpoint: Endpoint
    read: Read

    def __len__(self) -> int:
        return self.journal.count(self.endpoint, self.read)

    def __iter__(self) -> Iterator[Page]:
        for kept in self.journal.pages(self.endpoint, self.read):
            yield _as_page(kept, self.endpoint)


def _as_page(kept: KeptPage, endpoint: Endpoint) -> Page:
    _, _, url = kept.request.partition(" ")
    answer = Answer(endpoint=endpoint, url=url, status=kept.status, body=kept.body, received_at=kept.received_at)
    return page_of(answer, number=kept.number, position=kept.position, size=kept.size)


def _is_too_long(refusal: RefusedError) -> bool:
    """Source: aptrinsic-notes, section 4: 400 "Exceeded date range190days"."""
    return "exceeded date range" in refusal.message.lower()


async def _raise_first(working: asyncio.Task[None]) -> None:
    try:
        await working
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _stop(working: asyncio.Task[None], events: asyncio.Queue[Rows | None]) -> None:
    """Cancel *working* and wait for its end, taking from it what it still hands on."""
    working.cancel()
    while not working.done():
        if not events.empty():
            events.get_nowait()
        await asyncio.sleep(0)
    if not working.cancelled():
        working.exception()  # seen, so that asyncio does not report it a second time
