"""Every reading tool, asked by a real client of the Model Context Protocol, while the vendors fail or behave oddly."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Any

import pytest

from feedloom.emulator import create_emulator, serve
from feedloom.emulator.faults import FAULTS, FaultKind
from tools.bench import KEYS, Bench
from tools.test_disputed_behaviour import quirks
from tools.test_vendor_tools import EVERY_READ

pytest.importorskip("mcp", reason="the package mcp is not installed: pip install 'feedloom[mcp]'")

from tools.wires import MODES, WIRES, Connect, Mode, Wire, connecting

PUBLISHED: list[tuple[str, dict[str, Any]]] = [
    ("REFINER_GET_ACCOUNT_INFO", {}),
    ("REFINER_GET_CONTACT", {"id": "u-000001"}),
    ("REFINER_GET_CONTACTS", {"page_length": 5}),
    ("REFINER_GET_FORMS", {}),
    ("REFINER_GET_RESPONSES", {"page_length": 5}),
    ("REFINER_GET_SEGMENTS", {}),
    ("REFINER_GET_REPORTING", {"type": "nps"}),
]
KNOWN = {
    *("VENDOR", "UNAVAILABLE", "UNREACHABLE", "RATE_LIMITED", "TIMEOUT"),
    *("CREDENTIAL", "FORBIDDEN", "REFUSED", "NOT_FOUND"),
}
STRENGTH = {"every": 2, "after": 2, "ms": 20, "rows": 10}
BY_DAY = {("key-refused", "refiner"), ("key-refused", "aptrinsic")}
CASES = [
    pytest.param(
        kind, slug, marks=[] if (kind.name, slug) in BY_DAY else [pytest.mark.nightly], id=f"{kind.name}-{slug}"
    )
    for kind in FAULTS
    for slug in KEYS
]


async def outcomes(slug: str, connect: Connect) -> dict[str, str]:
    """How each reading tool of a vendor ends: a status, or the code of an error; a published tool's as its text."""
    ended = {}
    async with connect() as client:
        for name, arguments in (*EVERY_READ, *PUBLISHED):
            if not name.lower().startswith(slug):
                continue
            result = await client.call_tool(name, arguments)
            found = result.structured_content or {}
            assert not any(key in str(found) for key in KEYS.values())
            error = found.get("error")
            code = error["code"] if isinstance(error, dict) else str(error).partition(":")[0] if error else ""
            assert result.is_error == bool(code), (name, found)
            ended[f"{name} {arguments}"] = code or found["verification"]["status"]
    return ended


@pytest.mark.timeout(600)  # waits are the vendors': Retry-After, and tries that are spread out
@pytest.mark.parametrize(("fault", "slug"), CASES)
def test_every_tool_is_right_or_says_what_failed_under_every_fault(bench: Bench, fault: FaultKind, slug: str) -> None:
    with connecting(bench.folder, "in process", "auto") as connect:
        check_fault(bench, connect, fault, slug)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("slug", list(KEYS))
def test_under_every_fault_by_every_wire_in_both_eras(bench: Bench, slug: str, wire: Wire, mode: Mode) -> None:
    with connecting(bench.folder, wire, mode) as connect:
        for fault in FAULTS:
            check_fault(bench, connect, fault, slug)


def check_fault(bench: Bench, connect: Connect, fault: FaultKind, slug: str) -> None:
    """Every tool of a vendor is right under *fault*, or says what failed."""
    emulator = bench.played.refiner if slug == "refiner" else bench.played.aptrinsic
    emulator.faults.add(f"{fault.name}={max(fault.least, STRENGTH[fault.unit])}")
    ended = asyncio.run(outcomes(slug, connect))
    emulator.faults.clear()
    assert len(ended) > 10
    assert set(ended.values()) <= {"verified", "unverified", *KNOWN}, (fault.name, ended)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wire", WIRES)
def test_every_tool_is_right_or_says_what_failed_under_every_quirk(
    bench: Bench, wire: Wire, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    for slug, name, value in quirks():
        emulator = create_emulator(slug, rows=100, seed=5, key=KEYS[slug], quirks={name: value})
        with closing(emulator), serve(emulator) as url:
            monkeypatch.setenv(f"SOURCES__{slug.upper()}_SOURCE__BASE_URL", url)
            with connecting(bench.folder, wire, mode) as connect:
                ended = asyncio.run(outcomes(slug, connect))
        assert set(ended.values()) <= {"verified", "unverified", *KNOWN}, (slug, name, value, ended)
