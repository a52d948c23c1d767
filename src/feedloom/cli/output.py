"""Prints results: aligned tables for people, JSON for programs."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

import click
import orjson

_WIDE = frozenset("WF")
_JOINING = frozenset({"Mn", "Me", "Cf"})


def print_json(value: Any) -> None:
    """One JSON document on stdout; moments in ISO 8601 with their zone."""
    click.echo(json_text(value))


def json_text(value: Any) -> str:
    """One JSON document, indented."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()


def print_table(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, widest: int = 60) -> None:
    """Aligned columns on stdout: see ``table_text``."""
    click.echo(table_text(headings, rows, widest=widest), nl=False)


def readable(value: Any) -> str:
    """*value* as people read it: separators for thousands, one decimal place."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.1f}"
        case _:
            return str(value)


def table_text(
    headings: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    widest: int = 60,
    show: Callable[[Any], str] = readable,
) -> str:
    """Aligned columns: numbers to the right, text to the left, long cells cut with an ellipsis, a dash for None.

    Texts stand on one line, without anything a terminal would obey. Lines end without spaces.
    """
    values = [list(row) for row in rows]
    cells = [["-" if value is None else _cut(plain(show(value)), widest) for value in row] for row in values]
    titles = [plain(heading) for heading in headings]
    right = [all(map(_stands_right, column)) for column in zip(*values, strict=True)] or [False] * len(titles)
    widths = [max(map(_width, column)) for column in zip(titles, *cells, strict=True)]
    return "".join(f"{_line(line, widths, right)}\n" for line in [titles, *cells])


def _stands_right(value: Any) -> bool:
    return value is None or (isinstance(value, int | float | Decimal) and not isinstance(value, bool))


def _line(texts: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    aligned = [
        " " * (width - _width(text)) + text if is_right else text + " " * (width - _width(text))
        for text, width, is_right in zip(texts, widths, right, strict=True)
    ]
    return "  ".join(aligned).rstrip()


def plain(text: str) -> str:
    """*text* on one line, its control characters shown as escapes: answers come from anybody."""
    spaced = " ".join(text.split())
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in spaced)


def _cut(text: str, widest: int) -> str:
    if _width(text) <= widest:
        return text
    kept = text[: widest - 1]
    while _width(kept) > widest - 1:
        kept = kept[:-1]
    return f"{kept}…"


def _width(text: str) -> int:
    """Columns that *text* takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.category(one) in _JOINING else 2 if unicodedata.east_asian_width(one) in _WIDE else 1
        for one in text
    )
