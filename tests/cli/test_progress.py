"""Progress on stderr: lines now and then, bars at a terminal, nothing when told so; stdout has the result alone."""

from __future__ import annotations

import os
import pty
import subprocess

import pytest

from cli.stage import COMMAND, Here, Stage
from feedloom.cli.progress import Lines

SYNC = ("sync", "refiner", "--only", "forms")


class Clock:
    """Seconds that go on when told to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        """The seconds now."""
        return self.now_s


def test_lines_tell_rows_rate_and_time_left_every_five_seconds() -> None:
    said: list[str] = []
    clock = Clock()
    lines = Lines(say=said.append, clock_s=clock)

    lines.begin("responses")
    for _ in range(10):
        clock.now_s += 1
        lines.rows("responses", 100, 2000)
    lines.wait("a limit of the source", 75.0)
    lines.wait("a limit of the source", 0.2)
    lines.end("responses")
    lines.begin("events")
    clock.now_s += 5
    lines.rows("events", 50, None)
    lines.end("events")

    assert said == [
        "responses: 500 of 2,000 rows, 100 rows/s, about 15 s left",
        "responses: 1,000 of 2,000 rows, 100 rows/s, about 10 s left",
        "waiting 1 min 15 s: a limit of the source",
        "responses: done, 1,000 rows read in 10.0 s",
        "events: 50 rows, 10 rows/s",
        "events: done, 50 rows read in 5.0 s",
    ]


def test_a_total_that_was_passed_is_not_told() -> None:
    said: list[str] = []
    clock = Clock()
    lines = Lines(say=said.append, clock_s=clock)

    lines.begin("responses")
    clock.now_s += 5
    lines.rows("responses", 300, 200)

    assert said == ["responses: 300 rows, 60 rows/s"]


def test_without_a_terminal_progress_is_plain_lines_on_stderr(stage: Stage, here: Here) -> None:
    ended = here(stage, *SYNC, "--json")

    assert ended.document["tables"][0]["rows"] == 12
    assert ended.errors.startswith("forms: done, 12 rows read in ")
    assert "\x1b" not in ended.said


@pytest.mark.parametrize(("flags", "environment"), [(["--no-progress"], {}), ([], {"FEEDLOOM_NO_PROGRESS": "1"})])
def test_progress_can_be_turned_off(flags: list[str], environment: dict[str, str], stage: Stage, here: Here) -> None:
    ended = here(stage, *SYNC, *flags, environment=environment)

    assert ended.code == 0
    assert ended.errors == ""


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_at_a_terminal_a_bar_is_drawn_for_each_table(no_color: str, coloured: bool, stage: Stage) -> None:  # noqa: FBT001 - a parameter
    shown = at_a_terminal(stage, {"TERM": "xterm", "NO_COLOR": no_color})

    assert "forms" in shown
    assert "━" in shown
    assert "12/12" in shown
    assert ("\x1b[3" in shown) is coloured


def at_a_terminal(stage: Stage, environment: dict[str, str]) -> str:
    """What a sync shows on stderr, where that is a terminal."""
    person, terminal = pty.openpty()
    with subprocess.Popen(  # noqa: S603 - the command under test
        [COMMAND, *SYNC],
        cwd=stage.folder,
        env=stage.environment_of(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        shown = b""
        try:
            while piece := os.read(person, 4096):
                shown += piece
        except OSError:  # Linux tells the end of a terminal that nobody writes to any more by an error
            pass
        os.close(person)
        assert process.wait(timeout=60) == 0
    return shown.decode()
