"""How late rows come is measured run by run, and a look-back is suggested where there is enough to say."""

from __future__ import annotations

from contextlib import chdir
from datetime import UTC, datetime, timedelta

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from cli.stage import BASE_URL, Here, Stage
from feedloom.config import Setting
from feedloom.sync.jobs import make_job
from feedloom.sync.lateness import STEPS_S, look_back_for
from feedloom.sync.report import TableReport
from feedloom.sync.run import run
from feedloom.vendors import VENDORS

HOUR = timedelta(hours=1)


def sync(stage: Stage, now: datetime) -> TableReport:
    key = Setting(stage.secrets[0], "the test")
    with chdir(stage.folder):
        job = make_job(VENDORS["refiner"], only="responses", base_url=stage.environment[BASE_URL], key=key)
        job.session.now = now
        [table] = run(job).tables
        return table


def test_rows_that_were_not_there_when_their_window_was_read_are_late(here: Here, stage: Stage) -> None:
    end = datetime(2026, 10, 20, tzinfo=UTC)
    assert sync(stage, end).late is None
    with duckdb.connect(str(stage.database)) as database:
        database.execute("set timezone = 'UTC'; use refiner_data")
        [(newest,)] = database.execute("select max(last_data_reception_at) from responses").fetchall()
        [(lost,)] = database.execute(
            "delete from responses where last_data_reception_at > ?", [newest - timedelta(minutes=30)]
        ).fetchall()
    assert lost > 0
    late_s = min(step for step in STEPS_S if step >= (end - newest).total_seconds())
    second = sync(stage, end + HOUR)
    assert second.late is not None
    assert sum(second.late.values()) == lost
    assert min(second.late) == late_s
    third = sync(stage, end + timedelta(days=10))
    assert (third.new > 0, third.late) == (True, {})

    [told] = here(stage, "lateness", "refiner", "--json").document["tables"]
    assert (told["runs"], told["new_rows"]) == (2, second.new + third.new)
    assert {int(step): rows for step, rows in told["late"].items()} == second.late
    assert (told["advice"], told["wanted_s"]) == ("too little history", None)
    assert "too little history" in here(stage, "lateness", "refiner").out


@given(st.dictionaries(st.sampled_from(STEPS_S), st.integers(1, 50)), st.integers(0, 100_000))
def test_a_suggested_look_back_is_the_least_that_sees_999_rows_of_1000(late: dict[int, int], in_time: int) -> None:
    new_rows = in_time + sum(late.values())

    def missed(look_back_s: int) -> int:
        return sum(rows for step, rows in late.items() if step > look_back_s)

    wanted_s = look_back_for(late, new_rows)
    assert missed(wanted_s) * 1000 <= new_rows
    assert all(missed(shorter) * 1000 > new_rows for shorter in (0, *STEPS_S) if shorter < wanted_s)
