"""The tools over the Model Context Protocol, asked by a real client in both eras: in process, over stdio and HTTP."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import pytest

from feedloom.tools.choosing import chosen_tools
from tools.bench import AUTUMN, KEYS, Bench

pytest.importorskip("mcp", reason="the package mcp is not installed: pip install 'feedloom[mcp]'")

from mcp import Client
from mcp_types import CallToolResult, TextContent

from feedloom.tools.server import make_server
from tools.wires import MODES, TOKEN, Mode, over_http, served_over_http, stdio


async def look_around(client: Client) -> dict[str, Any]:
    """What a client finds that lists the tools, calls three and gets two calls wrong."""
    listed = await client.list_tools()
    status = await client.call_tool("workspace_status", {})
    report = await client.call_tool("refiner_get_report", {"type": "nps", **AUTUMN})
    rows = await client.call_tool("warehouse_query", {"sql": "select count(*) as n from responses"})
    refused = await client.call_tool("refiner_get_contact", {"id": "a", "uuid": "b"})
    unknown = await client.call_tool("refiner_delete_contact", {"id": "a"})
    return {
        "names": [tool.name for tool in listed.tools],
        "hints": {tool.name: tool.annotations.read_only_hint for tool in listed.tools if tool.annotations},
        "texts": [json.loads(said(result)) for result in (status, report, rows)],
        "structured": [result.structured_content for result in (status, report, rows)],
        "errors": [(result.is_error, said(result).partition(":")[0]) for result in (refused, unknown)],
        "retry": refused.structured_content["error"]["retry"],
    }


def said(result: CallToolResult) -> str:
    """The text of a result."""
    [block] = result.content
    assert isinstance(block, TextContent)
    return block.text


def check(found: dict[str, Any]) -> None:
    assert found["names"] == list(chosen_tools(None))
    assert set(found["hints"].values()) == {True}
    assert found["texts"] == found["structured"]
    assert found["texts"][0]["database"]["state"] == "ready"
    assert isinstance(found["texts"][1]["item"]["nps"], int)
    assert found["texts"][2]["rows"] == [[300]]
    assert found["errors"] == [(True, "INPUT"), (True, "UNKNOWN_TOOL")]
    assert found["retry"] == "with changes"
    assert not any(key in str(found) for key in KEYS.values())


@pytest.mark.parametrize("mode", MODES)
def test_a_client_in_the_same_process_is_served(stocked: Bench, mode: Mode) -> None:
    async def ask() -> dict[str, Any]:
        async with Client(make_server(chosen_tools(None)), mode=mode) as client:
            return await look_around(client)

    assert stocked.folder.exists()
    check(asyncio.run(ask()))


@pytest.mark.parametrize("mode", MODES)
def test_a_client_over_stdio_is_served(stocked: Bench, mode: Mode) -> None:
    async def ask() -> dict[str, Any]:
        async with Client(stdio(stocked.folder), mode=mode) as client:
            return await look_around(client)

    check(asyncio.run(ask()))


@pytest.mark.parametrize("mode", MODES)
def test_a_client_over_http_is_served_when_it_has_the_token(stocked: Bench, mode: Mode) -> None:
    async def ask(url: str) -> dict[str, Any]:
        async with over_http(url, mode) as client:
            return await look_around(client)

    with served_over_http(stocked.folder) as url:
        check(asyncio.run(ask(url)))


def test_http_without_the_token_reaches_nothing(stocked: Bench) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    with served_over_http(stocked.folder) as url:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
            answer = httpx2.post(url, json=body, headers=headers, trust_env=False)
            assert answer.status_code == 401
            assert "refiner" not in answer.text


def test_a_call_that_is_given_up_stops_its_query(stocked: Bench) -> None:
    bomb = "select count(*) from range(10000000000) a, range(100000) b"

    async def give_up() -> Any:
        async with Client(make_server(chosen_tools("warehouse")), mode="legacy") as client:
            with pytest.raises(Exception, match=r"(?i)time"):
                await client.call_tool("warehouse_query", {"sql": bomb}, read_timeout_seconds=1.0)
            return await client.call_tool("warehouse_query", {"sql": "select 7 as n"})

    assert stocked.folder.exists()
    assert asyncio.run(give_up()).structured_content["rows"] == [[7]]


@pytest.mark.parametrize("mode", MODES)
def test_a_long_call_tells_that_it_is_under_way(bench: Bench, mode: Mode) -> None:
    told: list[float] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:  # noqa: ARG001 - the client's
        told.append(progress)

    async def ask() -> CallToolResult:
        async with Client(make_server(chosen_tools("sync")), mode=mode) as client:
            wanted = {"source": "refiner", "tables": ["contacts", "responses"], "dry_run": False}
            return await client.call_tool("sync_run", wanted, progress_callback=note)

    assert bench.folder.exists()
    result = asyncio.run(ask())
    assert not result.is_error
    assert told == sorted(told)
    assert told
