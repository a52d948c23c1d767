"""One run: its servers, its process, and the count of what came of it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from benching import counting, servers
from benching.cases import BY_NAME, Case, Peer, command
from benching.measuring import Measured, cpu_s, measure
from benching.pages import Saved
from benching.results import Run
from benching.subjects import SUBJECTS

_BENCH = Path(__file__).resolve().parents[1]
_VERSIONED = ("feedloom", "dlt", "duckdb", "pyarrow", "orjson", "psycopg2-binary")
_MEASURED = ("src", "bench")
_ERROR_LINES = 3


def place() -> dict[str, str]:
    """The machine and the versions that figures depend on."""
    programs = {name: importlib.metadata.version(name) for name in _VERSIONED if _is_installed(name)}
    memory_gb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory_gb:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "commit": _commit(),
        **programs,
    }


def run_once(
    case: Case, *, number: int, saved: Saved | None, timeout_s: float, where: Mapping[str, str], scratch: Path
) -> Run:
    """Load once, in a fresh folder below *scratch* that is removed again.

    Args:
        case: What to load and by whom.
        number: The round.
        saved: The pages on disk and what has to come of them; None where they would take too much room, so that the
            emulator's own number of rows is what has to come.
        timeout_s: The longest the process may take.
        where: Machine and versions, written into the run.
        scratch: Folder for everything the run writes.
    """
    peer, subject = BY_NAME[case.peer], SUBJECTS[case.subject]
    started_at = datetime.now(UTC).isoformat(timespec="seconds")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=scratch)))
        environment = _environment(folder)
        emulator = stack.enter_context(_emulator(case, environment))
        database = stack.enter_context(servers.postgres() if case.destination == "postgres" else nullcontext())
        if database is not None:
            environment["DESTINATION__POSTGRES__CREDENTIALS"] = database.url
        arguments, settings = command(
            case,
            python=sys.executable,
            feedloom=servers.FEEDLOOM,
            url=emulator.url if emulator else "",
            key=emulator.key if emulator else "",
            pages=str(saved.folder) if saved else "",
        )
        before = [cpu_s(server.process_id) if server else 0 for server in (emulator, database)]
        measured = measure(
            arguments,
            folder=folder,
            environment=environment | settings,
            timeout_s=timeout_s,
            cores=frozenset(sorted(os.sched_getaffinity(0))[: peer.cores]),
        )
        after = [cpu_s(server.process_id) if server else 0 for server in (emulator, database)]
        tables = _tables(case, peer, measured, folder, database.url if database else "")
    expected = dict(saved.tables) if saved else {subject.table: case.rows}
    if peer.makes != "all":
        expected = {subject.table: expected[subject.table]}
    return Run(
        case=case,
        round=number,
        failure=_failure(measured, timeout_s) or counting.difference(expected, tables),
        rows=tables.get(subject.table, 0),
        wall_s=round(measured.wall_s, 3),
        cpu_s=round(measured.cpu_s, 3),
        peak_mb=round(measured.peak_mb, 1),
        emulator_cpu_s=round(after[0] - before[0], 2),
        database_cpu_s=round(after[1] - before[1], 2),
        row_bytes=round(saved.row_bytes, 1) if saved else 0,
        tables=tables,
        started_at=started_at,
        place=where,
    )


@contextmanager
def _emulator(case: Case, environment: Mapping[str, str]) -> Iterator[servers.Server | None]:
    if BY_NAME[case.peer].reads != "api":
        yield None
        return
    rows = SUBJECTS[case.subject].emulator_rows(case.rows)
    with servers.emulator(case.subject, rows=rows, latency_ms=case.latency_ms, environment=environment) as server:
        yield server


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of the user's own settings: a path, a home in *folder*, and where the programs are imported from."""
    paths = [str(_BENCH), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(paths),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }


def _tables(case: Case, peer: Peer, measured: Measured, folder: Path, database_url: str) -> dict[str, int]:
    subject = SUBJECTS[case.subject]
    if measured.exit_code != 0:
        return {}
    if peer.makes == "none":
        return {subject.table: int(measured.output)}
    if case.destination == "postgres":
        return counting.tables_in_postgres(database_url, subject.dataset)
    return counting.tables_in_duckdb(folder, subject.dataset)


def _failure(measured: Measured, timeout_s: float) -> str:
    if measured.exit_code is None:
        return f"stopped after {timeout_s:g} s"
    if measured.exit_code != 0:
        said = (measured.errors or measured.output).strip().splitlines()[-_ERROR_LINES:]
        return f"exit code {measured.exit_code}: {' '.join(said)}"
    return ""


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _commit() -> str:
    """The last commit that changed what is measured, and whether the files have changed since."""
    last = _git("log", "-1", "--abbrev=10", "--format=%h", "--", *_MEASURED)
    return f"{last or 'unknown'}{', changed' if _git('status', '--porcelain', '--', *_MEASURED) else ''}"


def _git(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - arguments of our own
        ["git", *arguments],  # noqa: S607 - the user's own git
        cwd=_BENCH.parent, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    return done.stdout.strip()
