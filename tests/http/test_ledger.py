# ruff: noqa: INP001  # a package here would hide the standard library's http, since tests/ is on the path
"""All processes of a machine keep one vendor's limits together, whatever becomes of one of them or of the file."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from feedloom.emulator import create_emulator, serve
from feedloom.http import Key
from feedloom.http import ledger as ledger_module
from feedloom.http.ledger import Budget, Held, Ledger, Ticket, shared_ledger, state_path
from feedloom.http.limits import Wait, limits_of
from feedloom.vendors import VENDORS

NOW_MS = 1_767_225_600_000
FILE = "budgets.sqlite"
BUDGET = Budget(owner="acme", limit="calls", requests=2, window_ms=60_000)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of everything in the test, which nobody has made yet."""
    monkeypatch.setenv("FEEDLOOM_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Hears of warnings."""
    with caplog.at_level(logging.WARNING, logger="feedloom"):
        yield caplog


def takes(ledger: Ledger, now_ms: int = NOW_MS) -> bool:
    return isinstance(ledger.take([BUDGET], now_ms), Ticket)


def test_two_ledgers_of_a_folder_count_as_one_and_two_folders_apart(tmp_path: Path) -> None:
    one, other, apart = Ledger(tmp_path), Ledger(tmp_path), Ledger()
    assert takes(one)
    assert takes(other)
    assert not takes(one)
    assert not takes(other)
    assert takes(apart)
    assert one.salt == other.salt != apart.salt


def test_one_who_looked_at_the_clock_before_waiting_for_the_file_forgets_nothing_of_the_others(tmp_path: Path) -> None:
    one, other = Ledger(tmp_path), Ledger(tmp_path)
    assert takes(one, NOW_MS + 5_000)
    assert takes(one, NOW_MS + 5_000)
    assert not takes(other, NOW_MS)
    one.pause(BUDGET, NOW_MS + 3_605_000, NOW_MS + 5_000)
    held = other.take([BUDGET], NOW_MS)
    assert isinstance(held, Held)
    assert held.is_pause


def test_counts_and_pauses_outlive_the_ledger(tmp_path: Path) -> None:
    first = Ledger(tmp_path)
    for _ in range(2):
        ticket = first.take([BUDGET], NOW_MS)
        assert isinstance(ticket, Ticket)
        first.settle(ticket, NOW_MS)
    first.close()
    second = Ledger(tmp_path)
    held = second.take([BUDGET], NOW_MS)
    assert isinstance(held, Held)
    assert 60_000 <= held.wait_ms <= 60_600
    assert takes(second, NOW_MS + held.wait_ms)
    second.pause(BUDGET, NOW_MS + 200_000, NOW_MS)
    second.close()
    assert Ledger(tmp_path).take([BUDGET], NOW_MS + 150_000) == Held(BUDGET, 50_000, is_pause=True)


def test_the_file_names_neither_the_key_nor_the_user(folder: Path) -> None:
    vendor = VENDORS["refiner"]
    key = "a-secret-key-of-this-test-only"
    limits = limits_of(vendor, Key(key, "the test"), host="api.test")
    assert isinstance(limits.take(vendor.endpoint("get_contact"), {"email": "anna@example.com"}), Ticket)
    content = b"".join(file.read_bytes() for file in folder.iterdir())
    assert b"refiner:" in content
    assert b":user" in content
    assert not any(secret in content for secret in (key.encode(), key[:12].encode(), b"anna", b"example"))


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"FEEDLOOM_STATE": "{tmp}/a", "XDG_STATE_HOME": "{tmp}/b"}, "a"),
        ({"XDG_STATE_HOME": "{tmp}/b"}, "b/feedloom"),
        ({}, "home/.local/state/feedloom"),
    ],
)
def test_the_folder_is_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], place: str
) -> None:
    for name in ("FEEDLOOM_STATE", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name, value in settings.items():
        monkeypatch.setenv(name, value.format(tmp=tmp_path))
    shared_ledger().close()
    assert state_path() == tmp_path / place
    assert (state_path() / FILE).exists()
    assert state_path().stat().st_mode & 0o077 == 0


# Where no file can be kept


def test_a_folder_that_cannot_be_leaves_each_process_its_own_limits_and_is_told_once(
    folder: Path, log: pytest.LogCaptureFixture
) -> None:
    folder.write_text("a file is in the way")
    vendor = VENDORS["aptrinsic"]
    for number in range(3):
        limits = limits_of(vendor, Key(f"key-{number}-of-this-test", "the test"), host="api.test")
        assert isinstance(limits.take(vendor.endpoint("list_users"), {}), Ticket)
    assert len(log.messages) == 1
    assert "set FEEDLOOM_STATE" in log.messages[0]


def test_a_file_that_is_no_database_leaves_each_process_its_own_limits(
    tmp_path: Path, log: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE).write_bytes(b"not a database, but long enough to look like something" * 50)
    ledger = Ledger(tmp_path)
    assert [takes(ledger) for _ in range(3)] == [True, True, False]
    assert ["for this process alone" in warning for warning in log.messages] == [True]


def test_a_file_that_stays_locked_is_given_up(
    tmp_path: Path, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "_BUSY_S", 0.05)
    ledger = Ledger(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("begin immediate")
        assert [takes(ledger) for _ in range(3)] == [True, True, False]
    assert len(log.messages) == 1


# Several processes

LOCKING = """
import sqlite3, sys, time
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("begin immediate")
database.execute("insert into requests values ('x:y', 1, 1)")
print("locked", flush=True)
time.sleep(60)
"""


def test_a_process_that_is_killed_while_it_writes_stops_no_other(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    ledger = Ledger(tmp_path)
    with subprocess.Popen(  # noqa: S603 - the interpreter that runs these tests
        [sys.executable, "-c", LOCKING, str(tmp_path / FILE)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        process.send_signal(signal.SIGKILL)
    assert takes(ledger)
    assert log.messages == []
    assert ledger.names() == {BUDGET.name}


CALLING = """
import asyncio, sys, time
from dataclasses import replace
from feedloom.http import Client, Key
from feedloom.vendors import VENDORS

url, key, requests, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
vendor = VENDORS["aptrinsic"]
vendor = replace(vendor, limits=(replace(vendor.limits[0], requests=requests), *vendor.limits[1:]))
endpoint = vendor.endpoint("list_users")

async def main():
    made = 0
    async with Client(vendor, Key(key, "the test"), base_url=url) as client:
        end_s = time.monotonic() + seconds
        async def work():
            nonlocal made
            while time.monotonic() < end_s:
                await client.call(endpoint, {"pageSize": 1})
                made += 1
        await asyncio.gather(*(work() for _ in range(4)))
    print(made)

asyncio.run(main())
"""


def calling(url: str, key: str, *, requests: int, seconds: float) -> subprocess.Popen[str]:
    """A process that calls as often as it may for so many seconds, and prints how often that was."""
    return subprocess.Popen(  # noqa: S603 - the interpreter that runs these tests
        [sys.executable, "-c", CALLING, url, key, str(requests), str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"FEEDLOOM_STATE": str(state_path())},
    )


def ended(process: subprocess.Popen[str], *, within_s: float) -> int | None:
    """The exit code of a process that ends *within_s*; None of one that goes on."""
    with suppress(subprocess.TimeoutExpired):
        return process.wait(within_s)
    return None


def made(process: subprocess.Popen[str]) -> int:
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return int(out)


@pytest.mark.usefixtures("folder")
def test_processes_that_call_as_fast_as_they_may_never_meet_the_vendors_limit() -> None:
    limit = 25
    emulator = create_emulator("aptrinsic", rows=20, quirks={"limit_per_second": str(limit)})
    with serve(emulator) as url:
        processes = [calling(url, emulator.key, requests=limit, seconds=3) for _ in range(3)]
        calls = [made(process) for process in processes]
    assert dict(emulator.requests.by_status) == {200: sum(calls)}
    assert sum(calls) >= 2 * limit


def test_what_one_process_was_told_to_wait_holds_back_the_others(folder: Path) -> None:
    emulator = create_emulator("aptrinsic", rows=20, faults=["429=2"], quirks={"limit_per_second": "0"})
    vendor = VENDORS["aptrinsic"]
    with serve(emulator) as url:
        limits = limits_of(vendor, Key(emulator.key, "the test"), host=url.split("/")[2])
        process = calling(url, emulator.key, requests=200, seconds=2)
        waits = set()
        while ended(process, within_s=0.02) is None:
            found = limits.take(vendor.endpoint("list_users"), {})
            if isinstance(found, Wait):
                waits.add((found.is_pause, 0 < found.seconds < 1.5))
            else:
                limits.settle(found)
        made(process)
    assert folder.exists()
    assert waits == {(True, True)}
    assert emulator.requests.by_status[429] > 0
