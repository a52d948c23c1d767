"""Two syncs of one pipeline at once: the second says who is at it, and nothing is left behind by one that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import chdir

from cli.stage import Here, Stage
from feedloom.config import Setting
from feedloom.sync.jobs import make_job
from feedloom.sync.lock import locked
from feedloom.vendors import VENDORS

_HOLD = """
import sys
from feedloom.config import Setting
from feedloom.sync.jobs import make_job
from feedloom.sync.lock import locked
from feedloom.vendors import VENDORS
with locked(make_job(VENDORS["refiner"], key=Setting("none", "the test")).pipeline):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_sync_says_who_holds_the_lock_and_a_killed_one_holds_none(here: Here, stage: Stage) -> None:
    environment = {**stage.environment_of(), "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(  # noqa: S603 - this interpreter with a fixed program
        [sys.executable, "-c", _HOLD],
        cwd=stage.folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        refused = here(stage, "sync", "refiner", "--only", "forms", "--json")
        assert refused.code == 6
        assert refused.document["error"]["code"] == "FL610"
        assert f"process {holder.pid} on " in refused.document["error"]["message"]
        assert "since 20" in refused.document["error"]["message"]
        assert not stage.database.exists()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert here(stage, "sync", "refiner", "--only", "forms").code == 0


def test_a_lock_is_for_one_pipeline(here: Here, stage: Stage) -> None:
    with chdir(stage.folder), locked(make_job(VENDORS["refiner"], key=Setting("none", "the test")).pipeline):
        assert here(stage, "sync", "refiner", "--only", "forms").code == 6
        assert here(stage, "sync", "refiner", "--only", "forms", "--dataset", "other").code == 0
