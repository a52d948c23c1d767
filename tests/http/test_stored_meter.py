# ruff: noqa: INP001  # a package here would hide the standard library's http, since tests/ is on the path
"""The count of a day-long limit outlives the process, and is shared by all that use the key."""

from __future__ import annotations

import atexit
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedloom.catalogue import Known, Limit, Source
from feedloom.http import Key
from feedloom.http.limits import limits_of
from feedloom.http.stored import FLUSH_COUNT, StoredMeter, state_folder
from feedloom.vendors import VENDORS

DAY_S = 86_400
MINUTE_S = 60
START_S = 1_767_225_630.0
SOURCE = Source(where=("made up",), checked="2026-01", known=Known.ASSUMED)
LIMIT = Limit(name="day", requests=5, seconds=DAY_S, per="key", source=SOURCE)

_budgets = count()


class Clock:
    """Seconds since 1970, which a test sets; they start half a minute into a minute."""

    def __init__(self) -> None:
        self.now_s = START_S

    def __call__(self) -> float:
        """Now."""
        return self.now_s


Meters = Callable[..., StoredMeter]


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for many budgets."""
    return tmp_path_factory.mktemp("meters")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def meter(tmp_path: Path, clock: Clock) -> Iterator[Meters]:
    """Makes meters of one budget, in one folder, by one clock."""
    made = []

    def make(limit: Limit = LIMIT, budget: str = "mine") -> StoredMeter:
        made.append(StoredMeter(limit, budget=budget, folder=tmp_path, wall_s=clock))
        return made[-1]

    yield make
    for one in made:
        atexit.unregister(one.write)


def spend(meter: StoredMeter, requests: int) -> None:
    for _ in range(requests):
        assert meter.wait_ms(0) == 0
        meter.count(0)


def test_there_is_room_until_the_limit_is_reached(meter: Meters) -> None:
    one = meter()
    spend(one, 5)
    assert one.wait_ms(0) > 0


def test_a_wait_lasts_until_the_whole_minute_of_the_oldest_request_is_a_day_old(meter: Meters, clock: Clock) -> None:
    one = meter()
    spend(one, 1)
    clock.now_s += 10 * MINUTE_S
    spend(one, 4)
    wait_ms = one.wait_ms(0)
    assert wait_ms == (DAY_S - 10 * MINUTE_S + 30) * 1000
    clock.now_s += wait_ms / 1000 - 0.001
    assert one.wait_ms(0) == 1
    clock.now_s += 0.001
    spend(one, 1)
    assert one.wait_ms(0) == 10 * MINUTE_S * 1000


def test_the_clock_of_the_process_does_not_count(meter: Meters) -> None:
    one = meter()
    spend(one, 5)
    assert one.wait_ms(0) == one.wait_ms(10**12)


@settings(deadline=None)
@given(steps=st.lists(st.integers(0, 9 * 3600), min_size=1, max_size=40), requests=st.integers(1, 6))
def test_no_window_of_the_limits_length_ever_holds_more_requests(
    shared_folder: Path, steps: list[int], requests: int
) -> None:
    clock = Clock()
    limit = replace(LIMIT, requests=requests)
    one = StoredMeter(limit, budget=f"law {next(_budgets)}", folder=shared_folder, wall_s=clock)
    atexit.unregister(one.write)
    sent: list[float] = []
    for step in steps:
        clock.now_s += step
        if (wait_ms := one.wait_ms(0)) == 0:
            one.count(0)
            sent.append(clock.now_s)
        else:
            assert sum(moment > clock.now_s - DAY_S - MINUTE_S for moment in sent) >= requests
            assert 0 < wait_ms <= (DAY_S + MINUTE_S) * 1000
    for last in sent:
        assert sum(last - DAY_S < moment <= last for moment in sent) <= requests


def test_a_count_is_found_by_the_next_meter_of_the_budget(meter: Meters, clock: Clock) -> None:
    first = meter()
    spend(first, 4)
    first.write()
    clock.now_s += 1
    second = meter()
    spend(second, 1)
    assert second.wait_ms(0) > 0


def test_meters_of_one_budget_hear_of_each_other_within_a_second(meter: Meters, clock: Clock) -> None:
    one, other = meter(), meter()
    spend(one, 2)
    spend(other, 2)
    clock.now_s += 1
    spend(one, 1)
    clock.now_s += 1
    other.count(0)
    assert one.wait_ms(0) == 0
    clock.now_s += 1
    one.count(0)
    assert (one.wait_ms(0) > 0, other.wait_ms(0) > 0) == (True, True)


def test_counts_are_written_after_so_many_requests_though_no_time_passes(meter: Meters) -> None:
    one = meter(replace(LIMIT, requests=10_000))
    spend(one, FLUSH_COUNT)
    second = meter(replace(LIMIT, requests=FLUSH_COUNT))
    assert second.wait_ms(0) > 0


def test_budgets_keep_apart(meter: Meters) -> None:
    spend(meter(budget="mine"), 5)
    assert meter(budget="yours").wait_ms(0) == 0


def test_what_has_left_the_window_leaves_the_file(meter: Meters, clock: Clock, tmp_path: Path) -> None:
    one = meter()
    spend(one, 3)
    one.write()
    clock.now_s += DAY_S + 2 * MINUTE_S
    one.write()
    with closing(sqlite3.connect(tmp_path / "limits.sqlite")) as database:
        assert database.execute("select count(*) from requests").fetchone() == (0,)
    assert one.wait_ms(0) == 0


SPENDING = """
import os, sys
from pathlib import Path
from feedloom.catalogue import Known, Limit, Source
from feedloom.http.stored import StoredMeter

source = Source(where=("made up",), checked="2026-01", known=Known.ASSUMED)
limit = Limit(name="day", requests=5, seconds=86_400, per="key", source=source)
meter = StoredMeter(limit, budget="mine", folder=Path(sys.argv[1]), wall_s=lambda: float(sys.argv[2]))
print("ready", flush=True)
for line in sys.stdin:
    if line.strip() == "die":
        os._exit(9)
    if line.strip() == "write":
        meter.write()
    elif meter.wait_ms(0) == 0:
        meter.count(0)
    print(meter.wait_ms(0), flush=True)
"""


class Spender:
    """Another process that spends the same budget, a request a line."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - the interpreter that runs these tests
            [sys.executable, "-c", SPENDING, str(folder), str(START_S)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read()

    def say(self, word: str) -> int:
        """Have it spend (or ``write``); returns the milliseconds that it would then have to wait."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return int(self._read())

    def end(self, word: str = "") -> None:
        """Have it end, by itself or by a sudden death."""
        self._process.communicate(word, timeout=20)

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def test_a_count_survives_the_end_of_its_process(meter: Meters, tmp_path: Path) -> None:
    spender = Spender(tmp_path)
    waits = [spender.say("spend") for _ in range(4)]
    spender.end()
    assert waits == [0] * 4
    one = meter()
    spend(one, 1)
    assert one.wait_ms(0) > 0


def test_a_sudden_death_forgets_only_what_was_not_yet_written(meter: Meters, tmp_path: Path) -> None:
    spender = Spender(tmp_path)
    spender.say("spend")
    spender.say("spend")
    spender.say("write")
    spender.say("spend")
    spender.end("die\n")
    spend(meter(), 3)


def test_two_processes_share_one_budget(tmp_path: Path) -> None:
    one, other = Spender(tmp_path), Spender(tmp_path)
    for _ in range(2):
        assert one.say("spend") == 0
        assert other.say("spend") == 0
    one.say("write")
    assert other.say("write") == 0
    assert other.say("spend") > 0
    other.say("write")
    assert one.say("write") > 0
    one.end()
    other.end()
    with closing(sqlite3.connect(tmp_path / "limits.sqlite")) as database:
        assert database.execute("select sum(count) from requests").fetchone() == (5,)


def test_the_file_holds_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEEDLOOM_STATE", str(tmp_path / "state"))
    vendor = VENDORS["aptrinsic"]
    key = "a-secret-key-of-this-test-only"
    endpoint = vendor.endpoint("list_users")
    limits = limits_of(vendor, Key(key, "the test"))
    assert limits.take(endpoint, {}) is None
    for _ in range(FLUSH_COUNT):
        if (wait := limits.take(endpoint, {})) is not None:
            assert wait[0].name == "per_second"
    content = b"".join(file.read_bytes() for file in (tmp_path / "state").iterdir())
    assert b"aptrinsic:" in content
    assert b"per_day" in content
    assert key.encode() not in content
    assert key[:12].encode() not in content


@pytest.mark.parametrize(
    ("settings", "folder"),
    [
        ({"FEEDLOOM_STATE": "{tmp}/a", "XDG_STATE_HOME": "{tmp}/b"}, "a"),
        ({"XDG_STATE_HOME": "{tmp}/b"}, "b/feedloom"),
        ({}, "home/.local/state/feedloom"),
    ],
)
def test_the_folder_is_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], folder: str
) -> None:
    for name in ("FEEDLOOM_STATE", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name, value in settings.items():
        monkeypatch.setenv(name, value.format(tmp=tmp_path))
    assert state_folder() == tmp_path / folder
    assert state_folder().is_dir()


def test_limits_work_where_no_file_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text(json.dumps("in the way"), encoding="utf-8")
    monkeypatch.setenv("FEEDLOOM_STATE", str(blocked))
    vendor = VENDORS["aptrinsic"]
    limits = limits_of(vendor, Key("another-key-of-this-test", "the test"))
    assert limits.take(vendor.endpoint("list_users"), {}) is None
