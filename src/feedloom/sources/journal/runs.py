"""The journals of a pipeline, run by run: where a reading is kept, found again, and forgotten.

A folder for each run, and in it ``run.json`` and a folder for each reading of a table, numbered in their order::

    20261122T010203-ab12/
        run.json
        001-contacts/
        002-responses/
"""

from __future__ import annotations

import secrets
import shutil
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from feedloom.sources.journal.notes import LoadNote, read_load_note, write_load_note
from feedloom.sources.journal.reading import Journal, Opening, read_opening

FRESH = timedelta(hours=1)
"""How long pages of lists without a window are gone on with: they show what was true when they came."""

_ABOUT = "run.json"
_ID_FORMAT = "%Y%m%dT%H%M%S"


def new_run_id(now: datetime | None = None) -> str:
    """A name for a run, such as ``20261122T010203-ab12``: its second in UTC, the 256th part of that, and two at random.

    Names sort by time, as long as two runs are four milliseconds apart.
    """
    now = (now or datetime.now(UTC)).astimezone(UTC)
    return f"{now.strftime(_ID_FORMAT)}-{now.microsecond * 256 // 1_000_000:02x}{secrets.token_hex(1)}"


@dataclass(frozen=True, slots=True)
class KeptReading:
    """The journal of one reading, closed.

    Attributes:
        folder: Its own.
        number: Its place among the readings of its run, from 1.
        table: What was read.
        note: What became of its pages.
    """

    folder: Path
    number: int
    table: str
    note: LoadNote

    @property
    def is_loaded(self) -> bool:
        """Everything was read, and is in the database."""
        return self.note.loaded_at is not None

    @property
    def size_bytes(self) -> int:
        """What it takes on disk."""
        return sum(file.stat().st_size for file in self.folder.iterdir())


@dataclass(frozen=True, slots=True)
class KeptRun:
    """What is kept of one run.

    Attributes:
        folder: Its own.
        about: What else was noted: ``source``, ``to`` and ``dataset``; empty for a run without note.
        readings: In their order.
    """

    folder: Path
    about: Mapping[str, str]
    readings: tuple[KeptReading, ...]

    @property
    def name(self) -> str:
        """The name of the run."""
        return self.folder.name

    @property
    def started_at(self) -> datetime:
        """When it began, as its name says, to the second."""
        return datetime.strptime(self.name.partition("-")[0], _ID_FORMAT).replace(tzinfo=UTC)

    @property
    def size_bytes(self) -> int:
        """What it takes on disk, but for its note."""
        return sum(reading.size_bytes for reading in self.readings)


class RunJournals:
    """The journals of one run, among those of earlier runs of the same pipeline.

    Args:
        folder: Where all runs of the pipeline keep theirs.
        run: The name of this run.
        about: What is noted of it: ``source``, ``to`` and ``dataset``.
    """

    def __init__(self, folder: Path, run: str, about: Mapping[str, str]) -> None:
        self._folder = folder
        self._run = run
        self._about = about
        self._lock = threading.Lock()
        self._current: dict[str, Path] = {}

    def open(self, opening: Opening, *, lasting: bool) -> Journal:
        """The journal to read a table into: what an earlier run left unfinished for the same purpose, or a new one.

        *lasting* says that pages stay usable however old they are, because their windows are bounded; else for an hour.
        """
        with self._lock:
            mine = self._folder / self._run
            left = self._left_over(opening, since=None if lasting else opening.at - FRESH)
            folder = self._place_for(mine, opening.table)
            if left is None:
                folder.mkdir(parents=True)
            elif left.parent != mine:
                mine.mkdir(exist_ok=True)
                left.rename(folder)
                _remove_if_empty(left.parent)
            else:
                folder = left
            if not (mine / _ABOUT).exists():
                (mine / _ABOUT).write_bytes(orjson.dumps(dict(self._about)))
            self._current[opening.table] = folder
        return Journal(folder, opening=opening, run=self._run)

    def loaded(self, table: str) -> None:
        """Note that what was last read of *table* is in the database, unless part of it is still to be read."""
        if (folder := self._current.get(table)) is not None:
            note_loaded(folder)

    def settle(self, load_ids: Collection[str], *, tables: Collection[str]) -> None:
        """Note that the readings of *tables* that earlier runs finished for these loads are in the database."""
        for run in kept_runs(self._folder):
            for reading in run.readings:
                if reading.table in tables and reading.note.load_ids and reading.note.load_ids[-1] in load_ids:
                    note_loaded(reading.folder)

    def _left_over(self, opening: Opening, *, since: datetime | None) -> Path | None:
        """The newest reading of the table that is not loaded, and can be gone on with."""
        for run in reversed(kept_runs(self._folder)):
            for reading in reversed(run.readings):
                if reading.table != opening.table or reading.is_loaded:
                    continue
                found = read_opening(reading.folder)
                if found is not None and found.purpose == opening.purpose and (since is None or found.at >= since):
                    return reading.folder
        return None

    def _place_for(self, mine: Path, table: str) -> Path:
        number = max((reading.number for reading in _readings(mine)), default=0) + 1
        return mine / f"{number:03d}-{table}"


def note_loaded(folder: Path) -> None:
    """Note that the reading in *folder* is in the database, unless part of it is still to be read."""
    note = read_load_note(folder)
    if note.pages is not None and note.loaded_at is None:
        write_load_note(folder, replace(note, loaded_at=datetime.now(UTC)))


def kept_runs(folder: Path) -> list[KeptRun]:
    """The runs kept in *folder*, oldest first; none where there is no such folder."""
    if not folder.is_dir():
        return []
    found = [one for one in sorted(folder.iterdir()) if one.is_dir() and _is_run(one.name)]
    return [KeptRun(one, _about(one), _readings(one)) for one in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How much is kept of runs that are loaded: the latest *days*, and at most *megabytes*; 0 of either keeps none."""

    days: int = 14
    megabytes: int = 2_000


def runs_to_forget(runs: list[KeptRun], retention: Retention, now: datetime) -> list[KeptRun]:
    """Those of *runs*, oldest first, that *retention* does not keep at *now*.

    A run is always kept while a reading of it is not loaded, unless there is a later one of the same table: it is what
    the next run goes on with.
    """
    later: set[str] = set()
    free: list[KeptRun] = []
    for run in reversed(runs):
        is_needed = False
        for reading in reversed(run.readings):
            is_needed |= not reading.is_loaded and reading.table not in later
            later.add(reading.table)
        if not is_needed:
            free.append(run)
    free.reverse()
    if retention.days == 0 or retention.megabytes == 0:
        return free
    over_bytes = sum(run.size_bytes for run in runs) - retention.megabytes * 1_000_000
    forgotten: list[KeptRun] = []
    for run in free:
        if run.started_at <= now - timedelta(days=retention.days) or over_bytes > 0:
            forgotten.append(run)
            over_bytes -= run.size_bytes
    return forgotten


def forget(run: KeptRun) -> None:
    """Remove what is kept of *run*; what is half removed is no run any more."""
    gone = run.folder.with_name(f".{run.folder.name}")
    run.folder.rename(gone)
    shutil.rmtree(gone)


def unloaded(folder: Path, table: str) -> list[KeptReading]:
    """The readings of *table* in *folder*'s runs that are not in the database, oldest first."""
    readings = [reading for run in kept_runs(folder) for reading in run.readings]
    return [reading for reading in readings if reading.table == table and not reading.is_loaded]


def forget_reading(reading: KeptReading) -> None:
    """Remove what is kept of one reading, and its run with the last one."""
    shutil.rmtree(reading.folder)
    _remove_if_empty(reading.folder.parent)


def _readings(folder: Path) -> tuple[KeptReading, ...]:
    if not folder.is_dir():
        return ()
    found = []
    for one in sorted(folder.iterdir()):
        number, _, table = one.name.partition("-")
        if one.is_dir() and number.isdecimal() and table:
            found.append(KeptReading(one, int(number), table, read_load_note(one)))
    return tuple(sorted(found, key=lambda reading: reading.number))


def _is_run(name: str) -> bool:
    try:
        datetime.strptime(name.partition("-")[0], _ID_FORMAT)  # noqa: DTZ007 - only its form is looked at
    except ValueError:
        return False
    return "-" in name


def _about(folder: Path) -> Mapping[str, str]:
    try:
        about: Mapping[str, str] = orjson.loads((folder / _ABOUT).read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return {}
    return about


def _remove_if_empty(run: Path) -> None:
    """Remove the folder of a run whose readings have all gone over to a later one."""
    if not _readings(run):
        shutil.rmtree(run)
