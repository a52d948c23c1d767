"""Keeps dlt to itself: no pipeline of another test is active, and nothing is written outside the test's folder.

A journal is there for those who want one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from feedloom.sources.journal import Journal
from sources.fakes import no_active_pipeline
from sources.lists import OPENING

# A busy machine makes single examples slow; the timeout of the whole test is enough.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def _dlt_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))
    monkeypatch.setenv("RUNTIME__LOG_LEVEL", "ERROR")
    no_active_pipeline()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path, opening=OPENING, run="run")
    yield opened
    opened.close()
