"""What the tests of the tools share: both vendors played on this machine, and folders that know them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from feedloom.emulator import Emulator, create_emulator, serve
from feedloom.tools.writing import applying
from support.settings import forget_settings
from tools.bench import KEYS, Bench, Played
from tools.write_bench import KEY, WriteBench

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


@pytest.fixture(scope="module")
def writable() -> Iterator[tuple[Emulator, str]]:
    """A Refiner that tests may change, each its own contacts; it shows the tags of responses."""
    refiner = create_emulator("refiner", rows=300, seed=5, key=KEY, quirks={"tags_on_read": "present"})
    with serve(refiner) as url:
        yield refiner, url


@pytest.fixture
def writing(writable: tuple[Emulator, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WriteBench]:
    """An empty folder in which tools may write."""
    refiner, url = writable
    yield from writing_in(tmp_path, refiner, url, monkeypatch)


def writing_in(folder: Path, refiner: Emulator, url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[WriteBench]:
    """*folder* with what a person sets who lets tools write to *refiner*."""
    (folder / "work").mkdir()
    monkeypatch.chdir(folder / "work")
    monkeypatch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
    monkeypatch.setenv("FEEDLOOM_STATE", str(folder / "state"))
    monkeypatch.setenv("FEEDLOOM__TOOLS__WRITES", "true")
    monkeypatch.setattr(applying, "READ_BACK_S", (0.0, 0.0))
    monkeypatch.setenv("SOURCES__REFINER_SOURCE__BASE_URL", url)
    monkeypatch.setenv("SOURCES__REFINER_SOURCE__API_KEY", KEY)
    forget_settings()
    yield WriteBench(folder=folder / "work", refiner=refiner)
    refiner.faults.clear()
    monkeypatch.undo()
    forget_settings()


def _standing_in(folder: Path, played: Played, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
    for name, value in played.environment.items():
        monkeypatch.setenv(name, value)
    forget_settings()
    yield Bench(folder=folder, played=played)
    played.refiner.faults.clear()
    played.aptrinsic.faults.clear()
    monkeypatch.undo()
    forget_settings()
