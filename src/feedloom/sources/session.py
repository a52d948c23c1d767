"""What one run shares with the sources made in it: how it is watched, stopped and limited."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from feedloom.catalogue import Table
from feedloom.http import SILENT, KeyHolder, Observer
from feedloom.sources.absences import Absences
from feedloom.sources.journal import KeptReading, RunJournals, new_run_id


@dataclass(slots=True)
class Reading:
    """How far the reading of one table got in this run.

    Attributes:
        rows: Rows the vendor gave, counted as they came.
        pages: Pages (or single answers) they came in.
        complete: Everything that was planned was read, and no list ended short.
        short: How a list ended short of the vendor's count, in words; empty when none did.
        span: The range of a windowed table that was planned, [since, through); since None stands for the beginning.
        quarantined: Rows among them that could not be loaded without losing part of them, and were put aside.
        refused: Rows among those put aside because they break the table's contract.
        other_lists: Keys of answers that hold a list beside the one the catalogue names.
        keys_past_cap: Keys of open maps that went to the JSON column, as ``(path, key)``.
        keys_renamed: Keys of open maps whose new column has a suffix, as ``(path, key)``.
        keys_put_aside: The primary keys, as text, of the quarantined rows; None for one whose key cannot be read.
        is_filtered: The user chose which rows of the list come.
        read_at: When the last page came, aware; None before the first.
        absences: What the reading says of rows that it did not bring, where rows that vanish are kept.
        notes: Things a person should know, one sentence each.
    """

    rows: int = 0
    pages: int = 0
    complete: bool = False
    short: str = ""
    span: tuple[datetime | None, datetime] | None = None
    quarantined: int = 0
    refused: int = 0
    other_lists: set[str] = field(default_factory=set)
    keys_past_cap: set[tuple[str, str]] = field(default_factory=set)
    keys_renamed: set[tuple[str, str]] = field(default_factory=set)
    keys_put_aside: set[str | None] = field(default_factory=set)
    is_filtered: bool = False
    read_at: datetime | None = None
    absences: Absences | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ScrollCounts:
    """What scrolls that were read to their end have shown of the vendor's counts of them.

    Attributes:
        exact: One ended after just as many rows as were counted: the vendor counts what it hands out.
        inflated: One ended, on a page with rows that was not full, before the count: it counts more than that.
    """

    exact: bool = False
    inflated: bool = False


@dataclass(slots=True, kw_only=True)
class Session:
    """One run of one or more tables.

    Attributes:
        now: When the run started, aware; no window ends after it.
        observer: Hears of every request, page and wait.
        stop: Set to end the reading after the page at hand; what was read is kept and no cursor moves.
        counts: What its scrolls have shown of the vendor's counts.
        run: Its name, which journals bear.
        journals: Folder where each run of the pipeline keeps its pages; None to keep none.
        key: The key that all sources of the run use; None for each its own.
        about: What is noted of the run beside its pages: ``source``, ``to`` and ``dataset``.
        transport: Makes the transport of each client, for tests in one process; None for the network.
        keeps_vanished: Rows that left a list that is read whole stay in the table, with the moment that was noticed.
        empty: Tables that are known to hold no row yet, so that there is nothing to merge with.
        batch_bytes: Bytes of pages that are shaped together; a run takes some forty times that.
        on_keys: Hears of the keys and fingerprints of rows, before the rows are loaded: a ``pyarrow.Table`` with the
            table's primary key under the vendor's names, and ``columnar.ROW_HASH``.
        readings: What was read, by table.
        kept: The journal that is read in place of the vendor, which is asked for nothing then; None for the vendor.
    """

    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    observer: Observer = SILENT
    stop: threading.Event = field(default_factory=threading.Event)
    counts: ScrollCounts = field(default_factory=ScrollCounts)
    run: str = field(default_factory=new_run_id)
    journals: Path | None = None
    key: KeyHolder | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    transport: Callable[[], httpx2.AsyncBaseTransport] | None = None
    keeps_vanished: bool = False
    empty: set[str] = field(default_factory=set)
    batch_bytes: int = 8_000_000
    on_keys: Callable[[Table, Any], None] = lambda _table, _keys: None
    readings: dict[str, Reading] = field(default_factory=dict)
    kept: KeptReading | None = None
    _journals: RunJournals | None = field(default=None, init=False)

    @property
    def own_journals(self) -> RunJournals | None:
        """The journals of this run; None where none are kept."""
        if self._journals is None and self.journals is not None:
            self._journals = RunJournals(self.journals, self.run, self.about)
        return self._journals

    def reading(self, table: str) -> Reading:
        """The reading of *table*, started when it is first asked for."""
        return self.readings.setdefault(table, Reading())


_CURRENT: ContextVar[Session | None] = ContextVar("feedloom_session", default=None)


def current_session() -> Session:
    """The session that sources made now belong to; a silent one of their own when no run is under way."""
    return _CURRENT.get() or Session()


@contextmanager
def active(session: Session) -> Iterator[Session]:
    """Sources made inside the ``with`` block belong to *session*."""
    token = _CURRENT.set(session)
    try:
        yield session
    finally:
        _CURRENT.reset(token)
