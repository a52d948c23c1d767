"""``python -m feedloom``: the command line."""

from feedloom.cli.main import run

run()
