"""``python -m feedloom`` is the ``feedloom`` command."""

from __future__ import annotations

from feedloom.cli.main import run

if __name__ == "__main__":
    run()
