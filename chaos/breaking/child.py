"""``feedloom`` as it is, but for small pages, short waits and, where asked for, a SIGKILL of itself at one phase.

python -m breaking.child [--phase NAME] [--page-rows 20] [--backoff-s 0.05] -- sync refiner --json
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from feedloom.cli.main import run
from feedloom.http import retry
from support.killing import PHASES, small_pages, strike_at

PAGE_ROWS = 20


def main(arguments: Sequence[str]) -> None:
    """Run the command that stands after ``--``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phase", choices=PHASES)
    parser.add_argument("--page-rows", type=int, default=PAGE_ROWS)
    parser.add_argument("--backoff-s", type=float, default=retry.LONGEST_BACKOFF_S)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(arguments)
    small_pages(options.page_rows, setattr)
    setattr(retry, "LONGEST_BACKOFF_S", options.backoff_s)  # noqa: B010 - a constant, which is changed on purpose
    if options.phase is not None:
        strike_at(options.phase, lambda: os.kill(os.getpid(), signal.SIGKILL), setattr)
    run(options.command)


if __name__ == "__main__":
    main(sys.argv[1:])
