"""Every fault and quirk of both emulators, on every endpoint that a table is read from: what comes of a sync?"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import parse_qs

from feedloom.catalogue import NoPaging, NumberPaging, Table
from feedloom.emulator.faults import ALWAYS, FAULTS, FaultKind
from feedloom.errors import FeedloomError
from feedloom.http import retry
from feedloom.sync.failures import explain
from feedloom.sync.report import Report
from feedloom.vendors import VENDORS
from feedloom.vendors.aptrinsic.emulator.quirks import QUIRKS as APTRINSIC_QUIRKS
from feedloom.vendors.refiner.emulator.quirks import QUIRKS as REFINER_QUIRKS
from support import aptrinsic_stage, compare_aptrinsic, compare_refiner, refiner_stage
from support.aptrinsic_stage import LATEST
from support.killing import small_pages

Outcome: TypeAlias = Literal[
    "equal", "named error, rest equal", "told", "with the next sync", "no way to tell", "WRONG"
]

PAGE_ROWS = 20
_ROWS = 50
_SPAN = timedelta(days=20)
_SHOWN = 3
_COMPANION = {"refiner": "segments", "aptrinsic": "kcbot"}
"""A table of one short list, which has to come whatever befalls another."""

_ARGUMENTS = {"slow": ("10",), "too-large": ("10",), "key-refused": ("3", ALWAYS), "rows-added": ("1",)}
_QUIRKS = {"refiner": REFINER_QUIRKS, "aptrinsic": APTRINSIC_QUIRKS}
_NUMBERS = {"page_length_default": ("7",), "scroll_life_s": ("60",), "revival_days": ("0",)}
_LEFT_OUT = {"reporting", "user_preferences", "contact", "external_segments"}
"""Tables that take a request for each of many things, or for those that are named; tests have cases for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing that goes wrong: a fault on the endpoint of a table, or a quirk for all tables."""

    vendor: str
    tables: tuple[str, ...]
    fault: str = ""
    quirk: str = ""
    value: str = ""


@dataclass(slots=True, kw_only=True)
class _Play:
    """One stage, in the same words for both vendors."""

    sync: Callable[[], Report]
    differences: Callable[[Collection[str]], list[str]]
    there: Callable[[], Collection[str]]
    later: Callable[[], object]
    clear: Callable[[], object]
    notes: list[str] = field(default_factory=list)


def fault_cases() -> list[Case]:
    """Every fault on every endpoint that a table is read from, with its usual argument and for ever."""
    return [
        Case(vendor=slug, tables=_with_company(slug, table), fault=f"{kind.name}={argument}@{table.endpoint}")
        for slug, vendor in VENDORS.items()
        for table in vendor.tables
        if table.name not in _LEFT_OUT
        for kind in FAULTS
        if kind.scope == "all" or not isinstance(vendor.endpoint(table.endpoint).paging, NoPaging)
        for argument in _arguments(kind)
    ]


def quirk_cases() -> list[Case]:
    """Every quirk of both emulators with every value that is not its default."""
    return [
        Case(vendor=slug, tables=_all_tables(slug), quirk=quirk.name, value=value)
        for slug, quirks in _QUIRKS.items()
        for quirk in quirks
        for value in quirk.choices or _NUMBERS[quirk.name]
        if value != quirk.default
    ]


def tried(cases: list[Case], folder: Path, *, seed: int, most: int | None) -> Iterator[dict[str, Any]]:
    """A line for each of *cases*, in random order; only the first *most* where it is given."""
    retry.LONGEST_BACKOFF_S = 0.02  # type: ignore[misc] # the waits are what makes a constant of it
    small_pages(PAGE_ROWS, setattr)
    order = list(cases)
    random.Random(seed).shuffle(order)  # noqa: S311 - the order of trials
    for case in order[:most]:
        yield {**_try(case, folder), "cases": len(cases)}


def _try(case: Case, folder: Path) -> dict[str, Any]:
    began = time.monotonic()
    stage = _refiner if case.vendor == "refiner" else _aptrinsic
    with stage(case, folder) as play:
        outcome, error, differences = _judged(case, play)
        play.clear()
        play.later()
        again, _, after = _judged(case, play)
        if case.fault and again != "equal":
            outcome, differences = "WRONG", [f"after the next sync ({again}): {one}" for one in after or ["error"]]
    return {
        "kind": "fault" if case.fault else "quirk",
        "vendor": case.vendor,
        "table": case.tables[-1] if case.fault else "",
        "fault": case.fault or f"{case.quirk}={case.value}",
        "outcome": outcome,
        "error": error.code if error is not None else "",
        "message": error.message if error is not None else "",
        "differences": differences[:_SHOWN],
        "seconds": round(time.monotonic() - began, 1),
    }


def _judged(case: Case, play: _Play) -> tuple[Outcome, FeedloomError | None, list[str]]:
    """What a sync came to: its outcome, its error, and what differs in the tables that did not fail."""
    try:
        report = play.sync()
    except Exception as problem:  # noqa: BLE001 - what nobody foresaw is what is looked for
        known = explain(problem)
        if known is None:
            return "WRONG", None, [f"{type(problem).__name__}: {problem}"[:300]]
        there = [table for table in case.tables if table in play.there()]
        differences = play.differences(there)
        return ("WRONG" if differences else "named error, rest equal"), known, differences
    failed = {table.table for table in report.tables if table.error is not None}
    differences = play.differences([table for table in case.tables if table not in failed])
    if failed:
        return ("WRONG" if differences else "named error, rest equal"), report.failure, differences
    return _missing(case, report, differences) if differences else "equal", None, differences


def _missing(case: Case, report: Report, differences: list[str]) -> Outcome:
    """What becomes of *differences* after a sync in which no table failed."""
    if case.fault.startswith("rows-added"):
        return "with the next sync"
    if case.fault.startswith("empty-page") and _is_without_last_page(case, report, differences):
        return "no way to tell"
    return "told" if report.findings else "WRONG"


def _is_without_last_page(case: Case, report: Report, differences: list[str]) -> bool:
    """Whether a list without a count lacks just its last page: an environment without those rows answers alike."""
    vendor = VENDORS[case.vendor]
    paging = vendor.endpoint(vendor.table(case.tables[-1]).endpoint).paging
    rows = next(table.rows for table in report.tables if table.table == case.tables[-1])
    are_missing = all(one.startswith(case.tables[-1]) and one.endswith("is missing") for one in differences)
    return (
        isinstance(paging, NumberPaging)
        and not paging.total
        and are_missing
        and rows % PAGE_ROWS == 0
        and len(differences) <= PAGE_ROWS
    )


@contextmanager
def _refiner(case: Case, folder: Path) -> Iterator[_Play]:
    clock = refiner_stage.Clock()
    faults, quirks = [case.fault] if case.fault else [], {case.quirk: case.value} if case.quirk else {}
    with refiner_stage.playing(folder, rows=_ROWS, faults=faults, quirks=quirks, now=clock) as stage:
        left = list(faults)

        def differences(tables: Collection[str]) -> list[str]:
            stage.emulator.faults.clear()  # the comparison asks the same emulator
            found = stage.differences(tables, now=clock())
            for fault in left:
                stage.emulator.faults.add(fault)
            return found

        def clear() -> None:
            left.clear()
            stage.emulator.faults.clear()

        yield _Play(
            sync=lambda: stage.sync(only=case.tables, now=clock()),
            differences=differences,
            there=stage.tables,
            later=lambda: clock.forward(hours=1),
            clear=clear,
        )


@contextmanager
def _aptrinsic(case: Case, folder: Path) -> Iterator[_Play]:
    faults, quirks = [case.fault] if case.fault else [], {case.quirk: case.value} if case.quirk else {}
    with aptrinsic_stage.playing(folder, rows=_ROWS, faults=faults, quirks=quirks) as stage:
        start = [LATEST - _SPAN] if case.fault else [None]

        def sync() -> Report:
            return stage.try_sync(only=case.tables, start=start.pop() if start else None)

        def clear() -> None:
            stage.emulator.faults.clear()
            if case.fault.startswith("rows-added"):
                for _ in range(_follow_ups(stage)):
                    stage.twin.control.add_row()

        yield _Play(
            sync=sync,
            differences=stage.differences,
            there=lambda: stage.spans,
            later=lambda: stage.clock.forward(minutes=1),
            clear=clear,
        )


def _follow_ups(stage: aptrinsic_stage.Stage) -> int:
    """How many requests for a further page of a list the emulator has seen, at the endpoint that the fault names."""
    return sum(_is_follow_up(parse_qs(request.query)) for request in stage.emulator.requests)


def _is_follow_up(said: Mapping[str, list[str]]) -> bool:
    return "scrollId" in said or said.get("pageNumber", ["0"]) != ["0"]


def _arguments(kind: FaultKind) -> tuple[str, ...]:
    if kind.name in _ARGUMENTS:
        return _ARGUMENTS[kind.name]
    return (str(max(kind.least, 2)), ALWAYS)


def _with_company(slug: str, table: Table) -> tuple[str, ...]:
    """*table*, after what it is fanned out from and a table that has nothing to do with it."""
    parents = (table.fan_out.table,) if table.fan_out is not None else ()
    return tuple(dict.fromkeys((_COMPANION[slug], *parents, table.name)))


def _all_tables(slug: str) -> tuple[str, ...]:
    keys = compare_refiner.KEYS if slug == "refiner" else compare_aptrinsic.KEYS
    return tuple(table.name for table in VENDORS[slug].tables if table.name in keys and table.name not in _LEFT_OUT)
