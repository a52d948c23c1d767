"""A folder with an environment of its own in which ``feedloom`` runs as a user would run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest

from feedloom.emulator import Emulator
from support import mounts

COMMAND = Path(sys.executable).with_name("feedloom")
BASE_URL = "SOURCES__REFINER_SOURCE__BASE_URL"
_LONGEST_S = 100.0
API_KEY = "SOURCES__REFINER_SOURCE__API_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    errors: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def said(self) -> str:
        """Everything it said."""
        return self.out + self.errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A folder, the environment of the commands in it, and the secrets that none of them may show."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)

    @property
    def database(self) -> Path:
        """The database that a command in the folder takes when it is told nothing else."""
        return self.folder / "feedloom.duckdb"

    def environment_of(self, further: Mapping[str, str] | None = None) -> dict[str, str]:
        """What a command in the folder has for environment: nothing of this machine but the path."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder.parent / "home"),
            "DLT_DATA_DIR": str(self.folder.parent / "dlt"),
            "LANG": "C.UTF-8",
            "COLUMNS": "100",
            **self.environment,
            **(further or {}),
        }

    def run(self, *arguments: str, given: str = "", environment: Mapping[str, str] | None = None) -> Ended:
        """Run ``feedloom`` with *arguments*; fails when it shows a secret or a traceback."""
        return self.run_program([str(COMMAND), *arguments], given=given, environment=environment)

    def run_program(
        self, program: Sequence[str], *, given: str = "", environment: Mapping[str, str] | None = None
    ) -> Ended:
        """The same for any program."""
        done = subprocess.run(  # noqa: S603 - the command under test
            program,
            cwd=self.folder,
            env=self.environment_of(environment),
            input=given,
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
        )
        return self.checked(Ended(code=done.returncode, out=done.stdout, errors=done.stderr))

    def checked(self, ended: Ended) -> Ended:
        """*ended*, when it shows neither a secret nor a traceback."""
        shown = [secret for secret in self.secrets if secret in ended.said]
        assert not shown, f"a secret is shown:\n{ended.said}"
        assert "Traceback" not in ended.said, ended.said
        return ended

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """``feedloom`` with *arguments*, under way; killed when the block ends before it does."""
        process = subprocess.Popen(  # noqa: S603 - the command under test
            [COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment_of(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def ended(self, process: subprocess.Popen[str]) -> Ended:
        """How *process* ends, and what it said that was not read yet."""
        out, errors = process.communicate(timeout=_LONGEST_S)
        return self.checked(Ended(code=process.returncode, out=out, errors=errors))

    def files(self) -> Mapping[str, bytes]:
        """Every file of the folder, by path."""
        return {
            str(file.relative_to(self.folder)): file.read_bytes()
            for file in sorted(self.folder.rglob("*"))
            if file.is_file()
        }

    def keep_key(self, key: str) -> None:
        """Give the commands *key*, and let none of them show it."""
        self.environment[API_KEY] = key
        self.secrets.append(key)


class Here(Protocol):
    """Runs ``feedloom`` in this process."""

    def __call__(self, stage: Stage, *arguments: str, environment: Mapping[str, str] | None = None) -> Ended:
        """How ``feedloom`` with *arguments* ends in the folder of *stage*."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """An emulator and where it is."""

    emulator: Emulator
    url: str


def own_mounts() -> list[str]:
    """The start of a command line that may mount file systems nobody else sees; skips the test where that is barred."""
    start = mounts.own_mounts()
    if start is None:
        pytest.skip("this user may not mount file systems")
    return start
