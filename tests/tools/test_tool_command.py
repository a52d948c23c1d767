"""``feedloom tool`` and ``feedloom mcp`` as a person at a terminal, or a script, meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from feedloom.cli import mcp as mcp_command
from feedloom.errors import InputError
from tools.bench import AUTUMN, KEYS, Bench

_LONGEST_S = 60


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of ``feedloom`` with *arguments*."""
    done = subprocess.run(  # noqa: S603 - the command of this package
        [sys.executable, "-m", "feedloom", *arguments],
        cwd=folder,
        env=dict(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert not any(key in done.stdout + done.stderr for key in KEYS.values())
    return done.returncode, done.stdout, done.stderr


def document(out: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(out)
    return read


def test_tools_are_listed_shown_and_called(stocked: Bench) -> None:
    code, out, _ = run(stocked.folder, "tool", "list", "--json")
    assert code == 0
    assert "warehouse_query" in [tool["name"] for tool in document(out)["tools"]]

    code, out, _ = run(stocked.folder, "tool", "show", "refiner_get_report")
    assert code == 0
    assert "nps, csat, ratings, distribution, count" in out

    arguments = ("--arg", "type=nps", *(f"--arg={name}={moment}" for name, moment in AUTUMN.items()))
    code, out, _ = run(stocked.folder, "tool", "call", "refiner_get_report", *arguments, "--json")
    assert code == 0
    assert document(out)["item"] == stocked.call("refiner_get_report", {"type": "nps", **AUTUMN})["item"]


def test_arguments_are_read_as_the_tool_wants_them(stocked: Bench) -> None:
    code, out, _ = run(
        stocked.folder,
        "tool",
        "call",
        "refiner_list_contacts",
        "--arg",
        "limit=3",
        "--arg",
        "fields=uuid,email",
        "--json",
    )
    assert code == 0
    assert [set(item) for item in document(out)["items"]] == [{"uuid", "email"}] * 3
    code, out, _ = run(stocked.folder, "tool", "call", "credentials_check", "--arg=source=refiner", "--arg=live=true")
    assert (code, document(out)["state"]) == (0, "ok")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["tool", "show", "warehouse_qery"], 2, "did you mean warehouse_query?"),
        (["tool", "call", "refiner_list_contacts", "--arg", "limt=3"], 2, "did you mean limit"),
        (["tool", "call", "refiner_list_contacts", "--arg", "limit=many"], 2, "whole number"),
        (["tool", "call", "refiner_list_contacts", "--arg", "limit"], 2, "--arg limit=VALUE"),
        (["tool", "call", "warehouse_query", "--arg", "sql=drop table contacts"], 2, "one SELECT"),
        (["mcp", "--toolsets", "context,nothing"], 2, "choose from context"),
        (["mcp", "--tools", "warehouse_qery"], 2, "did you mean warehouse_query?"),
        (["mcp", "--no-such-flag"], 2, "no-such-flag"),
        (["mcp", "--writes"], 2, "writes = true under [feedloom.tools]"),
        (["mcp", "--toolsets", "write"], 2, "start with --writes"),
        (["tool", "call", "refiner_delete_contact", "--arg", "id=u-000001"], 2, "start with --writes"),
        (["tool", "call", "REFINER_DELETE_CONTACT", "--writes", "--arg", "id=u-000001"], 2, "writes = true under"),
        (["approve", "22222222"], 2, "works at a terminal only"),
        (["undo", "22222222"], 2, "works at a terminal only"),
        (["tool", "cal"], 2, "did you mean call?"),
    ],
)
def test_wrong_use_ends_with_what_to_change(stocked: Bench, arguments: list[str], code: int, words: str) -> None:
    ended, out, errors = run(stocked.folder, *arguments)
    assert ended == code
    assert words.lower() in errors.lower()
    assert out == ""


def test_a_failure_is_one_json_document_when_asked_for(stocked: Bench) -> None:
    stocked.played.refiner.faults.add("key-refused=0")
    code, out, _ = run(stocked.folder, "tool", "call", "refiner_get_account", "--json")
    assert code == 4
    assert document(out)["error"]["code"] == "CREDENTIAL"


def test_without_the_package_mcp_the_command_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcp_command, "find_spec", lambda _name: None)
    callback = mcp_command.mcp.callback
    assert callback is not None
    with pytest.raises(InputError) as refused:
        callback(http=False, port=0, toolsets=None, tools=None, writes=False, to=None)
    assert refused.value.hint == "pip install 'feedloom[mcp]'"


def test_a_sync_is_planned_run_and_told(bench: Bench) -> None:
    plan = bench.call("sync_run", source="refiner", tables=["forms"])
    assert (plan["dry_run"], [row["table"] for row in plan["tables"]]) == (True, ["forms"])
    assert not (bench.folder / "feedloom.duckdb").exists()
    done = bench.call("sync_run", source="refiner", tables=["forms"], dry_run=False)
    assert done["verification"]["checks"] == ["counts"]
    [row] = bench.call("sync_status", source="refiner")["tables"]
    assert row["rows"] == done["tables"][0]["rows"] == 12
    assert bench.refusal("sync_run", source="refiner", tables=["form"]).code == "INPUT"
