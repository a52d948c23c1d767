"""What an incremental load cannot see is found: renamed people and forms, late imports, deletions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedloom.sync import repair
from feedloom.sync.counts import Counts, compare_counts
from feedloom.sync.jobs import Job, Reread
from feedloom.sync.repair import differing_windows, stale_copies, verdict
from feedloom.vendors import VENDORS
from sources.fakes import NOW, FakeRefiner, contact, response

RESPONSES = VENDORS["refiner"].table("responses")
CONTACTS = VENDORS["refiner"].table("contacts")
Load = Callable[..., None]
MakeJob = Callable[[FakeRefiner], Job]


@pytest.fixture
def api() -> FakeRefiner:
    return FakeRefiner(
        lists={
            "/contacts": [contact("c1"), contact("c2"), contact("c3")],
            "/forms": [{"uuid": "f1", "name": "NPS"}],
            "/responses": [response("r1", "2026-02-01 10:00:00"), response("r2", "2026-02-02 10:00:00", contact="c2")],
        }
    )


def test_copies_that_agree_need_no_reading(api: FakeRefiner, load: Load, job: MakeJob) -> None:
    load(api, "contacts", "forms", "responses")
    assert stale_copies(job(api), RESPONSES) is None


@pytest.mark.parametrize(
    "change",
    [
        {"email": "new@example.com"},
        {"email": None},
        {"display_name": "A name at last"},
        {"account": {"uuid": "a1", "remote_id": None, "display_name": None, "domain": None}},
    ],
)
def test_the_responses_of_a_changed_contact_are_read_again(
    api: FakeRefiner, load: Load, job: MakeJob, change: Mapping[str, Any]
) -> None:
    load(api, "contacts", "forms", "responses")
    api.lists["/contacts"][1] = {**contact("c2"), **change}
    load(api, "contacts")
    assert stale_copies(job(api), RESPONSES) == Reread(calls=[{"include": "all", "search": "c2"}])


def test_the_responses_of_a_renamed_form_are_read_again(api: FakeRefiner, load: Load, job: MakeJob) -> None:
    load(api, "contacts", "forms", "responses")
    api.lists["/forms"] = [{"uuid": "f1", "name": "Net promoters"}]
    load(api, "forms")
    assert stale_copies(job(api), RESPONSES) == Reread(calls=[{"include": "all", "form_uuid": "f1"}])


def test_a_copy_without_original_is_left_alone(api: FakeRefiner, load: Load, job: MakeJob) -> None:
    load(api, "responses")
    assert stale_copies(job(api), RESPONSES) is None
    api.lists["/contacts"] = [contact("c3")]
    load(api, "contacts")
    assert stale_copies(job(api), RESPONSES) is None


def test_the_whole_table_is_read_where_that_asks_less(api: FakeRefiner, load: Load, job: MakeJob) -> None:
    api.lists["/contacts"] = [contact(f"c{number}") for number in range(51)]
    api.lists["/responses"] = [
        response(f"r{number}", "2026-02-01 10:00:00", contact=f"c{number}") for number in range(51)
    ]
    load(api, "contacts", "responses")
    api.lists["/contacts"] = [{**row, "email": "all@example.com"} for row in api.lists["/contacts"]]
    load(api, "contacts")
    again = stale_copies(job(api), RESPONSES)
    assert again is not None
    assert (len(again.calls), again.whole) == (51, True)


def test_tables_without_copies_need_no_second_look(api: FakeRefiner, load: Load, job: MakeJob) -> None:
    load(api, "contacts")
    assert stale_copies(job(api), CONTACTS) is None
    assert differing_windows(job(api), CONTACTS, Counts(there=1, here=2)) is None


def hourly(count: int) -> list[dict[str, Any]]:
    """A response of each of the last *count* hours."""
    return [
        response(f"r{number}", (NOW - timedelta(hours=number + 1)).strftime("%Y-%m-%d %H:%M:%S"))
        for number in range(count)
    ]


def windows_of(job: Job) -> list[tuple[datetime | None, datetime]]:
    """The windows that differ, as start and end."""
    found = compare_counts(job.vendor, RESPONSES, job.pipeline, job.client(), fresh=job.fresh)
    assert found is not None
    again = differing_windows(job, RESPONSES, found)
    return [] if again is None else [(call.get("date_range_start"), call["date_range_end"]) for call in again.calls]


def test_counts_that_agree_need_no_reading(api: FakeRefiner, load: Load, job: MakeJob) -> None:
    load(api, "responses")
    assert windows_of(job(api)) == []


def test_a_small_table_is_read_again_as_one_window(api: FakeRefiner, load: Load, job: MakeJob) -> None:
    load(api, "responses")
    api.lists["/responses"].pop()
    assert windows_of(job(api)) == [(None, NOW)]


@settings(suppress_health_check=list(HealthCheck), max_examples=6)
@given(numbers=st.sets(st.integers(0, 19), min_size=1, max_size=3), is_import=st.booleans())
def test_only_windows_that_differ_are_read_again(
    load: Load, job: MakeJob, monkeypatch: pytest.MonkeyPatch, numbers: set[int], *, is_import: bool
) -> None:
    monkeypatch.setattr(repair, "PAGE_ROWS", 2)
    api = FakeRefiner(lists={"/responses": hourly(20)})
    made = job(api)
    if not made.pipeline.default_schema_name:
        load(api, "responses")
    changed = [row for number, row in enumerate(hourly(20)) if number in numbers]
    if is_import:
        changed = [{**row, "uuid": f"late {row['uuid']}"} for row in changed]
        api.lists["/responses"] += changed
    else:
        api.lists["/responses"] = [row for row in hourly(20) if row not in changed]
    windows = windows_of(made)
    for row in changed:
        shown = datetime.fromisoformat(f"{row['last_shown_at']}+00:00")
        assert sum((start is None or shown >= start) and shown < end for start, end in windows) == 1
    assert len(windows) <= len(changed)
    assert len(api.seen) <= 3 + 2 * 6 * len(changed)


def test_imports_older_than_anything_loaded_are_found(
    api: FakeRefiner, load: Load, job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repair, "PAGE_ROWS", 2)
    api.lists["/responses"] = hourly(20)
    load(api, "responses")
    api.lists["/responses"] += [response(f"late{number}", "2025-06-01 00:00:00") for number in range(3)]
    assert windows_of(job(api)) == [(None, NOW - timedelta(hours=20))]


def test_an_import_cannot_hide_behind_the_deletion_of_a_contact(api: FakeRefiner, load: Load, job: MakeJob) -> None:
    load(api, "contacts", "responses")
    imported = response("late", "2026-01-01 00:00:00", contact="c3")
    api.lists["/contacts"].pop(1)
    api.lists["/responses"][1] = imported
    load(api, "contacts")
    made = job(api)
    assert windows_of(made) == []
    made.fresh = {"contacts"}
    assert windows_of(made) == [(None, NOW)]


def test_windows_of_ten_minutes_are_not_cut_further(
    api: FakeRefiner, load: Load, job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repair, "PAGE_ROWS", 0)
    api.lists["/responses"] = hourly(2)
    load(api, "responses")
    api.lists["/responses"] = hourly(1)
    ((start, end),) = windows_of(job(api))
    assert isinstance(start, datetime)
    assert timedelta(minutes=5) <= end - start <= timedelta(minutes=10)


def test_the_number_of_counts_is_limited(
    api: FakeRefiner, load: Load, job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repair, "PAGE_ROWS", 0)
    monkeypatch.setattr(repair, "_MOST_COUNTS", 10)
    api.lists["/responses"] = hourly(20)
    load(api, "responses")
    api.lists["/responses"] = hourly(0)
    api.seen.clear()
    assert windows_of(job(api))
    assert len(api.seen) <= 1 + 12


def test_a_window_without_count_is_read_again(api: FakeRefiner, load: Load, job: MakeJob) -> None:
    api.lists["/responses"] = hourly(3)
    load(api, "responses")
    body = {"items": hourly(1), "pagination": {"next_page_cursor": None}}
    api.answer = lambda _path, _params: httpx2.Response(200, json=body)
    again = differing_windows(job(api), RESPONSES, Counts(there=5000, here=3))
    assert again is not None
    assert {call["date_range_end"] for call in again.calls} == {NOW - timedelta(hours=3), NOW}


@pytest.mark.parametrize(
    ("counts", "reread", "said"),
    [
        (None, False, "not checked"),
        (None, True, "not checked"),
        (Counts(there=5, here=5), False, "matches"),
        (Counts(there=5, here=5), True, "matches"),
        (Counts(there=4, here=5), True, "deleted at source"),
        (Counts(there=4, here=5), False, "more at source"),
        (Counts(there=4, here=5, ownerless=1), False, "deleted at source"),
        (Counts(there=4, here=5, ownerless=2), False, "more at source"),
        (Counts(there=6, here=5), True, "more at source"),
        (Counts(there=6, here=5), False, "more at source"),
    ],
)
def test_the_verdict_says_what_two_counts_mean(counts: Counts | None, said: str, *, reread: bool) -> None:
    word, note = verdict(counts, reread=reread)
    assert word == said
    assert bool(note) is (said not in ("matches", "not checked"))


def test_deleted_rows_are_named_with_what_removes_them() -> None:
    _, note = verdict(Counts(there=1000, here=3500), reread=True)
    assert note.startswith("2,500 rows are no longer at the source")
    assert "--full" in note
