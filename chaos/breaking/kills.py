"""SIGKILL at every boundary between two phases, and at random moments: what is there after the next sync?"""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from breaking.stages import VENDOR_SLUGS, Trial, ended, trial
from support.killing import PHASES, Restarts

KILLS_A_STAGE = 4
"""Random kills that follow each other before a sync is let through."""

_FIRST_S = 0.5
_SHOWN = 3


def at_every_phase(folder: Path) -> Iterator[dict[str, Any]]:
    """A line for each vendor and phase: killed there, then synced."""
    for vendor in VENDOR_SLUGS:
        for phase in PHASES:
            with trial(vendor, folder) as stage:
                restarts = Restarts(stage.emulator, stage.folder, beside=stage.asked_beside)
                code, _, errors = ended(stage.start("--phase", phase))
                restarts.note()
                yield _line(stage, restarts, phase, killed=int(code == -signal.SIGKILL), errors=errors)


def at_random(folder: Path, *, moments: int, seed: int) -> Iterator[dict[str, Any]]:
    """A line for each stage: killed some times at random moments of a sync, then synced; *moments* of each vendor."""
    dice = random.Random(seed)  # noqa: S311 - the choice of moments
    longest_s = {vendor: _seconds_of_a_sync(vendor, folder) for vendor in VENDOR_SLUGS}
    for number, done in enumerate(range(0, moments, KILLS_A_STAGE)):
        for vendor in VENDOR_SLUGS:
            with trial(vendor, folder, seed=seed + number) as stage:
                restarts = Restarts(stage.emulator, stage.folder, beside=stage.asked_beside)
                killed = 0
                for _ in range(min(KILLS_A_STAGE, moments - done)):
                    killed += _killed_after(stage.start(), dice.uniform(_FIRST_S, longest_s[vendor]))
                    restarts.note()
                yield _line(stage, restarts, "random", killed=killed)


def _seconds_of_a_sync(vendor: str, folder: Path) -> float:
    """How long a sync takes from its start, of which random moments are drawn."""
    with trial(vendor, folder) as stage:
        started = time.monotonic()
        ended(stage.start())
        return time.monotonic() - started


def _killed_after(process: subprocess.Popen[str], seconds: float) -> bool:
    """Kill *process* after so many seconds; False when it had ended by then."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    code, _, _ = ended(process)
    return code == -signal.SIGKILL


def _line(stage: Trial, restarts: Restarts, moment: str, *, killed: int, errors: str = "") -> dict[str, Any]:
    """Sync to the end, and tell how that was and whether the database equals the emulator."""
    started = time.monotonic()
    code, output, problem = ended(stage.start())
    restarts.note()
    differences = stage.differences(stage.database) if code == 0 else []
    return {
        "kind": "kill",
        "vendor": stage.vendor,
        "moment": moment,
        "kills": killed,
        "code": code,
        "outcome": "equal" if code == 0 and not differences else "WRONG",
        "most_repeated": restarts.most,
        "differences": differences[:_SHOWN],
        "errors": "" if code == 0 else (errors + output + problem)[-800:],
        "seconds": round(time.monotonic() - started, 1),
    }
