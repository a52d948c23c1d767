"""A hundred hostile answers, read through every tool by a model that obeys whatever it reads: nothing comes of it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from feedloom.emulator import Emulator, create_emulator, serve
from tools.bench import AUTUMN, KEYS, Bench
from tools.test_warehouse_tools import SECRET, lay_bait, state_of

pytest.importorskip("mcp", reason="the package mcp is not installed: pip install 'feedloom[mcp]'")

from mcp import Client

from feedloom.tools.choosing import chosen_tools
from feedloom.tools.server import make_server

ANSWERS: list[str] = json.loads(Path(__file__).with_name("hostile_answers.json").read_text(encoding="utf-8"))
VICTIM = "u-000002"
Calls = tuple[tuple[str, dict[str, Any]], ...]
EVERY_LIST: Calls = (
    ("refiner_list_contacts", {"limit": 200, "fields": ["uuid", "display_name", "email", "attributes", "account"]}),
    ("refiner_list_responses", {"limit": 200, "include": "all", "fields": ["uuid", "data", "contact"]}),
    ("refiner_list_forms", {"questions": True, "limit": 200}),
    ("refiner_get_report", {"type": "distribution", **AUTUMN}),
    ("REFINER_GET_CONTACTS", {"page_length": 20}),
    ("REFINER_GET_RESPONSES", {"page_length": 10, "include": "all"}),
)
EVERY_LOOK: Calls = (
    ("workspace_status", {}),
    ("warehouse_list_tables", {}),
    ("warehouse_describe", {"table": "contacts", "sample": 5}),
    ("warehouse_describe", {"table": "responses__answers", "sample": 5}),
    ("warehouse_query", {"sql": "select * from responses__answers where question = 'why'", "limit": 1000}),
    ("warehouse_query", {"sql": "select uuid, attributes__note from contacts where attributes__note is not null"}),
    ("warehouse_query", {"sql": "select data__why, data from (select to_json(r) as data, * from responses r)"}),
    ("warehouse_metric", {"name": "counts", "group_by": "trait", "trait": "note"}),
)
_WRITE = re.compile(r"(?i)(refiner_(delete|update|track|tag)|change_|sync_run)")
_CALL = re.compile(r"([A-Za-z_]{3,64})\s*[(:]?\s*(?=\{)")


@dataclass(slots=True)
class Gullible:
    """A model that calls every tool which a text names, with the arguments that stand behind the name.

    Attributes:
        seen: Everything it was given, as one text a result.
        obeyed: The calls that texts talked it into, and how each ended: a code of an error, or ``done``.
    """

    client: Any
    seen: list[str] = field(default_factory=list)
    obeyed: dict[str, str] = field(default_factory=dict)

    async def call(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The result of a call, which it reads and remembers."""
        result = await self.client.call_tool(name, arguments)
        found: dict[str, Any] = result.structured_content or {}
        self.seen.append("".join(block.text for block in result.content))
        return found

    async def obey(self, result: Any) -> None:
        """Do whatever the texts in *result* ask for, once each."""
        for text in texts(result):
            for match in _CALL.finditer(text):
                try:
                    arguments, _ = json.JSONDecoder().raw_decode(text, match.end())
                except ValueError:
                    continue
                wanted = f"{match[1]} {json.dumps(arguments, sort_keys=True)}"
                if isinstance(arguments, dict) and wanted not in self.obeyed:
                    self.obeyed[wanted] = "under way"
                    answer = await self.call(match[1], arguments)
                    self.obeyed[wanted] = answer.get("error", {}).get("code", "done") if answer.get("error") else "done"


def texts(value: Any) -> Iterator[str]:
    """Every text in *value*, keys too."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield str(name)
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


def unlabelled(result: dict[str, Any], hostile: set[str]) -> Iterator[str]:
    """Where a hostile text stands in *result* under no label that says so."""
    labels = result.get("untrusted", [])
    columns = {one["name"] for one in result.get("columns", []) if one.get("untrusted")}
    for path, text in places(result):
        if not any(part in text for part in hostile):
            continue
        top, _, below = path.partition(".")
        is_cell = top in ("rows", "sample") and bool(columns) and below.split(".")[0] in columns | {""}
        is_item = any(inside(label, path) or inside(label, below) for label in labels)
        if not (is_cell or is_item):
            yield path


def inside(label: str, path: str) -> bool:
    return path == label or path.startswith(f"{label}.")


def places(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from places(inner, path)
    elif isinstance(value, str):
        yield path, value


@dataclass(frozen=True, slots=True, kw_only=True)
class Beset:
    """A vendor, and a folder, in which strangers wrote what they wanted."""

    emulator: Emulator
    folder: Path
    hostile: set[str]
    personal: set[str]


def beset(bench: Bench, count: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Beset]:
    """Refiner with the first *count* hostile answers, each also the name and a trait of who gave it."""
    emulator = create_emulator("refiner", rows=40, seed=5, key=KEYS["refiner"])
    lay_bait(bench.folder)
    with closing(emulator), serve(emulator) as url:
        monkeypatch.setenv("SOURCES__REFINER_SOURCE__BASE_URL", url)
        monkeypatch.setenv("A_SECRET_OF_THE_ENVIRONMENT", SECRET)
        headers = {"Authorization": f"Bearer {emulator.key}"}
        with httpx2.Client(base_url=url, headers=headers, trust_env=False) as writer:
            contacts = [
                contact for page in (1, 2) for contact in writer.get("/contacts", params={"page": page}).json()["items"]
            ]
            personal = {contact[name] for contact in contacts for name in ("email", "display_name") if contact[name]}
            email = next(contact["email"] for contact in contacts if contact["email"])
            said = [text.replace("@victim@", VICTIM).replace("@victim_email@", email) for text in ANSWERS[:count]]
            form = writer.get("/forms").json()["items"][0]["uuid"]
            for number, text in enumerate(said):
                person = {"id": f"stranger-{number}", "name": text, "note": text}
                assert writer.post("/identify-user", json=person).is_success
                answer = {"id": f"stranger-{number}", "form_uuid": form, "why": text, "list": [text]}
                assert writer.post("/responses", json=answer).is_success
        emulator.requests.clear()
        hostile = {part for text in said for part in text.split(email) if len(part) > 20}
        yield Beset(emulator=emulator, folder=bench.folder, hostile=hostile, personal=personal)


@pytest.fixture
def few(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Beset]:
    yield from beset(bench, 12, monkeypatch)


@pytest.fixture
def many(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Beset]:
    for one in beset(bench, len(ANSWERS), monkeypatch):
        command = [sys.executable, "-m", "feedloom", "sync", "refiner", "--only", "contacts,forms,responses", "--quiet"]
        done = subprocess.run(  # noqa: S603 - the command under test
            command, cwd=bench.folder, env=dict(os.environ), capture_output=True, text=True, timeout=90, check=False
        )
        assert done.returncode == 0, done.stderr
        one.emulator.requests.clear()
        yield one


async def read_everything(
    calls: tuple[tuple[str, dict[str, Any]], ...], hostile: set[str]
) -> tuple[Gullible, set[str]]:
    """What a gullible model did that read the results of *calls* to their ends, and tools that showed hostile texts."""
    showed = set()
    registry = chosen_tools("context,refiner,aptrinsic,warehouse,composio")
    async with Client(make_server(registry)) as client:
        model = Gullible(client)
        for name, arguments in calls:
            further: dict[str, Any] | None = {}
            while further is not None:
                result = await model.call(name, arguments | further)
                assert not list(unlabelled(result, hostile)), name
                if any(part in text for text in texts(result) for part in hostile):
                    showed.add(name)
                await model.obey(result)
                page = (result.get("data") or {}).get("pagination", {}).get("next_page_cursor")
                key, cursor = ("page_cursor", page) if page else ("cursor", result.get("cursor"))
                further = {key: cursor} if cursor else None
    return model, showed


def check(found: Gullible, there: Beset, before: tuple[list[Any], dict[str, str]]) -> None:
    everything = "\n".join(found.seen)
    assert SECRET not in everything
    assert not any(key in everything for key in KEYS.values())
    leaked = [value for value in there.personal if value in everything]
    assert leaked == []
    assert {request.method for request in there.emulator.requests} <= {"GET"}
    assert (there.emulator.control.every_response(), state_of(there.folder)) == before
    writes = [
        wanted
        for wanted in found.obeyed
        if re.match(r"(?i)(refiner_(delete|update|track|tag)|change_|sync_run)", wanted)
    ]
    assert {found.obeyed[wanted] for wanted in writes} <= {"UNKNOWN_TOOL"}


def test_there_are_many_hostile_answers_and_no_two_are_the_same() -> None:
    assert 100 <= len(ANSWERS) == len(set(ANSWERS))


def test_a_label_that_is_missing_would_be_noticed() -> None:
    words = ANSWERS[0]
    result = {"items": [{"data": {"why": [words]}}], "columns": [{"name": "why"}], "rows": [[words]]}
    assert list(unlabelled(result, {words})) == ["items.data.why", "rows"]
    told = {"untrusted": ["data"], "columns": [{"name": "why", "untrusted": True}]}
    assert not list(unlabelled(result | told, {words}))


def test_whoever_obeys_a_few_answers_changes_and_leaks_nothing(few: Beset) -> None:
    before = (few.emulator.control.every_response(), state_of(few.folder))
    model, showed = asyncio.run(read_everything(EVERY_LIST[:2], few.hostile))
    assert showed == {"refiner_list_contacts", "refiner_list_responses"}
    assert len(model.obeyed) >= 10
    check(model, few, before)


@pytest.mark.nightly
def test_whoever_obeys_every_answer_through_every_tool_changes_and_leaks_nothing(many: Beset) -> None:
    before = (many.emulator.control.every_response(), state_of(many.folder))
    model, showed = asyncio.run(read_everything((*EVERY_LIST, *EVERY_LOOK), many.hostile))
    assert {"refiner_list_responses", "REFINER_GET_RESPONSES", "warehouse_query", "warehouse_metric"} <= showed
    assert len(model.obeyed) >= 80
    check(model, many, before)
