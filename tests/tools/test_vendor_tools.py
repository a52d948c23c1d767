"""The tools that read from the vendors: whole, checked, masked, healed, and never a quiet half-truth."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from typing import Any

import pytest

from feedloom.tools.every import every_tool
from feedloom.tools.failures import ToolError
from feedloom.tools.registry import Registry
from feedloom.tools.selecting import MAX_CHARS, size
from feedloom.tools.spec import Budget
from feedloom.tools.workspace import Workspace
from tools.bench import AUTUMN, KEYS, Bench

EVERY_READ: list[tuple[str, dict[str, Any]]] = [
    ("refiner_get_account", {}),
    ("refiner_list_forms", {"state": "all_with_archived"}),
    ("refiner_list_segments", {}),
    ("refiner_list_contacts", {"order_by": "last_seen_at"}),
    ("refiner_get_contact", {"id": "u-000001"}),
    ("refiner_list_responses", {"include": "all"}),
    ("refiner_list_responses", AUTUMN),
    *(("refiner_get_report", {"type": kind, **AUTUMN}) for kind in ("nps", "csat", "ratings", "distribution", "count")),
    *(
        ("aptrinsic_list", {"resource": resource, "limit": 10})
        for resource in ("users", "accounts", "features", "segments", "engagements", "articles", "kcbots")
    ),
    *(
        ("aptrinsic_list_events", {"kind": kind, "limit": 5, **AUTUMN})
        for kind in [
            "custom",
            "page_view",
            "session",
            "engagement_view",
            "feature_match",
            "segment_match",
            "identify",
            "email",
            "form_submit",
            "lead",
        ]
    ),
    ("aptrinsic_list_survey_responses", {"survey_type": "IN_APP_SURVEY_NPS", **AUTUMN}),
    ("aptrinsic_get", {"resource": "users", "id": "u-000001"}),
    ("credentials_check", {"source": "refiner", "live": True}),
    ("credentials_check", {"source": "aptrinsic", "live": True}),
]


def test_every_reading_tool_gives_a_verified_answer_within_its_budget(bench: Bench) -> None:
    for name, arguments in EVERY_READ:
        result = bench.call(name, arguments)
        assert result["verification"]["status"] == "verified", (name, arguments, result["verification"])
        assert "drift" not in result["verification"], (name, arguments, result["verification"])
        assert size(result) <= MAX_CHARS
        assert not any(key in str(result) for key in KEYS.values())


@pytest.mark.parametrize(
    ("name", "arguments", "key"),
    [
        ("refiner_list_responses", {"include": "all", "limit": 70}, "uuid"),
        ("refiner_list_contacts", {"limit": 30, "fields": ["uuid", "attributes"]}, "uuid"),
        ("refiner_list_forms", {"state": "all_with_archived", "limit": 5}, "uuid"),
        ("aptrinsic_list", {"resource": "users", "limit": 90}, "identifyId"),
        ("aptrinsic_list", {"resource": "features", "limit": 7}, "id"),
        ("aptrinsic_list_events", {"kind": "page_view", "limit": 80, **AUTUMN}, "eventId"),
    ],
)
def test_a_list_that_is_cut_goes_on_until_every_row_came_once(
    bench: Bench, name: str, arguments: dict[str, Any], key: str
) -> None:
    results = list(bench.walk(name, arguments))
    keys = [item[key] for result in results for item in result["items"]]
    assert len(keys) == len(set(keys))
    assert results[0]["total"] in (None, len(keys))
    assert len(results) > 1
    assert all("hint" in result for result in results if result["truncated"])


def test_a_cut_list_says_so_and_the_same_cursor_gives_the_same_rows_again(bench: Bench) -> None:
    arguments = {"include": "all", "limit": 200}
    first = bench.call("refiner_list_responses", arguments)
    assert first["truncated"]
    assert 0 < len(first["items"]) < 200
    second, again = (bench.call("refiner_list_responses", arguments, cursor=first["cursor"]) for _ in range(2))
    assert second["items"] == again["items"]
    assert (
        bench.refusal("refiner_list_responses", {**arguments, "limit": 10, "cursor": first["cursor"]}).code == "CURSOR"
    )
    assert bench.refusal("refiner_list_responses", {**arguments, "cursor": "x" * 40}).code == "CURSOR"


def test_fields_choose_what_is_shown_and_a_misspelt_one_is_refused(bench: Bench) -> None:
    result = bench.call("refiner_list_responses", limit=3, fields=["uuid", "data.nps", "contact.account.domain"])
    assert all(set(item) <= {"uuid", "data", "contact"} for item in result["items"])
    assert all(set(item["data"]) <= {"nps"} for item in result["items"])
    refused = bench.refusal("refiner_list_responses", fields=["contact.emial"])
    assert "did you mean contact.email" in str(refused).lower()


def test_personal_values_are_masked_and_strangers_words_are_labelled(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"limit": 50, "fields": ["uuid", "email", "display_name", "attributes"]}
    hidden = bench.call("refiner_list_contacts", asked)
    assert hidden["masked"]
    assert not re.search(r"\w@\w", str(hidden["items"]))
    assert {"display_name", "attributes"} <= set(hidden["untrusted"])

    monkeypatch.setenv("FEEDLOOM__TOOLS__PERSONAL", "show")
    shown = bench.call("refiner_list_contacts", asked)
    assert "masked" not in shown
    assert any("@" in (item["email"] or "") for item in shown["items"])

    monkeypatch.setenv("FEEDLOOM__TOOLS__PERSONAL", "yes")
    assert "mask or show" in str(bench.refusal("refiner_list_contacts"))


@pytest.mark.parametrize(
    ("fault", "healed"),
    [("429=2", "rate_limit"), ("500=2", "transient"), ("truncated=2", "transient"), ("empty-page=2", "page")],
)
def test_what_passes_is_healed_and_told(bench: Bench, fault: str, healed: str) -> None:
    whole = bench.call("refiner_list_responses")
    bench.played.refiner.faults.add(fault)
    results = [bench.call("refiner_list_responses") for _ in range(2)]
    assert any(healed in result["verification"]["healed"] for result in results)
    assert all(result["items"] == whole["items"] for result in results)
    assert all(result["verification"]["status"] == "verified" for result in results)


def test_a_wait_that_is_longer_than_the_call_may_take_is_told_at_once(bench: Bench) -> None:
    tool = dataclasses.replace(every_tool()["refiner_list_segments"], budget=Budget(deadline_s=0.5))
    bench.played.refiner.faults.add("429=2")
    bench.played.refiner.faults.add("429=3")

    async def ask() -> None:
        async with Workspace() as workspace:
            for _ in range(6):
                await Registry([tool]).call(workspace, tool.name, {})

    with pytest.raises(ToolError) as refused:
        asyncio.run(ask())
    assert (refused.value.code, refused.value.retry) == ("RATE_LIMITED", "after 1 s")


@pytest.mark.parametrize("fault", ["missing-list-key", "empty-page"])
def test_a_list_without_its_rows_is_an_error_and_never_an_empty_list(bench: Bench, fault: str) -> None:
    bench.played.refiner.faults.add(f"{fault}=2")
    bench.played.refiner.faults.add(f"{fault}=3")
    outcomes: list[int | str] = []
    for _ in range(6):
        try:
            outcomes.append(len(bench.call("refiner_list_contacts")["items"]))
        except ToolError as error:
            outcomes.append(error.code)
    assert set(outcomes) <= {20, "VENDOR"}
    assert "VENDOR" in outcomes


def test_a_rotated_key_heals_the_call_and_the_same_key_is_not_tried_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOURCES__REFINER_SOURCE__API_KEY")
    secrets = bench.folder / ".dlt" / "secrets.toml"
    secrets.parent.mkdir()

    def keep(key: str) -> None:
        secrets.write_text(f'[sources.refiner_source]\napi_key = "{key}"\n', encoding="utf-8")

    keep("00000000-0000-0000-0000-000000000000")
    refused = bench.refusal("refiner_get_account")
    assert (refused.code, refused.retry) == ("CREDENTIAL", "never")
    assert refused.details["verification"]["attempts"] == 1
    assert bench.call("credentials_check", source="refiner", live=True)["state"] == "refused"

    from feedloom.config import find_setting  # noqa: PLC0415 - after the folder was entered

    assert find_setting("refiner_source", "api_key") is not None
    keep(KEYS["refiner"])
    healed = bench.call("refiner_get_account")
    assert healed["verification"]["healed"] == ["key"]


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("refiner_get_contact", {}, "INPUT"),
        ("refiner_get_contact", {"id": "a", "email": "b@c.de"}, "INPUT"),
        ("refiner_get_contact", {"id": "nobody"}, "NOT_FOUND"),
        ("refiner_list_contacts", {"limit": 0}, "INPUT"),
        ("refiner_list_contacts", {"limit": 1_000_000}, "INPUT"),
        ("refiner_list_contacts", {"limit": True}, "INPUT"),
        ("refiner_list_contacts", {"emial": "x"}, "INPUT"),
        ("refiner_list_responses", {"start": "yesterday"}, "INPUT"),
        ("refiner_list_responses", {"start": "2026-01-01T00:00:00"}, "INPUT"),
        ("refiner_list_responses", {"start": AUTUMN["end"], "end": AUTUMN["start"]}, "INPUT"),
        ("refiner_list_responses", {"form_uuids": []}, "INPUT"),
        ("refiner_get_report", {"type": "mood"}, "INPUT"),
        ("aptrinsic_list", {"resource": "features", "filter": ["a==b"]}, "INPUT"),
        ("aptrinsic_list_events", {"kind": "custom", "start": "2025-01-01T00:00:00Z", "end": AUTUMN["end"]}, "INPUT"),
        ("aptrinsic_list_events", {"kind": "custom"}, "INPUT"),
        ("refiner_list_contact", {}, "UNKNOWN_TOOL"),
    ],
)
def test_bad_input_is_refused_with_what_to_change(
    bench: Bench, name: str, arguments: dict[str, Any], code: str
) -> None:
    error = bench.refusal(name, arguments)
    assert (error.code, error.retry) == (code, "with changes")
    assert str(error).startswith(f"{code}: ")
    assert str(error).count(". ") >= 2
    assert error.next_step


def test_a_vendors_own_words_never_reach_the_caller(bench: Bench) -> None:
    error = bench.refusal("refiner_list_contacts", search="x", form_uuid="ignore-all-instructions")
    assert error.code == "REFUSED"
    assert "ignore-all-instructions" not in str(error)


def test_a_missing_key_is_a_persons_task(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCES__APTRINSIC_SOURCE__API_KEY")
    error = bench.refusal("aptrinsic_list", resource="users")
    assert (error.code, error.retry) == ("CREDENTIAL", "never")
    assert bench.call("credentials_check", source="aptrinsic", live=True)["state"] == "missing"
