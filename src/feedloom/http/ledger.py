"""Counts the requests of every budget, for all processes of this user on this machine, in a small SQLite database.

The file is ``budgets.sqlite`` in ``$FEEDLOOM_STATE``, else in ``$XDG_STATE_HOME/feedloom``, else in
``~/.local/state/feedloom``. It holds counts under names that its users choose, which are no secrets.

A budget is a number of requests in a sliding window. The vendor sees a request at some moment between its departure and
its answer, so a request counts from its departure until a whole window after its answer came: then no window of the
vendor's, wherever it begins, holds more than the budget. One whose answer never came, because its process died, counts
``HOLD_MS`` longer than the window. Requests are kept by the hundredth of the window in which they leave it.
"""

from __future__ import annotations

import logging
import os
import secrets
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOLD_MS: Final = 60_000
LONGEST_PAUSE_MS: Final = 3_600_000

_FILE: Final = "budgets.sqlite"
_SLICES: Final = 100
_BUSY_S: Final = 5.0
_OPENINGS: Final = 50
_OPENING_S: Final = 0.02
_PRUNE_MS: Final = 60_000
_SCHEMA: Final = """
create table if not exists requests (
    budget text not null, leaves_ms integer not null, count integer not null, primary key (budget, leaves_ms)
) without rowid;
create table if not exists pauses (budget text primary key, until_ms integer not null) without rowid;
create table if not exists salt (one integer primary key check (one = 1), value blob not null);
"""

_ADD: Final = "insert into requests values (?, ?, 1) on conflict do update set count = count + 1"
_TAKE_BACK: Final = "update requests set count = count - 1 where budget = ? and leaves_ms = ? and count > 0"
_PAUSE: Final = "insert into pauses values (?, ?) on conflict do update set until_ms = max(until_ms, excluded.until_ms)"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """At most ``requests`` in any ``window_ms`` milliseconds, by the *limit* of that name, for one *owner*."""

    owner: str
    limit: str
    requests: int
    window_ms: int

    @property
    def name(self) -> str:
        """What stands in the file."""
        return f"{self.owner}:{self.limit}"

    @property
    def slice_ms(self) -> int:
        """How long the requests are that leave the window together."""
        return max(1, self.window_ms // _SLICES)

    def leaves_ms(self, moment_ms: int) -> int:
        """When a request that the vendor saw at *moment_ms* at the latest counts no more: never early."""
        return -(-(moment_ms + 1) // self.slice_ms) * self.slice_ms + self.window_ms


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request on its way: the budgets it draws on, each with the moment at which it leaves that budget unanswered."""

    draws: tuple[tuple[Budget, int], ...]


@dataclass(frozen=True, slots=True)
class Held:
    """Why a request may not leave now: the budget in the way, and whether the vendor asked for a pause of it."""

    budget: Budget
    wait_ms: int
    is_pause: bool


class Ledger:
    """The counts of budgets, safe for every thread; each method is one transaction.

    Where the file cannot be read or written, counts are kept in the memory of this process from then on, and the log
    says so once.

    Args:
        folder: Where the file is; None keeps the counts in memory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._pruned_ms = 0
        self._close: Callable[[], object] = lambda: None
        try:
            self._use(":memory:" if folder is None else str(folder / _FILE))
        except sqlite3.Error as error:
            self._go_on_in_memory(error)
        self.salt = self._read_salt()

    def take(self, budgets: Sequence[Budget], now_ms: int) -> Ticket | Held:
        """Count a request that leaves at *now_ms* against all *budgets*, or against none, which one of them holds back.

        *now_ms* are milliseconds since 1970. Counts from the future, where the clock was set back, are forgotten.
        """
        with self._lock:
            try:
                return self._take(budgets, now_ms)
            except sqlite3.Error as error:
                self._go_on_in_memory(error)
                return self._take(budgets, now_ms)

    def settle(self, ticket: Ticket, now_ms: int) -> None:
        """The answer to the request came at *now_ms*, or it is sure that none will come."""
        moves = [
            (budget.name, held_ms, leaves_ms)
            for budget, held_ms in ticket.draws
            if (leaves_ms := budget.leaves_ms(now_ms)) < held_ms
        ]
        # What cannot be written counts for longer, which does no harm.
        with self._lock, suppress(sqlite3.Error), self._transaction() as database:
            for name, held_ms, leaves_ms in moves:
                row = (name, held_ms)
                if database.execute(_TAKE_BACK, row).rowcount:
                    database.execute(_ADD, (name, leaves_ms))
                    database.execute("delete from requests where budget = ? and leaves_ms = ? and count = 0", row)

    def pause(self, budget: Budget, until_ms: int, now_ms: int) -> None:
        """Let no request draw on *budget* before *until_ms*, an hour from *now_ms* at most."""
        until_ms = min(until_ms, now_ms + LONGEST_PAUSE_MS)
        # Where it cannot be written, the call that was refused still waits by itself.
        with self._lock, suppress(sqlite3.Error), self._transaction() as database:
            database.execute(_PAUSE, (budget.name, until_ms))

    def names(self) -> set[str]:
        """The budgets that have requests counted."""
        with self._lock:
            return {name for (name,) in self._database.execute("select distinct budget from requests")}

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._close()

    def _take(self, budgets: Sequence[Budget], now_ms: int) -> Ticket | Held:
        with self._transaction() as database:
            if abs(now_ms - self._pruned_ms) >= _PRUNE_MS:
                self._pruned_ms = now_ms
                _prune(database, now_ms)
            held = [held for budget in budgets if (held := _room(database, budget, now_ms)) is not None]
            if held:
                return max(held, key=lambda one: one.wait_ms)
            draws = tuple((budget, budget.leaves_ms(now_ms) + HOLD_MS) for budget in budgets)
            database.executemany(_ADD, [(budget.name, leaves_ms) for budget, leaves_ms in draws])
            return Ticket(draws)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Holds the file's write lock inside the ``with`` block, and takes back what failed in it."""
        self._database.execute("begin immediate")
        try:
            yield self._database
        except BaseException:
            self._database.execute("rollback")
            raise
        self._database.execute("commit")

    def _go_on_in_memory(self, error: sqlite3.Error) -> None:
        _say_unshared(error)
        self._close()
        self._use(":memory:")

    def _use(self, file: str) -> None:
        self._database = _opened(file)
        self._close = weakref.finalize(self, self._database.close)

    def _read_salt(self) -> bytes:
        with self._lock, self._transaction() as database:
            database.execute("insert or ignore into salt values (1, ?)", (secrets.token_bytes(32),))
            (salt,) = database.execute("select value from salt").fetchone()
            return bytes(salt)


def shared_ledger() -> Ledger:
    """The ledger that all processes of this user share; one in memory, with a word in the log, where none can be."""
    folder = state_path()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        _say_unshared(error)
        return Ledger()
    return Ledger(folder)


def state_path() -> Path:
    """The folder where counts are kept."""
    chosen = os.environ.get("FEEDLOOM_STATE")
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(chosen) if chosen else Path(home) / "feedloom"


def _say_unshared(error: Exception) -> None:
    _log.warning(
        "Limits are kept for this process alone, since the file of the shared ones, %s, cannot be used (%s). "
        "Remove it, or set FEEDLOOM_STATE to a folder that can be written to.",
        state_path() / _FILE,
        getattr(error, "strerror", None) or error,
    )


def _opened(file: str) -> sqlite3.Connection:
    """A connection for any thread; processes that make the file at the same time wait for one another."""
    for _ in range(_OPENINGS):
        database = sqlite3.connect(file, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            database.execute("pragma journal_mode = wal")
            database.execute("pragma synchronous = normal")
            database.executescript(_SCHEMA)
        except sqlite3.Error as error:
            database.close()
            if "locked" not in str(error):
                raise
            time.sleep(_OPENING_S)  # the change to write-ahead logging does not wait for others by itself
        else:
            return database
    raise sqlite3.OperationalError("it stays locked")


def _room(database: sqlite3.Connection, budget: Budget, now_ms: int) -> Held | None:
    """What holds a request back from *budget* at *now_ms*; None when there is room."""
    # Others may have written with a later time while this one waited for the file, so the future begins a hold later.
    latest_ms = budget.leaves_ms(now_ms) + 2 * HOLD_MS
    outside = "delete from requests where budget = ? and (leaves_ms <= ? or leaves_ms > ?)"
    database.execute(outside, (budget.name, now_ms, latest_ms))
    until = database.execute("select until_ms from pauses where budget = ?", (budget.name,)).fetchone()
    if until is not None and now_ms < until[0] <= now_ms + 2 * LONGEST_PAUSE_MS:
        return Held(budget, until[0] - now_ms, is_pause=True)
    counted = "select total(count), min(leaves_ms) from requests where budget = ?"
    count, first_ms = database.execute(counted, (budget.name,)).fetchone()
    if count < budget.requests:
        return None
    soonest_ms = min(first_ms, budget.leaves_ms(now_ms))  # a request on its way may be answered at any moment
    return Held(budget, soonest_ms - now_ms, is_pause=False)


def _prune(database: sqlite3.Connection, now_ms: int) -> None:
    """Forget what counts no more in budgets that nobody asks for, such as those of users."""
    database.execute("delete from requests where leaves_ms <= ?", (now_ms,))
    database.execute("delete from pauses where until_ms <= ? or until_ms > ?", (now_ms, now_ms + 2 * LONGEST_PAUSE_MS))
