"""What differences mean: pure functions from evidence to verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from feedloom.audit.checks import GRAVITY, Verdict, gravest


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What became of a row that is here and not in the vendor's list.

    Attributes:
        is_there: The vendor still has it.
        newest: The newest moment in it; None for none.
    """

    is_there: bool
    newest: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """How the rows of a part differ.

    Attributes:
        unseen: Keys of rows that are there and not here, each with the row's moment.
        gone: Keys of rows that are here and not in the vendor's list, with what became of those that were looked up.
        counted: How many rows the vendor counts.
        listed: How many rows it lists.
    """

    unseen: Mapping[str, datetime | None] = field(default_factory=dict)
    gone: Mapping[str, Found | None] = field(default_factory=dict)
    counted: int
    listed: int


_WORDS: Final[Mapping[Verdict, str]] = {
    "deleted at source": "deleted at the source",
    "late data": "newer than the last sync, or inside its look-back",
    "mismatch": "not explained",
}


def judge_unseen(moment: datetime | None, late_from: datetime | None) -> Verdict:
    """A row that the vendor has and the database does not: late from *late_from* on, else nothing explains it."""
    if moment is not None and late_from is not None and moment >= late_from:
        return "late data"
    return "mismatch"


def judge_gone(found: Found, late_from: datetime | None) -> Verdict:
    """A row that is here and left the vendor's list: deleted, or moved on by something that happened late."""
    return judge_unseen(found.newest, late_from) if found.is_there else "deleted at source"


def judge_rows(rows: Rows, late_from: datetime | None) -> tuple[Verdict, str]:
    """The verdict on a part whose counts differ, and its reason.

    Rows that were not looked up are judged like those that were, and as unexplained when these disagree.
    """
    looked_up = [judge_gone(found, late_from) for found in rows.gone.values() if found is not None]
    others = sum(found is None for found in rows.gone.values())
    common: Verdict = looked_up[0] if len(set(looked_up)) == 1 else "mismatch"
    verdicts = [*(judge_unseen(moment, late_from) for moment in rows.unseen.values()), *looked_up, *[common] * others]
    if verdicts:
        return gravest(verdicts), _summed_up(verdicts)
    if rows.counted != rows.listed:
        return "other counting rule", f"the vendor counts {rows.counted:,} rows and lists {rows.listed:,}; all are here"
    return "matches", "the counts agreed when the rows were listed"


def judge_fields(
    *, changed_there: bool | None, is_read_again: bool, newest: datetime | None, late_from: datetime | None
) -> Verdict:
    """A row whose fields differ.

    *changed_there* tells whether the vendor's row is another one than was loaded; None where that can't be told. A row
    that did not change there was changed here. One that did is late where *is_read_again*: the next sync reads it
    whenever it changed. Else its own moment has to tell.
    """
    if changed_there is False:
        return "mismatch"
    if changed_there and is_read_again:
        return "late data"
    return judge_unseen(newest, late_from)


def _summed_up(verdicts: Iterable[Verdict]) -> str:
    found = Counter(verdicts)
    parts = [f"{found[verdict]:,} {_WORDS[verdict]}" for verdict in reversed(GRAVITY) if found[verdict]]
    return f"rows {'; '.join(parts)}"
