"""A folder to call tools in, and what a call came to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from feedloom.emulator import Emulator
from feedloom.tools.every import every_tool
from feedloom.tools.failures import ToolError
from feedloom.tools.workspace import Workspace

KEYS = {"refiner": "3f0c7a51-emulated-refiner-key-of-the-tools", "aptrinsic": "9d2b6e14-emulated-px-key-of-the-tools"}
AUTUMN = {"start": "2026-08-01T00:00:00Z", "end": "2026-11-01T00:00:00Z"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """Both vendors and where they are."""

    refiner: Emulator
    aptrinsic: Emulator
    urls: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """The settings of somebody who uses both."""
        settings = {}
        for slug, url in self.urls.items():
            settings[f"SOURCES__{slug.upper()}_SOURCE__BASE_URL"] = url
            settings[f"SOURCES__{slug.upper()}_SOURCE__API_KEY"] = KEYS[slug]
        return settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A folder in which tools are called."""

    folder: Path
    played: Played
    query_s: float = 20.0

    def call(self, name: str, arguments: Mapping[str, Any] | None = None, **further: Any) -> dict[str, Any]:
        """The result of one call; raises ToolError."""
        return asyncio.run(self._call(name, {**(arguments or {}), **further}))

    def refusal(self, name: str, arguments: Mapping[str, Any] | None = None, **further: Any) -> ToolError:
        """The error that a call ends in."""
        with pytest.raises(ToolError) as refused:
            self.call(name, arguments, **further)
        assert not any(key in f"{refused.value} {refused.value.details}" for key in KEYS.values())
        return refused.value

    def walk(self, name: str, arguments: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The results of a list, first to last."""
        cursor = None
        while True:
            result = self.call(name, arguments, **({} if cursor is None else {"cursor": cursor}))
            yield result
            cursor = result["cursor"]
            if cursor is None:
                return

    async def _call(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        async with Workspace(query_s=self.query_s) as workspace:
            return await every_tool().call(workspace, name, arguments)
