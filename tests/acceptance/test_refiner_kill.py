"""A sync that is killed at random moments, again and again, ends equal, and asks for no finished page again."""

from __future__ import annotations

import random
import signal
import sys
import time
from pathlib import Path

import pytest

from feedloom.vendors import VENDORS
from support.forge import Forge, forge
from support.killing import Restarts
from support.refiner_stage import Stage, playing

TABLES = ("forms", "responses", "segments")
SYNC = ("sync", "refiner", "--json", "--only", ",".join(TABLES))
PAGE_ROWS = 20
STAGES, KILLS = 4, 10
"""Folders, the first of which only tells how long a sync takes, and the kills that follow each other in the rest.

With those of the other vendor it is 50 kills in all.
"""

_LONGEST_S = 60.0
_SHORTEST_S = 0.02


def run(commands: Forge, stage: Stage, *, within_s: float) -> tuple[int, str]:
    """Run the command, and kill it unless it ends *within_s*; how it ended, and what it wrote."""
    settings = {**stage.settings, "FEEDLOOM_STATE": str(stage.folder / "state")}
    with commands.start(*SYNC, folder=stage.folder, environment=settings, page_rows=PAGE_ROWS) as command:
        if not command.has_ended(within_s):
            command.kill()
        return command.code(_LONGEST_S), command.output.read_text("utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="forks, and processes that are watched by number, are Linux's")
@pytest.mark.timeout(300)
def test_a_sync_that_is_killed_at_any_moment_ends_equal(tmp_path: Path) -> None:
    dice = random.Random(30)  # noqa: S311 - the choice of moments
    codes = []
    longest_s = _LONGEST_S
    with forge() as commands:
        for seed in range(STAGES):
            with playing(tmp_path, rows=45, seed=seed) as stage:
                restarts = Restarts(stage.emulator, stage.folder, beside={VENDORS["refiner"].probe})
                for _ in range(KILLS if seed else 0):
                    codes.append(run(commands, stage, within_s=dice.uniform(_SHORTEST_S, longest_s))[0])
                    restarts.note()
                started = time.monotonic()
                code, said = run(commands, stage, within_s=_LONGEST_S)
                longest_s = min(longest_s, time.monotonic() - started)
                restarts.note()
                assert code == 0, said
                assert stage.differences(TABLES) == []
                assert restarts.most <= 1
    assert set(codes) <= {-signal.SIGKILL, 0}
    assert codes.count(-signal.SIGKILL) >= len(codes) // 2
