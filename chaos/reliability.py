"""Writes docs/reliability.md from what chaos/matrices.py and chaos/soak.py found.

python chaos/reliability.py [--results FILE[,FILE]] [--soak FILE] [--folder docs]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from breaking import CHAOS, lines
from breaking.page import page


def main(arguments: Sequence[str]) -> int:
    """Write the page; 1 when there is nothing to write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=CHAOS / "results.jsonl", help="what matrices.py found")
    parser.add_argument("--soak", type=Path, default=CHAOS / "soak.jsonl", help="what soak.py found")
    parser.add_argument("--folder", type=Path, default=CHAOS.parent / "docs", help="where the page goes")
    options = parser.parse_args(arguments)
    results, soak = lines.read(options.results), lines.read(options.soak)
    if not results and not soak:
        sys.stderr.write("error: nothing was tried yet\n\nhint: python chaos/matrices.py, or python chaos/soak.py\n")
        return 1
    promises = (CHAOS / "breaking" / "promises.md").read_text(encoding="utf-8")
    written = page(results, soak, promises=promises)
    (options.folder / "reliability.md").write_text(written, encoding="utf-8", newline="\n")
    sys.stdout.write("reliability.md written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
