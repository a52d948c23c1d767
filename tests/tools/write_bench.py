"""A folder in which tools may write to an emulated Refiner of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from feedloom.emulator import Emulator
from feedloom.http import Client, Key
from feedloom.tools.every import every_tool
from feedloom.tools.failures import ToolError
from feedloom.tools.workspace import Workspace
from feedloom.tools.writing.approvals import approve
from feedloom.tools.writing.plans import load_plan
from feedloom.vendors import VENDORS

REFINER = VENDORS["refiner"]
URL = "SOURCES__REFINER_SOURCE__BASE_URL"
KEY = "5b1e9c04-emulated-refiner-key-of-the-writes"


@dataclass(slots=True, kw_only=True)
class WriteBench:
    """A folder, the vendor that it writes to, and how far its clock is ahead."""

    folder: Path
    refiner: Emulator
    ahead: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        """The time of the workspace."""
        return datetime.now(UTC) + self.ahead

    def workspace(self) -> Workspace:
        """The workspace that each call gets."""
        return Workspace(writes=True, now=self.now)

    def call(self, name: str, arguments: Mapping[str, Any] | None = None, **further: Any) -> dict[str, Any]:
        """The result of one call; raises ToolError."""

        async def ask() -> dict[str, Any]:
            async with self.workspace() as workspace:
                return await every_tool().call(workspace, name, {**(arguments or {}), **further})

        return asyncio.run(ask())

    def refusal(self, name: str, arguments: Mapping[str, Any] | None = None, **further: Any) -> ToolError:
        """The error that a call ends in; nothing was written."""
        before = self.writes
        with pytest.raises(ToolError) as refused:
            self.call(name, arguments, **further)
        assert self.writes == before
        assert KEY not in f"{refused.value} {refused.value.details}"
        return refused.value

    def plan(self, name: str, arguments: Mapping[str, Any] | None = None, **further: Any) -> dict[str, Any]:
        """The plan that a call makes."""
        error = self.refusal(name, arguments, **further)
        assert error.code == "APPROVAL_NEEDED", error
        plan: dict[str, Any] = error.details["plan"]
        return plan

    def approved(self, name: str, arguments: Mapping[str, Any] | None = None, **further: Any) -> str:
        """The id of the plan that a call makes, which a person then approved."""
        plan = load_plan(self.plan(name, arguments, **further)["plan_id"])
        approve(plan, "terminal", now=self.now())
        return plan.id

    def write(self, name: str, arguments: Mapping[str, Any] | None = None, **further: Any) -> dict[str, Any]:
        """The result of a call that is planned, approved and applied."""
        return self.call("change_apply", plan_id=self.approved(name, arguments, **further))

    def contact(self, **by: str) -> dict[str, Any]:
        """A contact as the vendor shows it."""
        found: dict[str, Any] = self.call("refiner_get_contact", by)["item"]
        return found

    def identify(self, **body: str) -> None:
        """Change a contact as the customer's own program would."""

        async def send() -> None:
            async with Client(REFINER, Key(KEY, "the bench"), base_url=os.environ[URL]) as client:
                await client.call(REFINER.endpoint("identify_user"), body)

        asyncio.run(send())

    @property
    def writes(self) -> int:
        """How many requests that are no reads the vendor has got."""
        return sum(request.method != "GET" for request in self.refiner.requests)
