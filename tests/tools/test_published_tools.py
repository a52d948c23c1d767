"""The tools under published names answer in the published envelope, for good input and bad."""

from __future__ import annotations

from typing import Any

import pytest

from tools.bench import AUTUMN, Bench

RANGE = {"date_range_start": AUTUMN["start"], "date_range_end": AUTUMN["end"]}
CONTACT = {"uuid", "remote_id", "email", "display_name", "first_seen_at", "last_seen_at", "attributes", "segments"}
PAGE = {"current_page", "items_count", "last_page", "page_length"}
RESPONSE = {
    *("uuid", "form", "contact", "data", "first_shown_at", "last_shown_at", "show_counter"),
    *("first_data_reception_at", "last_data_reception_at", "completed_at", "received_at"),
}


@pytest.mark.parametrize(
    ("name", "arguments", "row"),
    [
        ("REFINER_GET_CONTACTS", {}, CONTACT),
        ("REFINER_GET_CONTACTS", {"page_length": 5, "page": 2, "page_cursor": None, "form_uuid": None}, CONTACT),
        (
            "REFINER_GET_FORMS",
            {"include_info": True, "include_config": True},
            {"uuid", "name", "config", "views_count"},
        ),
        ("REFINER_GET_RESPONSES", {"include": "all", "with_attributes": True, "page_length": 10, **RANGE}, RESPONSE),
        ("REFINER_GET_SEGMENTS", {}, {"uuid", "name", "is_manual"}),
    ],
)
def test_a_list_comes_in_the_published_shape(bench: Bench, name: str, arguments: dict[str, Any], row: set[str]) -> None:
    result = bench.call(name, arguments)
    assert (result["successful"], result["error"]) == (True, None)
    assert result["data"]["items"]
    assert all(row <= set(item) for item in result["data"]["items"])
    assert set(result["data"]["pagination"]) >= PAGE
    assert result["verification"]["status"] == "verified"


def test_an_empty_page_in_the_middle_of_a_list_is_no_success(bench: Bench) -> None:
    bench.played.refiner.faults.add("empty-page=2")
    bench.played.refiner.faults.add("empty-page=3")
    for arguments in ({"page_length": 20}, {"page_length": 20, "page": 2}):
        for _ in range(3):
            result = bench.call("REFINER_GET_CONTACTS", arguments)
            assert (
                len(result["data"]["items"]) == 20 if result["successful"] else result["error"].startswith("VENDOR: ")
            )


def test_single_answers_come_in_the_published_shape(bench: Bench) -> None:
    contact = bench.call("REFINER_GET_CONTACT", {"id": "u-000001", "email": None})
    assert set(contact["data"]) >= CONTACT
    account = bench.call("REFINER_GET_ACCOUNT_INFO")
    assert set(account["data"]) == {"environments", "subscription"}
    for kind, figure in (("nps", "nps"), ("csat", "csat"), ("ratings", "average"), ("count", "views")):
        report = bench.call("REFINER_GET_REPORTING", {"type": kind, **RANGE})
        assert set(report) >= {"data", "count", "nps", "csat", "average", "sum", "datapoints", "responses", "views"}
        assert report[figure] is not None
        assert report["successful"]


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("REFINER_GET_CONTACT", {}, "INPUT"),
        ("REFINER_GET_CONTACT", {"id": "a", "uuid": "b"}, "INPUT"),
        ("REFINER_GET_CONTACT", {"id": "nobody"}, "NOT_FOUND"),
        ("REFINER_GET_CONTACTS", {"page_length": 0}, "INPUT"),
        ("REFINER_GET_CONTACTS", {"page_length": 1_000_000}, "INPUT"),
        ("REFINER_GET_REPORTING", {}, "INPUT"),
        ("REFINER_GET_REPORTING", {"type": None}, "INPUT"),
        ("REFINER_GET_RESPONSES", {"date_range_start": "soon"}, "INPUT"),
        ("REFINER_GET_RESPONSES", {"include": "all", "page_length": 1000}, "TOO_LARGE"),
    ],
)
def test_bad_input_is_told_in_the_envelope(bench: Bench, name: str, arguments: dict[str, Any], code: str) -> None:
    result = bench.call(name, arguments)
    assert result["successful"] is False
    assert result["error"].startswith(f"{code}: ")
    assert not result["data"]
