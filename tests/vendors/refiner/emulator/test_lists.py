"""Lists tile: whatever the page length, the window or the way of paging, every row comes once and in order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from operator import itemgetter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.asking import Asking, asking

ROWS = 300
INCLUDES = ("completed", "partials", "all")
START = datetime(2024, 11, 1, tzinfo=UTC)
SHARED = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def column(include: str) -> str:
    return "last_shown_at" if include == "all" else "last_data_reception_at"


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


@pytest.fixture(scope="module")
def api() -> Iterator[Asking]:
    """An environment with writes of every kind on top of the base data."""
    with asking(rows=ROWS) as started:
        started.emulator.control.random_writes(150, 1, deletes=True)
        yield started


@pytest.fixture(scope="module")
def truth(api: Asking) -> list[dict[str, Any]]:
    """Every response, found without the list."""
    found: list[dict[str, Any]] = api.emulator.control.every_response()
    return found


def expected(truth: list[dict[str, Any]], include: str) -> list[dict[str, Any]]:
    """What the list ought to hold, in order; rows of the same second in any order."""
    needed = {"completed": "completed_at", "partials": "last_data_reception_at", "all": "uuid"}[include]
    kept = (row for row in truth if row[needed] is not None)
    return sorted(kept, key=itemgetter(column(include)), reverse=True)


@pytest.mark.parametrize("include", INCLUDES)
def test_the_list_holds_every_response_newest_first(api: Asking, truth: list[dict[str, Any]], include: str) -> None:
    rows = api.rows("responses", {"include": include})
    wanted = expected(truth, include)
    assert [row[column(include)] for row in rows] == [row[column(include)] for row in wanted]
    assert sorted(rows, key=itemgetter("uuid")) == sorted(wanted, key=itemgetter("uuid"))


@SHARED
@given(length=st.integers(3, 400), include=st.sampled_from(INCLUDES))
def test_any_page_length_gives_the_same_rows_by_cursor_and_by_number(api: Asking, length: int, include: str) -> None:
    whole = api.uuids("responses", {"include": include})
    assert api.uuids("responses", {"include": include, "page_length": length}) == whole
    asked = {"include": include, "page_length": str(length)}
    last_page = api.get("responses", asked)["pagination"]["last_page"]
    assert last_page == max(1, -(-len(whole) // length))
    numbered = [
        row["uuid"]
        for page in range(1, last_page + 1)
        for row in api.get("responses", {**asked, "page": page})["items"]
    ]
    assert numbered == whole


@SHARED
@given(days=st.lists(st.integers(-5, 740), max_size=4), include=st.sampled_from(INCLUDES))
def test_windows_tile_the_list(api: Asking, days: list[int], include: str) -> None:
    bounds = [
        START - timedelta(days=400),
        *sorted(START + timedelta(days=day) for day in days),
        START.replace(year=2030),
    ]
    windows = [
        api.rows("responses", {"include": include, "date_range_start": text(start), "date_range_end": text(end)})
        for start, end in pairwise(bounds)
    ]
    for (start, end), rows in zip(pairwise(bounds), windows, strict=True):
        assert all(text(start) <= row[column(include)] < text(end) for row in rows)
    tiled = [row["uuid"] for rows in reversed(windows) for row in rows]
    assert tiled == api.uuids("responses", {"include": include})


def test_the_start_of_a_window_is_inclusive_and_its_end_exclusive(api: Asking) -> None:
    moment = api.rows("responses", {"include": "partials"})[5]["last_data_reception_at"]
    at = {"include": "partials", "date_range_start": moment, "date_range_end": moment}
    assert api.get("responses", at)["items"] == []
    at["date_range_end"] = text(datetime.fromisoformat(moment) + timedelta(seconds=1))
    assert [row["last_data_reception_at"] for row in api.get("responses", at)["items"]] == [moment]


def test_a_bare_date_as_end_leaves_out_all_of_that_day(api: Asking) -> None:
    day = api.rows("responses")[10]["last_data_reception_at"][:10]
    inside = api.rows("responses", {"date_range_start": day})
    before = api.rows("responses", {"date_range_end": day})
    assert all(row["last_data_reception_at"] >= day for row in inside)
    assert all(row["last_data_reception_at"] < day for row in before)
    assert len(inside) + len(before) == len(api.rows("responses"))


def test_each_include_holds_the_narrower_one(api: Asking) -> None:
    completed, partials, everything = (set(api.uuids("responses", {"include": include})) for include in INCLUDES)
    assert completed < partials < everything


def test_a_page_past_the_end_is_empty(api: Asking) -> None:
    page = api.get("responses", {"page": 10**9})
    assert (page["items"], page["pagination"]["next_page_cursor"]) == ([], None)


def test_a_cursor_goes_on_where_it_was_given_when_rows_are_added() -> None:
    with asking(rows=100) as api:
        whole = api.uuids("responses", {"include": "all"})
        first = api.get("responses", {"include": "all", "page_length": 10})
        for _ in range(15):
            api.emulator.control.add_row()
        asked = {"include": "all", "page_length": 1000, "page_cursor": first["pagination"]["next_page_cursor"]}
        assert [row["uuid"] for row in api.get("responses", asked)["items"]] == whole[10:]


@pytest.mark.parametrize("cursor", ["x", "WzFd", "bnVsbA", "WyJzaG93biIsMSxbIjEiLDFdXQ", "é"])
def test_a_cursor_that_was_not_given_out_is_refused(cursor: str) -> None:
    with asking() as api:
        assert api.send("GET", "responses", {"page_cursor": cursor}).status_code == 400


def test_a_cursor_of_another_list_is_refused() -> None:
    with asking() as api:
        cursor = api.get("contacts", {"page_length": 1})["pagination"]["next_page_cursor"]
        assert api.send("GET", "responses", {"page_cursor": cursor}).status_code == 400


@pytest.mark.parametrize("include", INCLUDES)
def test_responses_of_one_form_and_of_several(api: Asking, include: str) -> None:
    rows = api.rows("responses", {"include": include})
    forms = sorted({row["form"]["uuid"] for row in rows})
    one = api.uuids("responses", {"include": include, "form_uuid": forms[0]})
    assert one == [row["uuid"] for row in rows if row["form"]["uuid"] == forms[0]]
    several = api.uuids("responses", {"include": include, "form_uuids[]": forms[1:3]})
    assert several == [row["uuid"] for row in rows if row["form"]["uuid"] in forms[1:3]]
    assert one


def test_responses_by_answer_trait_account_segment_and_tag(api: Asking) -> None:
    rows = api.rows("responses", {"include": "all", "with_attributes": 1})
    contacts = {contact["uuid"]: contact for contact in api.rows("contacts")}
    segment = next(segment for segment in api.rows("segments") if segment["name"] == "Enterprise plan")

    def found(**filters: Any) -> list[str]:
        return api.uuids("responses", {"include": "all", **filters})

    assert found(**{"response_data[nps]": 9}) == [row["uuid"] for row in rows if row["data"].get("nps") == "9"]
    chosen = [row["uuid"] for row in rows if "Exports" in row["data"].get("wanted_features", ())]
    assert found(**{"response_data[wanted_features]": "Exports"}) == chosen
    pro = [row["uuid"] for row in rows if row["contact"]["attributes"].get("plan") == "pro"]
    assert found(**{"contact_data[plan]": "pro"}) == pro
    industries = {uuid: _industry(contact) for uuid, contact in contacts.items()}
    industry = next(filter(None, industries.values()))
    same_industry = [row["uuid"] for row in rows if industries[row["contact"]["uuid"]] == industry]
    assert found(**{"account_data[industry]": industry}) == same_industry
    in_segment = [
        row["uuid"]
        for row in rows
        if segment["uuid"] in {one["uuid"] for one in contacts[row["contact"]["uuid"]]["segments"]}
    ]
    assert found(segment_uuid=segment["uuid"]) == found(**{"segment_uuids[]": [segment["uuid"]]}) == in_segment
    assert chosen
    assert pro
    assert same_industry
    assert in_segment
    assert found(tag_uuid=api.emulator.control.tag_uuid("tag 1"))


def _industry(contact: dict[str, Any]) -> str | None:
    industry: str | None = ((contact["account"] or {}).get("attributes") or {}).get("industry")
    return industry


def test_responses_by_part_of_a_name(api: Asking) -> None:
    rows = api.rows("responses", {"include": "all"})
    contact = next(row["contact"] for row in rows if row["contact"]["email"])
    for name in ("remote_id", "uuid", "email", "display_name"):
        if contact[name] is not None:
            found = api.rows("responses", {"include": "all", "search": contact[name][:-1].upper()})
            assert contact["uuid"] in {row["contact"]["uuid"] for row in found}


ORDERS = ("first_seen_at", "last_seen_at", "last_form_submission_at", "display_name", "email")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("length", [7, 1000])
def test_contacts_come_once_each_in_every_order(api: Asking, order: str, length: int) -> None:
    rows = api.rows("contacts", {"order_by": order, "page_length": length})
    values = [row.get(order, row["attributes"].get(order)) or "" for row in rows]
    if order in ("display_name", "email"):
        assert [value.casefold() for value in values] == sorted(value.casefold() for value in values)
    else:
        assert values == sorted(values, reverse=True)
    assert {row["uuid"] for row in rows} == set(api.uuids("contacts"))
    assert len(rows) == api.get("contacts")["pagination"]["items_count"]


def test_contacts_by_segment_form_and_name(api: Asking) -> None:
    contacts = api.rows("contacts")
    answered: dict[str, set[str]] = {}
    for row in api.rows("responses", {"include": "partials"}):
        answered.setdefault(row["form"]["uuid"], set()).add(row["contact"]["uuid"])
    for segment in api.rows("segments"):
        members = [row["uuid"] for row in contacts if segment["uuid"] in {one["uuid"] for one in row["segments"]}]
        assert api.uuids("contacts", {"segment_uuid": segment["uuid"]}) == members
    for form, uuids in answered.items():
        assert set(api.uuids("contacts", {"form_uuid": form})) == uuids
    named = next(row for row in contacts if row["display_name"])
    assert named["uuid"] in api.uuids("contacts", {"search": named["display_name"].lower()})


def test_every_contact_of_a_response_is_in_the_list_of_contacts(api: Asking) -> None:
    in_responses = {row["contact"]["uuid"] for row in api.rows("responses", {"include": "all"})}
    assert in_responses <= set(api.uuids("contacts"))


@pytest.mark.parametrize("listed", ["all", "published", "drafts", "archived", "all_with_archived"])
def test_forms_are_listed_by_name_and_state(api: Asking, listed: str) -> None:
    everything = api.rows("forms", {"list": "all_with_archived", "include_info": 1})
    wanted = [form["uuid"] for form in everything if listed in ("all_with_archived", *_states(form))]
    assert api.uuids("forms", {"list": listed}) == wanted
    assert [form["name"] for form in everything] == sorted(form["name"] for form in everything)


def _states(form: dict[str, Any]) -> tuple[str, ...]:
    if form["archived_at"] is not None:
        return ("archived",)
    return ("all", "published" if form["published_at"] is not None else "drafts")


def test_the_figures_of_a_form_are_those_of_its_responses(api: Asking) -> None:
    views = api.rows("responses", {"include": "all"})
    for form in api.rows("forms", {"list": "all_with_archived", "include_info": 1}):
        shown = [row for row in views if row["form"]["uuid"] == form["uuid"]]
        moments = sorted(row["last_shown_at"].replace(" ", "T") + ".000000Z" for row in shown)
        assert form["views_count"] == len(shown)
        assert form["responses_count"] == sum(row["last_data_reception_at"] is not None for row in shown)
        assert (form["first_form_view_at"], form["last_form_view_at"]) == (
            (moments[0], moments[-1]) if moments else (None, None)
        )


def test_forms_segments_and_history_are_paged_by_number_without_cursor(api: Asking) -> None:
    form = next(form for form in api.rows("forms") if form["name"] == "Quarterly NPS")
    for path, more in (("forms", {}), ("segments", {}), ("forms/history", {"form_uuid": form["uuid"]})):
        whole = api.get(path, more)["items"]
        singles = [api.get(path, {**more, "page_length": 1, "page": page}) for page in range(1, len(whole) + 2)]
        assert [page["items"] for page in singles] == [[item] for item in whole] + [[]]
        assert all("next_page_cursor" not in page["pagination"] for page in singles)
        assert len(whole) > 1


def test_bare_forms_hold_uuid_and_name_only(api: Asking) -> None:
    assert {tuple(form) for form in api.rows("forms")} == {("uuid", "name")}
    configured = api.rows("forms", {"include_config": 1})
    assert {tuple(form) for form in configured} == {("uuid", "name", "config")}
    nps = next(form for form in configured if form["name"] == "Quarterly NPS")
    assert nps["config"]["form_elements"][0]["scale"] == {"min": 0, "max": 10}


@pytest.mark.parametrize("rows", [0, 1, 2, 5, 19])
def test_the_smallest_environments_work(rows: int) -> None:
    with asking(rows=rows) as small:
        assert len(small.rows("responses", {"include": "all"})) == rows
        assert len(small.rows("contacts")) == 20
        small.rows("forms", {"list": "all_with_archived", "include_info": 1})
        small.get("reporting", {"type": "count"})
        small.emulator.control.random_writes(20, 1, deletes=True)
        small.rows("responses", {"include": "all"})
