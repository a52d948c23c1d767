"""Brings one table up to date: what is new, what an incremental load cannot see, what is gone, and the counts.

A table's rows and its cursor are committed together. When the run is stopped, finished pages are kept, except of lists
that replace their table: half a list would be a lie.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from dlt.common.exceptions import DltException
from dlt.pipeline.exceptions import PipelineStepFailed

from feedloom.catalogue import Table
from feedloom.errors import (
    UNREACHABLE,
    ContractError,
    FeedloomError,
    RateLimitedError,
    RetryLaterError,
    VendorError,
)
from feedloom.sources.journal import KeptReading
from feedloom.sources.naming import NAMES_TABLE
from feedloom.sources.planning import Range
from feedloom.sources.shaping import StoppedError
from feedloom.sync import packages, repair, revisits
from feedloom.sync.carrying import can_keep, taken_for_gone
from feedloom.sync.changes import ChangeCounter, Changes, loses_too_much
from feedloom.sync.counts import Counts, compare_counts, loaded_range
from feedloom.sync.deletions import TooManyError, remove_marked, take_out
from feedloom.sync.drift import TableWatch
from feedloom.sync.failures import explain
from feedloom.sync.jobs import Job, Reread
from feedloom.sync.journals import forget_unloaded, note_loaded
from feedloom.sync.lateness import late_rows
from feedloom.sync.loading import load, normalize
from feedloom.sync.queries import column, count, count_live, held_open, note_columns
from feedloom.sync.replay import is_there, refuse_older
from feedloom.sync.report import Deletes, TableReport


class TableLoader:
    """Brings one table up to date."""

    def __init__(self, job: Job, table: Table, counter: ChangeCounter, watch: TableWatch) -> None:
        self._job = job
        self._table = table
        self._counter = counter
        self._watch = watch
        self._before = loaded_range(job.vendor, table, job.pipeline)
        deletes: Deletes = "soft" if job.session.keeps_vanished else "hard"
        self._result = TableReport(table=table.name, history=table.write == "append", deletes=deletes)
        self._held = ExitStack()

    def sync(self) -> TableReport:
        """Load what is new, read again what an incremental load cannot see, and compare counts."""
        with self._held:
            return self._sync()

    def _sync(self) -> TableReport:
        job, result = self._job, self._result
        started, requests = time.monotonic(), job.tally.requests
        job.tally.begin(self._table.name)
        try:
            if job.replayed is None:
                self._bring_up_to_date()
            else:
                self._replay(job.replayed[self._table.name])
        except Exception as error:
            result.error = _own_failure(error)
            if result.error is None:
                raise
            result.verdict = "failed"
            if isinstance(result.error, ContractError):  # what was read may be mended at the source
                forget_unloaded(job.session, self._table.name)
        reading = job.session.reading(self._table.name)
        result.notes.extend(reading.notes)
        if reading.keys_renamed:
            number = len(reading.keys_renamed)
            keys = "1 new key has" if number == 1 else f"{number:,} new keys have"
            result.notes.append(
                f"{keys} a column with a suffix, as others would share it: {NAMES_TABLE} holds the names."
            )
        if job.tally.new_key:
            result.notes.append(f"The key was refused, and another one stood in {job.tally.new_key}: it is used now.")
            job.tally.new_key = ""
        result.short = reading.short
        result.read = reading.rows
        result.keys_past_cap = len(reading.keys_past_cap)
        result.quarantined = reading.quarantined
        result.refused = reading.refused
        result.rows = count_live(job.pipeline, self._table.name)
        result.seconds = time.monotonic() - started
        result.requests = job.tally.requests - requests
        job.tally.end(self._table.name)
        return result

    def _bring_up_to_date(self) -> None:
        is_revisited = revisits.is_whole_due(self._job, self._table, self._before)
        self._load_once(Reread(whole=True) if is_revisited or self._is_out_of_date() else None)
        if is_revisited:
            self._end_whole_revisit()
        if self._result.withheld:
            self._result.verdict = "withheld"
        elif self._job.session.reading(self._table.name).complete:
            self._job.fresh.add(self._table.name)
            try:
                self._repair()
            except StoppedError:
                self._result.notes.append("Stopped before its rows were counted; what came is loaded.")
                return
            if self._job.deletes == "hard" and self._table.is_countable:
                remove_marked(self._job.pipeline, self._table)
        else:
            self._result.verdict = "incomplete"

    def _end_whole_revisit(self) -> None:
        """Tell that the whole table was read again; where too many rows were gone from it, load what is new instead."""
        result, policy = self._result, self._table.revisit
        if result.withheld:
            self._load_once()
        elif policy is not None and self._job.session.reading(self._table.name).complete:
            revisits.note_read(self._job, self._table)
            result.notes.append(f"Read whole, as every {policy.every.days} days, to see which rows are gone.")

    def _replay(self, readings: Sequence[KeptReading]) -> None:
        """Load what earlier runs read, one reading after the other."""
        refuse_older(self._job, self._table, readings)
        for kept in readings:
            if self._table.write == "append" and is_there(self._job.pipeline, self._table, kept):
                self._result.notes.append(f"What run {kept.folder.parent.name} added is there already.")
                continue
            self._job.session.kept = kept
            self._load_once()
            if self._job.session.stop.is_set():
                break

    def _is_out_of_date(self) -> bool:
        """Whether reports of all months have to be read again, because rows of long ago came to light."""
        return self._job.history_moved and self._table.slices is not None

    def _repair(self) -> None:
        job, table, result = self._job, self._table, self._result
        again = repair.stale_copies(job, table)
        if again is not None:
            before = result.changed
            self._load_once(again)
            if result.withheld:
                result.verdict = "withheld"
                return
            if result.changed > before:
                number = result.changed - before
                result.notes.append(f"{number:,} rows were read again, because their contact or form had changed.")
        self._revisit()
        counts = self._counts()
        differing = repair.differing_windows(job, table, counts) if counts is not None else None
        if differing is not None:
            self._read_windows(differing)
            job.history_moved = True
            counts = self._counts()
        if counts is not None:
            result.source_rows, result.rows_checked = counts.there, counts.here
        result.verdict, note = repair.verdict(counts, reread=differing is not None)
        if result.withheld:
            result.verdict = "withheld"
        elif note:
            result.notes.append(note)

    def _counts(self) -> Counts | None:
        job = self._job
        return compare_counts(
            job.vendor, self._table, job.pipeline, job.client(), fresh=job.fresh, stop=job.session.stop
        )

    def _revisit(self) -> None:
        """Read the last part of the table again, where that is due."""
        job, table, policy = self._job, self._table, self._table.revisit
        is_first = self._before.through is None
        window = None if is_first else revisits.due(job, table, loaded_range(job.vendor, table, job.pipeline))
        if window is not None and policy is not None and policy.back is not None:
            new, changed = self._result.new, self._result.changed
            self._read_windows(Reread(calls=revisits.calls(job, table, window), windows=[window]))
            self._result.notes.append(
                f"The last {policy.back.days} days were read again, as every {policy.every.days} days: "
                f"{self._result.new - new:,} rows were new, {self._result.changed - changed:,} had changed."
            )
        is_read = window is not None and job.session.reading(table.name).complete and not self._result.withheld
        if is_read or is_first or job.full:
            revisits.note_read(job, table)

    def _read_windows(self, again: Reread) -> None:
        """Read some windows again, and find which rows are gone from them; none are where the reading left doubts."""
        reading = self._job.session.reading(self._table.name)
        remarks = len(reading.notes)
        load_id = self._load_once(again)
        if not reading.complete or len(reading.notes) > remarks or not can_keep(self._job.pipeline.destination):
            return
        try:
            self._result.gone += take_out(self._job, self._table, again.windows, load_id=load_id)
        except TooManyError as too_many:
            self._result.withheld = too_many.rows

    def _load_once(self, again: Reread | None = None) -> str | None:
        """Extract what is planned, or what is to be read *again*, and load it; the id of the load, if rows came."""
        job, table, result = self._job, self._table, self._result
        self._counter.start()
        job.session.empty = {table.name} if count(job.pipeline, table.name) == 0 else set()
        self._held.close()  # while rows are fetched, others may have the file
        source: Any = job.source(table, again).with_resources(table.name)
        rows_before = job.session.reading(table.name).rows
        try:
            job.pipeline.extract(source)
        except (PipelineStepFailed, DltException) as error:
            if not _was_stopped(error):
                raise
            result.notes.append("Stopped before the end of the list; nothing of it was loaded.")
            return None
        self._held.enter_context(held_open(job.pipeline))
        normalize(job.pipeline, table.name)
        load_ids = job.pipeline.list_normalized_load_packages()
        reading = job.session.reading(table.name)
        filled = self._watch.count(load_ids)
        new_before = result.new
        replaces = source.resources[table.name].write_disposition == "replace"
        if table.primary_key:
            changes = self._compare(replaces=replaces)
            if job.replayed is None and not job.allow_deletes and loses_too_much(changes):
                self._withhold(changes)
                return None
            result.new += changes.new
            result.changed += changes.changed
            result.same += changes.same
            result.repeated += changes.repeated
            if changes.repeated and (table.window is None or len(table.window.passes) == 1):
                result.notes.append(f"{changes.repeated:,} rows came more than once, and were merged on their key.")
            result.gone += changes.gone
            result.returned += changes.returned
            if changes.unknown:
                result.notes.append(
                    f"Whether {changes.unknown:,} rows changed is not known: the other engine loaded them before."
                )
        else:
            result.new += reading.rows - rows_before
        load(job)
        note_columns(job.pipeline, table.name)
        is_whole = replaces and job.replayed is None
        goes_on = job.replayed is None and again is None and job.wanted == Range()
        result.schema_changes += self._watch.settle(
            filled if goes_on or is_whole else {},
            new=result.new - new_before,
            whole=is_whole,
            other_lists=reading.other_lists,
        )
        result.question_changes += self._watch.changed_questions()
        if load_ids and table.window is not None and self._before.through is not None:
            self._note_late_rows(load_ids[-1])
        note_loaded(job.session, table.name)
        if reading.complete:
            packages.forget_loaded(job.pipeline, table.name)
        return load_ids[-1] if load_ids else None

    def _compare(self, *, replaces: bool) -> Changes:
        """What the load at hand brings; of the rows that it did not bring, those that it tells to be gone."""
        absences = self._job.session.reading(self._table.name).absences
        whole = replaces and (absences is None or absences.tells)
        key = [column(self._job.pipeline, name).name for name in self._table.primary_key]
        if_gone = [] if absences is None else taken_for_gone(absences, key)
        return self._counter.compare(self._job.pipeline, self._table, whole=whole, if_gone=if_gone)

    def _note_late_rows(self, load_id: str) -> None:
        result, late = self._result, Counter(self._result.late)
        if result.new:
            found = late_rows(self._job.pipeline, self._table, self._counter, load_id=load_id, before=self._before)
            late.update(found)
        result.late = dict(late)

    def _withhold(self, changes: Changes) -> None:
        """Take back a whole list that would delete too much; the next run asks for the list again."""
        self._job.pipeline.abort_packages()
        forget_unloaded(self._job.session, self._table.name)
        self._result.withheld = changes.gone
        reading = self._job.session.reading(self._table.name)
        if reading.refused:
            self._result.notes.append(f"{reading.refused:,} rows that came have fields its contract does not take.")
        reading.quarantined = reading.refused = 0


def _own_failure(error: Exception) -> FeedloomError | None:
    """The failure that *error* is of one table alone; None when the others would fail of it too."""
    known = explain(error)
    if isinstance(known, VendorError) or (known is not None and known.code == packages.REFUSED):
        return known
    alone = isinstance(known, RetryLaterError) and not isinstance(known, RateLimitedError) and known.code != UNREACHABLE
    return known if alone else None


def _was_stopped(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, StoppedError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
