"""What tests may do beyond the API, and that reads stay right whatever was done."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.asking import NOW, Asking, asking
from feedloom.errors import InputError

KINDS = {
    "identify", "track", "store", "tag", "join", "leave", "answer_view", "show_again", "dismiss", "form", "delete",
}  # fmt: skip


def some_view(api: Asking) -> dict[str, Any]:
    rows = api.rows("responses", {"include": "all"})
    return next(row for row in reversed(rows) if row["last_data_reception_at"] is None)


def response(api: Asking, uuid: str) -> dict[str, Any]:
    return next(row for row in api.rows("responses", {"include": "all"}) if row["uuid"] == uuid)


def test_an_old_view_that_is_answered_now_moves_in_one_list_and_stays_in_the_other() -> None:
    with asking() as api:
        view = some_view(api)
        api.emulator.control.answer_view(view["uuid"], {"nps": 9})
        answered = response(api, view["uuid"])
        assert answered["last_shown_at"] == view["last_shown_at"]
        assert answered["last_data_reception_at"].startswith(NOW.strftime("%Y-%m-%d"))
        assert (answered["data"], answered["dismissed_at"]) == ({"nps": "9"}, None)
        assert api.get("responses")["items"][0]["uuid"] == view["uuid"]
        today = {"date_range_start": NOW.strftime("%Y-%m-%d")}
        assert api.uuids("responses", {"include": "partials", **today}) == [view["uuid"]]
        assert api.uuids("responses", {"include": "all", **today}) == []


def test_a_view_shown_again_moves_to_the_top_of_all_views() -> None:
    with asking() as api:
        view = some_view(api)
        api.emulator.control.show_again(view["uuid"])
        shown = api.get("responses", {"include": "all"})["items"][0]
        assert (shown["uuid"], shown["show_counter"]) == (view["uuid"], view["show_counter"] + 1)
        assert shown["first_shown_at"] == view["first_shown_at"]


def test_a_dismissed_view_stays_in_its_place() -> None:
    with asking() as api:
        view, order = some_view(api), api.uuids("responses", {"include": "all"})
        api.emulator.control.dismiss(view["uuid"])
        assert response(api, view["uuid"])["dismissed_at"].startswith(NOW.strftime("%Y-%m-%d"))
        assert api.uuids("responses", {"include": "all"}) == order


@pytest.mark.parametrize("deed", ["show_again", "dismiss"])
def test_deeds_on_responses_that_are_not_there_are_refused(deed: str) -> None:
    with asking() as api, pytest.raises(InputError):
        getattr(api.emulator.control, deed)("9a41e0b0-3850-11ef-8d0f-1f7b2c6a9e33")


def test_random_writes_are_of_all_kinds_and_repeatable() -> None:
    with asking(rows=200) as api, asking(rows=200) as twin:
        done = api.emulator.control.random_writes(300, 5, deletes=True)
        assert set(done) == KINDS
        assert sum(done.values()) == 300
        assert twin.emulator.control.random_writes(300, 5, deletes=True) == done
        for path, params in (("responses", {"include": "all"}), ("contacts", {"order_by": "email"})):
            assert api.rows(path, params) == twin.rows(path, params)


def test_without_deletes_no_contact_and_no_response_is_lost() -> None:
    with asking(rows=200) as api:
        contacts, responses = set(api.uuids("contacts")), set(api.uuids("responses", {"include": "all"}))
        assert "delete" not in api.emulator.control.random_writes(300, 5)
        assert contacts < set(api.uuids("contacts"))
        assert responses < set(api.uuids("responses", {"include": "all"}))


@settings(max_examples=50, deadline=None)
@given(rows=st.integers(0, 120), seed=st.integers(0, 10**6), writes=st.integers(0, 120))
def test_lists_counts_and_reports_are_right_after_any_writes(rows: int, seed: int, writes: int) -> None:
    with asking(rows=rows, seed=seed % 100) as api:
        api.rows("contacts", {"order_by": "last_seen_at"})
        api.emulator.control.random_writes(writes, seed, deletes=True)
        truth = sorted(api.emulator.control.every_response(), key=itemgetter("uuid"))
        assert sorted(api.rows("responses", {"include": "all", "page_length": 40}), key=itemgetter("uuid")) == truth
        answered = [row for row in truth if row["last_data_reception_at"] is not None]
        page = api.get("responses", {"include": "partials"})
        assert page["pagination"]["items_count"] == len(answered)
        whole = {"date_range_start": "2000-01-01", "date_range_end": "2100-01-01"}
        report = api.get("reporting", {"type": "count", **whole})
        assert (report["views"], report["responses"]) == (len(truth), len(answered))
        seen = [row["last_seen_at"] for row in api.rows("contacts", {"order_by": "last_seen_at"})]
        assert seen == sorted(seen, reverse=True)
        assert len(seen) == len(set(api.uuids("contacts", {"order_by": "email"})))
