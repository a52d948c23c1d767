"""Where a fact about a vendor comes from, and how sure we are of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Known(StrEnum):
    """How a fact about a vendor's API is known, surest first."""

    DOCUMENTED = "documented"
    SEEN_IN_CODE = "seen in code"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The evidence for one fact or for a whole endpoint.

    Attributes:
        where: Public pages or ``owner/repo path`` places, strongest first; at least one.
        checked: The month the evidence was read, ``YYYY-MM``.
        known: How the fact is known.
        note: What the sources disagree on, or what had to be assumed; empty when nothing.
    """

    where: tuple[str, ...]
    checked: str
    known: Known
    note: str = ""
