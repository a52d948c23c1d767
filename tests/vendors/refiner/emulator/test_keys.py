"""The key is taken in three ways, and bad ones are answered as measured on the live API."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from emulator.asking import asking

KEY = "emulator-key-000000000000-seed7"
NO_KEY = {"error": "No API key found in headers"}


def basic(text: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(text.encode()).decode()}"}


@pytest.mark.parametrize(
    "way",
    [
        {"headers": {"Authorization": f"Bearer {KEY}"}},
        {"headers": {"Authorization": f"bearer {KEY}"}},
        {"headers": basic(f"{KEY}:")},
        {"headers": {"Authorization": ""}, "params": {"api_key": KEY}},
    ],
)
def test_the_key_is_taken_as_bearer_token_user_name_or_parameter(way: dict[str, Any]) -> None:
    with asking() as api:
        assert api.send("GET", "/", **way).json()["message"] == "Authentication successful"


def test_the_key_is_taken_from_a_body_of_json_or_form_fields() -> None:
    with asking() as api:
        event = {"api_key": KEY, "id": "u-000001", "event": "seen"}
        no_header = {"Authorization": ""}
        assert api.send("POST", "track-event", json=event, headers=no_header).json() == {"message": "ok"}
        assert api.send("POST", "track-event", data=event, headers=no_header).json() == {"message": "ok"}


@pytest.mark.parametrize(
    ("headers", "status", "body"),
    [
        ({"Authorization": ""}, 401, NO_KEY),
        ({"Authorization": "Bearer short"}, 401, NO_KEY),
        ({"Authorization": "Token " + KEY}, 401, NO_KEY),
        ({"Authorization": "Basic !!!"}, 401, NO_KEY),
        (basic(f":{KEY}"), 401, NO_KEY),
        ({"Authorization": "Bearer not_a_key_because_of_underscores"}, 401, {"error": "API key does not look valid"}),
        (
            {"Authorization": "Bearer 2f9d9a10-66c5-11ee-8f0b-5b8a1c7d2e90"},
            404,
            {"message": "API key not valid or does not exist"},
        ),
    ],
)
def test_bad_keys_get_the_answers_that_were_measured(headers: dict[str, str], status: int, body: object) -> None:
    with asking() as api:
        response = api.send("GET", "responses", headers=headers)
        assert (response.status_code, response.json()) == (status, body)


def test_the_key_is_checked_before_the_parameters_and_the_body() -> None:
    with asking() as api:
        headers = {"Authorization": "Bearer short"}
        assert api.send("GET", "responses", {"page": "x"}, headers=headers).status_code == 401
        assert api.send("POST", "track-event", content=b"{", headers=headers).status_code == 401
