"""Keeps dlt to itself, and gives a database that a fake Refiner was loaded into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from dlt.pipeline.pipeline import Pipeline
from hypothesis import settings

from feedloom.http import Client, Key
from feedloom.sources import active, refiner_source
from feedloom.sources.planning import Range
from feedloom.sync.jobs import Job
from feedloom.sync.warehouse import Target
from feedloom.vendors import VENDORS
from sources.fakes import KEY, FakeRefiner, new_pipeline, no_active_pipeline

REFINER = VENDORS["refiner"]


# A busy machine makes single examples slow; the timeout of the whole test is enough.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def _dlt_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in ("API_KEY", "BASE_URL"):
        monkeypatch.delenv(f"SOURCES__REFINER_SOURCE__{name}", raising=False)
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))
    monkeypatch.setenv("RUNTIME__LOG_LEVEL", "ERROR")
    no_active_pipeline()
    with chdir(tmp_path):
        yield


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    """A pipeline into an empty database."""
    return new_pipeline(tmp_path)


@pytest.fixture
def load(pipeline: Pipeline) -> Callable[..., None]:
    """Loads tables of a fake Refiner."""

    def run(api: FakeRefiner, *tables: str, **settings: Any) -> None:
        with active(api.session()):
            pipeline.run(refiner_source(api_key=KEY, **settings).with_resources(*tables))

    return run


@pytest.fixture
def job(pipeline: Pipeline) -> Callable[[FakeRefiner], Job]:
    """Makes the job of a sync with a fake Refiner."""

    def make(api: FakeRefiner) -> Job:
        return Job(
            vendor=REFINER,
            target=Target("duckdb:warehouse.duckdb", "made_up"),
            pipeline=pipeline,
            tables=[],
            source=lambda _table, _again: refiner_source(api_key=KEY),
            client=lambda: Client(REFINER, Key(KEY, "the test"), transport=api.transport()),
            wanted=Range(),
        )

    return make
