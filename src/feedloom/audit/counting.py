"""Counts rows here and there, part by part, and lists the keys of the parts that differ to tell why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import sqlglot
from dlt.dataset import Dataset
from sqlglot import expressions as sql

from feedloom.audit.asking import MOST_ROWS, all_of
from feedloom.audit.checks import Check, Request, Verdict, request_of
from feedloom.audit.judging import Found, Rows, judge_gone, judge_rows, judge_unseen
from feedloom.audit.pieces import Piece, cut
from feedloom.audit.stored import sql_text
from feedloom.audit.subject import Subject
from feedloom.catalogue import NoPaging, Parts, Pass, Window
from feedloom.feedback import read_rows
from feedloom.feedback.queries import moment, table
from feedloom.http import Row
from feedloom.http.answer import dig
from feedloom.sources.planning import pieces, plan_windows
from feedloom.sync.counts import has_total
from feedloom.sync.queries import at, column, count, live, relation

MOST_LOOKED_UP = 200
"""Of the rows that left the vendor's list, so many are looked up; the others are judged by them."""

_AHEAD = timedelta(days=1)
"""Newer rows are asked for beyond this moment too: clocks differ, and rows come while an audit runs."""

_DAY_S = 86_400
_ROWS = "rows"
_NEWER = "newer rows"


@dataclass(slots=True)
class Evidence:
    """What the counts of a table brought to light, for checks that rest on the same rows.

    Attributes:
        deleted: Keys of rows that are here and deleted at the source.
        moved: Column of a pass -> keys of rows that are here and whose moment in it lies later at the vendor now.
        unseen: Rows inside the loaded range that came late and are not here, by the value of the part.
        newer: Keys of rows beyond the loaded range, by the value of the part.
    """

    deleted: set[str] = field(default_factory=set)
    moved: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    unseen: Counter[str] = field(default_factory=Counter)
    newer: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Some rows of a table, as both sides are asked for them.

    Attributes:
        name, subject: Of the check.
        params: What asks the vendor.
        conditions: What asks the database.
        here: How many rows are here.
        step: The pass by whose column they are chosen; None for a whole list.
    """

    name: str
    subject: str
    params: Mapping[str, Any]
    conditions: Sequence[sql.Expression | sql.Condition]
    here: int
    step: Pass | None = None


async def count_checks(subject: Subject, dataset: Dataset, evidence: Evidence) -> list[Check]:
    """The counts of a table, whole and in parts; what they bring to light goes to *evidence*."""
    counter = _Counting(subject, dataset, evidence)
    if subject.window is None:
        return [await counter.check(counter.whole())]
    loaded = subject.loaded
    if loaded.through is None:
        why = "it was not loaded by whole windows; a plain `feedloom sync` does"
        return [Check(table=subject.table.name, name=_ROWS, verdict="not checked", why=why)]
    span = (loaded.since, loaded.through)
    parts = [*counter.parts(span), *counter.later_passes(span)]
    newer = await newer_checks(subject, dataset, evidence)
    return [*newer, *await all_of(counter.check(part) for part in parts)]


async def newer_checks(subject: Subject, dataset: Dataset, evidence: Evidence) -> list[Check]:
    """The rows that came after the loaded range, which the next sync reads; none where there are none.

    They go to *evidence*; asked for again, so do those that came meanwhile.
    """
    through = subject.loaded.through
    if through is None or subject.window is None:
        return []
    return await _Counting(subject, dataset, evidence).newer(through)


class _Counting:
    """Counts the rows of one table."""

    def __init__(self, subject: Subject, dataset: Dataset, evidence: Evidence) -> None:
        self._subject = subject
        self._dataset = dataset
        self._evidence = evidence
        self._late_from = subject.late_from

    def whole(self) -> _Part:
        """The table as one part."""
        table_name = self._subject.table.name
        there_still = live(self._subject.pipeline, table_name)
        here = count(self._subject.pipeline, table_name, *there_still)
        return _Part(name=_ROWS, subject="", params=self._subject.table.params, conditions=there_still, here=here)

    def parts(self, span: tuple[datetime | None, datetime]) -> list[_Part]:
        """The rows of *span*: by the days or months that hold some, then as a whole."""
        cut_by = self._subject.table.parts
        step = self._window.passes[0]
        if cut_by is None:
            return self._plain_parts(span, step)
        values, labels = self._values(cut_by), self._labels(cut_by)
        days = self._rows_by_day(span, step, cut_by)
        found = []
        for value in values:
            for piece in cut(span, days.get(value, {}), period=cut_by.period):
                label = ", ".join(text for text in (labels.get(value, value), _name(piece, cut_by)) if text)
                found.append(self._part(step, piece, label, value))
        return [*found, *self._plain_parts(span, step)]

    def later_passes(self, span: tuple[datetime | None, datetime]) -> list[_Part]:
        """The rows of *span* by the columns of the other passes, which see what the first can't."""
        return [part for step in self._window.passes[1:] for part in self._plain_parts(span, step)]

    async def newer(self, through: datetime) -> list[Check]:
        """The rows from *through* on, by each pass."""
        subject = self._subject
        end = subject.now + _AHEAD
        found = []
        for step in self._window.passes:
            for span in pieces(through, end, self._window.longest):
                for params in self._reads(step, span):
                    if there := await subject.asker.total(subject.endpoint, params):
                        self._note_newer(step, await subject.asker.rows(subject.endpoint, params) or [])
                        found.append(self._newer_check(step, params, through, there))
        return found

    def _newer_check(self, step: Pass, params: Mapping[str, Any], through: datetime, there: int) -> Check:
        return Check(
            table=self._subject.table.name,
            name=_NEWER,
            subject=f"by {step.column}",
            here=0,
            there=there,
            verdict="late data",
            why=f"came after the last sync, which read up to {through:%Y-%m-%d %H:%M} UTC",
            request=request_of(self._subject.endpoint, params, page_size=1),
        )

    async def check(self, part: _Part) -> Check:
        """One part, counted there; where the counts differ, its keys are compared too."""
        subject = self._subject
        endpoint = subject.endpoint
        request: Request = request_of(endpoint, part.params, page_size=1)
        if isinstance(endpoint.paging, NoPaging) or not endpoint.paging.total:
            there: int | None = len(await subject.whole()) if subject.is_whole_list else None
            request = request_of(endpoint, part.params)
        else:
            there = await subject.asker.total(endpoint, part.params)
        verdict: Verdict = "matches"
        why = ""
        if there != part.here:
            verdict, why = await self._explained(part, there)
        return Check(
            table=subject.table.name,
            name=part.name,
            subject=part.subject,
            here=part.here,
            there=there,
            verdict=verdict,
            why=why,
            query=lambda: self._query(part),
            request=request,
        )

    async def _explained(self, part: _Part, there: int | None) -> tuple[Verdict, str]:
        """The verdict on a part whose counts differ, by its keys."""
        subject = self._subject
        if there is None:
            return "not checked", "the vendor gives no count"
        rows = await subject.asker.rows(subject.endpoint, part.params)
        if rows is None:
            return "mismatch", f"more than {MOST_ROWS:,} rows, too many to be compared one by one"
        listed = {subject.key(row): row for row in rows}
        held = subject.stored.keys(part.conditions)
        unseen = {key: subject.moment(row, part.step) for key, row in listed.items() if key not in held}
        gone = await self._looked_up({key: values for key, values in held.items() if key not in listed}, part)
        for key, when in unseen.items():
            if judge_unseen(when, self._late_from) == "late data":
                self._evidence.unseen[self._value_of(listed[key])] += 1
        verdict, why = judge_rows(Rows(unseen=unseen, gone=gone, counted=there, listed=len(listed)), self._late_from)
        return verdict, f"{why}; {self._remedy}" if verdict == "mismatch" else why

    @property
    def _remedy(self) -> str:
        """What brings rows that are missing here."""
        if self._subject.window is None:
            return "the next sync reads the whole list" if self._subject.is_whole_list else "`--full` reads all again"
        if has_total(self._subject.vendor, self._subject.table):
            return "the next sync reads again what differs"
        return "`--start` reads the range again"

    async def _looked_up(self, gone: Mapping[str, tuple[Any, ...]], part: _Part) -> dict[str, Found | None]:
        """What became of rows that are here and not in the vendor's list; None for those past the cap."""
        subject = self._subject
        is_whole = part.step is None
        keys = list(gone)[:MOST_LOOKED_UP]
        trees = {} if is_whole else subject.stored.trees([gone[key] for key in keys])

        async def find(key: str) -> Found:
            if is_whole:
                return Found(is_there=False)  # the whole list was read, and it is not in it
            row, request = await subject.look_up(key, trees[key])
            if row is None:
                return Found(is_there=request is None)  # a row that can't be asked for is not taken for deleted
            return Found(is_there=True, newest=subject.newest(row))

        looked_up = dict(zip(keys, await all_of(find(key) for key in keys), strict=True))
        for key, found in looked_up.items():
            verdict = judge_gone(found, self._late_from)
            if verdict == "deleted at source":
                self._evidence.deleted.add(key)
            elif verdict == "late data":
                self._evidence.moved[part.step.column if part.step is not None else ""].add(key)
        return {key: looked_up.get(key) for key in gone}

    @property
    def _window(self) -> Window:
        window = self._subject.window
        if window is None:
            raise ValueError(f"table {self._subject.table.name} is one whole")
        return window

    def _plain_parts(self, span: tuple[datetime | None, datetime], step: Pass) -> list[_Part]:
        """*span* in as few parts as the vendor takes."""
        since, through = span
        found = []
        for start, end in pieces(since, through, self._window.longest):
            here = count(self._subject.pipeline, self._subject.table.name, *self._conditions(step, (start, end)))
            name = f"up to {end:%Y-%m-%d}" if start is None else f"{start:%Y-%m-%d} to {end:%Y-%m-%d}"
            found.append(self._part(step, Piece(start=start, end=end, here=here), f"{name}, by {step.column}"))
        return found

    def _part(self, step: Pass, piece: Piece, label: str, value: str = "") -> _Part:
        cut_by = self._subject.table.parts
        [params] = self._reads(step, (piece.start, piece.end))
        if value and cut_by is not None:
            params = {**params, cut_by.param: value}
        conditions = self._conditions(step, (piece.start, piece.end), value)
        return _Part(name=_ROWS, subject=label, params=params, conditions=conditions, here=piece.here, step=step)

    def _reads(self, step: Pass, span: tuple[datetime | None, datetime]) -> list[dict[str, Any]]:
        """The parameters that ask the vendor for *span* by *step*; none for an empty span."""
        window = replace(self._window, passes=(replace(step, first=True),), longest=None, parts=1)
        reads = plan_windows(window, self._subject.endpoint, span, self._subject.table.params, first=True)
        return [dict(read.params) for read in reads]

    def _conditions(
        self, step: Pass, span: tuple[datetime | None, datetime], value: str = ""
    ) -> list[sql.Expression | sql.Condition]:
        cut_by = self._subject.table.parts
        since, through = span
        when = sql.column(self._subject.column(step.column), quoted=True)
        found: list[sql.Expression | sql.Condition] = [when < at(through)]
        found += live(self._subject.pipeline, self._subject.table.name)
        if since is not None:
            found.append(when >= at(since))
        if value and cut_by is not None:
            found.append(sql.column(self._subject.column(cut_by.column), quoted=True).eq(value))
        return found

    def _rows_by_day(
        self, span: tuple[datetime | None, datetime], step: Pass, cut_by: Parts
    ) -> dict[str, dict[int, int]]:
        """Rows here by value of the part and by day since 1970."""
        names = {"moment": self._subject.column(step.column)}
        if cut_by.column:
            names["value"] = self._subject.column(cut_by.column)
        rows = table(self._dataset, self._subject.table.name, *names.values()).rename(names)
        since, through = span
        rows = rows.filter(rows.moment < moment(through))
        if since is not None:
            rows = rows.filter(rows.moment >= moment(since))
        day = (rows.moment.epoch_seconds() / _DAY_S).floor().cast("int64")
        grouped = rows.group_by(*([rows.value] if cut_by.column else []), day=day).aggregate(number=rows.count())
        found: defaultdict[str, dict[int, int]] = defaultdict(dict)
        for row in read_rows(self._dataset, grouped):
            found[row.get("value") or ""][row["day"]] = row["number"]
        return found

    def _values(self, cut_by: Parts) -> list[str]:
        """The values by which the table is parted: those of its rows and of the table that they come from."""
        if not cut_by.column:
            return [""]
        pipeline = self._subject.pipeline
        places = [(self._subject.table.name, cut_by.column)]
        places += [
            (copy.table, copy.key)
            for copy in self._subject.table.embedded
            if f"{copy.path}.{copy.key}" == cut_by.column and copy.table in self._dataset.tables
        ]
        found = {
            value
            for name, path in places
            for row in read_rows(self._dataset, table(self._dataset, name, column(pipeline, path).name).distinct())
            for value in row.values()
        }
        return sorted(value for value in found if value)

    def _labels(self, cut_by: Parts) -> dict[str, str]:
        """What people call the values."""
        copy = next((one for one in self._subject.table.embedded if f"{one.path}.{one.key}" == cut_by.column), None)
        if copy is None:
            return {}
        value, label = self._subject.column(cut_by.column), self._subject.column(f"{copy.path}.{copy.fields[0]}")
        rows = read_rows(self._dataset, table(self._dataset, self._subject.table.name, value, label).distinct())
        return {row[value]: row[label] for row in rows if row[value] and row[label]}

    def _note_newer(self, step: Pass, rows: Sequence[Row]) -> None:
        held = self._subject.stored.keys([])
        for row in rows:
            key = self._subject.key(row)
            self._evidence.newer[self._value_of(row)].add(key)
            if key in held:
                self._evidence.moved[step.column].add(key)

    def _value_of(self, row: Row) -> str:
        cut_by = self._subject.table.parts
        return str(dig(row, cut_by.column)) if cut_by is not None and cut_by.column else ""

    def _query(self, part: _Part) -> str:
        pipeline = self._subject.pipeline
        query = sqlglot.select(sql.Count(this=sql.Star())).from_(relation(pipeline, self._subject.table.name))
        return sql_text(pipeline, query.where(*part.conditions) if part.conditions else query)


def _name(piece: Piece, cut_by: Parts) -> str:
    return f"{piece.start:%Y-%m-%d}" if cut_by.period == "day" else f"{piece.start:%Y-%m}"
