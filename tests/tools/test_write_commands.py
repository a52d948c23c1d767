"""``feedloom approve``, ``reject`` and ``undo`` at a terminal, and the calls that they let through."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from feedloom.tools.writing.policy import FILE
from tools.test_tool_command import document, run
from tools.write_bench import KEY, WriteBench

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")

LONGEST_S = 60.0
THE_ID = "<the id that is asked for>"
RULE = '[[rules]]\ntool = "refiner_track_event"\nvalues = {event = ["a\\u001b[2J"]}\nper_day = 2\nper_run = 1\n'


def at_terminal(folder: Path, *arguments: str, answer: str) -> tuple[int, str]:
    """Exit code and screen of ``feedloom`` with *arguments*, to whose question a person types *answer*."""
    controller, terminal = pty.openpty()
    with subprocess.Popen(  # noqa: S603 - the command of this package
        [sys.executable, "-m", "feedloom", *arguments],
        cwd=folder,
        env=dict(os.environ),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        close_fds=True,
        start_new_session=True,
    ) as process:
        os.close(terminal)
        screen, typed, until_s = b"", False, time.monotonic() + LONGEST_S
        while time.monotonic() < until_s:
            if select.select([controller], [], [], 0.2)[0]:
                try:
                    read = os.read(controller, 4096)
                except OSError:
                    break
                if not read:
                    break
                screen += read
            if not typed and b"Type " in screen and screen.rstrip().endswith(b":"):
                typed_text = screen.decode().rpartition("Type ")[2].split()[0] if answer == THE_ID else answer
                os.write(controller, f"{typed_text}\n".encode())
                typed = True
        code = process.wait(LONGEST_S)
    os.close(controller)
    shown = screen.decode().replace("\r\n", "\n")
    assert KEY not in shown
    assert "Traceback" not in shown
    return code, shown


def test_a_plan_is_shown_whole_approved_by_typing_its_id_applied_and_undone(writing: WriteBench) -> None:
    arguments = ("--writes", "--arg=id=u-000010", '--arg=attributes={"churn_risk": "high", "note": "a\\u001b[2Jb"}')
    code, out, _ = run(writing.folder, "tool", "call", "refiner_update_contact", *arguments, "--json")
    assert (code, document(out)["error"]["code"]) == (3, "APPROVAL_NEEDED")
    name = document(out)["error"]["message"].split()[2]

    code, screen = at_terminal(writing.folder, "approve", name, answer="yes")
    assert (code, "not approved; nothing was changed" in screen) == (2, True)
    assert writing.refusal("change_apply", plan_id=name).code == "APPROVAL_NEEDED"

    code, screen = at_terminal(writing.folder, "approve", name, answer=name)
    assert code == 0, screen
    assert "sends    POST /identify-user\n" in screen
    assert '{"id":"u-000010","churn_risk":"high","note":"a\\u001b[2Jb"}\n' in screen
    assert "\x1b[2J" not in screen
    code, out, _ = run(writing.folder, "tool", "call", "change_apply", "--writes", f"--arg=plan_id={name}", "--json")
    assert (code, document(out)["verification"]["status"]) == (0, "verified")
    assert writing.contact(id="u-000010")["attributes"]["churn_risk"] == "high"

    code, screen = at_terminal(writing.folder, "undo", name, answer=THE_ID)
    assert 'attributes.churn_risk: "high" -> null' in screen
    assert (code, '"status": "verified"' in screen) == (0, True)
    assert not writing.contact(id="u-000010")["attributes"].get("churn_risk")


def test_a_plan_is_rejected_and_the_journal_tells(writing: WriteBench) -> None:
    name = writing.plan("refiner_track_event", id="u-000012", event="x")["plan_id"]
    assert run(writing.folder, "reject", name)[0] == 0
    assert writing.refusal("change_apply", plan_id=name).code == "DECLINED"
    assert writing.workspace().journal.check().broken == ""
    [file] = (writing.folder / ".feedloom/calls").iterdir()
    file.write_text(file.read_text(encoding="utf-8").replace("DECLINED", "SOMETHING"), encoding="utf-8")
    code, out, _ = run(writing.folder, "journal", "calls", "--verify")
    assert (code, "the chain is broken: line 2" in out) == (3, True)
    assert [line.split()[4:6] for line in out.splitlines()[1:3]] == [["-", "APPROVAL_NEEDED"], ["-", "SOMETHING"]]


def test_a_policy_counts_when_a_person_accepted_it_and_a_slip_stops_the_start(writing: WriteBench) -> None:
    FILE.parent.mkdir()
    FILE.write_text(RULE.replace("per_run", "per_rum"), encoding="utf-8")
    code, _, errors = run(writing.folder, "mcp", "--writes")
    assert (code, "unknown key 'per_rum'" in errors) == (2, True)
    FILE.write_text(RULE, encoding="utf-8")
    code, screen = at_terminal(writing.folder, "approve", "policy", answer="policy")
    assert (code, "\x1b[2J" in screen) == (0, False)
    assert writing.call("refiner_track_event", id="u-000013", event="a\x1b[2J")["approval"] == "policy"
