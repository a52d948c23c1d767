"""Ctrl-C: once finishes the page at hand and keeps what came, twice stops at once; nothing is lost or half there."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import duckdb
import pytest

from cli.stage import Served, Stage
from feedloom.cli.failures import INTERRUPTED

COMPLETE = {"forms": 12, "responses": 3000}
CONTACTS = 600
SYNC = ("sync", "refiner", "--only", "forms,responses")
LONGEST_S = 60.0


@pytest.fixture(autouse=True)
def _signals_are_heard() -> Iterator[None]:
    """Let commands hear Ctrl-C even where this process was started in the background, which shells make deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def until(holds: Callable[[], bool]) -> None:
    """Wait until *holds*, for a minute at most."""
    end_s = time.monotonic() + LONGEST_S
    while not holds():
        assert time.monotonic() < end_s, "it did not happen within a minute"
        time.sleep(0.01)


def rows(stage: Stage) -> dict[str, int]:
    """The rows of each table that is there."""
    with duckdb.connect(str(stage.database), read_only=True) as connection:
        names = connection.execute("select table_name from duckdb_tables() where schema_name = 'refiner_data'")
        there = [name for (name,) in names.fetchall() if name in {*COMPLETE, "contacts"}]
        return {name: _count(connection, name) for name in there}


def children_of(process: int) -> str:
    """The ids of the processes that *process* started and that are still there."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True, check=False)  # noqa: S603, S607 - a fixed command
    return listed.stdout


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    found = connection.execute(f"select count(*) from refiner_data.{table}").fetchone()
    return int(found[0]) if found else 0


def test_one_signal_keeps_the_finished_pages_and_the_next_sync_completes(
    slow_stage: Stage, slow_refiner: Served
) -> None:
    asked = slow_refiner.emulator.requests.by_endpoint
    with slow_stage.started(*SYNC) as process:
        until(lambda: asked["list_responses"] >= 2)
        process.send_signal(signal.SIGINT)
        ended = slow_stage.ended(process)
        assert children_of(process.pid) == ""

    assert ended.code == INTERRUPTED
    assert "stopping after the page at hand" in ended.errors
    assert "the next run goes on from there" in ended.errors
    stopped_at = rows(slow_stage)
    assert stopped_at["forms"] == COMPLETE["forms"]
    assert 0 < stopped_at["responses"] < COMPLETE["responses"]

    again = slow_stage.run(*SYNC, "--json")
    assert again.code == 0, again.said
    assert again.document["new"] == COMPLETE["responses"] - stopped_at["responses"]
    assert rows(slow_stage) == COMPLETE


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_list_is_absent_and_not_half_there(number: int, slow_stage: Stage, slow_refiner: Served) -> None:
    asked = slow_refiner.emulator.requests.by_endpoint
    with slow_stage.started("sync", "refiner", "--only", "contacts", "--json") as process:
        until(lambda: asked["list_contacts"] >= 1)
        process.send_signal(number)
        ended = slow_stage.ended(process)

    assert ended.code == INTERRUPTED
    assert ended.document["interrupted"] is True
    assert rows(slow_stage).get("contacts", 0) in (0, CONTACTS)


def test_two_signals_stop_at_once_and_the_next_sync_completes(slow_stage: Stage, slow_refiner: Served) -> None:
    asked = slow_refiner.emulator.requests.by_endpoint
    with slow_stage.started(*SYNC) as process:
        until(lambda: asked["list_responses"] >= 2)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        while "stopping after" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        sent_s = time.monotonic()
        ended = slow_stage.ended(process)

    assert time.monotonic() - sent_s < 5
    assert ended.code == INTERRUPTED
    assert ended.out == ""
    assert "error[FL130]: stopped at once" in ended.errors
    assert slow_stage.run(*SYNC).code == 0
    assert rows(slow_stage) == COMPLETE


def test_one_signal_ends_the_wait_for_a_count(slow_stage: Stage, slow_refiner: Served) -> None:
    asked = slow_refiner.emulator.requests.by_endpoint
    before = asked["list_contacts"]
    with slow_stage.started("sync", "refiner", "--only", "contacts,responses", "--json") as process:
        until(lambda: asked["list_contacts"] > before)
        slow_refiner.emulator.faults.add("slow=60000@list_contacts")
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        sent_s = time.monotonic()
        ended = slow_stage.ended(process)
    slow_refiner.emulator.faults.clear()

    assert time.monotonic() - sent_s < 10
    assert ended.code == INTERRUPTED
    assert "stopping after the page at hand" in ended.errors
    [contacts] = ended.document["tables"]
    assert (contacts["rows"], contacts["verdict"]) == (CONTACTS, "not checked")
    assert "Stopped before its rows were counted; what came is loaded." in contacts["notes"]


def test_an_audit_is_stopped_by_one_signal(loaded: Stage, refiner: Served) -> None:
    with loaded.started("audit", "refiner", "--only", "contacts", "--json") as process:
        refiner.emulator.faults.add("slow=60000@list_contacts")
        time.sleep(4)
        process.send_signal(signal.SIGINT)
        sent_s = time.monotonic()
        ended = loaded.ended(process)
    refiner.emulator.faults.clear()

    assert time.monotonic() - sent_s < 10
    assert ended.code == INTERRUPTED
    assert ended.document["error"]["code"] == "FL130"


def test_a_query_is_stopped_by_one_signal(loaded: Stage) -> None:
    endless = "select count(*) from range(1000000000000) a, range(1000) b"
    with loaded.started("query", endless, "--json") as process:
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        ended = loaded.ended(process)

    assert ended.code == INTERRUPTED
    assert ended.document["error"]["code"] == "FL130"
