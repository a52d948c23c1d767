"""A PostgreSQL server of the tests' own, where the machine has the programs for one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_START_S = 60


def find_programs() -> Path | None:
    """The folder with ``initdb`` and ``pg_ctl``; None where PostgreSQL's server is not installed."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def running_server(programs: Path) -> Iterator[str]:
    """Yields the URL of an empty database on a free port; the server stops when the block ends.

    PostgreSQL refuses to run as root, so that root starts it as the user ``nobody``.
    """
    owner = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="feedloom-pg-") as name:
        folder = Path(name)
        if owner is not None:
            shutil.chown(folder, owner)
        port = _free_port()

        def run(program: str, *arguments: str) -> None:
            subprocess.run(  # noqa: S603 - PostgreSQL's own programs
                [programs / program, *arguments],
                check=True, user=owner, cwd=folder, timeout=_START_S, capture_output=True,
            )  # fmt: skip

        run("initdb", "--pgdata", f"{name}/data", "--auth", "trust", "--username", "feedloom", "--no-sync")
        options = f"-p {port} -k {name} -c listen_addresses=127.0.0.1 -c fsync=off"
        subprocess.run(  # noqa: S603 - the same; its output is not captured, as the server would hold the pipe open
            [programs / "pg_ctl", "--pgdata", f"{name}/data", "--options", options, "--log", f"{name}/log", "start"],
            check=True, user=owner, cwd=folder, timeout=_START_S, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield f"postgresql://feedloom:unused@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "--pgdata", f"{name}/data", "--mode", "immediate", "stop")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
