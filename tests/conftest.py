"""What every test runs under: no telemetry, and a state folder of its own; and what several folders of tests share."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest

from support.postgres import find_programs, running_server

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ.setdefault("FEEDLOOM_STATE", tempfile.mkdtemp(prefix="feedloom-tests-"))


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a PostgreSQL server of these tests' own."""
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL's server is not installed on this machine")
    with running_server(programs) as url:
        yield url
