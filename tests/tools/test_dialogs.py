"""Writes over the Model Context Protocol: the person answers in the client's dialog, or at a terminal; in both eras."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from typing import Any, Literal

import httpx2
import pytest

from feedloom.tools.choosing import chosen_tools
from feedloom.tools.writing.approvals import approve
from feedloom.tools.writing.plans import load_plan
from tools.write_bench import KEY, WriteBench

pytest.importorskip("mcp", reason="the package mcp is not installed: pip install 'feedloom[mcp]'")

from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, ElicitRequestFormParams, ElicitResult

from feedloom.tools.server import make_server, serve_http

Mode = Literal["auto", "legacy"]
MODES: tuple[Mode, ...] = ("auto", "legacy")

TOKEN = "token-of-the-dialogs"

Person = Callable[[str], ElicitResult]


def yes(_: str) -> ElicitResult:
    return ElicitResult(action="accept", content={"approve": True})


def unticked(_: str) -> ElicitResult:
    return ElicitResult(action="accept", content={"approve": False})


def declines(_: str) -> ElicitResult:
    return ElicitResult(action="decline")


def closes(_: str) -> ElicitResult:
    return ElicitResult(action="cancel")


def dialog(person: Person, asked: list[str]) -> Any:
    """What a client does with a question: shows it to *person*."""

    async def answer(_context: Any, params: Any) -> ElicitResult:
        assert isinstance(params, ElicitRequestFormParams)
        asked.append(params.message)
        return person(params.message)

    return answer


def ask(
    mode: Mode, person: Person | None, *calls: tuple[str, dict[str, Any]]
) -> tuple[list[CallToolResult], list[str]]:
    """The results of *calls* of one client with or without dialogs, and what its person was asked."""
    asked: list[str] = []

    async def run() -> list[CallToolResult]:
        server = make_server(chosen_tools("all", writes=True), writes=True)
        callback = None if person is None else dialog(person, asked)
        async with Client(server, mode=mode, elicitation_callback=callback) as client:
            return [await client.call_tool(name, arguments) for name, arguments in calls]

    return asyncio.run(run()), asked


def code(result: CallToolResult) -> str:
    """The code of the error that a result is."""
    assert result.is_error
    assert KEY not in str(result)
    content = result.structured_content
    assert isinstance(content, dict)
    error = content["error"]
    return str(error["code"] if isinstance(error, dict) else error.partition(":")[0])


@pytest.mark.parametrize("mode", MODES)
def test_a_person_says_yes_in_the_dialog_and_it_is_done_and_undone(writing: WriteBench, mode: Mode) -> None:
    name = "u-000020" if mode == "auto" else "u-000021"
    update = ("refiner_update_contact", {"id": name, "attributes": {"churn_risk": "high"}})
    [done], asked = ask(mode, yes, update)
    assert not done.is_error, done.structured_content
    change = done.structured_content
    assert isinstance(change, dict)
    assert (change["approval"], change["verification"]["status"]) == ("dialog", "verified")
    assert f'{{"id":"{name}","churn_risk":"high"}}' in asked[0]
    assert 'attributes.churn_risk: null -> "high"' in asked[0]
    assert writing.contact(id=name)["attributes"]["churn_risk"] == "high"
    [undone], asked = ask(mode, yes, ("change_undo", {"change_id": change["change_id"]}))
    assert not undone.is_error
    assert f"takes back {change['change_id']}" in asked[0]
    channels = [one["approval"] for one in writing.workspace().journal.entries() if one["outcome"] == "sending"]
    assert channels == ["dialog", "dialog"]


@pytest.mark.parametrize(
    ("mode", "person", "expected"),
    [
        ("auto", unticked, "DECLINED"),
        ("legacy", declines, "DECLINED"),
        ("auto", closes, "APPROVAL_NEEDED"),
        ("legacy", closes, "APPROVAL_NEEDED"),
    ],
)
def test_without_a_yes_nothing_is_changed(writing: WriteBench, mode: Mode, person: Person, expected: str) -> None:
    before = writing.writes
    for name in ("refiner_delete_contact", "REFINER_DELETE_CONTACT"):
        [result], asked = ask(mode, person, (name, {"id": "u-000023"}))
        assert (code(result), len(asked)) == (expected, 1)
    assert writing.writes == before


@pytest.mark.parametrize("mode", MODES)
def test_a_client_without_dialogs_gets_a_plan_for_a_person_at_a_terminal(writing: WriteBench, mode: Mode) -> None:
    event = ("refiner_track_event", {"id": "u-000024", "event": "x"})
    [waits], _ = ask(mode, None, event)
    assert code(waits) == "APPROVAL_NEEDED"
    assert isinstance(waits.structured_content, dict)
    plan = waits.structured_content["error"]["details"]["plan"]
    apply = ("change_apply", {"plan_id": plan["plan_id"]})
    [early], _ = ask(mode, None, apply)
    assert code(early) == "APPROVAL_NEEDED"
    approve(load_plan(plan["plan_id"]), "terminal", now=writing.now())
    [done, again], _ = ask(mode, None, apply, apply)
    assert isinstance(done.structured_content, dict)
    assert done.structured_content["verification"]["status"] == "acknowledged"
    assert code(again) == "USED"


@pytest.mark.parametrize("mode", MODES)
def test_tools_that_write_are_not_there_unless_writes_are_on(writing: WriteBench, mode: Mode) -> None:
    async def run() -> tuple[list[str], list[str]]:
        async with Client(make_server(chosen_tools("all")), mode=mode, elicitation_callback=dialog(yes, [])) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            result = [await client.call_tool(name, {"id": "u-000001"}) for name in hidden]
            return names, [code(one) for one in result]

    hidden = ["refiner_delete_contact", "REFINER_DELETE_CONTACT", "change_apply"]
    names, codes = asyncio.run(run())
    assert not set(hidden) & set(names)
    assert codes == ["UNKNOWN_TOOL"] * 3
    assert writing.folder.exists()


@pytest.mark.parametrize(
    ("mode", "has_dialogs"),
    [pytest.param("auto", False, marks=pytest.mark.nightly), ("auto", True), ("legacy", True), ("legacy", False)],
)
def test_over_http_the_person_is_asked_too(writing: WriteBench, mode: Mode, has_dialogs: bool) -> None:  # noqa: FBT001 - a case
    asked: list[str] = []

    async def run() -> CallToolResult:
        server = make_server(chosen_tools(None, writes=True), writes=True)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
            serving = asyncio.create_task(serve_http(server, listener=listener, token=TOKEN, has_dialogs=has_dialogs))
            async with (
                httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False) as http,
                Client(
                    streamable_http_client(url, http_client=http), mode=mode, elicitation_callback=dialog(yes, asked)
                ) as client,
            ):
                done = await client.call_tool("refiner_track_event", {"id": "u-000028", "event": "x"})
            serving.cancel()
            await asyncio.wait([serving])
            return done

    done = asyncio.run(run())
    if mode == "legacy" and not has_dialogs:
        assert (code(done), asked) == ("APPROVAL_NEEDED", [])
        return
    assert len(asked) == 1
    assert isinstance(done.structured_content, dict)
    assert done.structured_content["approval"] == "dialog"
    assert writing.folder.exists()


@pytest.mark.nightly
def test_over_stdio_what_writes_says_that_it_does(writing: WriteBench) -> None:
    async def run() -> dict[str, tuple[bool | None, bool | None]]:
        server = StdioServerParameters(
            command=sys.executable,
            args=["-m", "feedloom", "mcp", "--writes"],
            env=dict(os.environ),
            cwd=writing.folder,
        )
        async with Client(server, elicitation_callback=dialog(yes, [])) as client:
            tools = (await client.list_tools()).tools
            done = await client.call_tool("refiner_track_event", {"id": "u-000025", "event": "x"})
            assert isinstance(done.structured_content, dict)
            assert done.structured_content["approval"] == "dialog"
            return {
                tool.name: (tool.annotations.read_only_hint, tool.annotations.destructive_hint)
                for tool in tools
                if tool.annotations
            }

    hints = asyncio.run(run())
    assert {name for name, (reads, _) in hints.items() if not reads} == set(chosen_tools("write", writes=True))
    assert hints["refiner_delete_contact"] == (False, True)
    assert hints["refiner_track_event"] == (False, False)


PUBLISHED: dict[str, tuple[dict[str, Any], set[str]]] = {
    "REFINER_UPDATE_CONTACT": (
        {"id": "u-000026", "email": None, "attributes": {"plan": "pro2"}},
        {"contact_uuid", "message"},
    ),
    "REFINER_TRACK_EVENT": ({"event": "x", "id": "u-000026"}, {"message"}),
    "REFINER_DELETE_CONTACT": ({"id": "u-000027", "uuid": None}, {"message"}),
}


def test_published_writes_answer_in_the_published_envelope(writing: WriteBench) -> None:
    uuid = writing.contact(id="u-000026")["uuid"]
    calls = [(name, arguments) for name, (arguments, _) in PUBLISHED.items()]
    results, asked = ask("auto", yes, *calls)
    for result, (_, fields) in zip(results, PUBLISHED.values(), strict=True):
        content = result.structured_content
        assert isinstance(content, dict)
        assert (content["successful"], content["error"], set(content["data"])) == (True, None, fields)
        assert content["data"]["message"] == "ok"
        assert content["verification"]["status"] in ("verified", "acknowledged")
    assert isinstance(results[0].structured_content, dict)
    assert results[0].structured_content["data"]["contact_uuid"] == uuid
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("REFINER_DELETE_CONTACT", {}, "INPUT"),
        ("REFINER_DELETE_CONTACT", {"id": "a", "uuid": "b"}, "INPUT"),
        ("REFINER_DELETE_CONTACT", {"id": "nobody"}, "NOT_FOUND"),
        ("REFINER_UPDATE_CONTACT", {"id": "nobody", "attributes": {"a": 1}}, "NOT_FOUND"),
        ("REFINER_UPDATE_CONTACT", {"id": "u-000026", "attributes": {"email": "x"}}, "INPUT"),
        ("REFINER_UPDATE_CONTACT", {"id": "u-000026", "attributes": None}, "INPUT"),
        ("REFINER_TRACK_EVENT", {"id": "u-000026"}, "INPUT"),
        ("REFINER_TRACK_EVENT", {"id": "u-000026", "event": "x"}, "APPROVAL_NEEDED"),
    ],
)
def test_bad_input_to_published_writes_is_told_in_the_envelope(
    writing: WriteBench, name: str, arguments: dict[str, Any], expected: str
) -> None:
    before = writing.writes
    result = writing.call(name, arguments)
    assert (result["successful"], result["data"], writing.writes) == (False, {}, before)
    assert result["error"].startswith(f"{expected}: ")
    assert ("plan_id" in result) is (expected == "APPROVAL_NEEDED")
