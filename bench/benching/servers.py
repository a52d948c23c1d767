"""The servers that a run needs, started for it alone: a vendor's emulator, and PostgreSQL where it is installed."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "tests"))

from support.postgres import find_programs, running_server

FEEDLOOM = str(Path(sys.executable).with_name("feedloom"))
"""The command as it is installed beside the interpreter."""

_START_S = 60
_STOP_S = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that runs.

    Attributes:
        url: Where.
        key: What it wants to see; empty for none.
        process_id: Of the process that all others of it come from.
    """

    url: str
    key: str
    process_id: int


@contextmanager
def emulator(slug: str, *, rows: int, latency_ms: int, environment: Mapping[str, str]) -> Iterator[Server]:
    """``feedloom emulator start`` as a process of its own, with nothing kept from earlier runs."""
    process = subprocess.Popen(  # noqa: S603 - our own command
        [FEEDLOOM, "emulator", "start", slug, "--json", "--rows", str(rows), "--latency-ms", str(latency_ms)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=dict(environment), start_new_session=True,
    )  # fmt: skip
    with process:
        try:
            assert process.stdout is not None  # noqa: S101 - a pipe was asked for
            ready, _, _ = select.select([process.stdout], [], [], _START_S)
            line = process.stdout.readline() if ready else ""
            if not line:
                raise RuntimeError(f"the emulator of {slug} did not start")
            said = json.loads(line)
            yield Server(url=said["url"], key=said["key"], process_id=process.pid)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()


def has_postgres() -> bool:
    """Whether PostgreSQL's server programs are on this machine."""
    return find_programs() is not None


@contextmanager
def postgres() -> Iterator[Server]:
    """A new, empty PostgreSQL server; it does not wait for the disk (``fsync`` is off)."""
    import psycopg2  # noqa: PLC0415 - an extra, needed where PostgreSQL is

    programs = find_programs()
    if programs is None:
        raise RuntimeError("PostgreSQL's server is not installed on this machine")
    with running_server(programs) as url:
        with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
            cursor.execute("show data_directory")
            folder: str = cursor.fetchone()[0]
        process_id = Path(folder, "postmaster.pid").read_text(encoding="ascii").split()[0]
        yield Server(url=url, key="", process_id=int(process_id))
