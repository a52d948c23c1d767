"""Pages are kept until they are loaded, whatever ends the run that fetched them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedloom.sources.journal import Journal
from feedloom.sources.planning import Read
from feedloom.vendors import VENDORS
from sources.fakes import NOW

RESPONSES = VENDORS["refiner"].endpoint("list_responses")
CONTACTS = VENDORS["refiner"].endpoint("list_contacts")
READS = [Read(params={"include": "all"}), Read(params={"include": "partials"}), Read(params={"form_uuids": ["ä", "b"]})]
PLAN = {"after": None, "since": None, "through": "2026-03-01T00:00:00+00:00"}
BODIES = [b'{"items": [1]}', b"", b"\x00\xff" * 700]


def opened(file: Path, *, purpose: Mapping[str, Any] | None = None, age_h: float = 0, lasting: bool = True) -> Journal:
    """The journal in *file*, as a run *age_h* hours after ``NOW`` finds it."""
    return Journal(file, purpose=purpose or {"why": "test"}, now=NOW + timedelta(hours=age_h), lasting=lasting)


def finished(journal: Journal) -> dict[int, list[bytes]]:
    """The pages of every finished list, by the number of its read."""
    return {
        number: list(journal.pages(RESPONSES, read))
        for number, read in enumerate(READS)
        if journal.is_finished(RESPONSES, read)
    }


def written(file: Path) -> None:
    """A file with a plan, one finished list of two pages, and one page of another that is finished too."""
    journal = opened(file)
    journal.keep_plan(PLAN)
    for read, bodies in ((READS[0], BODIES[:2]), (READS[1], BODIES[2:])):
        journal.begin(RESPONSES, read)
        for body in bodies:
            journal.add(RESPONSES, read, body, is_last=body == bodies[-1])
    journal.close()


steps = st.tuples(
    st.sampled_from(["begin", "add", "last", "reopen"]), st.integers(0, len(READS) - 1), st.binary(max_size=60)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(steps, max_size=14))
def test_what_is_kept_comes_back_in_order_from_run_to_run(tmp_path: Path, steps: list[tuple[str, int, bytes]]) -> None:
    file = tmp_path / "model.journal"
    file.unlink(missing_ok=True)
    journal = opened(file)
    expected: dict[int, tuple[list[bytes], bool]] = {}
    for action, number, body in steps:
        if action == "reopen":
            journal.close()
            journal = opened(file)
        elif action == "begin":
            journal.begin(RESPONSES, READS[number])
            expected.pop(number, None)
        else:
            journal.add(RESPONSES, READS[number], body, is_last=action == "last")
            before = expected.get(number, ([], False))[0]
            expected[number] = ([*before, body], action == "last")
    assert finished(journal) == {number: pages for number, (pages, is_whole) in expected.items() if is_whole}
    journal.close()


def test_the_plan_comes_back_in_the_next_run(tmp_path: Path) -> None:
    written(tmp_path / "a")
    journal = opened(tmp_path / "a")
    assert journal.plan == PLAN
    journal.close()


def test_a_list_is_known_by_its_endpoint_and_parameters_not_by_their_order(tmp_path: Path) -> None:
    journal = opened(tmp_path / "a")
    journal.add(RESPONSES, Read(params={"a": 1, "b": NOW}), b"1", is_last=True)
    assert journal.is_finished(RESPONSES, Read(params={"b": NOW, "a": 1}))
    assert not journal.is_finished(RESPONSES, Read(params={"a": 1}))
    assert not journal.is_finished(CONTACTS, Read(params={"a": 1, "b": NOW}))
    journal.close()


def test_a_record_that_was_cut_off_is_dropped_and_the_file_stays_usable(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    written(whole)
    content = whole.read_bytes()
    last_record = content.rindex(b"fl01")
    for length in range(len(content)):
        torn = tmp_path / "torn"
        torn.write_bytes(content[:length])
        journal = opened(torn)
        before = finished(journal)
        assert before.items() <= {0: BODIES[:2], 1: BODIES[2:]}.items()
        assert 1 not in before
        assert (0 in before) == (length >= last_record)
        journal.begin(RESPONSES, READS[2])
        journal.add(RESPONSES, READS[2], b"after", is_last=True)
        journal.close()
        again = opened(torn)
        assert finished(again) == {**before, 2: [b"after"]}
        again.close()


def test_a_damaged_record_is_dropped_with_what_follows_it(tmp_path: Path) -> None:
    written(tmp_path / "a")
    content = (tmp_path / "a").read_bytes()
    for place in range(content.rindex(b"fl01"), len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 0x40
        (tmp_path / "a").write_bytes(damaged)
        journal = opened(tmp_path / "a")
        assert finished(journal) == {0: BODIES[:2]}
        journal.close()


def test_a_journal_for_another_purpose_is_not_used(tmp_path: Path) -> None:
    written(tmp_path / "a")
    journal = opened(tmp_path / "a", purpose={"why": "another"})
    assert (finished(journal), journal.plan) == ({}, None)
    journal.close()


@pytest.mark.parametrize(
    ("age_h", "lasting", "used"), [(0.9, False, True), (1.1, False, False), (1.1, True, True), (9999, True, True)]
)
def test_pages_without_windows_are_used_for_an_hour(tmp_path: Path, age_h: float, *, lasting: bool, used: bool) -> None:
    written(tmp_path / "a")
    journal = opened(tmp_path / "a", age_h=age_h, lasting=lasting)
    assert bool(finished(journal)) is used
    journal.close()


def test_a_file_that_is_no_journal_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"something else altogether, longer than a frame")
    journal = opened(tmp_path / "a")
    assert finished(journal) == {}
    journal.add(RESPONSES, READS[0], b"1", is_last=True)
    journal.close()
    again = opened(tmp_path / "a")
    assert finished(again) == {0: [b"1"]}
    again.close()


def test_clearing_removes_the_file(tmp_path: Path) -> None:
    written(tmp_path / "a")
    opened(tmp_path / "a").clear()
    assert not (tmp_path / "a").exists()


def test_nothing_of_the_purpose_stands_in_the_file(tmp_path: Path) -> None:
    journal = opened(tmp_path / "a", purpose={"key": "a-very-secret-key"})
    journal.begin(RESPONSES, READS[0])
    journal.add(RESPONSES, READS[0], b"{}", is_last=True)
    journal.close()
    assert b"secret" not in (tmp_path / "a").read_bytes()
