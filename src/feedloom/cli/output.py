"""Prints results: aligned tables for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import click
import orjson


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    click.echo(orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode())


def print_table(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, widest: int = 60) -> None:
    """Aligned columns on stdout: numbers to the right, text to the left, long cells cut with an ellipsis."""
    cells = [[_cell(value, widest) for value in row] for row in rows]
    columns = list(zip(*cells, strict=True)) or [()] * len(headings)
    right = [bool(column) and all(numeric for _, numeric in column) for column in columns]
    widths = [
        max([len(heading), *(len(text) for text, _ in column)])
        for heading, column in zip(headings, columns, strict=True)
    ]
    lines = [list(headings), *([text for text, _ in row] for row in cells)]
    for line in lines:
        aligned = [
            text.rjust(width) if is_right else text.ljust(width)
            for text, width, is_right in zip(line, widths, right, strict=True)
        ]
        click.echo("  ".join(aligned).rstrip())


def _cell(value: Any, widest: int) -> tuple[str, bool]:
    if value is None:
        return "-", True
    if isinstance(value, bool):
        return str(value).lower(), False
    if isinstance(value, int):
        return f"{value:,}", True
    if isinstance(value, float):
        return f"{value:,.1f}", True
    text = " ".join(str(value).split())
    return (text if len(text) <= widest else f"{text[: widest - 1]}…"), False
