"""Shows what an audit found, to people and programs."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import click

from feedloom.audit.checks import GRAVITY, Audit, Check
from feedloom.cli.failures import as_dict, as_text
from feedloom.cli.output import plain, print_table
from feedloom.cli.terminal import shows_colours

_MOST_OF_A_KIND = 2
"""Differences of one table and kind that are written out for people; JSON has all."""

_WIDEST = 60


def print_audit(found: Audit) -> None:
    """A line for each table and kind of check, then what does not match, on stdout; what failed, on stderr."""
    groups: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for check in found.checks:
        groups[check.table, check.name][check.verdict] += 1
    verdicts = [verdict for verdict in GRAVITY if verdict in found.verdicts]
    print_table(
        ["table", "compared", "checks", *verdicts],
        [
            (table, name, counts.total(), *(counts[verdict] or None for verdict in verdicts))
            for (table, name), counts in groups.items()
        ],
    )
    summed_up = ", ".join(f"{number:,} {verdict}" for verdict, number in found.verdicts.items())
    click.echo(
        f"{len(found.checks):,} checks: {summed_up or 'none'}; {found.requests:,} requests, {found.seconds:.1f} s; "
        f"seed {found.seed}; {found.destination}, {found.dataset}"
    )
    _print_remarks(found)
    _print_some(found.mismatches, _print_mismatch)
    for table, error in found.errors:
        click.echo(f"{table}: {as_text(error, coloured=shows_colours(sys.stderr))}", err=True, color=True)


def audit_as_dict(found: Audit) -> dict[str, Any]:
    """The audit for a program; ``error`` is the first of a table, where the vendor answered one wrongly."""
    failed = {"error": as_dict(found.errors[0][1])} if found.errors else {}
    return {
        "source": found.source,
        "destination": found.destination,
        "dataset": found.dataset,
        "seed": found.seed,
        "verdicts": found.verdicts,
        "checks": [check.as_dict() for check in found.checks],
        "failed": [table for table, _ in found.errors],
        "requests": found.requests,
        "seconds": found.seconds,
        **failed,
    }


def _print_remarks(found: Audit) -> None:
    """The differences that are explained, the gravest first."""
    explained = [check for check in found.checks if check.verdict not in {"matches", "mismatch"}]
    explained.sort(key=lambda check: -GRAVITY.index(check.verdict))
    _print_some(
        explained,
        lambda check: click.echo(f"  {check.verdict}: {_title(check)}: {_sides(check)}{plain(check.why)}"),
    )


def _print_some(checks: Iterable[Check], show: Callable[[Check], object]) -> None:
    """The first of each table and kind, and how many more there are."""
    kinds: defaultdict[tuple[str, str, str], list[Check]] = defaultdict(list)
    for check in checks:
        kinds[check.verdict, check.table, check.name].append(check)
    for (verdict, table, name), found in kinds.items():
        for check in found[:_MOST_OF_A_KIND]:
            show(check)
        if (more := len(found) - _MOST_OF_A_KIND) > 0:
            click.echo(f"  {verdict}: {table} {name}: {more:,} more; --json has all")


def _print_mismatch(check: Check) -> None:
    click.echo(f"  ! mismatch: {_title(check)}: {_sides(check)}{plain(check.why)}")
    if check.query is not None:
        click.echo(f"      here   {plain(check.query())}")
    if check.request is not None:
        click.echo(f"      there  {check.request.text}")


def _title(check: Check) -> str:
    return plain(
        " ".join(text for text in (check.table, check.name, f"({check.subject})" if check.subject else "") if text)
    )


def _sides(check: Check) -> str:
    """What each side says, of several figures those that differ."""
    here, there = check.here, check.there
    if here is None and there is None:
        return ""
    if isinstance(here, dict) and isinstance(there, dict):
        names = [name for name in {**here, **there} if here.get(name) != there.get(name)]
        here, there = ({name: side.get(name) for name in names} for side in (here, there))
    return f"{_side(here)} here, {_side(there)} there; "


def _side(value: Any) -> str:
    match value:
        case int():
            return f"{value:,}"
        case dict():
            return plain(", ".join(f"{_cut(name)} {_cut(inner)}" for name, inner in value.items()))
        case _:
            return "nothing" if value is None else plain(_cut(value))


def _cut(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
