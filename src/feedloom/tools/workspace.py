"""What a run of tools works with: the vendors it may ask, and the database and settings of the folder it stands in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final, Self

from feedloom.tools.calls import Calls

QUERIES_AT_ONCE: Final = 2


@dataclass(slots=True, kw_only=True)
class Workspace:
    """The surroundings of tools, for one event loop; an asynchronous context manager.

    Attributes:
        to: The database, as ``--to`` takes it; None for the configured one.
        query_s: How long a query of the warehouse may take.
        calls: Asks vendors.
        queries: Lets few queries run at once, as each has a process and up to half a gigabyte of its own.
    """

    to: str | None = None
    query_s: float = 10.0
    calls: Calls = field(default_factory=Calls)
    queries: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(QUERIES_AT_ONCE))

    async def __aenter__(self) -> Self:
        await self.calls.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.calls.__aexit__(*error)
