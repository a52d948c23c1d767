"""A backfill of 700 days that is killed twenty times ends with every row once, and asks for no finished window again.

A window is finished when the record of its last page stands whole in the journal of its table. What was being written
when the kill came is not, and may be asked for again; so may a table that an earlier run had loaded to its end, since
``--start`` asks for its whole range each time.
"""

from __future__ import annotations

import random
import signal
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from feedloom.emulator.request_log import SeenRequest
from feedloom.sources.journal import list_identity
from feedloom.vendors import VENDORS
from support.aptrinsic_stage import LATEST, Stage, crowd_the_last_day, playing
from support.forge import Forge, Forged, forge
from support.journals import finished_lists

TABLES = ("events_custom", "events_page_view", "events_feature_match", "survey_responses")
START = LATEST - timedelta(days=700)
SYNC = (
    *("sync", "aptrinsic", "--json", "--only", ",".join(TABLES)),
    *("--start", START.isoformat(), "--end", LATEST.isoformat()),
)
KILLS = 20
_ANY_ROWS = 1_000
_LONGEST_S = 100.0
_POLL_S = 0.005


def list_of(request: SeenRequest) -> str:
    """The fingerprint under which a journal keeps the list that *request* begins."""
    given = parse_qs(request.query)
    params = {"filter": given.get("filter"), "sort": given.get("sort", [""])[0]}
    return list_identity(VENDORS["aptrinsic"].endpoint(request.endpoint), params)


def begun_lists(stage: Stage) -> list[str]:
    """The lists of events whose first page was asked for since the log was cleared."""
    return [list_of(request) for request in stage.emulator.requests if "sort=date" in request.query]


def start(commands: Forge, stage: Stage) -> Forged:
    return commands.start(*SYNC, folder=stage.folder, environment=stage.settings, page_rows=_ANY_ROWS)


def kill_after(stage: Stage, command: Forged, *, requests: int, more_s: float) -> int:
    """Kill *command* so long after it has sent so many requests, unless it ends by itself; returns its exit code."""
    while stage.emulator.requests.total < requests and not command.has_ended(_POLL_S):
        pass
    if not command.has_ended(more_s):
        command.kill()
    return command.code(_LONGEST_S)


@pytest.mark.skipif(sys.platform != "linux", reason="forks, and processes that are watched by number, are Linux's")
@pytest.mark.timeout(300)
def test_a_backfill_that_is_killed_at_any_moment_goes_on_where_it_was(tmp_path: Path) -> None:
    dice = random.Random(700)  # noqa: S311 - the choice of moments
    kept_by_kills, codes = [], []
    with forge() as commands, playing(tmp_path, rows=600, latency_ms=20) as stage:
        crowd_the_last_day(stage)
        for _ in range(KILLS):
            finished = finished_lists(stage.folder)
            stage.emulator.requests.clear()
            with start(commands, stage) as command:
                codes.append(kill_after(stage, command, requests=dice.randrange(1, 70), more_s=dice.random() / 2))
            assert not finished.intersection(begun_lists(stage))
            kept_by_kills.append(len(finished_lists(stage.folder)))
        finished = finished_lists(stage.folder)
        stage.emulator.requests.clear()
        with start(commands, stage) as last:
            assert last.code(_LONGEST_S) == 0, last.output.read_text("utf-8")
        assert not finished.intersection(begun_lists(stage))
        assert codes.count(-signal.SIGKILL) >= KILLS // 2
        assert sum(map(bool, kept_by_kills)) >= KILLS // 4
        stage.has_loaded(TABLES, now=LATEST, start=START)
        assert stage.differences(TABLES) == []
        assert finished_lists(stage.folder) == set()
