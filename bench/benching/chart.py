"""Draws the chart of ``docs/performance.md``: rows a second by peer, readable on light and dark ground. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from benching.cases import BY_NAME, Case
from benching.results import Figure
from benching.subjects import SUBJECTS

_WIDTH = 820
_BARS_X = 330
_BARS_WIDTH = 400
_LINE = 24
_BAR = 15

_STYLE = """text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.bar { fill: #8c959f }
.own { fill: #0969da }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .bar { fill: #6e7681 } .own { fill: #4493f8 } }"""


def chart(figures: Mapping[Case, Figure]) -> str:
    """An SVG with a panel for each list and latency, of the largest size at which feedloom meets the most peers.

    Each panel has a scale of its own, from zero.
    """
    y = _LINE
    drawn: list[str] = []
    for title, panel in _panels(figures):
        drawn.append(f'<text class="title" x="0" y="{y}">{escape(title)}</text>')
        y += 10
        widest = max(figure.rows_s for figure in panel)
        for figure in panel:
            drawn += _bar(figure, y=y, widest_rows_s=widest)
            y += _LINE
        y += _LINE
    body = "\n".join(drawn)
    label = "Rows a second by peer; the tables of the page hold the same figures."
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y}" viewBox="0 0 {_WIDTH} {y}" role="img" '
        f'aria-label="{label}">\n<style>\n{_STYLE}\n</style>\n{body}\n</svg>\n'
    )


def _panels(figures: Mapping[Case, Figure]) -> Iterator[tuple[str, Sequence[Figure]]]:
    """Title and figures of each panel, fastest first."""
    good = [figure for figure in figures.values() if figure.runs and figure.case.destination == "duckdb"]
    for slug, subject in SUBJECTS.items():
        for latency_ms in sorted({figure.case.latency_ms for figure in good if figure.case.subject == slug}):
            here = [figure for figure in good if (figure.case.subject, figure.case.latency_ms) == (slug, latency_ms)]
            by_rows: dict[int, list[Figure]] = {}
            for figure in here:
                by_rows.setdefault(figure.case.rows, []).append(figure)
            rows = max(by_rows, key=lambda rows: (len(by_rows[rows]), rows))
            panel = sorted(by_rows[rows], key=lambda figure: -figure.rows_s)
            latency = f", each page {latency_ms} ms late" if latency_ms else ""
            yield f"{subject.title} into DuckDB, {panel[0].rows:,} rows{latency}: rows a second", panel


def _bar(figure: Figure, *, y: float, widest_rows_s: float) -> list[str]:
    width = max(1, round(figure.rows_s / widest_rows_s * _BARS_WIDTH))
    kind = "bar own" if figure.case.peer.startswith("feedloom") else "bar"
    title = escape(BY_NAME[figure.case.peer].title.replace("`", ""))
    baseline = y + _BAR - 3
    return [
        f'<text x="{_BARS_X - 10}" y="{baseline}" text-anchor="end">{title}</text>',
        f'<rect class="{kind}" x="{_BARS_X}" y="{y}" width="{width}" height="{_BAR}" rx="2"/>',
        f'<text x="{_BARS_X + width + 8}" y="{baseline}">{figure.rows_s:,.0f}</text>',
    ]
