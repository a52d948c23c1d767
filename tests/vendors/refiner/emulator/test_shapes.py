"""The emulator agrees with the OpenAPI file: its examples are accepted, and answers have the keys that it shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from emulator.asking import Asking, asking
from feedloom.emulator import create_emulator
from feedloom.vendors import refiner

DOCUMENT = yaml.safe_load(Path(refiner.__file__).with_name("openapi.yaml").read_text(encoding="utf-8"))
EMULATOR = create_emulator("refiner", rows=80, quirks={"limit_key": "0", "limit_user": "0"})
SCHEMA = schemathesis.openapi.from_asgi("/openapi.json", EMULATOR.app)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, verbs in DOCUMENT["paths"].items():
        for verb, operation in verbs.items():
            yield verb.upper(), path, operation


def shown_by(operation: dict[str, Any]) -> list[Any]:
    content = operation["responses"]["200"]["content"]["application/json"]
    named = [example["value"] for example in content.get("examples", {}).values()]
    return [content["example"], *named] if "example" in content else named


BODIES = [
    (path, operation["requestBody"]["content"]["application/json"]["example"])
    for _, path, operation in operations()
    if "application/json" in operation.get("requestBody", {}).get("content", {})
]


def filled_in(api: Asking, body: dict[str, Any]) -> dict[str, Any]:
    """*body* with uuids of things that are there."""
    there = {
        "uuid": api.uuids("responses")[0],
        "form_uuid": api.uuids("forms")[0],
        "segment_uuid": next(segment["uuid"] for segment in api.rows("segments") if segment["is_manual"]),
    }
    return {name: there.get(name, value) for name, value in body.items()}


@pytest.mark.parametrize(("path", "body"), BODIES)
def test_the_example_bodies_are_accepted_and_answered_with_the_keys_shown(path: str, body: dict[str, Any]) -> None:
    with asking() as api:
        answer = api.post(path, filled_in(api, body))
        (shown,) = shown_by(DOCUMENT["paths"][path]["post"])
        assert set(answer) == set(shown)


READS: list[tuple[str, str, dict[str, Any]]] = [
    ("/", "", {}),
    ("/account", "account", {}),
    ("/responses", "responses", {"include": "all"}),
    ("/contacts", "contacts", {}),
    ("/segments", "segments", {}),
    ("/reporting", "reporting", {"date_range_start": "2025-01-01", "date_range_end": "2026-01-01"}),
]


def is_like(shown: Any, answered: Any, *, path: str = "") -> list[str]:
    """Keys that one side has and the other has not, maps with keys of the customer left out."""
    if path.endswith(("attributes", ".data", "snapshot")):
        return []
    if isinstance(shown, list) and isinstance(answered, list):
        return is_like(shown[0], answered[0], path=path) if shown and answered else []
    if isinstance(shown, dict) and isinstance(answered, dict):
        return [f"{path}.{name}" for name in set(shown) ^ set(answered)] + [
            difference
            for name in set(shown) & set(answered)
            for difference in is_like(shown[name], answered[name], path=f"{path}.{name}")
        ]
    return []


@pytest.mark.parametrize(("path", "asked", "params"), READS)
def test_reads_have_the_keys_of_the_examples(path: str, asked: str, params: dict[str, Any]) -> None:
    examples = DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]["application/json"].get("examples", {})
    with asking() as api:
        if path == "/reporting":
            for kind, example in examples.items():
                assert is_like(example["value"], api.get(asked, {**params, "type": kind})) == []
            return
        for shown in shown_by(DOCUMENT["paths"][path]["get"]):
            assert is_like(shown, api.get(asked, params)) == []


def test_forms_and_their_history_have_the_keys_of_the_examples() -> None:
    examples = DOCUMENT["paths"]["/forms"]["get"]["responses"]["200"]["content"]["application/json"]["examples"]
    with asking() as api:
        assert is_like(examples["bare"]["value"], api.get("forms")) == []
        assert is_like(examples["with_info"]["value"], api.get("forms", {"include_info": 1})) == []
        (shown,) = shown_by(DOCUMENT["paths"]["/forms/history"]["get"])
        form = next(form["uuid"] for form in api.rows("forms") if form["name"] == "Quarterly NPS")
        assert is_like(shown, api.get("forms/history", {"form_uuid": form})) == []


@SCHEMA.parametrize()
@settings(max_examples=10, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_made_up_calls_are_answered_as_the_description_says(case: schemathesis.Case[Any]) -> None:
    knows_refusals = "400" in case.operation.definition.raw["responses"]
    case.call_and_validate(
        headers={"Authorization": f"Bearer {EMULATOR.key}"},
        checks=CHECKS,
        excluded_checks=[] if knows_refusals else [status_code_conformance],
    )
