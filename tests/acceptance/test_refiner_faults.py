"""Whatever goes wrong at the API, a sync ends equal to it, or names one error and leaves nothing half true behind."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from feedloom.emulator import describe
from feedloom.errors import CredentialError, FeedloomError, RateLimitedError, RetryLaterError, VendorError
from feedloom.sync.failures import explain
from feedloom.vendors.refiner.emulator.quirks import QUIRKS
from support.compare_refiner import LISTS
from support.refiner_stage import COMMAND

if TYPE_CHECKING:
    from support.refiner_stage import Clock, Stage

    from .conftest import Play

TABLES = ("contacts", "responses", "segments")
THREE_PAGES = 2100

PASSING = (
    "slow=30",
    "429=4",
    "429-bare=6",
    "500=3",
    "503=3",
    "html=3",
    "truncated=3",
    "drop=3",
    "500=25@get_reporting",
    "too-large=200",
)
"""Faults that a sync gets over, since what failed succeeds when it is asked again."""

ENDING = {
    "key-refused=3": CredentialError,
    "429=always@list_segments": RateLimitedError,
    "500=always@list_responses": RetryLaterError,
    "drop=always@list_contacts": RetryLaterError,
    "html=always@list_responses": VendorError,
    "truncated=always@list_segments": VendorError,
    "empty-page=2@list_responses": VendorError,
    "empty-page=always@list_contacts": VendorError,
    "missing-list-key=2@list_responses": VendorError,
    "repeated-cursor=2@list_responses": VendorError,
}
"""Faults that a sync cannot get over, and what it calls them."""

ALTERNATIVES = {
    quirk.name: [value for value in quirk.choices or ("7", "50") if value != quirk.default] for quirk in QUIRKS
}
PAGING_QUIRKS = {"first_page_cursor": "absent", "page_and_cursor": "page", "end_cursor": "absent"}


@pytest.fixture
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedloom.http.retry.LONGEST_BACKOFF_S", 0.01)


def attempt(stage: Stage) -> FeedloomError | None:
    """Sync, and give the failure it ends with; what is no error of ours comes through."""
    try:
        return stage.sync(only=TABLES).failure
    except Exception as error:
        known = explain(error)
        if known is None:
            raise
        return known


def test_every_fault_of_the_emulator_has_its_case() -> None:
    tried = {spec.partition("=")[0] for spec in (*PASSING, *ENDING, "rows-added")}
    assert tried == {name for name, _ in describe("refiner").faults}


@pytest.mark.usefixtures("_short_waits")
@pytest.mark.parametrize("fault", PASSING)
def test_a_sync_gets_over_a_fault_that_passes(fault: str, play: Play) -> None:
    tables = ("forms", "reporting") if "reporting" in fault else (*TABLES, "form_history")
    stage = play(rows=6 if "reporting" in fault else 150, faults=[fault])
    report = stage.sync(only=tables)
    stage.emulator.faults.clear()
    assert report.failure is None
    assert report.findings == []
    assert stage.differences(tables) == []


@pytest.mark.usefixtures("_short_waits")
@pytest.mark.parametrize("fault", ENDING)
def test_a_fault_that_stays_ends_in_one_named_error_and_no_half_truth(fault: str, play: Play) -> None:
    stage = play(rows=THREE_PAGES if "=2" in fault else 60, faults=[fault])
    failure = attempt(stage)
    assert type(failure) is ENDING[fault]
    assert failure.hint
    assert stage.emulator.key not in str(failure) + failure.hint
    stage.emulator.faults.clear()
    there = stage.tables()
    assert stage.differences([table for table in TABLES if table in there]) == []
    assert attempt(stage) is None
    assert stage.differences(TABLES) == []


@pytest.mark.usefixtures("_short_waits")
def test_a_fault_in_a_later_sync_leaves_what_was_loaded_and_moves_no_cursor(play: Play, clock: Clock) -> None:
    stage = play(rows=60, now=clock)
    stage.sync(only=TABLES, now=clock())
    stage.emulator.control.random_writes(20, seed=1)
    clock.forward(days=3)
    stage.emulator.faults.add("truncated=always@list_responses")
    failed = stage.sync(only=TABLES, now=clock())
    assert type(failed.failure) is VendorError
    assert stage.differences(["contacts", "segments"]) == []
    stage.emulator.faults.clear()
    clock.forward(days=3)
    stage.sync(only=TABLES, now=clock())
    differences = [one for one in stage.differences(TABLES) if ": dismissed_at is " not in one]
    assert differences == []


@pytest.mark.parametrize(
    ("fault", "code", "kind"), [("key-refused=2", 4, "FL400"), ("missing-list-key=always@list_contacts", 1, "FL300")]
)
def test_the_command_fails_with_one_error_its_exit_code_and_no_traceback(
    fault: str, code: int, kind: str, play: Play
) -> None:
    stage = play(rows=6, faults=[fault])
    outcome = stage.command("--only", ",".join(TABLES))
    assert outcome.code == code
    error = outcome.document["error"]
    assert error["code"] == kind
    assert error["message"]
    assert error["help"]
    assert "Traceback" not in outcome.errors
    assert stage.emulator.key not in outcome.out + outcome.errors


def test_the_command_waits_out_a_rate_limit(play: Play) -> None:
    stage = play(rows=6, faults=["429=3"])
    outcome = stage.command("--only", ",".join(TABLES))
    stage.emulator.faults.clear()
    assert outcome.code == 0, outcome
    assert stage.differences(TABLES) == []


def test_rows_that_are_added_while_pages_are_read_come_with_the_next_sync(play: Play, clock: Clock) -> None:
    stage = play(rows=THREE_PAGES, faults=["rows-added"], now=clock)
    first = stage.sync(only=TABLES, now=clock())
    assert first.findings == []
    stage.emulator.faults.clear()
    clock.forward(hours=1)
    assert stage.sync(only=TABLES, now=clock()).failure is None
    assert stage.differences(TABLES) == []


@pytest.mark.parametrize("choice", [0, -1])
def test_any_behaviour_that_sources_disagree_on_gives_an_equal_database(choice: int, play: Play, clock: Clock) -> None:
    quirks = {name: values[choice] for name, values in ALTERNATIVES.items()}
    stage = play(rows=150, quirks=quirks, now=clock)
    stage.sync(only=LISTS, now=clock())
    assert stage.differences(LISTS) == []
    stage.emulator.control.random_writes(30, seed=3)
    clock.forward(hours=1)
    stage.sync(only=LISTS, now=clock())
    unseen = (": dismissed_at is ", "responses__tags")
    assert [one for one in stage.differences(LISTS) if not any(part in one for part in unseen)] == []


@pytest.mark.parametrize("quirk", PAGING_QUIRKS)
def test_every_way_of_paging_reads_all_pages_once(quirk: str, play: Play) -> None:
    stage = play(rows=THREE_PAGES, quirks={quirk: PAGING_QUIRKS[quirk]})
    stage.sync(only=["responses"])
    assert stage.differences(["responses"]) == []


@pytest.mark.parametrize("reported", ["partials", "completed"])
def test_reports_come_as_the_vendor_counts_them(reported: str, play: Play) -> None:
    stage = play(rows=6, quirks={"reported_responses": reported, "numbers": "number"})
    stage.sync(only=("forms", "reporting"))
    assert stage.differences(["forms", "reporting"]) == []


@pytest.mark.parametrize("status", ["404", "400"])
def test_an_unknown_key_ends_in_one_error(status: str, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = play(rows=6, quirks={"unknown_key_status": status, "error_key": "message"})
    monkeypatch.setattr(type(stage.emulator), "key", "emulator-key-that-nobody-knows")
    failure = attempt(stage)
    assert failure is not None
    assert "emulator-key-that" not in f"{failure}{failure.hint}"
    assert not stage.tables()


@pytest.mark.parametrize("after_requests", [2, 6])
def test_a_sync_that_is_killed_goes_on_and_ends_equal(after_requests: int, play: Play) -> None:
    stage = play(rows=THREE_PAGES)
    requests = stage.emulator.requests
    only = ("--only", ",".join(TABLES))
    with subprocess.Popen(  # noqa: S603 - the command under test
        [COMMAND, "sync", "refiner", *only],
        cwd=stage.folder,
        env=stage.settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        while requests.total < after_requests and running.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                running.wait(0.005)
        running.kill()
    outcome = stage.command(*only)
    assert outcome.code == 0, outcome
    assert stage.differences(TABLES) == []
