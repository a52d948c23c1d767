"""What a sync did, table by table: data for people and programs alike."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, TypeAlias

from feedloom.errors import FeedloomError
from feedloom.sources.quarantine import QUARANTINE_TABLE
from feedloom.sync.drift import SchemaChange
from feedloom.sync.questions import QuestionChange

Verdict = Literal["matches", "deleted at source", "more at source", "not checked", "withheld", "incomplete", "failed"]

Deletes: TypeAlias = Literal["soft", "hard"]
"""What becomes of rows that are gone at the source: ``soft`` marks them, ``hard`` removes them and their child rows."""

Outcome = Literal["complete", "withheld", "incomplete", "failed"]


@dataclass(slots=True, kw_only=True)
class TableReport:
    """One table after a sync.

    Attributes:
        table: Its name.
        rows: Rows it holds now; those that are gone at the source not counted.
        new: Rows it did not hold before.
        changed: Rows whose content changed.
        same: Rows that were read and had not changed.
        gone: Rows that were found to be gone at the source; marked as such, or removed where that is asked for.
        deletes: What became of them: ``soft`` for marked, ``hard`` for removed.
        returned: Rows that were marked as gone, and came back.
        withheld: Rows that are missing at the source, so many that it is not believed; they are as they were.
        repeated: Rows that came more than once in one reading, and were merged.
        read: Rows that the vendor sent, repeats included.
        requests: Requests sent for it, retries included.
        seconds: Time it took.
        source_rows: Rows that the vendor counts; None where it gives no count.
        rows_checked: Rows here that this count is about: those in the range that was loaded.
        verdict: How the two compare.
        late: New rows whose time lies before the end of the last run's window: seconds, rounded up to one of
            ``lateness.STEPS_S`` -> rows. None where nothing was loaded before, or the table has no window.
        quarantined: Rows read that could not be loaded without losing part of them, and were put aside.
        refused: Rows among them that were put aside because their table's contract does not take a field of theirs.
        short: How a list of it ended short of the vendor's count, so that its next sync reads the same range again.
        keys_past_cap: Keys that went to a JSON column because the table has enough columns.
        schema_changes: How its fields changed; none at the first load of a table.
        question_changes: How the questions of surveys in its rows changed.
        notes: What a person should know, one sentence each.
        error: Why it could not be brought up to date; None when it was. What it held before is untouched.
        history: The table gains a row a run by design, which counts as no news.
    """

    table: str
    rows: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0
    deletes: Deletes = "soft"
    returned: int = 0
    withheld: int = 0
    repeated: int = 0
    read: int = 0
    requests: int = 0
    seconds: float = 0.0
    source_rows: int | None = None
    rows_checked: int | None = None
    verdict: Verdict = "not checked"
    late: dict[int, int] | None = None
    quarantined: int = 0
    refused: int = 0
    short: str = ""
    keys_past_cap: int = 0
    schema_changes: list[SchemaChange] = field(default_factory=list)
    question_changes: list[QuestionChange] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error: FeedloomError | None = None
    history: bool = False

    @property
    def outcome(self) -> Outcome:
        """Whether everything that was planned came and is loaded."""
        match self.verdict:
            case "failed" | "incomplete" | "withheld":
                return self.verdict
            case _:
                return "complete"

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON; an error as its code and message."""
        error = None if self.error is None else {"code": self.error.code, "message": self.error.message}
        own = {item.name: getattr(self, item.name) for item in fields(self)}
        told = {name: [asdict(change) for change in own[name]] for name in ("schema_changes", "question_changes")}
        return {**own, **told, "error": error}


@dataclass(slots=True, kw_only=True)
class Report:
    """A whole sync.

    Attributes:
        run_id: Its name in the ledger.
        notes: What a person should know of the run as a whole, one sentence each.
        problems: What went wrong beside the tables, one sentence each; findings too.
        interrupted: It was stopped before its end, with what came so far kept.
        expected_requests, expected_rows: What ``feedloom plan`` had said before; None where it was not asked.
    """

    run_id: str = ""
    source: str
    destination: str
    dataset: str
    tables: list[TableReport] = field(default_factory=list)
    seconds: float = 0.0
    requests: int = 0
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    interrupted: bool = False
    expected_requests: int | None = None
    expected_rows: int | None = None

    @property
    def new(self) -> int:
        """New rows in all tables but the histories, which gain a row at every run."""
        return sum(table.new for table in self.tables if not table.history)

    @property
    def changed(self) -> int:
        """Changed rows in all tables."""
        return sum(table.changed for table in self.tables)

    @property
    def gone(self) -> int:
        """Rows found to be gone at the source, in all tables."""
        return sum(table.gone for table in self.tables)

    @property
    def failure(self) -> FeedloomError | None:
        """The first error of a table; None when all were brought up to date."""
        return next((table.error for table in self.tables if table.error is not None), None)

    @property
    def findings(self) -> list[str]:
        """What was not loaded, a sentence each: counts that differ, rows that were put aside, lists that lost much."""
        counts = [
            f"{table.table}: {table.rows_checked:,} rows here, {table.source_rows:,} at the source"
            for table in self.tables
            if table.verdict == "more at source"
        ]
        short = [
            f"{table.table}: {table.short}; the next run reads the same again" for table in self.tables if table.short
        ]
        put_aside = [
            f"{table.table}: {table.quarantined - table.refused:,} rows could not be loaded whole and are in "
            f"{QUARANTINE_TABLE}"
            for table in self.tables
            if table.quarantined > table.refused
        ]
        refused = [
            f"{table.table}: {table.refused:,} rows have new or re-typed fields; by its contract they are in "
            f"{QUARANTINE_TABLE}"
            for table in self.tables
            if table.refused
        ]
        withheld = [
            f"{table.table}: {table.withheld:,} of {table.rows:,} rows here were missing at the source, more than is "
            "believed, so they stay as they are; --allow-deletes takes them for deleted"
            for table in self.tables
            if table.withheld
        ]
        return counts + short + put_aside + refused + withheld + self.problems

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, with the sums."""
        own = {item.name: getattr(self, item.name) for item in fields(self)}
        tables = [table.as_dict() for table in self.tables]
        sums = {"new": self.new, "changed": self.changed, "gone": self.gone}
        return {**own, "tables": tables, **sums, "findings": self.findings}
