"""What a run of tools works with: the vendors it may ask, and the database and settings of the folder it stands in."""

from __future__ import annotations

from dataclasses import dataclass, field

from feedloom.tools.calls import Calls


@dataclass(slots=True, kw_only=True)
class Workspace:
    """The surroundings of tools, for one event loop; an asynchronous context manager.

    Attributes:
        to: The database, as ``--to`` takes it; None for the configured one.
        calls: Asks vendors.
    """

    to: str | None = None
    calls: Calls = field(default_factory=Calls)

    async def __aenter__(self) -> Workspace:
        await self.calls.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.calls.__aexit__(*error)
