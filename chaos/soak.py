"""Syncs both vendors for an hour while faults and data change, one JSON line a cycle.

    python chaos/soak.py [--minutes 60] [--seed 1] [--rows 500] [--results FILE]

Each cycle changes the data, syncs among faults, syncs without, and audits. ``python chaos/reliability.py`` makes the
page.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from breaking import CHAOS, lines
from breaking.places import environment_in
from breaking.player import playing
from breaking.soaking import TABLES, Bed, cycle, problem_of, verdicts_of

RESULTS = CHAOS / "soak.jsonl"


def main(arguments: Sequence[str]) -> int:
    """Soak for as long as asked; 1 when a cycle had a problem."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60, help="how long, at least (%(default)g)")
    parser.add_argument("--seed", type=int, default=1, help="of faults and changes (%(default)d)")
    parser.add_argument("--rows", type=int, default=500, help="rows of each emulator (%(default)d)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the lines go (beside this script)")
    options = parser.parse_args(arguments)
    options.results.unlink(missing_ok=True)
    dice = random.Random(options.seed)  # noqa: S311 - the choice of faults
    end_s = time.monotonic() + options.minutes * 60
    problems = 0
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="feedloom-soak-")))
        beds = [_bed(stack, vendor, rows=options.rows, home=home) for vendor in TABLES]
        lines.add(options.results, {"kind": "place", **lines.place(), "rows": options.rows, "seed": options.seed})
        for number, bed in enumerate(itertools.cycle(beds), 1):
            if time.monotonic() >= end_s:
                break
            line = cycle(bed, number=number, dice=dice)
            lines.add(options.results, line)
            problems += bool(line["problem"])
            _say(f"[{number}] {bed.vendor} {line['codes']} {line['seconds']} s {line['peak_mb']} MB {line['problem']}")
        for bed in beds:
            line = _last_word(bed)
            lines.add(options.results, line)
            problems += bool(line["problem"])
            _say(f"[end] {bed.vendor} {line}")
    return 1 if problems else 0


def _bed(stack: ExitStack, vendor: str, *, rows: int, home: Path) -> Bed:
    folder = home / vendor
    folder.mkdir()
    player = stack.enter_context(playing(vendor, rows=rows, environment=environment_in(folder)))
    return Bed(vendor=vendor, player=player, folder=folder)


def _last_word(bed: Bed) -> dict[str, object]:
    """A sync of everything and an audit of many rows, which have to match one and all."""
    tables = ("--only", TABLES[bed.vendor])
    synced = bed.run("sync", bed.vendor, *tables, "--full", "--json")
    audited = bed.run("audit", bed.vendor, *tables, "--sample", "200", "--json")
    verdicts = verdicts_of(audited.output)
    problem = problem_of(synced, synced, audited)
    if not problem and set(verdicts) - {"matches", "not checked"}:
        problem = f"the last audit says {dict(verdicts)}"
    return {"kind": "soak end", "vendor": bed.vendor, "verdicts": verdicts, "problem": problem}


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
