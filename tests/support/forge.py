"""Starts commands of feedloom without the second that they take to import: by forks of a process that has done so.

Each command is a process of its own, which can be killed like any other. Linux only.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

IMPORTED = (
    "dlt.destinations.impl.duckdb.duck",
    "dlt.load",
    "dlt.normalize",
    "feedloom.cli.main",
    "feedloom.cli.report",
    "feedloom.cli.running",
    "feedloom.cli.sync",
    "feedloom.sources",
    "feedloom.sync.checks",
    "feedloom.sync.run",
    "pyarrow.json",
    "pyarrow.parquet",
    "support.killing",
)


class Forge:
    """The process that forks; used by one test at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, *arguments: str, folder: Path, environment: Mapping[str, str], page_rows: int) -> Forged:
        """Start ``feedloom`` with *arguments* in *folder*, where its output goes too, with small pages."""
        output = folder.parent / f"{folder.name}.out"
        order = {
            "arguments": arguments,
            "folder": str(folder),
            "environment": {**environment},
            "output": str(output),
            "page_rows": page_rows,
        }
        return Forged(forge=self, pid=int(self.ask(order)), output=output)

    def ask(self, order: Mapping[str, Any]) -> str:
        """The answer to one order."""
        source, drain = self._process.stdout, self._process.stdin
        if source is None or drain is None:
            raise ValueError("the forge has no pipes")
        drain.write(json.dumps(order) + "\n")
        drain.flush()
        return source.readline()


@dataclass(slots=True)
class Forged:
    """A command that was started."""

    forge: Forge
    pid: int
    output: Path
    _watched: int = -1

    def __enter__(self) -> Self:
        self._watched = os.pidfd_open(self.pid)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        os.close(self._watched)

    def has_ended(self, within_s: float = 0.0) -> bool:
        """Whether it has ended by then."""
        ready, _, _ = select.select([self._watched], [], [], within_s)
        return bool(ready)

    def kill(self) -> None:
        """Kill it, unless it has ended."""
        if not self.has_ended():
            signal.pidfd_send_signal(self._watched, signal.SIGKILL)

    def code(self, within_s: float) -> int:
        """Its exit code, negative for a signal; AssertionError with what it wrote when it takes longer."""
        assert self.has_ended(within_s), self.output.read_text("utf-8")
        return int(self.forge.ask({"wait": self.pid}))


@contextmanager
def forge() -> Iterator[Forge]:
    """A forge of one's own."""
    paths = [entry for entry in sys.path if entry]
    process = subprocess.Popen(
        [sys.executable, "-m", "support.forge"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(paths), "OPENBLAS_NUM_THREADS": "1"},
    )
    with process:
        yield Forge(process)
        process.kill()


def main() -> None:
    """Do what is ordered, line by line: fork a command and tell its pid, or wait for one and tell how it ended."""
    for name in IMPORTED:
        import_module(name)
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            answer = os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1])
        else:
            answer = os.fork()
            if answer == 0:
                _be_the_command(order)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def _be_the_command(order: Mapping[str, Any]) -> None:
    from feedloom.cli.main import run  # noqa: PLC0415 - the forge has imported it
    from support.killing import small_pages  # noqa: PLC0415 - the same

    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    small_pages(order["page_rows"], setattr)
    code = 0
    try:
        run(order["arguments"])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    sys.stdout.flush()
    os._exit(code)  # what a fork does at its end is about threads that it does not have


if __name__ == "__main__":
    main()
