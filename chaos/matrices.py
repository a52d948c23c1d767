"""Breaks syncs of both vendors in every way there is here, one JSON line a trial.

    python chaos/matrices.py [--quick] [--only phases,random,disk,network,faults,quirks] [--moments 200] [--seed 1]

After each trial the database is held against the emulator, value by value. ``python chaos/reliability.py`` makes the
page.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from breaking import CHAOS, faulty, kills, lines, outages
from breaking.places import environment_in

RESULTS = CHAOS / "results.jsonl"


def main(arguments: Sequence[str]) -> int:
    """Try what was asked for; 1 when a trial ended wrong."""
    options = parse(arguments)
    if not options.append:
        options.results.unlink(missing_ok=True)
    if not options.results.exists():
        lines.add(options.results, {"kind": "place", **lines.place()})
    wrong = number = 0
    with tempfile.TemporaryDirectory(prefix="feedloom-chaos-") as name:
        os.environ.update(environment_in(Path(name)))
        for part in _chosen(options.only):
            for number, line in enumerate(PARTS[part](Path(name), options), number + 1):  # noqa: B020 - it goes on counting
                lines.add(options.results, line)
                wrong += line["outcome"] == "WRONG"
                _say(f"[{number}] {line}")
    _say(f"{number - wrong} of {number} trials ended well; python {CHAOS.name}/reliability.py makes the page")
    return 1 if wrong else 0


PARTS: Mapping[str, Callable[[Path, argparse.Namespace], Iterator[dict[str, Any]]]] = {
    "phases": lambda folder, _options: kills.at_every_phase(folder),
    "random": lambda folder, options: kills.at_random(
        folder, moments=4 if options.quick else options.moments, seed=options.seed
    ),
    "disk": lambda folder, options: outages.disks(folder, steps=2 if options.quick else 10),
    "network": lambda folder, options: outages.cuts(folder, requests=(4,) if options.quick else (1, 3, 6, 10, 15)),
    "quirks": lambda folder, options: faulty.tried(
        faulty.quirk_cases(), folder, seed=options.seed, most=4 if options.quick else options.most
    ),
    "faults": lambda folder, options: faulty.tried(
        faulty.fault_cases(), folder, seed=options.seed, most=20 if options.quick else options.most
    ),
}


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options, as typed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few trials of each part: does everything work?")
    parser.add_argument("--only", metavar="PART[,PART]", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--moments", type=int, default=200, help="random kills of each vendor (%(default)d)")
    parser.add_argument("--most", type=int, help="so many faults and quirks, drawn at random (default: all)")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments and the data (%(default)d)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the lines go (beside this script)")
    parser.add_argument("--append", action="store_true", help="keep the lines that are there")
    return parser.parse_args(arguments)


def _chosen(names: str | None) -> list[str]:
    chosen = names.split(",") if names else list(PARTS)
    unknown = sorted(set(chosen) - set(PARTS))
    if unknown:
        sys.exit(f"error: there is no part {unknown[0]!r}\n\nhint: choose from {', '.join(PARTS)}")
    return chosen


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
