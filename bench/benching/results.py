"""What was measured: one JSON line a run, and the figures drawn from several runs of the same case."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

from benching.cases import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One peer loading one list once.

    Attributes:
        case: What was loaded by whom.
        round: Counted from 1.
        failure: What went wrong; empty when every expected table holds what it has to.
        rows: Rows of the root table, counted in the database.
        wall_s: From start to end of the process.
        cpu_s: User and system time of the process and its children.
        peak_mb: The most memory that they held at once, MB of 10^6 bytes.
        emulator_cpu_s: CPU seconds of the emulator meanwhile; 0 where none ran.
        database_cpu_s: CPU seconds of the database's server meanwhile; 0 for an embedded one.
        row_bytes: Mean size of a row as it is sent; 0 when unknown.
        tables: Table -> rows, of all that the database holds.
        started_at: ISO 8601, UTC.
        place: Machine and versions, by name; the same for all runs that may be compared.
    """

    case: Case
    round: int
    failure: str = ""
    rows: int = 0
    wall_s: float = 0
    cpu_s: float = 0
    peak_mb: float = 0
    emulator_cpu_s: float = 0
    database_cpu_s: float = 0
    row_bytes: float = 0
    tables: Mapping[str, int] = field(default_factory=dict)
    started_at: str
    place: Mapping[str, str]


class MixedRunsError(Exception):
    """Runs of different machines or versions stand in one file."""


def write(file: Path, run: Run) -> None:
    """Add *run* to *file* as a line."""
    with file.open("ab") as stream:
        stream.write(orjson.dumps(asdict(run)) + b"\n")


def read(file: Path) -> list[Run]:
    """The runs in *file*, in order; raises MixedRunsError when they come from different machines or versions."""
    runs = []
    for line in file.read_bytes().splitlines():
        content = orjson.loads(line)
        runs.append(Run(**{**content, "case": Case(**content["case"])}))
    for run in runs[1:]:
        changed = sorted(
            name for name in {*runs[0].place, *run.place} if runs[0].place.get(name) != run.place.get(name)
        )
        if changed:
            raise MixedRunsError(f"{file.name} holds runs that differ in {', '.join(changed)}: measure anew")
    return runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A case in figures: medians over its runs, with the slowest and the fastest beside the rate.

    Attributes:
        case: What was loaded by whom.
        runs: How many were good.
        failures: What went wrong in the others, each once.
        rows: Rows of the root table.
        rows_s: Rows a second of wall time.
        slowest_rows_s: Of the slowest run.
        fastest_rows_s: Of the fastest run.
        wall_s: Wall time.
        cpu_s: CPU seconds.
        peak_mb: The highest of all runs.
        emulator_cpu_s: CPU seconds of the emulator.
        database_cpu_s: CPU seconds of the database's server.
        row_bytes: Mean size of a row as it is sent.
    """

    case: Case
    runs: int
    failures: tuple[str, ...]
    rows: int
    rows_s: float
    slowest_rows_s: float
    fastest_rows_s: float
    wall_s: float
    cpu_s: float
    peak_mb: float
    emulator_cpu_s: float
    database_cpu_s: float
    row_bytes: float


def figures(runs: Iterable[Run]) -> dict[Case, Figure]:
    """A figure for each case, in the order in which cases first come."""
    found: dict[Case, list[Run]] = {}
    for run in runs:
        found.setdefault(run.case, []).append(run)
    return {case: _figure(case, several) for case, several in found.items()}


def _figure(case: Case, runs: Sequence[Run]) -> Figure:
    good = [run for run in runs if not run.failure]
    rates = [run.rows / run.wall_s for run in good] or [0]

    def median(name: str) -> float:
        values: list[float] = [getattr(run, name) for run in good]
        return statistics.median(values or [0.0])

    return Figure(
        case=case,
        runs=len(good),
        failures=tuple(dict.fromkeys(run.failure for run in runs if run.failure)),
        rows=max((run.rows for run in good), default=0),
        rows_s=statistics.median(rates),
        slowest_rows_s=min(rates),
        fastest_rows_s=max(rates),
        wall_s=median("wall_s"),
        cpu_s=median("cpu_s"),
        peak_mb=max((run.peak_mb for run in good), default=0),
        emulator_cpu_s=median("emulator_cpu_s"),
        database_cpu_s=median("database_cpu_s"),
        row_bytes=median("row_bytes"),
    )
