"""Reads several lists side by side and hands on their rows as pages come in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from feedloom.catalogue import Endpoint
from feedloom.http import Client, ScrollLostError
from feedloom.sources.planning import Read


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of one page of one read, parsed; *total* is what the vendor says the whole list holds, when it says so."""

    read: Read
    rows: list[dict[str, Any]]
    total: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The last page of a read has been handed on."""

    read: Read


async def read_list(client: Client, endpoint: Endpoint, read: Read) -> AsyncGenerator[Rows, None]:
    """The pages of one read, in order; a single answer that is no list comes as one row.

    A scroll that lost a page starts over, at most three times: rows that come twice merge on their key.
    """
    for last in (False, False, False, True):
        try:
            async for page in client.pages(endpoint, read.params):
                yield Rows(read=read, rows=page.rows, total=page.total)
        except ScrollLostError:
            if last:
                raise
        else:
            return


async def read_many(
    client: Client, endpoint: Endpoint, reads: AsyncIterator[Read], *, side_by_side: int
) -> AsyncGenerator[Rows | Finished, None]:
    """The pages of all *reads*, at most *side_by_side* lists under way at once.

    Pages of one read keep their order; pages of different reads mix. The first error stops all of them and is raised
    here. Memory holds one page a read under way, and one more.
    """
    events: asyncio.Queue[Rows | Finished | None] = asyncio.Queue(maxsize=1)
    taking = asyncio.Lock()

    async def work() -> None:
        while True:
            async with taking:
                read = await anext(reads, None)
            if read is None:
                return
            async with aclosing(read_list(client, endpoint, read)) as pages:
                async for rows in pages:
                    await events.put(rows)
            await events.put(Finished(read=read))

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
        working.cancel()
        while not working.done():
            if not events.empty():
                events.get_nowait()
            await asyncio.sleep(0)


async def _raise_first(working: asyncio.Task[None]) -> None:
    try:
        await working
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
