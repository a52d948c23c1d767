"""Whatever happens in whatever order, after a last sync the database holds what the API holds, and an audit agrees.

Things happen at the source, syncs run, are killed in the middle or meet faults, clocks move and positions are put back.
A kill is an error that ends a run at a boundary between two phases; `make chaos` does the same with SIGKILL.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, chdir, suppress
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from feedloom.audit.run import run_audit
from feedloom.config import Setting
from feedloom.errors import InputError
from feedloom.sync.failures import causes_of, explain
from feedloom.sync.history import past_runs, put_back, to_earlier
from feedloom.sync.jobs import Job, make_job
from feedloom.sync.lock import locked
from feedloom.sync.report import Report
from feedloom.vendors import VENDORS
from support import aptrinsic_stage, refiner_stage
from support.killing import PHASES, small_pages, strike_at

PAGE_ROWS = 20
SEEDS = st.integers(0, 10**6)
FAULTS = ("500=3", "drop=4", "truncated=always", "key-refused=4", "html=5", "429-bare=6")


class KilledError(Exception):
    """Stands for a kill at this very place."""


def kill() -> None:
    raise KilledError


class Syncs(RuleBasedStateMachine):
    """What both vendors have in common; a subclass has the stage of one."""

    vendor: ClassVar[str]
    tables: ClassVar[tuple[str, ...]]
    audits: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self._patch = self._stack.enter_context(pytest.MonkeyPatch.context())
        self._patch.setattr("feedloom.http.retry.LONGEST_BACKOFF_S", 0.01)
        small_pages(PAGE_ROWS, self._patch.setattr)
        self.stage: Any = None
        self.clock: Any = None

    def sync(self) -> None:
        """Sync, and raise the first error."""
        raise NotImplementedError

    def change(self, number: int, seed: int) -> None:
        """Let things happen at the source."""
        raise NotImplementedError

    def differences(self) -> list[str]:
        """What differs at the end and could be known to an incremental sync."""
        raise NotImplementedError

    @rule(number=st.integers(1, 12), seed=SEEDS)
    def things_happen(self, number: int, seed: int) -> None:
        """The source goes on."""
        self.change(number, seed)

    @rule()
    def a_sync(self) -> None:
        """All goes well."""
        self._pass_a_minute()
        self.sync()

    @rule(phase=st.sampled_from(sorted(PHASES)))
    def a_sync_that_is_killed(self, phase: str) -> None:
        """A run ends at a boundary between two phases."""
        self._pass_a_minute()
        with pytest.MonkeyPatch.context() as patch:
            strike_at(phase, kill, patch.setattr)
            self._despite(KilledError)

    @rule(fault=st.sampled_from(FAULTS))
    def a_sync_among_faults(self, fault: str) -> None:
        """The vendor misbehaves for a run."""
        self._pass_a_minute()
        self.stage.emulator.faults.add(fault)
        self._despite()
        self.stage.emulator.faults.clear()

    @rule(days=st.floats(0.01, 40))
    def the_clock_jumps(self, days: float) -> None:
        """Nobody syncs for a while."""
        self.clock.forward(days=days)

    @precondition(lambda self: self.stage.database.exists())
    @rule(back=st.integers(1, 3))
    def positions_are_put_back(self, back: int) -> None:
        """``feedloom state revert`` to an earlier run."""
        job = self.job()
        with chdir(self.stage.folder), locked(job.pipeline):
            job.pipeline.sync_destination()
            runs = past_runs(job.pipeline)
            if runs and not job.pipeline.has_pending_data:
                earlier = runs[min(back, len(runs) - 1)]
                put_back(job.pipeline, job.vendor, to_earlier(job.pipeline, job.vendor, earlier))

    def teardown(self) -> None:
        """The law: what was cut off ends with its own windows, one more sync brings the rest, and all is equal."""
        try:
            if self.stage is not None:
                for _ in range(2):
                    self._pass_a_minute()
                    self.sync()
                assert self.differences() == []
                if self.audits:
                    self._audit()
        finally:
            self._stack.close()

    def job(self, **more: Any) -> Job:
        """A job of the tables in the folder."""
        with chdir(self.stage.folder):
            key = Setting(self.stage.emulator.key, "the test")
            return make_job(VENDORS[self.vendor], only=",".join(self.tables), base_url=self.stage.url, key=key, **more)

    def _pass_a_minute(self) -> None:
        """Windows end at the second; what happened in the second of a sync comes with the next one."""
        self.clock.forward(minutes=1)

    def _despite(self, *errors: type[Exception]) -> None:
        """Sync, whatever feedloom raises on purpose, or *errors*."""
        try:
            self.sync()
        except Exception as error:
            if explain(error) is None and not any(isinstance(cause, errors) for cause in causes_of(error)):
                raise

    def _audit(self) -> None:
        with tempfile.TemporaryDirectory() as scratch, chdir(self.stage.folder):
            found = run_audit(self.job(scratch=Path(scratch)), sample=30, seed=1, now=self.clock())
        assert found.errors == []
        assert found.mismatches == []


class RefinerSyncs(Syncs):
    """Refiner: contacts leave a whole list, responses come and change in windows."""

    vendor = "refiner"
    tables: ClassVar[tuple[str, ...]] = ("contacts", "forms", "responses")

    @initialize(seed=st.integers(1, 50))
    def begin(self, seed: int) -> None:
        """A small environment."""
        self.clock = refiner_stage.Clock()
        playing = refiner_stage.playing(self._folder, rows=45, seed=seed, now=self.clock)
        self.stage = self._stack.enter_context(playing)

    def sync(self) -> None:
        """Sync, and raise the first error."""
        raise_first(self.stage.sync(only=self.tables, now=self.clock()))

    def change(self, number: int, seed: int) -> None:
        """Changes of all kinds, but nobody is deleted: an incremental sync reports that and keeps the rows."""
        self.stage.emulator.control.random_writes(number, seed)

    def differences(self) -> list[str]:
        """All but dismissals, which move no window: they come with what is read again for other reasons."""
        return [one for one in self.stage.differences(self.tables) if ": dismissed_at is " not in one]


class AptrinsicSyncs(Syncs):
    """Gainsight PX: people change and come back, events are noted within the look-back."""

    vendor = "aptrinsic"
    tables: ClassVar[tuple[str, ...]] = ("users", "accounts", "events_page_view")

    @initialize(seed=st.integers(1, 50))
    def begin(self, seed: int) -> None:
        """A small subscription."""
        self.stage = self._stack.enter_context(aptrinsic_stage.playing(self._folder, rows=25, seed=seed))
        self.clock = self.stage.clock

    def sync(self) -> None:
        """Sync, and raise the first error."""
        self.stage.sync(only=self.tables)

    def change(self, number: int, seed: int) -> None:
        """Visits of now, and of the hours before it."""
        late_ms = int(self.clock().timestamp() * 1000) - (seed % 5) * 3_600_000
        for step in range(number):
            self.stage.change(partial(visit, name=f"u-{(seed + step) % 25:06d}", at_ms=late_ms))

    def differences(self) -> list[str]:
        """All of them."""
        found: list[str] = self.stage.differences(self.tables)
        return found


def raise_first(report: Report) -> None:
    """Raise the error of the first table that failed, if one did."""
    if report.failure is not None:
        raise report.failure


def visit(control: Any, *, name: str, at_ms: int) -> None:
    """Let somebody come back now, if he is known, and have looked at a page at *at_ms*; for ``Stage.change``."""
    with suppress(InputError):
        control.touch_user(name)
    control.add_event("page_view", name, at_ms)


class ShortRefinerSyncs(RefinerSyncs):
    """Few tables and no audit, for every day."""

    tables = ("contacts", "responses")
    audits = False


LONG_HISTORIES = 20
SHORT = settings(
    max_examples=2,
    stateful_step_count=3,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
LONG = settings(SHORT, max_examples=LONG_HISTORIES, stateful_step_count=12, derandomize=False)


def test_short_histories_end_equal() -> None:
    run_state_machine_as_test(ShortRefinerSyncs, settings=SHORT)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("machine", [RefinerSyncs, AptrinsicSyncs])
def test_long_histories_end_equal(machine: type[Syncs]) -> None:
    run_state_machine_as_test(machine, settings=LONG)
