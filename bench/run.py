"""Measures feedloom and its peers on this machine, one JSON line a run.

    python bench/run.py [--quick] [--rows 10000,100000] [--rounds 5] [--only feedloom,dlt-tuned] [--latency-ms 0,300]

Peers take turns, round by round; each run has a fresh emulator, a fresh database and a process of its own. A run whose
tables do not hold what they have to is written down as failed. ``python bench/write.py`` makes the page of it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from benching import cases, pages, results, servers
from benching.running import place, run_once
from benching.subjects import SUBJECTS

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results.jsonl"


def main(arguments: Sequence[str]) -> int:
    """Measure what was asked for; 1 when a run failed."""
    options = parse(arguments)
    planned = plan(options)
    if not options.append:
        options.results.unlink(missing_ok=True)
    where = place()
    failed = 0
    total = sum(planned.values())
    with tempfile.TemporaryDirectory(prefix="feedloom-bench-", dir=options.scratch) as name:
        scratch = Path(name)
        saved = save_pages(planned, scratch)
        for done, (number, case) in enumerate(cases.turns(planned), 1):
            run = run_once(
                case,
                number=number,
                saved=saved.get((case.subject, case.rows)),
                timeout_s=options.timeout_s,
                where=where,
                scratch=scratch,
            )
            results.write(options.results, run)
            failed += bool(run.failure)
            say(f"[{done}/{total}] {line(run)}")
    say(f"{total - failed} of {total} runs were good; python {FOLDER.name}/write.py makes the page")
    return 1 if failed else 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options, as typed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="2,000 rows, one round, 20 ms: does everything work?")
    parser.add_argument("--ten-million", action="store_true", help="only feedloom, only 10,000,000 responses, once")
    parser.add_argument("--rows", type=_numbers, metavar="ROWS[,ROWS]", help=f"sizes (default: {_shown(cases.SIZES)})")
    parser.add_argument("--rounds", type=int, help=f"how often each is measured (default: {cases.ROUNDS})")
    parser.add_argument("--only", metavar="PEER[,PEER]", help=f"of {', '.join(cases.BY_NAME)}")
    parser.add_argument("--vendors", metavar="VENDOR[,VENDOR]", help=f"of {', '.join(SUBJECTS)}")
    parser.add_argument(
        "--latency-ms", type=_numbers, metavar="MS[,MS]", help=f"a page (default: {_shown(cases.LATENCIES_MS)})"
    )
    parser.add_argument("--no-postgres", action="store_true", help="leave PostgreSQL out")
    parser.add_argument("--timeout-s", type=float, default=1800, help="the longest one run may take (%(default)g)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the lines go (beside this script)")
    parser.add_argument("--append", action="store_true", help="keep the lines that are there")
    parser.add_argument("--scratch", type=Path, help="folder for databases and pages, removed at the end")
    return parser.parse_args(arguments)


def plan(options: argparse.Namespace) -> dict[cases.Case, int]:
    """The cases asked for, and how often each is measured."""
    if options.ten_million:
        return cases.ten_million()
    quick = options.quick
    return cases.plan(
        sizes=options.rows or ((2_000,) if quick else cases.SIZES),
        latencies_ms=options.latency_ms or ((0, 20) if quick else cases.LATENCIES_MS),
        rounds=options.rounds or (1 if quick else cases.ROUNDS),
        peers=[cases.BY_NAME[name] for name in _chosen(options.only, cases.BY_NAME, "peer")],
        subjects=_chosen(options.vendors, SUBJECTS, "vendor"),
        with_postgres=not options.no_postgres and servers.has_postgres(),
    )


def save_pages(planned: Iterable[cases.Case], scratch: Path) -> dict[tuple[str, int], pages.Saved]:
    """The pages of every list that is loaded, except of the largest, which would fill the disk."""
    wanted = sorted({(case.subject, case.rows) for case in planned if case.rows < cases.TEN_MILLION})
    saved = {}
    for slug, rows in wanted:
        say(f"saving {rows:,} rows of {slug}")
        saved[slug, rows] = pages.save(SUBJECTS[slug], rows, scratch / f"{slug}-{rows}")
    return saved


def line(run: results.Run) -> str:
    """One run, for a person who watches."""
    case = run.case
    what = f"{case.peer}: {case.rows:,} rows of {case.subject} to {case.destination}, {case.latency_ms} ms a page"
    if run.failure:
        return f"{what}: FAILED, {run.failure}"
    rate = run.rows / run.wall_s
    return f"{what}: {run.wall_s:.1f} s, {rate:,.0f} rows/s, CPU {run.cpu_s:.1f} s, {run.peak_mb:,.0f} MB"


def say(text: str) -> None:
    """Tell at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _chosen(names: str | None, known: Iterable[str], kind: str) -> list[str]:
    chosen = names.split(",") if names else list(known)
    unknown = sorted(set(chosen) - set(known))
    if unknown:
        sys.exit(f"error: there is no {kind} {unknown[0]!r}\n\nhint: choose from {', '.join(known)}")
    return chosen


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _shown(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
