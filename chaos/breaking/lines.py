"""Results as they are kept: one JSON line a trial."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

_VERSIONED = ("feedloom", "dlt", "duckdb")


def place() -> dict[str, str]:
    """The machine and the versions that results depend on."""
    versions = {name: importlib.metadata.version(name) for name in _VERSIONED}
    cores = str(len(os.sched_getaffinity(0)))
    return {"cores": cores, "system": platform.system(), "python": platform.python_version(), **versions}


def add(file: Path, line: Mapping[str, Any]) -> None:
    """Add one line to *file*."""
    with file.open("ab") as stream:
        stream.write(orjson.dumps(line) + b"\n")


def read(file: Path) -> list[dict[str, Any]]:
    """The lines of *file*, in order; none where there is no such file."""
    return [orjson.loads(line) for line in file.read_bytes().splitlines()] if file.exists() else []
