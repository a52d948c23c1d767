"""The invented data: always the same, of every kind that a client has to cope with, and worth a chart."""

from __future__ import annotations

import hashlib
import resource
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from statistics import mean
from typing import Any

import pytest

from emulator.asking import Asking, asking

PATHS = (
    "responses?include=all&page_length=1000",
    "contacts?page_length=1000",
    "forms?list=all_with_archived&include_info=1&include_config=1",
    "segments",
    "account",
)


def digest(*, rows: int, seed: int) -> str:
    with asking(rows=rows, seed=seed) as api:
        return hashlib.sha256(b"".join(api.send("GET", path).content for path in PATHS)).hexdigest()


@pytest.fixture(scope="module")
def api() -> Iterator[Asking]:
    """An environment of the size that the command makes unless told otherwise."""
    with asking(rows=20_000) as started:
        yield started


@pytest.fixture(scope="module")
def responses(api: Asking) -> list[dict[str, Any]]:
    """Every response and view."""
    return api.rows("responses", {"include": "all"})


@pytest.fixture(scope="module")
def contacts(api: Asking) -> list[dict[str, Any]]:
    """Every contact."""
    return api.rows("contacts")


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    assert digest(rows=300, seed=7) == digest(rows=300, seed=7)
    assert digest(rows=300, seed=7) != digest(rows=300, seed=8)


def test_rows_are_responses_with_a_fifth_as_many_contacts(
    responses: list[dict[str, Any]], contacts: list[dict[str, Any]]
) -> None:
    assert len(responses) == len({row["uuid"] for row in responses}) == 20_000
    assert len(contacts) == len({contact["uuid"] for contact in contacts}) == 4_000
    accounts = {contact["account"]["uuid"] for contact in contacts if contact["account"]}
    assert 400 <= len(accounts) <= 504


def test_the_history_runs_for_two_years_up_to_a_fixed_day(responses: list[dict[str, Any]]) -> None:
    assert responses[-1]["last_shown_at"] == "2024-11-01 00:00:00"
    assert "2026-10-31" < responses[0]["last_shown_at"] < "2026-11-01"


def test_the_moments_of_a_response_come_in_order(responses: list[dict[str, Any]]) -> None:
    for row in responses:
        moments = [
            row["first_shown_at"],
            row["last_shown_at"],
            row["first_data_reception_at"],
            row["last_data_reception_at"],
        ]
        given = [moment for moment in moments if moment is not None]
        assert given == sorted(given)
        assert row["completed_at"] in (None, row["last_data_reception_at"])
        assert row["received_at"] == row["completed_at"]
        assert (row["last_data_reception_at"] is None) == (row["data"] == {})
        assert row["show_counter"] == 1 or row["first_shown_at"] <= row["last_shown_at"]


def test_responses_of_every_kind_occur(responses: list[dict[str, Any]]) -> None:
    completed = sum(row["completed_at"] is not None for row in responses)
    partial = sum(row["completed_at"] is None and row["data"] != {} for row in responses)
    dismissed = sum(row["dismissed_at"] is not None for row in responses)
    ignored = sum(row["dismissed_at"] is None and row["data"] == {} for row in responses)
    assert min(completed, partial, dismissed, ignored) > 1000


def test_answers_of_every_kind_occur_with_the_texts_that_break_things(responses: list[dict[str, Any]]) -> None:
    data = [row["data"] for row in responses if row["data"]]
    assert {answers["nps"] for answers in data if "nps" in answers} == {str(score) for score in range(11)}
    assert {answers["csat"] for answers in data if "csat" in answers} == {str(score) for score in range(-2, 3)}
    assert {answers["ces"] for answers in data if "ces" in answers} == {str(score) for score in range(1, 8)}
    assert any(isinstance(answers.get("wanted_features"), list) for answers in data)
    texts = [value for answers in data for value in answers.values() if isinstance(value, str)]
    for wanted in ("=1+1", "+1 ", "-1, ", "@mention"):
        assert any(text.startswith(wanted) for text in texts)
    for wanted in ("\n", '"', "\t", "🎯", "Отлич"):
        assert any(wanted in text for text in texts)
    assert max(map(len, texts)) == 10_000
    identifiers = {name for answers in data for name in answers}
    assert {"оценка", "userRole", "user_role", "🎯 goal"} <= identifiers


def test_contacts_of_every_kind_occur(contacts: list[dict[str, Any]]) -> None:
    anonymous = [contact for contact in contacts if contact["email"] is None]
    by_email = [contact for contact in contacts if contact["email"] is not None and contact["remote_id"] is None]
    emails = [contact["email"] for contact in contacts if contact["email"]]
    assert min(len(anonymous), len(by_email), len(emails) - len(set(emails))) > 50
    assert all(contact["remote_id"] is None and contact["display_name"] is None for contact in anonymous)
    assert any(contact["account"] is None for contact in contacts if contact["email"])
    traits = {name for contact in contacts for name in contact["attributes"]}
    assert {"plan", "userName", "user_name", "роль", "🚀 level", "notes"} <= traits
    assert max(len(str(contact["attributes"].get("notes", ""))) for contact in contacts) == 10_000
    segments = {segment["name"] for contact in contacts for segment in contact["segments"]}
    assert segments >= {"Beta group", "Enterprise plan", "Promoters", "Active in last 30 days"}
    for contact in contacts:
        assert contact["first_seen_at"] <= contact["last_seen_at"]


def test_an_answered_response_takes_about_a_kilobyte_and_a_quarter(api: Asking) -> None:
    page = api.send("GET", "responses", {"include": "partials", "page_length": 1000})
    assert 1100 < len(page.content) / 1000 < 1350


def test_recommendation_rises_with_a_dip_and_differs_by_plan(
    responses: list[dict[str, Any]], contacts: list[dict[str, Any]]
) -> None:
    plans = {contact["uuid"]: contact["attributes"].get("plan", "free") for contact in contacts}
    by_month: defaultdict[str, list[int]] = defaultdict(list)
    by_plan: defaultdict[str, list[int]] = defaultdict(list)
    for row in responses:
        if "nps" in row["data"]:
            by_month[row["last_shown_at"][:7]].append(int(row["data"]["nps"]))
            by_plan[plans[row["contact"]["uuid"]]].append(int(row["data"]["nps"]))
    before, dip, after = (mean(by_month[month]) for month in ("2025-10", "2026-01", "2026-10"))
    assert dip < before - 0.5 < after - 0.5
    assert mean(by_plan["enterprise"]) > mean(by_plan["pro"]) > mean(by_plan["free"])


def test_people_answer_less_on_weekends(responses: list[dict[str, Any]]) -> None:
    answered: defaultdict[bool, list[bool]] = defaultdict(list)
    for row in responses:
        answered[datetime.fromisoformat(row["last_shown_at"]).weekday() >= 5].append(row["data"] != {})
    assert mean(answered[True]) < 0.8 * mean(answered[False])


def test_ten_million_rows_are_there_at_once_and_take_no_room() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    with asking(rows=10_000_000) as api:
        assert api.get("responses", {"include": "all", "page_length": 1})["pagination"]["items_count"] == 10_000_000
        for start, end in (
            ("2024-11-01", "2024-11-01 12:00:00"),
            ("2025-10-31 10:00:00", "2025-10-31 20:00:00"),
            ("2026-10-31", "2026-11-01"),
        ):
            window = {"date_range_start": start, "date_range_end": end, "include": "partials"}
            page = api.get("responses", {**window, "page_length": 1000})
            last = api.get("responses", {**window, "page_length": 1000, "page": page["pagination"]["last_page"]})
            assert len(page["items"]) == 1000
            assert len(last["items"]) == (page["pagination"]["items_count"] - 1) % 1000 + 1
            assert all(start <= row["last_data_reception_at"] < end for row in page["items"] + last["items"])
        assert api.get("responses", {"include": "partials", "page": 4000, "page_length": 1000})["items"]
        assert len(api.get("forms", {"list": "all_with_archived", "include_info": 1})["items"]) == 12
    assert time.monotonic() - started < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024
