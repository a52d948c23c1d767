"""The emulator keeps to its own OpenAPI description, which it serves."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from feedloom.emulator import Emulator, create_emulator
from vendors.aptrinsic_emulator.stage import DAY_MS, END_MS, Px, playing

DOCUMENT = yaml.safe_load(files("feedloom.vendors.aptrinsic").joinpath("openapi.yaml").read_text(encoding="utf-8"))
"""The file that the emulator serves."""

BODIES = [
    (method.upper(), path, operation["requestBody"]["content"]["application/json"]["example"])
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method in {"post", "put", "delete"} and "application/json" in operation.get("requestBody", {}).get("content", {})
]
ANSWERS = [
    (path, operation["responses"]["200"]["content"]["application/json"]["example"])
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method == "get" and "example" in operation["responses"]["200"]["content"].get("application/json", {})
]


def test_the_description_names_this_server(px: Px) -> None:
    served = px.get("/openapi.json")
    assert served["servers"] == [{"url": "http://emulator", "description": "The emulator."}]
    assert served["paths"] == DOCUMENT["paths"]


@pytest.fixture(scope="module")
def known() -> dict[str, str]:
    """The ids of things that exist, by the example's."""
    with playing() as px:
        return {
            "a1": px.get("/v1/engagement")["engagements"][0]["id"],
            "k1": px.get("/v1/kcbot")["kcList"][0]["id"],
            "2d6c": px.get("/v1/feature")["features"][0]["id"],
            "ar1": px.get("/v1/articles")["articleExternalViewList"][0]["id"],
            "77aa": px.get("/v1/segment")["segments"][0]["id"],
        }


@pytest.mark.parametrize(("method", "path", "body"), BODIES, ids=lambda part: str(part)[:40])
def test_the_example_bodies_are_accepted(method: str, path: str, body: Any, known: dict[str, str]) -> None:
    with playing() as px:
        if method != "POST" or "/users" not in path:
            for user_id in ("kari-204", "kari/204"):
                px.write("POST", "/v1/users", {"identifyId": user_id, "propertyKeys": ["AP-DEMODEMODEMO-2"]})
        if method != "POST" or "/accounts" not in path:
            for account_id in ("acme-7", "acme/7 & co"):
                account = {"id": account_id, "name": "Acme", "propertyKeys": ["AP-DEMODEMODEMO-2"]}
                px.write("POST", "/v1/accounts", account)
        if "external_segment" in path and path + method != "/v1/external_segment/metadataPOST":
            made = px.write("POST", "/v1/external_segment/metadata", {"externalId": "aud-5", "name": "x"}).json()
            body = {name: "aud-5" if name == "externalId" else value for name, value in body.items() if name != "id"}
            body |= {"add": [{**one, "segmentId": made["id"]} for one in body["add"]]} if "add" in body else {}
        body = {name: known.get(value, value) if isinstance(value, str) else value for name, value in body.items()}
        filled = path.replace("{identifyId}", "kari-204").replace("{accountId}", "acme-7")
        px.write(method, filled.replace("{featureId}", known["2d6c"]), body)


@pytest.mark.parametrize(("path", "example"), ANSWERS, ids=lambda part: str(part)[:60])
def test_answers_have_the_keys_of_the_examples(px: Px, path: str, example: Any, known: dict[str, str]) -> None:
    ids = {"identifyId": "u-000002", "accountId": "acct-0000", "engagementId": known["a1"], "kcId": known["k1"]}
    ids |= {"featureId": known["2d6c"], "articleId": known["ar1"], "segmentId": known["77aa"], "type": "user"}
    params: dict[str, Any] = {"p": "AP-LOOMDEMOWEB1-2", "t": "CUSTOM_EVENTS"} if "/rules" in path else {}
    if "/events/" in path or "/survey/responses" in path:
        params["filter"] = f"date>={END_MS - 180 * DAY_MS};date<{END_MS}"
    if "/monitoring/engagement" in path:
        params |= {"dateRangeStart": END_MS - 180 * DAY_MS, "dateRangeEnd": END_MS}
    if "notSeenAfter" in path:
        params["notSeenAfterTimestamp"] = END_MS
    if "error_details" in path:
        sums = px.rows("/v1/admin/monitoring/engagement_errors", params)
        ids["engagementId"] = sums[0]["engagementId"]
    answer = px.get(path.format(**ids), params)
    rows, expected = _rows(answer), _rows(example)
    assert rows
    shown = {key for row in rows for key in row}
    assert shown >= set(expected[0])
    assert isinstance(answer, list) or rows == [answer] or set(answer) == set(example)


def _rows(answer: Any) -> list[dict[str, Any]]:
    """The rows of a list, or the answer itself."""
    if isinstance(answer, list):
        return answer
    lists = [value for name, value in answer.items() if isinstance(value, list) and {"id", "errors"}.isdisjoint(answer)]
    return lists[0] if len(lists) == 1 else [answer]


EMULATOR: Emulator = create_emulator(
    "aptrinsic", rows=60, quirks={"write_body": "envelope", "limit_per_second": "0", "limit_per_day": "0"}
)
schema = schemathesis.openapi.from_asgi("/openapi.json", EMULATOR.app, config=SchemathesisConfig.from_dict({}))


@schema.parametrize()
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_breaks_the_emulator_or_its_description(case: schemathesis.Case[Any]) -> None:
    response = case.call(headers={"X-APTRINSIC-API-KEY": EMULATOR.key})
    case.validate_response(
        response,
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
    )
