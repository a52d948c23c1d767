"""Where sources disagree, each side can be played; the tests name the quirk and show both sides."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.asking import Asking, asking
from feedloom.emulator import describe


def with_quirk(name: str, value: str, rows: int = 60) -> Any:
    return asking(rows=rows, quirks={name: value})


def some_form(api: Asking) -> str:
    return api.uuids("forms")[0]


def test_the_quirks_tested_here_are_all_there_are() -> None:
    engine_quirks = {"lenient", "limit_key", "limit_user"}
    described = {name for name, _ in describe("refiner").quirks} - engine_quirks
    assert described == {
        "page_length_default", "first_page_cursor", "page_and_cursor", "end_cursor", "segments_cursor",
        "contacts_order", "empty_map", "numbers", "several_choices", "tags_on_read", "tags_write",
        "ungrouped_account", "folder", "unverified_fields", "identify_status", "identify_is_seeing",
        "event_tracking", "delete_by_uuid", "segment_key", "unknown_key_status", "error_key",
        "reported_responses", "imported_date",
    }  # fmt: skip


@pytest.mark.parametrize("length", ["100", "50"])
def test_page_length_default(length: str) -> None:
    with with_quirk("page_length_default", length, rows=300) as api:
        page = api.get("responses", {"include": "all"})
        assert (len(page["items"]), page["pagination"]["page_length"]) == (int(length), int(length))


@pytest.mark.parametrize(("value", "offered"), [("present", True), ("absent", False)])
def test_first_page_cursor(value: str, offered: bool) -> None:  # noqa: FBT001 - a column of the table above
    with with_quirk("first_page_cursor", value) as api:
        first = api.get("responses", {"page_length": 5})
        assert (first["pagination"]["next_page_cursor"] is not None) == offered
        assert first["pagination"]["last_page"] > 1
        second = api.get("responses", {"page_length": 5, "page": 2})["items"]
        assert second[0]["uuid"] == api.get("responses")["items"][5]["uuid"]


@pytest.mark.parametrize(("value", "start"), [("cursor", 5), ("page", 10)])
def test_page_and_cursor(value: str, start: int) -> None:
    with with_quirk("page_and_cursor", value) as api:
        cursor = api.get("responses", {"page_length": 5})["pagination"]["next_page_cursor"]
        page = api.get("responses", {"page_length": 5, "page": 3, "page_cursor": cursor})
        assert page["items"] == api.get("responses")["items"][start : start + 5]


@pytest.mark.parametrize(("value", "keys"), [("null", 1), ("absent", 0)])
def test_end_cursor(value: str, keys: int) -> None:
    with with_quirk("end_cursor", value) as api:
        pagination = api.get("responses")["pagination"]
        assert list(pagination).count("next_page_cursor") == keys
        assert pagination.get("next_page_cursor") is None


def test_segments_cursor() -> None:
    with with_quirk("segments_cursor", "present") as api, asking() as usual:
        segments = api.rows("segments", {"page_length": 2})
        assert segments == usual.get("segments")["items"]
        assert "next_page_cursor" not in usual.get("segments")["pagination"]


def test_contacts_order() -> None:
    with with_quirk("contacts_order", "oldest") as api, asking() as usual:
        for order in ("first_seen_at", "last_seen_at", "last_form_submission_at"):
            assert api.uuids("contacts", {"order_by": order}) == usual.uuids("contacts", {"order_by": order})[::-1]
        assert api.uuids("contacts", {"order_by": "email"}) == usual.uuids("contacts", {"order_by": "email"})


@pytest.mark.parametrize(("value", "empty"), [("object", {}), ("list", [])])
def test_empty_map(value: str, empty: object) -> None:
    with with_quirk("empty_map", value) as api:
        maps = [row["data"] for row in api.rows("responses", {"include": "all"})]
        assert [data for data in maps if not data][0] == empty  # noqa: RUF015 - shows that there is one
        assert any(isinstance(data, dict) and data for data in maps)


@pytest.mark.parametrize(("value", "kind"), [("text", str), ("number", int)])
def test_numbers(value: str, kind: type) -> None:
    with with_quirk("numbers", value) as api:
        scores = [row["data"]["nps"] for row in api.rows("responses") if "nps" in row["data"]]
        assert {type(score) for score in scores} == {kind}
        api.post("identify-user", {"id": "a", "seats": 5})
        assert type(api.get("contact", {"id": "a"})["attributes"]["seats"]) is kind
        window = {"date_range_start": "2024-01-01", "date_range_end": "2027-01-01"}
        assert api.get("reporting", {"type": "nps", **window})["count"] >= len(scores)


def test_contextual_values_keep_their_types_whatever_numbers_are() -> None:
    with asking(rows=600) as api:
        data = [row["data"] for row in api.rows("responses")]
        assert {type(values["cart_value"]) for values in data if "cart_value" in values} == {float}
        assert {type(values["is_trial"]) for values in data if "is_trial" in values} == {bool}
        assert {type(values["experiment"]) for values in data if "experiment" in values} == {str, type(None)}
        assert any(isinstance(values.get("visited_steps"), list) for values in data)


def test_several_choices() -> None:
    with with_quirk("several_choices", "text", rows=300) as api, asking(rows=300) as usual:
        joined = [row["data"].get("wanted_features") for row in api.rows("responses")]
        listed = [row["data"].get("wanted_features") for row in usual.rows("responses")]
        assert joined == [None if choices is None else ", ".join(choices) for choices in listed]
        asked = {"type": "distribution", "date_range_start": "2024-01-01", "date_range_end": "2027-01-01"}
        assert api.get("reporting", asked) == usual.get("reporting", asked)


def test_tags_on_read() -> None:
    with with_quirk("tags_on_read", "present", rows=2000) as api, asking(rows=300) as usual:
        tag = api.emulator.control.tag_uuid("billing")
        tagged = [row["uuid"] for row in api.rows("responses") if "billing" in row["tags"]]
        assert tagged == api.uuids("responses", {"tag_uuid": tag}) != []
        assert all("tags" not in row for row in usual.rows("responses"))


@pytest.mark.parametrize(("value", "kept"), [("add", 1), ("replace", 0)])
def test_tags_write(value: str, kept: int) -> None:
    with with_quirk("tags_write", value) as api:
        uuid = api.uuids("responses")[0]
        for name in ("first", "second"):
            api.post("responses/tags", {"uuid": uuid, "tags": [name]})
        assert len(api.rows("responses", {"tag_uuid": api.emulator.control.tag_uuid("first")})) == kept
        assert len(api.rows("responses", {"tag_uuid": api.emulator.control.tag_uuid("second")})) == 1


def test_ungrouped_account() -> None:
    with with_quirk("ungrouped_account", "object") as api, asking() as usual:
        for path in ("responses", "contacts"):
            rows = [row.get("contact", row) for row in api.rows(path)]
            usual_rows = [row.get("contact", row) for row in usual.rows(path)]
            ungrouped = [
                row["account"] for row, other in zip(rows, usual_rows, strict=True) if other["account"] is None
            ]
            assert ungrouped
            assert {(account["remote_id"], account["display_name"]) for account in ungrouped} == {(None, None)}
            assert all(account["uuid"] for account in ungrouped)


@pytest.mark.parametrize(
    ("value", "kinds"), [("object", {dict, type(None)}), ("text", {str, type(None)}), ("null", {type(None)})]
)
def test_folder(value: str, kinds: set[type]) -> None:
    with with_quirk("folder", value) as api:
        assert {type(form["folder"]) for form in api.rows("forms", {"include_info": 1})} == kinds


def test_unverified_fields() -> None:
    with with_quirk("unverified_fields", "present") as api, asking() as usual:
        api.post("track-event", {"id": "u-000002", "event": "x"})
        contact, usual_contact = (one.get("contact", {"id": "u-000002"}) for one in (api, usual))
        assert set(contact) - set(usual_contact) == {"last_form_submission_at", "last_tracking_event_at"}
        assert contact["last_tracking_event_at"].startswith("2026-11-05")
        assert all("created_at" in segment for segment in contact["segments"])
        first = api.get("responses", {"page_length": 3})["pagination"]
        assert first["previous_page_cursor"] is None
        second = api.get("responses", {"page_length": 3, "page_cursor": first["next_page_cursor"]})["pagination"]
        assert second["previous_page_cursor"]
        segments = api.rows("segments")
        counts = {segment["uuid"]: segment["contacts_count"] for segment in segments}
        assert all(len(api.rows("contacts", {"segment_uuid": uuid})) == count for uuid, count in counts.items())
        assert api.send("GET", "contact").json()["code"] == 400


@pytest.mark.parametrize("status", [200, 201, 202])
def test_identify_status(status: int) -> None:
    with with_quirk("identify_status", str(status)) as api:
        assert api.send("POST", "identify-user", json={"id": "a"}).status_code == status


@pytest.mark.parametrize(("value", "moves"), [("1", True), ("0", False)])
def test_identify_is_seeing(value: str, moves: bool) -> None:  # noqa: FBT001 - a column of the table above
    with with_quirk("identify_is_seeing", value) as api:
        before = api.get("contact", {"id": "u-000002"})["last_seen_at"]
        api.post("identify-user", {"id": "u-000002", "plan": "x"})
        assert (api.get("contact", {"id": "u-000002"})["last_seen_at"] > before) == moves


@pytest.mark.parametrize(("value", "status"), [("1", 200), ("0", 403)])
def test_event_tracking(value: str, status: int) -> None:
    with with_quirk("event_tracking", value) as api:
        assert api.send("POST", "track-event", json={"id": "a", "event": "x"}).status_code == status


@pytest.mark.parametrize(("value", "status"), [("1", 200), ("0", 400)])
def test_delete_by_uuid(value: str, status: int) -> None:
    with with_quirk("delete_by_uuid", value) as api:
        assert api.send("DELETE", "contact", {"uuid": api.uuids("contacts")[0]}).status_code == status
        assert api.send("DELETE", "contact", {"id": "u-000002"}).status_code == 200


@pytest.mark.parametrize("key", ["segment_uuid", "segment_uid"])
def test_segment_key(key: str) -> None:
    with with_quirk("segment_key", key) as api:
        segment = next(segment["uuid"] for segment in api.rows("segments") if segment["is_manual"])
        added = api.post("sync-segment", {"id": "a", "segment_uuid": segment})
        assert (set(added), added[key]) == ({"message", "contact_uuid", key}, segment)


@pytest.mark.parametrize("status", [404, 400])
def test_unknown_key_status(status: int) -> None:
    with with_quirk("unknown_key_status", str(status)) as api:
        refused = api.send("GET", "/", headers={"Authorization": "Bearer 2f9d9a10-66c5-11ee-8f0b-5b8a1c7d2e90"})
        assert (refused.status_code, list(refused.json())) == (status, ["message"])


@pytest.mark.parametrize("key", ["error", "message"])
def test_error_key(key: str) -> None:
    with with_quirk("error_key", key) as api:
        assert list(api.send("GET", "contact").json()) == [key]


def test_reported_responses() -> None:
    window = {"date_range_start": "2024-01-01", "date_range_end": "2027-01-01"}
    for value, include in (("partials", "partials"), ("completed", "completed")):
        with with_quirk("reported_responses", value, rows=300) as api:
            listed = api.get("responses", {"include": include, **window})["pagination"]["items_count"]
            assert api.get("reporting", {"type": "count", **window})["responses"] == listed


@pytest.mark.parametrize(("value", "received"), [("all", "2025-06-30"), ("shown", "2026-11-05")])
def test_imported_date(value: str, received: str) -> None:
    with with_quirk("imported_date", value) as api:
        body = {"id": "a", "form_uuid": some_form(api), "date": "2025-06-30 18:00:00", "note": "x"}
        uuid = api.post("responses", body)["uuid"]
        stored = next(row for row in api.rows("responses") if row["uuid"] == uuid)
        assert stored["last_shown_at"] == "2025-06-30 18:00:00"
        assert stored["last_data_reception_at"].startswith(received)
