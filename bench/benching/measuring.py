"""Runs one program to its end and measures the whole of it: wall, CPU seconds and peak memory, children included.

Reads ``/proc``, so that it works on Linux only.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_S = 0.05
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_OF = frozenset({"VmRSS", "VmHWM"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one program took.

    Attributes:
        exit_code: Its own; None when it ran out of time and was stopped.
        wall_s: From its start to its end, interpreter and imports included.
        cpu_s: User and system time of it and its children.
        peak_mb: The most memory that it and its children held at once, in MB of 10^6 bytes. Pages that they share count
            for each of them. Sampled 20 times a second, and never less than the kernel's own peak of the largest one.
        handles: The most files, sockets and pipes that it and its children had open at once, as sampled.
        output: What it wrote to standard output.
        errors: What it wrote to standard error.
    """

    exit_code: int | None
    wall_s: float
    cpu_s: float
    peak_mb: float
    handles: int
    output: str
    errors: str


def measure(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    timeout_s: float,
    cores: frozenset[int] = frozenset(),
) -> Measured:
    """Run *command* in *folder* until it ends, or for *timeout_s*.

    Args:
        command: Program and arguments.
        folder: Its working folder; what it writes to its streams is kept there too.
        environment: All of its environment.
        timeout_s: After this it is killed, with all that it started.
        cores: The cores it may use; all when empty.
    """
    paths = folder / "stdout", folder / "stderr"
    with paths[0].open("wb") as output, paths[1].open("wb") as errors:
        started = time.perf_counter()
        with _pinned_to(cores):
            process = subprocess.Popen(  # noqa: S603 - the bench's own peers
                command, cwd=folder, env=dict(environment), stdout=output, stderr=errors, start_new_session=True,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        in_time = False
        try:
            peak_bytes, most_handles, in_time = _watch(process.pid, until=started + timeout_s)
        finally:
            if not in_time:  # it took too long, or somebody stopped the bench
                os.killpg(process.pid, signal.SIGKILL)
            _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in paths]
    return Measured(
        exit_code=process.returncode if in_time else None,
        wall_s=wall_s,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_mb=peak_bytes / 1e6,
        handles=most_handles,
        output=texts[0],
        errors=texts[1],
    )


def cpu_s(process_id: int) -> float:
    """CPU seconds so far of a running process and its children, those that have ended too."""
    return sum(stat.cpu_s for found, stat in _processes().items() if process_id in (found, stat.parent))


def memory_mb(process_id: int) -> float:
    """Resident memory of a running process, MB of 10^6 bytes; 0 when it has ended."""
    return _memory(process_id).now_bytes / 1e6


def handles(process_id: int) -> int:
    """How many files, sockets and pipes a running process has open; 0 when it has ended."""
    try:
        return sum(1 for _ in Path(f"/proc/{process_id}/fd").iterdir())
    except OSError:  # it ended meanwhile
        return 0


@contextmanager
def _pinned_to(cores: frozenset[int]) -> Iterator[None]:
    """What is started inside the block may use *cores* only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _watch(session: int, *, until: float) -> tuple[int, int, bool]:
    """Wait for the leader of *session* to end; the session's peaks, bytes and handles, and whether it was in time."""
    peak_bytes = most_handles = 0
    leader = os.pidfd_open(session)
    try:
        while time.perf_counter() < until:
            found = [process_id for process_id, stat in _processes().items() if stat.session == session]
            members = [_memory(process_id) for process_id in found]
            most_handles = max(most_handles, sum(map(handles, found)))
            now_bytes = sum(member.now_bytes for member in members)
            peak_bytes = max(peak_bytes, now_bytes, *(member.peak_bytes for member in members))
            ended, _, _ = select.select([leader], [], [], _SAMPLE_S)
            if ended:
                return peak_bytes, most_handles, True
    finally:
        os.close(leader)
    return peak_bytes, most_handles, False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stat:
    """A line of ``/proc/PID/stat``."""

    parent: int
    session: int
    cpu_s: float


def _processes() -> dict[int, _Stat]:
    """Every process of the machine that can be read."""
    found = {}
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            text = Path(entry.path, "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:  # it ended meanwhile
            continue
        # The name stands in parentheses and may hold anything; after it: state, parent, group, session, ...
        words = text[text.rindex(")") + 2 :].split()
        ticks = sum(map(int, words[11:15]))
        found[int(entry.name)] = _Stat(parent=int(words[1]), session=int(words[3]), cpu_s=ticks / _TICKS_A_SECOND)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Memory:
    """Resident memory of one process, from ``/proc/PID/status``.

    What ``wait4`` tells is of no use here: a process starts as a copy of its parent, whose memory counts as its peak.
    """

    now_bytes: int = 0
    peak_bytes: int = 0


def _memory(process_id: int) -> _Memory:
    try:
        lines = Path(f"/proc/{process_id}/status").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # it ended meanwhile
        return _Memory()
    kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines) if name in _OF}
    return _Memory(now_bytes=kilobytes.get("VmRSS", 0) * 1024, peak_bytes=kilobytes.get("VmHWM", 0) * 1024)
