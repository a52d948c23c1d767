"""The journal of calls holds every call, no person, and shows whatever was done to it."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedloom.tools.call_journal import CallJournal, call_entry, redacted
from feedloom.tools.failures import ToolError
from tools.write_bench import WriteBench

QUIET = {"status": "verified", "attempts": 1, "healed": []}


def entry(number: int) -> dict[str, Any]:
    return call_entry(
        at=datetime.now(UTC),
        tool="refiner_get_contact",
        arguments={"id": f"u-{number}"},
        outcome="done",
        verification=QUIET,
        seconds=0.1,
        plan="",
        approval="",
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a journal is kept."""
    monkeypatch.setenv("FEEDLOOM_STATE", str(tmp_path / "state"))
    return tmp_path / ".feedloom"


def lines_of(folder: Path) -> tuple[Path, list[bytes]]:
    """The one file of a journal, and its lines."""
    [file] = (folder / "calls").iterdir()
    return file, file.read_bytes().splitlines(keepends=True)


TAMPERED: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "a value altered": lambda lines: [*lines[:4], lines[4].replace(b'"done"', b'"gone"'), *lines[5:]],
    "a line removed": lambda lines: lines[:4] + lines[5:],
    "the end cut off": lambda lines: lines[:-1],
    "all of it removed": lambda lines: lines[:0],
    "two lines swapped": lambda lines: [*lines[:4], lines[5], lines[4], *lines[6:]],
    "a line twice": lambda lines: [*lines[:5], lines[4], *lines[5:]],
    "a line torn": lambda lines: [*lines[:-1], lines[-1][:40]],
}


@pytest.mark.parametrize("change", TAMPERED)
@pytest.mark.parametrize("goes_on", [False, True])
def test_whatever_is_done_to_the_journal_shows_also_after_further_calls(
    folder: Path,
    change: str,
    goes_on: bool,  # noqa: FBT001 - a case
) -> None:
    journal = CallJournal(folder)
    for number in range(8):
        journal.append(entry(number))
    assert (journal.check().calls, journal.check().broken) == (8, "")
    file, lines = lines_of(folder)
    file.write_bytes(b"".join(TAMPERED[change](lines)))
    if goes_on:
        for writer in (journal, CallJournal(folder)):
            writer.append(entry(9))
    assert CallJournal(folder).check().broken


def test_a_process_that_dies_between_a_line_and_its_note_breaks_nothing(folder: Path) -> None:
    journal = CallJournal(folder)
    journal.append(entry(0))
    [anchor] = (folder.parent / "state").rglob("calls.head")
    noted = anchor.read_bytes()
    journal.append(entry(1))
    anchor.write_bytes(noted)
    assert CallJournal(folder).check().broken == ""
    CallJournal(folder).append(entry(2))
    assert [one["n"] for one in CallJournal(folder).entries()] == [1, 2, 3]
    assert CallJournal(folder).check().broken == ""


def write_many(folder: Path, count: int) -> None:
    journal = CallJournal(folder, file_bytes=8_000, most_files=100)
    for number in range(count):
        journal.append(entry(number))


def test_processes_that_write_at_once_make_one_chain_over_many_files(folder: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=write_many, args=(folder, 60)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    assert [one["n"] for one in CallJournal(folder).entries()] == list(range(1, 241))
    assert len(list((folder / "calls").iterdir())) > 5
    assert CallJournal(folder).check().broken == ""


def test_the_oldest_files_go_and_the_chain_holds_from_where_it_begins(folder: Path) -> None:
    journal = CallJournal(folder, file_bytes=1_000, most_files=3)
    for number in range(50):
        journal.append(entry(number))
    assert len(list((folder / "calls").iterdir())) == 3
    verdict = journal.check()
    assert (verdict.broken, verdict.first + verdict.calls) == ("", 51)
    assert verdict.first > 30


PERSONAL = ("id", "email", "search", "attributes", "account")


@given(name=st.sampled_from(PERSONAL), value=st.text(min_size=4), inner=st.booleans())
def test_no_value_that_names_a_person_is_kept(name: str, value: str, inner: bool) -> None:  # noqa: FBT001 - a case
    found = redacted({name: {"trait": value} if inner else value})
    kept = found[name]["trait"] if inner else found[name]
    assert kept.startswith("~")
    assert len(kept) == 13
    assert value not in kept


def test_every_call_is_kept_with_its_plan_approval_and_end(writing: WriteBench) -> None:
    email = writing.call("refiner_list_contacts", limit=1, fields=["remote_id"])["items"][0]
    done = writing.write("refiner_track_event", id="u-000001", event="x")
    for arguments in ({"id": "secret-person@example.com"}, {"nonsense\udc80": {"a": float("nan")}}):
        with pytest.raises(ToolError):
            writing.call("refiner_get_contact", arguments)
    with pytest.raises(ToolError):
        writing.call("no_such_tool")
    journal = writing.workspace().journal
    kept = [(one["tool"], one["approval"], one["outcome"]) for one in journal.entries()]
    assert email
    assert kept == [
        ("refiner_list_contacts", None, "done"),
        ("refiner_track_event", None, "APPROVAL_NEEDED"),
        ("refiner_track_event", "terminal", "sending"),
        ("change_apply", "terminal", "done"),
        ("refiner_get_contact", None, "NOT_FOUND"),
        ("refiner_get_contact", None, "INPUT"),
        ("no_such_tool", None, "UNKNOWN_TOOL"),
    ]
    assert {one["plan"] for one in journal.entries()} == {None, done["change_id"]}
    assert journal.check().broken == ""
    text = "".join(file.read_text(encoding="utf-8") for file in (writing.folder / ".feedloom/calls").iterdir())
    assert "u-000001" not in text
    assert "secret-person" not in text


def test_without_a_journal_nothing_is_written_and_what_reads_says_so(writing: WriteBench) -> None:
    name = writing.approved("refiner_track_event", id="u-000001", event="x")
    shutil.rmtree(writing.folder / ".feedloom/calls")
    (writing.folder / ".feedloom/calls").write_text("in the way", encoding="utf-8")
    assert writing.refusal("change_apply", plan_id=name).code == "WAREHOUSE"
    read = writing.call("refiner_get_contact", id="u-000001")
    assert read["verification"]["checks"][-1] == "this call could not be kept in the journal of calls"
