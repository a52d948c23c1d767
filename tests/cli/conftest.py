"""What the tests of the command line share: an emulated Refiner, and folders that know it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from cli.stage import BASE_URL, Ended, Here, Served, Stage
from feedloom.cli.main import DLT_SETTINGS, run
from feedloom.emulator import Emulator, create_emulator, serve
from support.settings import forget_settings


@pytest.fixture(autouse=True)
def _own_dlt_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Here]:
    """Runs commands in this process, which is much quicker than ``Stage.run``, with the same environment."""

    def run_here(stage: Stage, *arguments: str, environment: Mapping[str, str] | None = None) -> Ended:
        wanted = {**stage.environment_of(environment), **DLT_SETTINGS}
        for name in [name for name in os.environ if name not in wanted and not name.startswith("PYTEST")]:
            monkeypatch.delenv(name)
        for name, value in wanted.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(stage.folder)
        forget_settings()
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            run(list(arguments))
        said = capfd.readouterr()
        return stage.checked(Ended(code=int(str(ended.value.code)), out=said.out, errors=said.err))

    yield run_here
    monkeypatch.undo()
    forget_settings()


@pytest.fixture(scope="session")
def refiner() -> Iterator[Served]:
    """A small Refiner that all tests read."""
    with _served(create_emulator("refiner", rows=300, seed=3, key="emulator-key-of-the-command-line")) as served:
        yield served


@pytest.fixture
def slow_refiner() -> Iterator[Served]:
    """A Refiner whose lists take a while: 3 pages of responses, a quarter of a second each."""
    emulator = create_emulator("refiner", rows=3000, seed=3, latency_ms=250, key="emulator-key-of-the-slow-lane")
    with _served(emulator) as served:
        yield served


@pytest.fixture
def bare(tmp_path: Path) -> Stage:
    """An empty folder whose commands know nothing."""
    folder = tmp_path / "folder"
    folder.mkdir()
    return Stage(folder=folder)


@pytest.fixture
def stage(bare: Stage, refiner: Served) -> Stage:
    """An empty folder whose commands know the small Refiner and its key."""
    return _knowing(bare, refiner)


@pytest.fixture
def slow_stage(bare: Stage, slow_refiner: Served) -> Stage:
    """An empty folder whose commands know the slow Refiner and its key."""
    return _knowing(bare, slow_refiner)


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory, refiner: Served) -> Stage:
    """A folder with a database, for tests that only read it."""
    folder = tmp_path_factory.mktemp("loaded") / "folder"
    folder.mkdir()
    stage = _knowing(Stage(folder=folder), refiner)
    ended = stage.run("sync", "refiner", "--only", "contacts,forms,responses,account")
    assert ended.code == 0, ended.said
    return stage


def _knowing(stage: Stage, served: Served) -> Stage:
    stage.environment[BASE_URL] = served.url
    stage.keep_key(served.emulator.key)
    return stage


@contextmanager
def _served(emulator: Emulator) -> Iterator[Served]:
    with closing(emulator), serve(emulator) as url:
        yield Served(emulator=emulator, url=url)
