"""Writes docs/performance.md and its chart from what bench/run.py measured.

python bench/write.py [--results FILE] [--folder docs]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benching.chart import chart
from benching.page import CHART, page
from benching.results import MixedRunsError, figures, read

BENCH = Path(__file__).resolve().parent


def main(arguments: Sequence[str]) -> int:
    """Write both; 1 when there is nothing to write, or nothing that can be compared."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=BENCH / "results.jsonl", help="what was measured")
    parser.add_argument("--folder", type=Path, default=BENCH.parent / "docs", help="where the page goes")
    options = parser.parse_args(arguments)
    try:
        runs = read(options.results)
    except (FileNotFoundError, MixedRunsError) as problem:
        sys.stderr.write(f"error: {problem}\n\nhint: python bench/run.py measures anew\n")
        return 1
    found = figures(runs)
    texts = {"performance.md": page(found, runs[0].place), CHART: chart(found)}
    for name, text in texts.items():
        (options.folder / name).write_text(text, encoding="utf-8", newline="\n")
        sys.stdout.write(f"{name} written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
