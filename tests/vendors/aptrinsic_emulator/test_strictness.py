"""Keys, limits, error bodies, and calls that the vendor's description does not have."""

from __future__ import annotations

from typing import Any

import pytest

from feedloom.emulator import create_emulator, emulated_vendors, serve
from feedloom.vendors import VENDORS
from vendors.aptrinsic_emulator.stage import Px, playing

BAD_KEY = {"errorMessage": "Authentication failed in loginAwareAuthentication"}


def test_the_emulator_is_found_and_its_url_ends_in_a_version() -> None:
    assert "aptrinsic" in emulated_vendors()
    emulator = create_emulator("aptrinsic", rows=1)
    assert emulator.base_path == "/v1"
    with serve(emulator) as url:
        assert url.endswith("/v1")


def test_versions_stand_beside_each_other(px: Px) -> None:
    assert px.get("/v1/feature")["features"]
    assert px.get("/v2/feature_ext")["features"][0]["mappedElements"] is not None
    asked = {"p": "AP-LOOMDEMOWEB1-2", "t": "CUSTOM_EVENTS"}
    assert px.get("/rte/v1/engagement/rules", asked)["customEvents"]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-APTRINSIC-API-KEY": ""},
        {"X-APTRINSIC-API-KEY": "another-key"},
        {"X-APTRINSIC-API-KEY": "", "Authorization": "Bearer emulator-key-000000000000-seed7"},
    ],
)
def test_a_missing_or_wrong_key_is_refused(px: Px, headers: dict[str, str]) -> None:
    response = px.send("GET", "/v1/users", headers=headers)
    assert (response.status_code, response.json()) == (401, BAD_KEY)


def test_the_name_of_the_key_header_is_matched_without_case(px: Px) -> None:
    assert px.send("GET", "/v1/users", headers={"x-Aptrinsic-Api-Key": px.emulator.key}).status_code == 200


def test_rule_events_need_no_key(px: Px) -> None:
    asked = {"p": "AP-LOOMDEMOWEB1-2", "t": "CUSTOM_EVENTS"}
    response = px.send("GET", "/rte/v1/engagement/rules", asked, headers={"X-APTRINSIC-API-KEY": ""})
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/users", {"scrollID": "x"}),
        ("/v1/users", {"filters": "score>1"}),
        ("/v1/users", {"pageNumber": 2}),
        ("/v1/engagement", {"filter": "date>1"}),
        ("/v1/users", {"pageSize": "many"}),
        ("/v1/users", [("pageSize", 5), ("pageSize", 6)]),
        ("/v1/feature", {"pageNumber": -1}),
        ("/v1/admin/model/robot/attributes", {}),
        ("/v1/engagement/metadata/survey", {}),
        ("/v1/admin/subscription/users/notSeenAfter", {}),
        ("/v1/admin/subscription/users/notSeenAfter", {"notSeenAfterTimestamp": "9999999999999999999"}),
        ("/v1/admin/monitoring/engagement_errors", {"dateRangeStart": "-9999999999999999999"}),
    ],
)
def test_inputs_that_the_description_does_not_have_are_refused(px: Px, path: str, params: Any) -> None:
    error = px.refusal("GET", path, params, status=400)
    assert (error["status"], error["message"]) == ("BAD_REQUEST", "Validation error")
    assert error["subErrors"][0]["message"]


def test_a_lenient_emulator_ignores_what_the_vendor_ignores() -> None:
    with playing(quirks={"lenient": "1"}) as px:
        first = px.rows("/v1/users")
        assert px.rows("/v1/users", {"scrollID": "x", "filters": "score>1"}) == first
        assert px.get("/v1/engagement", {"filter": "date>1"}) == px.get("/v1/engagement")


def test_what_is_not_there_is_not_found(px: Px) -> None:
    for method, path in (("GET", "/v1/nothing"), ("GET", "/"), ("GET", "/v3/users"), ("DELETE", "/v1/events/custom/7")):
        assert px.refusal(method, path, status=404)["status"] == "NOT_FOUND"
    refused = px.send("PATCH", "/v1/users")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize("body", [b"{", b"[]", b"text"])
def test_a_body_that_is_no_object_is_refused(px: Px, body: bytes) -> None:
    response = px.send("POST", "/v1/users", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.json()["externalapierror"]["subErrors"]


def test_two_hundred_requests_a_second_and_a_million_a_day_are_allowed() -> None:
    moment_s = [100.0]
    with playing(rows=1, limited=True, clock_s=lambda: moment_s[0]) as px:
        for _ in range(200):
            px.get("/v1/segment")
        error = px.refusal("GET", "/v1/segment", status=429)
        assert (error["status"], error["message"]) == ("TOO_MANY_REQUESTS", "Rate limit exceeded")
        moment_s[0] += 1
        px.get("/v1/segment")
    limits = {limit.name: (limit.requests, limit.seconds) for limit in VENDORS["aptrinsic"].limits}
    assert limits == {"per_second": (200, 1), "per_day": (1_000_000, 86_400)}


def test_the_daily_limit_slides() -> None:
    moment_s = [100.0]
    with playing(rows=1, limited=True, quirks={"limit_per_day": "3"}, clock_s=lambda: moment_s[0]) as px:
        for _ in range(3):
            px.get("/v1/segment")
            moment_s[0] += 3_600
        px.refusal("GET", "/v1/segment", status=429)
        moment_s[0] += 86_400 - 3 * 3_600
        px.get("/v1/segment")
        px.refusal("GET", "/v1/segment", status=429)


def test_every_operation_of_the_description_is_served() -> None:
    with playing(rows=3) as px:
        for endpoint in VENDORS["aptrinsic"].endpoints:
            path = endpoint.path
            for param in endpoint.params:
                if param.place == "path":
                    path = path.replace(f"{{{param.name}}}", str(param.enum[0]) if param.enum else "nothing")
            response = px.send(endpoint.method, path)
            assert response.status_code in {200, 201, 204, 400, 404}, (endpoint.name, response.text)
            if response.status_code == 404:
                assert "{" in response.json()["externalapierror"]["message"], endpoint.name
