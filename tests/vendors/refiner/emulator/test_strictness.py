"""Wrong input is refused in the vendor's error shape, unless the emulator is told to be as lenient as the vendor."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.asking import asking

UUID = "9a41e0b0-3850-11ef-8d0f-1f7b2c6a9e33"

WRONG_QUERIES = [
    ("responses", "form_uid=" + UUID, "Unknown parameter: form_uid"),
    ("responses", "page=0", "at least 1"),
    ("responses", "page=x", "whole number"),
    ("responses", "page_length=1001", "at most 1000"),
    ("responses", "page[]=1", "takes no brackets"),
    ("responses", "page=1&page=2", "more than once"),
    ("responses", "include=everything", "one of: completed, partials, all"),
    ("responses", "with_attributes=yes", "one of: 0, 1"),
    ("responses", "form_uuid=12", "must be a UUID"),
    ("responses", "form_uuids=" + UUID, "must be a list"),
    ("responses", "form_uuids[]=12", "must be a UUID"),
    ("responses", "response_data=9", "must be an object"),
    ("responses", "date_range_start=yesterday", "not a date"),
    ("responses", "page_cursor=nonsense", "page_cursor"),
    ("contacts", "order_by=age", "one of"),
    ("contacts", "date_range_start=2026-01-01", "Unknown parameter"),
    ("forms/history", "", "form_uuid is required"),
    ("contact", "", "Please provide an id or an email or an uuid"),
    ("contact", "id=", "Please provide"),
    ("reporting", "", "type is required"),
    ("reporting", "type=nps&question_identifiers=nps", "must be a list"),
    ("reporting", "type=nps&date_range_start=2026-01-02&date_range_end=2026-01-01", "after"),
]

WRONG_BODIES: list[tuple[str, Any, str]] = [
    ("identify-user", {"name": "Nobody"}, "Please provide an id or an email"),
    ("identify-user", {"id": 5}, "must be text"),
    ("identify-user", {"id": "a", "account": "acct-1"}, "must be an object"),
    ("identify-user", {"id": "a", "account": {"name": "No id"}}, "id for the account"),
    ("track-event", {"id": "a"}, "event is required"),
    ("track-event", {"id": "a", "event": "x", "properties": {}}, "Unknown parameter"),
    ("responses", {"id": "a"}, "form_uuid is required"),
    ("responses/tags", {"uuid": UUID, "tags": []}, "at least 1"),
    ("responses/tags", {"uuid": UUID, "tags": [str(n) for n in range(21)]}, "at most 20"),
    ("responses/tags", {"uuid": UUID, "tags": "bug"}, "must be a list"),
    ("responses/tags", {"uuid": UUID, "tags": [1]}, "must be text"),
    ("forms/publish", {"form_uuid": UUID, "published": 2}, "one of: 0, 1"),
    ("forms/duplicate", {"form_uuid": UUID}, "name is required"),
]


@pytest.mark.parametrize(("path", "query", "text"), WRONG_QUERIES)
def test_wrong_parameters_are_refused(path: str, query: str, text: str) -> None:
    with asking() as api:
        response = api.send("GET", f"{path}?{query}")
        assert response.status_code == 400
        assert list(response.json()) == ["error"]
        assert text in response.json()["error"]


@pytest.mark.parametrize(("path", "body", "text"), WRONG_BODIES)
def test_wrong_bodies_are_refused(path: str, body: Any, text: str) -> None:
    with asking() as api:
        response = api.send("POST", path, json=body)
        assert response.status_code == 400
        assert text in response.json()["error"]


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"text"', b"\xff\xfe"])
def test_bodies_that_are_no_json_object_are_refused(body: bytes) -> None:
    with asking() as api:
        response = api.send("POST", "identify-user", content=body, headers={"Content-Type": "application/json"})
        assert response.status_code == 400
        assert list(response.json()) == ["error"]


def test_nothing_is_written_by_a_refused_call() -> None:
    with asking() as api:
        version = api.emulator._door.behaviour.version
        for path, body, _ in WRONG_BODIES:
            api.send("POST", path, json=body)
        assert api.emulator._door.behaviour.version == version


@pytest.mark.parametrize(
    ("query", "same_as"),
    [
        ("form_uid=" + UUID, ""),
        ("form_uuids=" + UUID, ""),
        ("include=everything", ""),
        ("page=0", ""),
        ("page_length=5000", "page_length=1000"),
        ("page=1&page=2&page_length=5", "page=2&page_length=5"),
    ],
)
def test_a_lenient_emulator_reads_past_what_it_does_not_know(query: str, same_as: str) -> None:
    with asking(quirks={"lenient": "1"}) as api:
        assert api.get(f"responses?{query}") == api.get(f"responses?{same_as}")


def test_a_lenient_emulator_still_asks_for_what_is_missing() -> None:
    with asking(quirks={"lenient": "1"}) as api:
        assert api.send("GET", "contact").status_code == 400
        assert api.send("GET", "reporting", {"type": "mood"}).status_code == 400


def test_spellings_of_one_weak_source_are_ignored() -> None:
    with asking() as api:
        assert api.get("responses", {"date_start": "2026-01-01", "date_end": "x"}) == api.get("responses")


def test_input_comes_in_url_form_fields_and_json_on_every_verb() -> None:
    with asking(rows=200) as api:
        uuids = api.uuids("forms")[:2]
        by_url = api.get("responses", {"form_uuids[]": uuids, "response_data[nps]": "9"})
        body = {"form_uuids": uuids, "response_data": {"nps": "9"}}
        assert api.send("GET", "responses", json=body).json() == by_url
        fields = {"form_uuids[]": uuids, "response_data[nps]": "9"}
        assert api.send("GET", "responses", data=fields).json() == by_url
        assert api.send("DELETE", "contact", json={"id": "u-000001"}).json() == {"message": "ok"}
        assert api.send("DELETE", "contact", {"id": "u-000002"}).json() == {"message": "ok"}
        account = {"id": "new", "account[id]": "acct-9000", "account[seats]": "5"}
        api.send("POST", "identify-user", data=account)
        assert api.get("contact", {"id": "new"})["account"]["attributes"] == {"seats": "5"}


@pytest.mark.parametrize(
    ("method", "path", "params"),
    [
        ("GET", "forms/history", {"form_uuid": UUID}),
        ("GET", "contact", {"id": "nobody"}),
        ("GET", "contact", {"email": "nobody@post.example"}),
        ("GET", "contact", {"uuid": UUID}),
        ("DELETE", "contact", {"id": "nobody"}),
        ("DELETE", "forms", {"form_uuid": UUID}),
        ("DELETE", "sync-segment", {"id": "u-000001", "segment_uuid": UUID}),
        ("POST", "responses", {"id": "u-000001", "form_uuid": UUID}),
        ("POST", "responses/tags", {"uuid": UUID, "tags[]": "bug"}),
        ("POST", "forms/publish", {"form_uuid": UUID}),
        ("POST", "forms/duplicate", {"form_uuid": UUID, "name": "Copy"}),
        ("POST", "sync-segment", {"id": "u-000001", "segment_uuid": UUID}),
    ],
)
def test_things_that_are_not_there_are_answered_404(method: str, path: str, params: dict[str, str]) -> None:
    with asking() as api:
        response = api.send(method, path, params)
        assert response.status_code == 404
        assert response.json()["error"].endswith("not found")


def test_a_response_for_an_unknown_contact_uuid_is_refused() -> None:
    with asking() as api:
        body = {"uuid": UUID, "form_uuid": api.uuids("forms")[0], "nps": 9}
        assert api.send("POST", "responses", json=body).status_code == 404


def test_filters_on_things_that_are_not_there_find_nothing() -> None:
    with asking() as api:
        for name in ("form_uuid", "segment_uuid", "tag_uuid"):
            page = api.get("responses", {name: UUID})
            assert (page["items"], page["pagination"]["items_count"]) == ([], 0)
