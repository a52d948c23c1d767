"""What was done to be sure of an answer: checks, attempts, waits, and what was put right on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Status: TypeAlias = Literal["verified", "acknowledged", "unverified", "unknown"]


@dataclass(slots=True, kw_only=True)
class Verification:
    """How sure the answer to one call is.

    Attributes:
        status: ``verified`` when every check held; ``unverified`` when one did not; ``acknowledged`` when the vendor
            says so and nothing can be read back; ``unknown`` when a call may or may not have been carried out.
        checks: What was checked, each with how it ended where it did not hold.
        attempts: Requests that were sent.
        waited_s: Seconds waited for limits and after failures.
        healed: What went wrong and was put right: ``rate_limit``, ``transient``, ``key``, ``types``, ``page``.
        drift: Where rows differ from the vendor's description: path, kind, what was expected and seen, how often.
    """

    status: Status = "verified"
    checks: list[str] = field(default_factory=list)
    attempts: int = 0
    waited_s: float = 0.0
    healed: list[str] = field(default_factory=list)
    drift: list[dict[str, Any]] = field(default_factory=list)

    def heal(self, what: str) -> None:
        """Note that *what* went wrong and was put right."""
        if what not in self.healed:
            self.healed.append(what)

    def doubt(self, check: str) -> None:
        """Note a check that did not hold."""
        self.checks.append(check)
        self.status = "unverified"

    def as_dict(self) -> dict[str, Any]:
        """As it stands in every result; without drift when there is none."""
        found: dict[str, Any] = {
            "status": self.status,
            "checks": self.checks,
            "attempts": self.attempts,
            "waited_s": round(self.waited_s, 3),
            "healed": self.healed,
        }
        return found | ({"drift": self.drift} if self.drift else {})
