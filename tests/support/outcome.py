"""How a command of feedloom ended, as tests see it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    errors: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON that it printed."""
        read: dict[str, Any] = json.loads(self.out)
        return read

    def table(self, name: str) -> dict[str, Any]:
        """What its report says of one table."""
        found: dict[str, Any] = next(table for table in self.document["tables"] if table["table"] == name)
        return found

    @property
    def error(self) -> dict[str, Any]:
        """The error that it printed as JSON."""
        found: dict[str, Any] = self.document["error"]
        return found
