"""What a run of tools works with: the vendors it may ask, and the database and settings of the folder it stands in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from feedloom.config import WORK_FOLDER, find_flag
from feedloom.errors import DestinationError, InputError
from feedloom.tools.call_journal import CallJournal, call_entry
from feedloom.tools.calls import Calls, Watch

if TYPE_CHECKING:
    from feedloom.tools.writing.policy import Rule

SETTING: Final = ("feedloom", "tools", "writes")
QUERIES_AT_ONCE: Final = 2


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class Workspace:
    """The surroundings of tools, for one event loop; an asynchronous context manager.

    With *writes*, entering it raises InputError unless the setting ``writes`` of ``[feedloom.tools]`` is true and the
    policy, if there is one, is right and accepted.

    Attributes:
        to: The database, as ``--to`` takes it; None for the configured one.
        query_s: How long a query of the warehouse may take.
        writes: Tools that write may be called.
        now: The time, UTC.
        calls: Asks vendors.
        queries: Lets few queries run at once, as each has a process and up to half a gigabyte of its own.
        rules: The policy.
        uses: How often each rule was used in this run.
    """

    to: str | None = None
    query_s: float = 10.0
    writes: bool = False
    now: Callable[[], datetime] = _utc_now
    calls: Calls = field(init=False)
    queries: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(QUERIES_AT_ONCE))
    rules: tuple[Rule, ...] = field(init=False, default=())
    uses: dict[str, int] = field(init=False, default_factory=dict)
    _journal: CallJournal | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Make what asks vendors: with a client that may write only where writes are allowed."""
        self.calls = Calls(may_write=self.writes)

    async def __aenter__(self) -> Self:
        if self.writes:
            from feedloom.tools.writing.policy import read_policy  # noqa: PLC0415 - only where there are writes

            need_writes()
            self.rules = read_policy()
        await self.calls.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.calls.__aexit__(*error)

    def note_call(self, tool: str, given: Mapping[str, Any], *, outcome: str, watch: Watch) -> None:
        """Keep a call that ended in the journal; one that only read is not failed by a journal that cannot be kept."""
        entry = call_entry(
            at=self.now(),
            tool=tool,
            arguments=given,
            outcome=outcome,
            verification=watch.verification.as_dict(),
            seconds=time.monotonic() - watch.began_s,
            plan=watch.plan,
            approval=watch.approval,
        )
        try:
            self.journal.append(entry)
        except (OSError, DestinationError):
            watch.verification.checks.append("this call could not be kept in the journal of calls")

    def note_sending(self, tool: str, *, plan: str, approval: str) -> None:
        """Keep in the journal that a change is about to be sent; raises DestinationError when that cannot be kept."""
        entry = {"at": self.now().isoformat(timespec="milliseconds"), "tool": tool, "plan": plan, "approval": approval}
        try:
            self.journal.append({**entry, "outcome": "sending"})
        except OSError as error:
            raise DestinationError(
                f"the journal of calls can't be written: {error.strerror}; nothing was sent",
                hint="make room, or make the folder writable",
                code="FL631",
            ) from error

    @property
    def journal(self) -> CallJournal:
        """The journal of calls of the folder that this process stands in."""
        if self._journal is None:
            self._journal = CallJournal(Path(WORK_FOLDER))
        return self._journal


def need_writes() -> None:
    """Raise InputError unless the settings allow writes."""
    found = find_flag(*SETTING)
    if found is None or not found.value:
        raise InputError(
            "writes are not allowed here",
            hint="a person puts writes = true under [feedloom.tools] in .dlt/config.toml",
            where="" if found is None else found.origin,
            code="FL243",
        )
