"""One cycle of the soak: data change, a sync among faults, one without, an audit; and what each of them took."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benching.measuring import Measured, handles, measure, memory_mb
from breaking.places import FEEDLOOM, environment_in
from breaking.player import Player
from feedloom.cli.sync import FINDINGS

FAULTS = (
    "slow=20",
    "429=7",
    "429-bare=9",
    "500=5",
    "503=6",
    "html=7",
    "truncated=6",
    "drop=5",
    "too-large=200",
    "rows-added",
    "empty-page=4",
    "missing-list-key=4",
    "repeated-cursor=3",
    "key-refused=9",
)
"""What a cycle draws from; some pass when a request is sent again, some end a table or the run."""

TABLES = {
    "refiner": "contacts,forms,responses,segments,account",
    "aptrinsic": "users,accounts,events_page_view,events_custom,events_session,survey_responses,feature_flags",
}
_AUDITED = TABLES | {"aptrinsic": "users,accounts,events_custom,feature_flags"}
"""What each cycle audits; events are counted day by day over two years, so that those of one kind are enough."""

_SOURCE = {"refiner": "REFINER_SOURCE", "aptrinsic": "APTRINSIC_SOURCE"}
_LONGEST_S = 400.0
_CHANGES = 15
_SAMPLE = "20"
_UNFORESEEN = "FL999"
_UNSEEN = {"dismissed_at"}
"""What changes at Refiner without moving a window: an audit finds it, an incremental sync can't."""

_ALLOWED = (0, 1, FINDINGS, 4, 5)
"""How a sync among faults may end: well, with a table that failed, with findings, a refused key, an outage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bed:
    """Where one vendor is soaked: a player, and the folder that is synced into."""

    vendor: str
    player: Player
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Of the commands in the folder; the journal is kept small, so that it has to let go of old runs."""
        source = f"SOURCES__{_SOURCE[self.vendor]}"
        return {
            **environment_in(self.folder),
            f"{source}__BASE_URL": self.player.url,
            f"{source}__API_KEY": self.player.key,
            "FEEDLOOM__JOURNAL_MB": "5",
        }

    def run(self, *arguments: str) -> Measured:
        """``feedloom`` with *arguments* in the folder."""
        return measure([FEEDLOOM, *arguments], folder=self.folder, environment=self.environment, timeout_s=_LONGEST_S)


def cycle(bed: Bed, *, number: int, dice: random.Random) -> dict[str, Any]:
    """One cycle; its line tells how each command ended, what it took, and how large everything is by now."""
    faults = dice.sample(FAULTS, k=dice.randint(1, 3))
    started = time.monotonic()
    bed.player.change(_CHANGES, seed=number)
    bed.player.set_faults(faults)
    tables = ("--only", TABLES[bed.vendor])
    among_faults = bed.run("sync", bed.vendor, *tables, "--json")
    bed.player.set_faults([])
    synced = bed.run("sync", bed.vendor, *tables, "--json")
    audited_tables = ("--only", _AUDITED[bed.vendor])
    audited = bed.run("audit", bed.vendor, *audited_tables, "--sample", _SAMPLE, "--seed", str(number), "--json")
    commands = (among_faults, synced, audited)
    return {
        "kind": "soak",
        "vendor": bed.vendor,
        "cycle": number,
        "faults": faults,
        "codes": [command.exit_code for command in commands],
        "error": error_of(among_faults.output),
        "problem": problem_of(among_faults, synced, audited),
        "verdicts": verdicts_of(audited.output),
        "seconds": round(time.monotonic() - started, 1),
        "cpu_s": round(sum(command.cpu_s for command in commands), 1),
        "peak_mb": round(max(command.peak_mb for command in commands[:2]), 1),
        "audit_mb": round(audited.peak_mb, 1),
        "handles": max(command.handles for command in commands),
        **sizes(bed.folder),
        "emulator_mb": round(memory_mb(bed.player.process.pid), 1),
        "emulator_handles": handles(bed.player.process.pid),
        "requests": bed.player.requests(),
    }


def problem_of(among_faults: Measured, synced: Measured, audited: Measured) -> str:
    """What must not be: a command that ended otherwise than it may; empty when all is well."""
    code = among_faults.exit_code
    if code not in _ALLOWED:
        return f"among faults the sync ended with {code}: {among_faults.errors[-500:]}"
    if code not in (0, FINDINGS) and error_of(among_faults.output) in ("", _UNFORESEEN):
        return f"among faults the sync ended with {code} and no named error"
    if synced.exit_code != 0:
        return f"without faults the sync ended with {synced.exit_code}: {(synced.output + synced.errors)[-500:]}"
    mismatches = mismatches_of(audited.output)
    unexplained = [check for check in mismatches if {*(check["here"] or {"": ""})} - _UNSEEN]
    if unexplained or audited.exit_code not in ((FINDINGS,) if mismatches else (0,)):
        return f"the audit ended with {audited.exit_code}: {unexplained or audited.errors[-500:]}"
    return ""


def error_of(output: str) -> str:
    """The code of the error that a command printed as JSON; empty for none."""
    document = _parsed(output)
    if "error" in document:
        return str(document["error"]["code"])
    failed = _failed_tables(output)
    return failed[0] if failed else ""


def verdicts_of(output: str) -> Mapping[str, int]:
    """How often an audit gave each verdict."""
    return Counter(check["verdict"] for check in _parsed(output).get("checks", []))


def mismatches_of(output: str) -> list[dict[str, Any]]:
    """What an audit calls a mismatch, without the SQL."""
    return [{**check, "query": None} for check in _parsed(output).get("checks", []) if check["verdict"] == "mismatch"]


def sizes(folder: Path) -> dict[str, Any]:
    """How large journal, working folder without it, shared state and database are (MB); how many files are left."""
    work = folder / ".feedloom"
    journal = sum(_size(path) for path in work.glob("*/*/journals"))
    return {
        "journal_mb": round(journal / 1e6, 2),
        "work_mb": round((_size(work) - journal) / 1e6, 2),
        "state_mb": round(_size(folder / "state") / 1e6, 2),
        "database_mb": round(sum(file.stat().st_size for file in folder.glob("feedloom.duckdb*")) / 1e6, 2),
        "left_over": sum(1 for _ in (folder / "tmp").iterdir()),
    }


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _failed_tables(output: str) -> Sequence[str]:
    """The codes of the errors of single tables in the report of a sync."""
    return [table["error"]["code"] for table in _parsed(output).get("tables", []) if table["error"] is not None]


def _parsed(output: str) -> dict[str, Any]:
    try:
        found = json.loads(output)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
