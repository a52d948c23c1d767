"""Turns figures into ``docs/performance.md``. Pure: the same figures make the same page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benching.aims import verdicts
from benching.cases import BY_NAME, Case
from benching.results import Figure
from benching.subjects import SUBJECTS, Subject

CHART = "performance.svg"

_HEAD = """# Performance

Written by `make bench`; the bench itself is in [`bench/`](../bench/README.md), uses public tools only and runs anywhere
where Linux does. Every figure is of this machine and these versions:

{place}

How it was measured:

- Each run is a process of its own, from the start of the interpreter to its end, with a new emulator that has nothing
  rendered yet and an empty database; peers take turns, round by round.
- feedloom runs as its users run it, `feedloom sync`: it journals each page, fingerprints each row, makes the long form
  of the answers, and compares its counts with the vendor's where the vendor tells them. None of the others does.
- After each run the database is asked how many rows each table holds. A run with a wrong count is a failed run.
- The servers share the cores with the peer: the emulator, and where it is the destination a new PostgreSQL that does
  not wait for the disk (`fsync` off). Their CPU seconds are told apart.
- CPU seconds and memory are those of the peer's process with all its children. Peak memory is the highest of all runs,
  all else is a median. Where one run is all there is, no spread is shown.
- {notes}
"""

_PEERS = """## Who is measured

- **feedloom**: `feedloom sync`, the listed table only. Held to one core: the same, pinned to one core.
- **dlt `rest_api`, as its example**: dlt's own example for the vendor, with what it lacks to end and to find its rows:
  paginator, list key, header of the key, date ranges. Page size and file format are the defaults.
- **dlt `rest_api`, tuned**: full pages, Parquet (CSV for PostgreSQL), two processes that normalize, files cut so that
  both have work, lists read side by side where there are several. The fastest that was found with what dlt documents.
- **one cursor, page by page, nothing loaded**: a loop that counts rows. What one cursor takes at least; without
  latency, what the emulator can hand out.
- **DuckDB `read_json` from disk**: no HTTP, no emulator. Pages read with `unnest`, nested fields made columns and lists
  made tables; no ids, fingerprints, journal or merge. Root table only: one
  `CREATE TABLE ... AS SELECT unnest(...) FROM read_json(...)`.

A peer that is too slow for a size is measured once with it, or with fewer rows, as the tables say. Nothing is
extrapolated: "times as fast" compares runs over the same rows, by their medians.
"""


def page(figures: Mapping[Case, Figure], place: Mapping[str, str]) -> str:
    """The whole page."""
    blocks = [
        _HEAD.format(place=grid(("", ""), place.items()), notes=_notes(figures.values())).rstrip(),
        f"![rows a second, by peer]({CHART})",
        "## Aims",
        grid(
            ("feedloom loads Refiner responses into DuckDB", "measured", ""),
            ((one.aim, one.measured or "-", one.word) for one in verdicts(figures)),
        ),
    ]
    for subject in SUBJECTS.values():
        blocks += _subject(subject, [figure for case, figure in figures.items() if case.subject == subject.slug])
    return "\n\n".join([*blocks, _PEERS.rstrip()]) + "\n"


def _notes(figures: Iterable[Figure]) -> str:
    found = list(figures)
    sizes = {figure.case.subject: figure.row_bytes for figure in found if figure.row_bytes}
    words = [
        f"{SUBJECTS[slug].title} have {size:,.0f} bytes a row; with full pages, the vendor's limit on calls allows "
        f"{SUBJECTS[slug].limit_rows_s:,.0f} rows/s."
        for slug, size in sorted(sizes.items())
    ]
    if all(figure.case.destination != "postgres" for figure in found):
        words.append("PostgreSQL was not measured: its server is not installed here, or it was left out.")
    return "\n- ".join(words)


def _subject(subject: Subject, figures: Sequence[Figure]) -> list[str]:
    """The tables of one list: into DuckDB by size, with latency, into PostgreSQL, and growth."""
    if not figures:
        return []
    blocks = [f"## {subject.title}"]
    groups = sorted({(figure.case.destination, figure.case.latency_ms, figure.case.rows) for figure in figures})
    for destination, latency_ms, rows in groups:
        group = [
            figure
            for figure in figures
            if (figure.case.destination, figure.case.latency_ms, figure.case.rows) == (destination, latency_ms, rows)
        ]
        latency = f", each page {latency_ms} ms late" if latency_ms else ""
        name = {"duckdb": "DuckDB", "postgres": "PostgreSQL"}[destination]
        counted = max((figure.rows for figure in group), default=0) or rows
        blocks += [f"### {counted:,} rows into {name}{latency}", _group(subject, group)]
    growth = [figure for figure in figures if figure.case == Case(
        subject=subject.slug, rows=figure.case.rows, peer="feedloom"
    ) and figure.runs]  # fmt: skip
    return [*blocks, "### feedloom by size", _growth(growth)] if len(growth) > 1 else blocks


def _group(subject: Subject, group: Sequence[Figure]) -> str:
    own = next((figure for figure in group if figure.case.peer == "feedloom" and figure.runs), None)
    order = list(BY_NAME)
    ranked = sorted(group, key=lambda figure: order.index(figure.case.peer))
    heads = (
        "", "rows/s", "slowest to fastest", "runs", "CPU µs a row", "server CPU µs a row", "peak MB",
        "feedloom is", "of the vendor's limit",
    )  # fmt: skip
    return grid(heads, (_row(subject, figure, own) for figure in ranked), right_from=1)


def _row(subject: Subject, figure: Figure, own: Figure | None) -> tuple[str, ...]:
    peer = BY_NAME[figure.case.peer]
    if not figure.runs:
        return (peer.title, f"failed: {'; '.join(figure.failures)}", *[""] * 7)
    failed = f" of {figure.runs + len(figure.failures)}; {'; '.join(figure.failures)}" if figure.failures else ""
    ratio = "" if own is None or own is figure else f"{own.rows_s / figure.rows_s:,.2f} times as fast"
    server_cpu_s = figure.emulator_cpu_s + figure.database_cpu_s
    return (
        peer.title,
        f"{figure.rows_s:,.0f}",
        f"{figure.slowest_rows_s:,.0f} to {figure.fastest_rows_s:,.0f}" if figure.runs > 1 else "",
        f"{figure.runs}{failed}",
        f"{figure.cpu_s / figure.rows * 1e6:,.1f}",
        f"{server_cpu_s / figure.rows * 1e6:,.1f}" if peer.reads == "api" else "",
        f"{figure.peak_mb:,.0f}",
        ratio,
        f"{figure.rows_s / subject.limit_rows_s:.1%}" if peer.reads == "api" else "",
    )


def _growth(figures: Sequence[Figure]) -> str:
    heads = ("rows", "seconds", "seconds a million", "CPU seconds a million", "peak MB", "runs")
    ranked = sorted(figures, key=lambda figure: figure.case.rows)
    rows = (
        (
            f"{figure.rows:,}",
            f"{figure.wall_s:,.1f}",
            f"{figure.wall_s / figure.rows * 1e6:,.1f}",
            f"{figure.cpu_s / figure.rows * 1e6:,.1f}",
            f"{figure.peak_mb:,.0f}",
            str(figure.runs),
        )
        for figure in ranked
    )
    return grid(heads, rows, right_from=0)


def grid(heads: Sequence[str], rows: Iterable[Sequence[str]], *, right_from: int | None = None) -> str:
    """A table; columns from *right_from* on are set to the right."""
    marks = ["---:" if right_from is not None and index >= right_from else "---" for index in range(len(heads))]
    lines = [heads, marks, *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
