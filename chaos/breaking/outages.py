"""A disk that is full and a network that is cut, somewhere in the middle of a sync."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from breaking.places import FEEDLOOM
from breaking.stages import LONGEST_S, VENDOR_SLUGS, Trial, ended, trial
from feedloom.emulator import serve
from support.mounts import own_mounts

DISK_FULL, UNREACHABLE = "FL606", "FL501"

_FILL = """
mount -t tmpfs -o size=$SIZE_KB"k" none "$HOME" && cd "$HOME" && mkdir -p tmp || exit 99
"$@" > "$OUT.first" 2> "$OUT.errors"
first=$?
mount -o remount,size=1g "$HOME"
"$@" > "$OUT.second" 2>> "$OUT.errors"
second=$?
cp feedloom.duckdb "$OUT.duckdb"
echo "$first $second"
"""
"""Syncs on a small disk that nobody else sees, then again on the same disk made larger."""

_SHOWN = 3
_SHORT_S = 1.0
_POLL_S = 0.005
_SHORT_WAITS = ("--backoff-s", "0.2")


def disks(folder: Path, *, steps: int) -> Iterator[dict[str, Any]]:
    """A line for each vendor and size of disk, from next to nothing to nearly what a load takes."""
    start = own_mounts()
    if start is None:
        yield {"kind": "disk", "outcome": "not tried", "vendor": "", "error": "this user may not mount file systems"}
        return
    for vendor in VENDOR_SLUGS:
        needed_kb = _needed_kb(vendor, folder)
        for step in range(1, steps + 1):
            with trial(vendor, folder) as stage:
                yield _filled(stage, start, size_kb=needed_kb * step // (steps + 1))


def cuts(folder: Path, *, requests: tuple[int, ...]) -> Iterator[dict[str, Any]]:
    """Two lines for each vendor and number of requests after which the emulator is closed: for a second, for good."""
    for vendor in VENDOR_SLUGS:
        for after in requests:
            with trial(vendor, folder) as stage:
                yield _cut(stage, after=after, comes_back=True)
            with trial(vendor, folder) as stage:
                yield _cut(stage, after=after, comes_back=False)


def _needed_kb(vendor: str, folder: Path) -> int:
    """What a sync leaves on the disk, in kB of 1,024 bytes."""
    with trial(vendor, folder) as stage:
        ended(stage.start())
        return sum(file.stat().st_size for file in stage.folder.rglob("*") if file.is_file()) // 1024


def _filled(stage: Trial, start: list[str], *, size_kb: int) -> dict[str, Any]:
    out = stage.folder.parent / f"{stage.folder.name}-out"
    began = time.monotonic()
    settings = {**stage.settings, "SIZE_KB": str(size_kb), "OUT": str(out), "TMPDIR": str(stage.folder / "tmp")}
    done = subprocess.run(  # noqa: S603 - a fixed script
        [*start, "sh", "-c", _FILL, "fill", FEEDLOOM, *stage.sync],
        cwd=stage.folder, env=settings, capture_output=True, text=True, timeout=LONGEST_S, check=False,
    )  # fmt: skip
    first, second = (int(code) for code in done.stdout.split()) if done.returncode == 0 else (-1, -1)
    error = _error(Path(f"{out}.first").read_text("utf-8"))
    differences = stage.differences(Path(f"{out}.duckdb")) if second == 0 else ["not synced"]
    is_named = first == 0 or error == DISK_FULL
    return {
        "kind": "disk",
        "vendor": stage.vendor,
        "size_mb": round(size_kb * 1024 / 1e6, 1),
        "codes": [first, second],
        "error": error,
        "outcome": "equal" if is_named and not differences else "WRONG",
        "differences": differences[:_SHOWN],
        "errors": "" if is_named and second == 0 else Path(f"{out}.errors").read_text("utf-8")[-800:] + done.stderr,
        "seconds": round(time.monotonic() - began, 1),
    }


def _cut(stage: Trial, *, after: int, comes_back: bool) -> dict[str, Any]:
    began = time.monotonic()
    with serve(stage.emulator) as url:
        port = urlsplit(url).port or 0
        process = stage.start(*(() if comes_back else _SHORT_WAITS), url=url)
        while stage.emulator.requests.total < after and process.poll() is None:
            time.sleep(_POLL_S)
    if comes_back:
        time.sleep(_SHORT_S)
        with serve(stage.emulator, port=port):
            first, output, errors = ended(process)
    else:
        first, output, errors = ended(process)
    error = _error(output)
    code, output, problem = ended(stage.start())
    differences = stage.differences(stage.database) if code == 0 else ["not synced"]
    is_named = first == 0 or (error == UNREACHABLE and not comes_back)
    return {
        "kind": "network",
        "vendor": stage.vendor,
        "after_requests": after,
        "away": "a second" if comes_back else "until the sync ended",
        "codes": [first, code],
        "error": error,
        "outcome": "equal" if is_named and not differences else "WRONG",
        "differences": differences[:_SHOWN],
        "errors": "" if is_named and code == 0 else (errors + output + problem)[-800:],
        "seconds": round(time.monotonic() - began, 1),
    }


def _error(output: str) -> str:
    """The code of the error that a command printed as JSON, or of the first table that failed; empty for none."""
    try:
        document = json.loads(output)
    except ValueError:
        return ""
    if "error" in document:
        return str(document["error"]["code"])
    return next((table["error"]["code"] for table in document["tables"] if table["error"] is not None), "")
