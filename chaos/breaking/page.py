"""Turns results into ``docs/reliability.md``. Pure: the same lines make the same page."""

from __future__ import annotations

import statistics
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from benching.page import grid

Line = Mapping[str, Any]

_TITLES: Final = {"refiner": "Refiner", "aptrinsic": "Gainsight PX"}
_OUTCOMES: Final = ("equal", "named error, rest equal", "told", "with the next sync", "no way to tell", "WRONG")
_WIDTH: Final = 120
_ENDS: Final = 6
"""Cycles at either end of the soak whose medians are compared."""

_GROWING: Final = (
    ("peak_mb", "peak memory of a sync, MB"),
    ("audit_mb", "peak memory of an audit, MB"),
    ("handles", "most open files of a command"),
    ("seconds", "seconds of a cycle"),
    ("journal_mb", "journal, MB"),
    ("work_mb", "rest of the working folder, MB"),
    ("state_mb", "shared state (budgets), MB"),
    ("database_mb", "database, MB"),
    ("left_over", "temporary files left"),
    ("emulator_mb", "the emulator's memory, MB"),
    ("emulator_handles", "the emulator's open files"),
)

_PLACE = """On one machine ({said}) that did other work meanwhile, so that seconds say little. An outcome is `equal`
when the database holds every row and value that the emulator holds, compared one by one, after a sync that exits
with 0."""

_KILLS = """{kills} times a sync was ended by SIGKILL, in pages of 20 rows so that lists have many. A random kill
that came after the end of its sync is a trial without that kill. A list is one window of one table; requests for a
count, for tables that were loaded already, and for the description of people's attributes are not pages. Of a
scroll only the first page can be told apart: one that was cut off starts over."""

_FAULTS = """Each fault of the emulators on each endpoint that a table is read from (so far of {tables} tables),
once as it passes and once for ever: {share}, in random order. Then the fault goes, and the next sync has to end
equal. `told`: rows that came are loaded, others are missing, and the sync says which list is short and exits with 3.
`with the next sync`: rows that were added while a list was read. `no way to tell`: see what is not promised."""

_QUIRKS = """Each value of each quirk of the emulators that is not its default, all tables: {tried} of {cases}. Keys
that lack a right, or are of another region, are refused by name; so is a list under another key than the described one.
Waits are cut short in these trials, so that a guard that wants a longer pause (`duplicate_guard`) ends in an error."""

_SOAK = """{cycles} cycles in {minutes} minutes, the vendors in turns. In each, data change, a sync runs among one
to three faults, one without, and an audit. The syncs among faults exited {told}; each sync without faults and each
audit {ended}. The audits' verdicts: {said}. After the last cycle, an audit of a full load said: {finals}."""


def page(results: Sequence[Line], soak: Sequence[Line], *, promises: str) -> str:
    """The whole page: what is promised, in the words of a person, then what was tried."""
    by_kind: dict[str, list[Line]] = {}
    for line in (*results, *soak):
        by_kind.setdefault(line["kind"], []).append(line)
    blocks = [promises.rstrip(), "## What was tried", *_places(results, soak)]
    for kind, write in _SECTIONS.items():
        blocks += write(by_kind[kind]) if kind in by_kind else []
    blocks += _soak(by_kind.get("soak", []), by_kind.get("soak end", []))
    return "\n\n".join(blocks) + "\n"


def _places(results: Sequence[Line], soak: Sequence[Line]) -> list[str]:
    places = [line for line in (*results, *soak) if line["kind"] == "place"]
    if not places:
        return []
    named = {name: value for name, value in places[0].items() if name not in ("kind", "rows", "seed")}
    said = ", ".join(f"{name} {value}" for name, value in named.items())
    return [_paragraph(_PLACE, said=said)]


def _kills(lines: Sequence[Line]) -> list[str]:
    heads = ("killed", "vendor", "trials", "kills", "equal after the next sync", "most requests of a list sent again")
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        groups.setdefault((line["moment"], line["vendor"]), []).append(line)
    named = {"random": "at random moments, up to 4 times in a row"}
    rows = [
        (
            named.get(moment, moment),
            _TITLES[vendor],
            f"{len(group):,}",
            f"{sum(line['kills'] for line in group):,}",
            f"{_good(group):,}",
            f"{max(line['most_repeated'] for line in group):,}",
        )
        for (moment, vendor), group in groups.items()
    ]
    kills = sum(line["kills"] for line in lines)
    return [
        "### Killed",
        _paragraph(_KILLS, kills=f"{kills:,}"),
        grid(heads, rows, right_from=2),
    ]


def _disks(lines: Sequence[Line]) -> list[str]:
    tried = [line for line in lines if line["vendor"]]
    rows = [
        (
            _TITLES[line["vendor"]],
            f"{line['size_mb']:g}",
            f"{line['codes'][0]} {line['error']}".strip(),
            str(line["codes"][1]),
            line["outcome"],
        )
        for line in tried
    ]
    return [
        "### The disk is full",
        "Everything that a sync writes lies on a small tmpfs; then the same command again, with room.",
        grid(("vendor", "MB of disk", "exit code, error", "again", "outcome"), rows, right_from=1),
    ]


def _cuts(lines: Sequence[Line]) -> list[str]:
    rows = [
        (
            _TITLES[line["vendor"]],
            str(line["after_requests"]),
            line["away"],
            f"{line['codes'][0]} {line['error']}".strip(),
            str(line["codes"][1]),
            line["outcome"],
        )
        for line in lines
    ]
    return [
        "### The network is cut",
        "The emulator is closed in the middle of a sync, and is back after a second, or only for the next sync.",
        grid(("vendor", "after requests", "away", "exit code, error", "next sync", "outcome"), rows, right_from=6),
    ]


def _faults(lines: Sequence[Line]) -> list[str]:
    counted = Counter((line["vendor"], line["table"]) for line in lines)
    tables = " and ".join(
        f"{sum(vendor == slug for vendor, _ in counted):,} of {title}" for slug, title in _TITLES.items()
    )
    share = f"{len(lines):,} of {lines[0]['cases']:,} combinations"
    return [
        "### Faults of the vendor",
        _paragraph(_FAULTS, tables=tables, share=share),
        _outcomes(lines, lambda line: line["fault"].partition("@")[0], "fault"),
        *_wrong(lines),
    ]


def _quirks(lines: Sequence[Line]) -> list[str]:
    return [
        "### Behaviour that sources disagree on",
        _paragraph(_QUIRKS, tried=len(lines), cases=lines[0]["cases"]),
        _outcomes(lines, lambda line: f"{_TITLES[line['vendor']]}: {line['fault']}", "quirk"),
        *_wrong(lines),
    ]


def _outcomes(lines: Sequence[Line], name: Callable[[Line], str], head: str) -> str:
    """A row a fault: how often it was tried, and to what it came."""
    seen = [outcome for outcome in _OUTCOMES if any(line["outcome"] == outcome for line in lines)]
    groups: dict[str, Counter[str]] = {}
    for line in lines:
        groups.setdefault(name(line), Counter())[line["outcome"]] += 1
    rows = [
        (found, f"{counts.total():,}", *(f"{counts[outcome]:,}" if counts[outcome] else "" for outcome in seen))
        for found, counts in sorted(groups.items())
    ]
    return grid((head, "tried", *seen), rows, right_from=1)


def _wrong(lines: Sequence[Line]) -> list[str]:
    found = [
        f"* {_TITLES[line['vendor']]}, {line['fault']}: {'; '.join(line['differences']) or line['message']}"
        for line in lines
        if line["outcome"] == "WRONG"
    ]
    return ["\n".join(["What ended wrong:", "", *found])] if found else []


def _soak(cycles: Sequence[Line], ends: Sequence[Line]) -> list[str]:
    if not cycles:
        return []
    minutes = sum(line["seconds"] for line in cycles) / 60
    verdicts: Counter[str] = Counter()
    for line in cycles:
        verdicts.update(line["verdicts"])
    bad = [
        f"* {_TITLES[line['vendor']]}, cycle {line.get('cycle', 'at the end')}: {line['problem'].splitlines()[0]}"
        for line in (*cycles, *ends)
        if line["problem"]
    ]
    codes = Counter(line["codes"][0] for line in cycles)
    told = ", ".join(f"{number:,} with {code}" for code, number in sorted(codes.items()))
    said = ", ".join(f"{number:,} {verdict}" for verdict, number in verdicts.most_common())
    finals = "; ".join(
        f"{_TITLES[line['vendor']]} {', '.join(f'{number:,} {name}' for name, number in line['verdicts'].items())}"
        for line in ends
    )
    blocks = [
        "### An hour of syncs",
        _paragraph(
            _SOAK,
            cycles=len(cycles),
            minutes=f"{minutes:.0f}",
            told=told,
            ended="as told below" if bad else "with 0",
            said=said,
            finals=finals or "not reached",
        ),
        "\n".join(bad),
    ]
    for vendor, title in _TITLES.items():
        own = [line for line in cycles if line["vendor"] == vendor]
        if len(own) >= 2 * _ENDS:
            blocks.append(_growth(title, own))
    return [block for block in blocks if block]


def _growth(title: str, cycles: Sequence[Line]) -> str:
    first, last = cycles[1 : _ENDS + 1], cycles[-_ENDS:]
    rows = [
        (name, _median(first, key), _median(last, key), f"{max(line[key] for line in cycles):,.1f}")
        for key, name in _GROWING
    ]
    heads = (f"{title}, {len(cycles):,} cycles", f"cycles 2 to {_ENDS + 1}, median", f"last {_ENDS}, median", "highest")
    return grid(heads, rows, right_from=1)


def _median(lines: Iterable[Line], key: str) -> str:
    return f"{statistics.median(float(line[key]) for line in lines):,.1f}"


def _paragraph(text: str, **values: object) -> str:
    return textwrap.fill(" ".join(text.format(**values).split()), width=_WIDTH, break_on_hyphens=False)


def _good(lines: Iterable[Line]) -> int:
    return sum(line["outcome"] == "equal" for line in lines)


_SECTIONS: Final[Mapping[str, Callable[[Sequence[Line]], list[str]]]] = {
    "kill": _kills,
    "disk": _disks,
    "network": _cuts,
    "fault": _faults,
    "quirk": _quirks,
}
