"""What tools write: planned exactly, guarded, read back, and taken back; and what they say when it is not clear."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedloom.emulator import create_emulator, serve
from feedloom.emulator.faults import FAULTS, FaultKind
from feedloom.errors import InputError
from feedloom.http import Client, Key
from feedloom.tools.calls import WATCH, Calls, Watch
from feedloom.tools.every import every_tool
from feedloom.tools.failures import ToolError
from feedloom.tools.verification import Verification
from feedloom.tools.workspace import Workspace
from feedloom.tools.writing import applying
from feedloom.tools.writing.actions import ACTIONS
from feedloom.tools.writing.plans import Plan, load_plan
from feedloom.tools.writing.values import differences, same
from feedloom.vendors import VENDORS
from tools.conftest import writing_in
from tools.test_inputs import calls
from tools.write_bench import KEY, WriteBench

REFINER = VENDORS["refiner"]
FAILURES = {
    *("VENDOR", "UNAVAILABLE", "UNREACHABLE", "RATE_LIMITED", "TIMEOUT", "CREDENTIAL", "FORBIDDEN", "REFUSED"),
    *("UNKNOWN_OUTCOME", "STATE_CHANGED"),
}


def segment(writing: WriteBench, *, is_manual: bool) -> str:
    """The uuid of a segment."""
    segments = writing.call("refiner_list_segments")["items"]
    return next(str(one["uuid"]) for one in segments if one["is_manual"] is is_manual)


def response(writing: WriteBench) -> dict[str, str]:
    """The newest response, as a call names it."""
    [row] = writing.call("refiner_list_responses", limit=1)["items"]
    return {"response_uuid": row["uuid"], "contact_uuid": row["contact"]["uuid"]}


def test_an_update_is_planned_exactly_applied_once_read_back_and_undone(writing: WriteBench) -> None:
    before = writing.contact(id="u-000001")
    plan = writing.plan("refiner_update_contact", id="u-000001", attributes={"churn_risk": "high", "seats": 5})
    assert plan["request"] == {
        "method": "POST",
        "path": "/identify-user",
        "body": {"id": "u-000001", "churn_risk": "high", "seats": 5},
    }
    assert plan["before"]["attributes"] == {"churn_risk": None, "seats": None}
    assert plan["touches"] == [f"one contact: {before['uuid']} (id u-000001)"]
    assert before["email"] == "[masked]"
    assert plan["before"]["email"] == "[masked]"

    done = writing.write("refiner_update_contact", id="u-000001", attributes={"churn_risk": "high", "seats": 5})
    assert done["verification"] | {"attempts": 0} == {
        "status": "verified",
        "checks": ["read back"],
        "attempts": 0,
        "waited_s": 0.0,
        "healed": [],
    }
    assert (done["before"]["email"], done["after"]["email"], done["masked"]) == ("[masked]", "[masked]", True)
    assert done["untrusted"] == ["before", "after"]
    attributes = writing.contact(id="u-000001")["attributes"]
    assert (attributes["churn_risk"], attributes["seats"]) == ("high", "5")

    undone = writing.write("change_undo", change_id=done["change_id"])
    assert undone["after"]["attributes"] == {"churn_risk": None, "seats": None}
    assert undone["verification"]["status"] == "verified"
    assert writing.refusal("change_undo", change_id=done["change_id"]).code == "STATE_CHANGED"
    assert writing.refusal("refiner_update_contact", id="u-000001", attributes={"churn_risk": "high"}).code == (
        "APPROVAL_NEEDED"
    )


def test_names_and_accounts_are_set_and_set_back(writing: WriteBench) -> None:
    grouped = next(
        row
        for row in writing.call("refiner_list_contacts", limit=50, fields=["remote_id", "account"])["items"]
        if row["remote_id"] and (row.get("account") or {}).get("remote_id")
    )
    account = {"id": grouped["account"]["remote_id"], "tier": "gold"}
    arguments = {"id": grouped["remote_id"], "attributes": {"name": "Zoë"}, "account": account}
    plan = writing.plan("refiner_update_contact", arguments)
    assert plan["before"]["display_name"] == "[masked]"
    assert "all its contacts" in plan["touches"][1]
    done = writing.write("refiner_update_contact", arguments)
    assert done["after"]["account"] == account
    assert writing.write("change_undo", change_id=done["change_id"])["verification"]["status"] == "verified"


def test_a_contact_is_created_only_when_that_is_asked_for(writing: WriteBench) -> None:
    arguments = {"id": "nobody-yet", "attributes": {"plan": "pro"}}
    assert writing.refusal("refiner_update_contact", arguments).code == "NOT_FOUND"
    assert writing.refusal("refiner_track_event", id="nobody-yet", event="x").code == "NOT_FOUND"
    manual = segment(writing, is_manual=True)
    assert writing.refusal("refiner_set_segment", id="nobody-yet", segment_uuid=manual, member=True).code == "NOT_FOUND"
    done = writing.write("refiner_update_contact", arguments, create_if_missing=True)
    assert (done["before"], done["after"]["exists"]) == ({"exists": False}, True)
    assert writing.refusal("change_undo", change_id=done["change_id"]).code == "NO_UNDO"


def test_an_event_is_only_acknowledged_and_cannot_be_undone(writing: WriteBench) -> None:
    done = writing.write("refiner_track_event", id="u-000002", event="Saw the new report")
    assert done["verification"]["status"] == "acknowledged"
    assert writing.refusal("change_undo", change_id=done["change_id"]).code == "NO_UNDO"


def test_a_contact_is_put_into_a_segment_and_taken_out_again(writing: WriteBench) -> None:
    arguments = {"id": "u-000003", "segment_uuid": segment(writing, is_manual=True), "member": True}
    done = writing.write("refiner_set_segment", arguments)
    assert done["after"]["member"] is True
    assert writing.refusal("refiner_set_segment", arguments).code == "NO_CHANGE"
    undone = writing.write("change_undo", change_id=done["change_id"])
    assert (undone["after"]["member"], undone["verification"]["status"]) == (False, "verified")
    automatic = segment(writing, is_manual=False)
    assert writing.refusal("refiner_set_segment", id="u-000003", segment_uuid=automatic, member=True).code == "INPUT"


def test_tags_are_added_to_those_there_are_and_what_cannot_be_undone_is_told(writing: WriteBench) -> None:
    named = response(writing)
    first = writing.write("refiner_tag_response", named, tags=["asked"])
    assert writing.refusal("change_undo", change_id=first["change_id"]).code == "NO_UNDO"
    second = writing.write("refiner_tag_response", named, tags=["called back"])
    assert second["after"]["tags"] == ["asked", "called back"]
    undone = writing.write("change_undo", change_id=second["change_id"])
    assert undone["verification"]["status"] == "unverified"
    assert undone["verification"]["checks"] == ["read back: tags is not as written"]
    assert writing.refusal("refiner_tag_response", named, tags=[f"t{n}" for n in range(20)]).code == "INPUT"


@pytest.mark.parametrize(
    ("quirks", "status", "undo"),
    [
        ({"tags_on_read": "present", "tags_write": "replace"}, "verified", "verified"),
        pytest.param({"tags_on_read": "absent"}, "acknowledged", "NO_UNDO", marks=pytest.mark.nightly),
    ],
)
def test_tags_are_right_whichever_source_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quirks: dict[str, str], status: str, undo: str
) -> None:
    refiner = create_emulator("refiner", rows=60, seed=5, key=KEY, quirks=quirks)
    with serve(refiner) as url:
        for writing in writing_in(tmp_path, refiner, url, monkeypatch):
            named = response(writing)
            writing.write("refiner_tag_response", named, tags=["asked"])
            done = writing.write("refiner_tag_response", named, tags=["called back"])
            assert done["verification"]["status"] == status
            if undo == "verified":
                undone = writing.write("change_undo", change_id=done["change_id"])
                assert (undone["after"]["tags"], undone["verification"]["status"]) == (["asked"], undo)
            else:
                assert writing.refusal("change_undo", change_id=done["change_id"]).code == undo


def test_deleting_says_how_many_responses_go_with_it_and_is_seen_gone(writing: WriteBench) -> None:
    row = writing.call("refiner_list_responses", limit=1, include="all")["items"][0]
    uuid = row["contact"]["uuid"]
    plan = writing.plan("refiner_delete_contact", uuid=uuid)
    count = plan["before"]["responses"]
    assert count > 0
    assert plan["touches"][1].startswith(f"{count} responses")
    done = writing.write("refiner_delete_contact", uuid=uuid)
    assert (done["after"], done["verification"]["status"]) == ({"exists": False}, "verified")
    assert writing.refusal("refiner_get_contact", uuid=uuid).code == "NOT_FOUND"
    assert writing.refusal("change_undo", change_id=done["change_id"]).code == "NO_UNDO"


WIDE = "\uff45\uff4d\uff41\uff49\uff4c"
"""Email in wide letters."""

IDENTIFIERS = (
    "email",
    "Email",
    " e-mail ",
    "ID",
    "uuid",
    "account",
    "api_key",
    WIDE,
    "remote_id",
    "account[id]",
)


WRONG: tuple[dict[str, Any], ...] = (
    *({"id": "u-000002", "attributes": {name: "x"}} for name in IDENTIFIERS),
    {"id": "u-000002"},
    {"id": "u-000002", "email": "a@b.example", "attributes": {"a": 1}},
    {"attributes": {"a": 1}},
    {"id": "u-000002", "attributes": {}},
    {"id": "u-000002", "attributes": {"a": None}},
    {"id": "u-000002", "attributes": {"a": ["x"]}},
    {"id": "u-000002", "attributes": {"a": 2**40}},
    {"id": "u-000002", "attributes": "a=1"},
    {"id": "u-000002", "account": {"name": "Acme"}},
    {"id": "u-000002", "account": {"id": "acme", "Uuid": "x"}},
    {"id": "u-000002", "attributes": {"a": 1}, "dry_run": True},
)


def test_what_would_change_another_or_nothing_is_refused_before_anything_is_asked(writing: WriteBench) -> None:
    before = len(writing.refiner.requests)
    for arguments in WRONG:
        assert writing.refusal("refiner_update_contact", arguments).code == "INPUT", arguments
    assert len(writing.refiner.requests) == before


def test_an_email_that_several_share_names_nobody(writing: WriteBench) -> None:
    shared = {"email": "shared@twins.example"}
    for name in ("twin-1", "twin-2"):
        writing.identify(id=name, **shared)
    assert writing.refusal("refiner_delete_contact", shared).code == "AMBIGUOUS"
    assert writing.refusal("refiner_update_contact", shared, attributes={"a": 1}).code == "AMBIGUOUS"
    assert writing.plan("refiner_delete_contact", id="twin-1")["request"]["path"] == "/contact?id=twin-1"


def test_a_refused_write_changes_nothing_and_says_so(writing: WriteBench) -> None:
    name = writing.approved("refiner_update_contact", id="u-000001", attributes={"a": "b"})
    writing.refiner.faults.add("key-refused=0@identify_user")
    with pytest.raises(ToolError, match=r"CREDENTIAL: .* Nothing was changed, and the approval is used up"):
        writing.call("change_apply", plan_id=name)
    writing.refiner.faults.clear()
    assert "a" not in writing.contact(id="u-000001")["attributes"]
    assert writing.refusal("change_apply", plan_id=name).code == "USED"


def test_a_write_whose_answer_is_lost_is_settled_by_reading(
    writing: WriteBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "SENDING_S", 0.4)
    name = writing.approved("refiner_update_contact", id="u-000001", attributes={"seen": "yes"})
    writing.refiner.faults.add("drop=always@identify_user")
    done = writing.call("change_apply", plan_id=name)
    assert done["verification"]["status"] == "verified"
    assert "outcome" in done["verification"]["healed"]


@pytest.mark.parametrize(
    "fault", ["drop", pytest.param("500", marks=pytest.mark.nightly), pytest.param("html", marks=pytest.mark.nightly)]
)
def test_what_must_not_be_sent_twice_is_sent_once_and_called_unknown(writing: WriteBench, fault: str) -> None:
    name = writing.approved("refiner_track_event", id="u-000002", event="once")
    writing.refiner.faults.add(f"{fault}=always@track_event")
    before = writing.writes
    with pytest.raises(ToolError) as unknown:
        writing.call("change_apply", plan_id=name)
    assert (unknown.value.code, unknown.value.retry) == ("UNKNOWN_OUTCOME", "never")
    assert unknown.value.details["verification"]["status"] == "unknown"
    assert writing.writes == before + 1
    assert writing.refusal("change_apply", plan_id=name).code == "USED"


@pytest.mark.nightly
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.name)
def test_under_every_fault_a_write_is_told_as_it_went(writing: WriteBench, kind: FaultKind) -> None:
    with_ids = [f"u-{number:06d}" for number in range(20, 60) if number % 17 != 5 and number % 31 != 7]
    joins, leaves = with_ids[FAULTS.index(kind) :: len(FAULTS)][:2]
    manual = segment(writing, is_manual=True)
    is_in = any(one["uuid"] == manual for one in writing.contact(id=joins)["segments"])
    every: list[tuple[str, dict[str, Any]]] = [
        ("refiner_update_contact", {"id": "u-000010", "attributes": {kind.name.replace("-", "_"): "yes"}}),
        ("refiner_tag_response", {**response(writing), "tags": [f"tag {kind.name}"]}),
        ("refiner_set_segment", {"id": joins, "segment_uuid": manual, "member": not is_in}),
        ("refiner_track_event", {"id": "u-000012", "event": kind.name}),
        ("refiner_delete_contact", {"id": leaves}),
    ]
    for tool, arguments in every:
        name = writing.approved(tool, arguments)
        plan = load_plan(name)
        writing.refiner.faults.add(f"{kind.name}={max(kind.least, 2 if kind.unit in ('every', 'after') else 10)}")
        try:
            status, code = writing.call("change_apply", plan_id=name)["verification"]["status"], ""
        except ToolError as error:
            status, code = "", error.code
        writing.refiner.faults.clear()
        assert status in {"verified", "unverified", "acknowledged"} or code in FAILURES, (tool, status, code)
        if tool != "refiner_track_event":
            there = not [*differences(plan.after, asyncio.run(look(writing, plan)))]
            assert status != "verified" or there, (tool, kind.name)
            assert status or code == "UNKNOWN_OUTCOME" or not there, (tool, code)


async def look(writing: WriteBench, plan: Plan) -> dict[str, Any]:
    """The state that *plan* is about, as it is now."""
    async with writing.workspace() as workspace:
        token = WATCH.set(Watch(deadline_s=time.monotonic() + 60, verification=Verification()))
        try:
            return dict(await ACTIONS[plan.action].look(workspace.calls, plan.target))
        finally:
            WATCH.reset(token)


def test_a_write_that_the_vendor_does_not_show_is_unverified(
    writing: WriteBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = writing.approved("refiner_update_contact", id="u-000003", attributes={"kept": "no"})

    async def says_yes(calls: Calls, vendor: Any, endpoint: Any, params: Any) -> Any:  # noqa: ARG001 - takes its place
        return await calls.call(vendor, vendor.endpoint("get_account"), {})

    monkeypatch.setattr(Calls, "write", says_yes)
    monkeypatch.setattr(applying, "READ_BACK_S", (0.0, 0.0))
    done = writing.call("change_apply", plan_id=name)
    assert done["verification"]["status"] == "unverified"
    assert done["verification"]["checks"] == ["read back: attributes.kept is not as written"]


def test_without_writes_nothing_but_reads_can_leave(writing: WriteBench, monkeypatch: pytest.MonkeyPatch) -> None:
    before = writing.writes

    async def ask(name: str) -> None:
        async with Workspace() as workspace:
            await every_tool().call(workspace, name, {"id": "u-000001"})

    for name in ("refiner_delete_contact", "refiner_update_contact", "change_apply"):
        with pytest.raises(ToolError, match="WRITES_OFF"):
            asyncio.run(ask(name))
    monkeypatch.setenv("FEEDLOOM__TOOLS__WRITES", "false")
    with pytest.raises(InputError, match="writes are not allowed"):
        writing.call("refiner_delete_contact", id="u-000001")
    assert writing.writes == before


def test_a_client_that_only_reads_refuses_a_write_that_calls_itself_a_read() -> None:
    disguised = replace(REFINER.endpoint("delete_contact"), effect="read")

    async def ask() -> None:
        async with Client(REFINER, Key(KEY, "the test"), base_url="http://127.0.0.1:9", reads_only=True) as client:
            await client.call(disguised, {"id": "u-000002"})

    with pytest.raises(InputError, match="only reads"):
        asyncio.run(ask())


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(call=calls(effect="write"))
def test_whatever_a_tool_that_writes_is_called_with_nothing_is_sent_without_an_approval(
    writing: WriteBench, call: tuple[str, dict[str, Any]]
) -> None:
    name, arguments = call
    before = writing.writes
    try:
        said = writing.call(name, arguments)["error"]
    except ToolError as error:
        said = str(error)
    assert said.partition(":")[0] in ("INPUT", "NOT_FOUND", "REFUSED", "APPROVAL_NEEDED"), said
    assert writing.writes == before


MOMENTS = st.datetimes().map(lambda moment: f"{moment.isoformat(timespec='seconds')}Z")


@given(value=st.text(min_size=1) | st.booleans() | st.integers(-(2**31), 2**31) | MOMENTS)
def test_a_value_reads_back_as_itself_as_text_and_as_no_other(value: Any) -> None:
    spelt = str(value).lower() if isinstance(value, bool) else str(value)
    assert same(value, value)
    assert same(value, spelt)
    assert not same(value, f"{spelt} and more")
    assert not same(value, None)
