"""What the tests of the tools share: both vendors played on this machine, and folders that know them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

from feedloom.emulator import create_emulator, serve
from tools.bench import KEYS, Bench, Played

_LONGEST_S = 90


@pytest.fixture(scope="session")
def played() -> Iterator[Played]:
    """Both vendors; who switches a fault on switches it off again."""
    with ExitStack() as stack:
        refiner = create_emulator("refiner", rows=300, seed=3, key=KEYS["refiner"])
        aptrinsic = create_emulator("aptrinsic", rows=200, seed=3, key=KEYS["aptrinsic"])
        urls = {
            "refiner": stack.enter_context(serve(refiner)),
            "aptrinsic": stack.enter_context(serve(aptrinsic)),
        }
        yield Played(refiner=refiner, aptrinsic=aptrinsic, urls=urls)


@pytest.fixture
def bench(played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """An empty folder whose tools know both vendors."""
    yield from _standing_in(tmp_path, played, monkeypatch)


@pytest.fixture
def stocked(loaded: Path, played: Played, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A folder with a database that a sync filled."""
    yield from _standing_in(loaded, played, monkeypatch)


@pytest.fixture(scope="session")
def loaded(played: Played, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that a sync was run in."""
    folder = tmp_path_factory.mktemp("loaded")
    done = subprocess.run(
        [sys.executable, "-m", "feedloom", "sync", "refiner", "--only", "contacts,forms,responses", "--quiet"],
        cwd=folder,
        env={**os.environ, **played.environment, "DLT_DATA_DIR": str(folder / "dlt")},
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def _standing_in(folder: Path, played: Played, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
    for name, value in played.environment.items():
        monkeypatch.setenv(name, value)
    _forget_settings()
    yield Bench(folder=folder, played=played)
    played.refiner.faults.clear()
    played.aptrinsic.faults.clear()
    monkeypatch.undo()
    _forget_settings()


def _forget_settings() -> None:
    """Make dlt read its settings anew when they are next asked for."""
    container = Container()
    if PluggableRunContext in container:
        del container[PluggableRunContext]
