"""Reads lists of a vendor that says what a test wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

from feedloom.http import Client
from feedloom.sources.journal import Journal, Opening
from feedloom.sources.planning import Read
from feedloom.sources.reading import Reader, Rows
from feedloom.vendors import VENDORS
from sources.fakes import NOW, FakeClient, Row, Script

VISITS = VENDORS["aptrinsic"].endpoint("list_page_view_events")
OPENING = Opening(table="visits", purpose="test", at=NOW)


def reader(client: FakeClient, journal: Journal | None = None) -> Reader:
    return Reader(cast("Client", client), VISITS, journal)


async def each(reads: Sequence[Read]) -> AsyncIterator[Read]:
    for read in reads:
        yield read


async def all_of(pages: AsyncIterator[Rows]) -> list[Rows]:
    return [rows async for rows in pages]


def read_many(client: FakeClient, *names: str, side_by_side: int = 3, journal: Journal | None = None) -> list[Rows]:
    """Everything that lists called *names* bring, as it comes."""
    reads = [Read(params={"name": name}) for name in names]
    return asyncio.run(all_of(reader(client, journal).read_many(each(reads), side_by_side=side_by_side)))


def read_list(client: FakeClient, read: Read, journal: Journal | None = None) -> list[Rows]:
    return asyncio.run(all_of(reader(client, journal).read_list(read)))


def ids(pages: Sequence[Rows]) -> list[Any]:
    return [name for page in pages for name in ids_of(page.rows)]


def ids_of(rows: Sequence[Row]) -> list[Any]:
    return [row["eventId"] for row in rows]


def event(name: object) -> Row:
    return {"eventId": name}


def attempts(*scripts: Script) -> FakeClient:
    """A client that plays one of *scripts* at each attempt."""
    left = iter(scripts)
    return FakeClient(lambda _: next(left))
