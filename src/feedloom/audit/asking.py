"""Asks the vendor for totals, short lists and single rows, and shows how far that is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from feedloom.catalogue import Endpoint
from feedloom.errors import RefusedError
from feedloom.http import Client, Row, Value
from feedloom.sync.tally import Progress

MOST_ROWS = 50_000
"""A list longer than this is not read to explain a difference."""

_NOT_FOUND = 404

Result = TypeVar("Result")


@dataclass(slots=True)
class Asker:
    """Asks through an open client.

    Attributes:
        client: The client.
        progress: Hears of each answer, as one row of the table that is audited.
        table: That table.
    """

    client: Client
    progress: Progress
    table: str = ""

    def begin(self, table: str) -> None:
        """What follows is about *table*."""
        self.table = table
        self.progress.begin(table)

    async def total(self, endpoint: Endpoint, params: Mapping[str, Value]) -> int | None:
        """How many rows the vendor counts; None where the answer does not say."""
        async for page in self.client.pages(endpoint, params, page_size=1):
            self._answered()
            return page.total
        return None

    async def rows(
        self, endpoint: Endpoint, params: Mapping[str, Value], *, most: int | None = MOST_ROWS
    ) -> list[Row] | None:
        """All rows of a list; None where there are more than *most*."""
        found: list[Row] = []
        async for page in self.client.pages(endpoint, params):
            self._answered()
            found += page.rows
            if most is not None and len(found) > most:
                return None
        return found

    async def answer(self, endpoint: Endpoint, params: Mapping[str, Value]) -> Any:
        """The JSON of one answer; None where the vendor says that there is no such thing."""
        try:
            answer = await self.client.call(endpoint, params)
        except RefusedError as error:
            if error.status != _NOT_FOUND:
                raise
            return None
        finally:
            self._answered()
        return answer.content

    def _answered(self) -> None:
        self.progress.rows(self.table, 1, None)


async def all_of(work: Iterable[Awaitable[Result]]) -> Sequence[Result]:
    """The results of *work*, done side by side, in its order; the first error ends all of it."""

    async def done(one: Awaitable[Result]) -> Result:
        return await one

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(done(one)) for one in work]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
