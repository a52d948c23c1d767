"""Where sources disagree on a vendor, and when it fails: the tools are right either way, or say what is wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from feedloom.emulator import create_emulator, serve
from feedloom.emulator.faults import FAULTS
from feedloom.tools.every import every_tool
from feedloom.tools.failures import ToolError
from feedloom.tools.workspace import Workspace
from tools.bench import KEYS, Bench
from tools.test_vendor_tools import EVERY_READ

TOLD = {
    ("aptrinsic", "total_hits"): {"verified", "unverified"},
    ("aptrinsic", "rights"): {"verified", "CREDENTIAL"},
    ("aptrinsic", "region"): {"CREDENTIAL", "REFUSED", "NOT_FOUND"},
    ("aptrinsic", "segment_match_key"): {"verified", "VENDOR"},
}
"""Quirks under which not every answer can be had, or be sure -> what the tools then say."""

PASSING = [kind.name for kind in FAULTS if kind.name not in ("slow", "key-refused", "rows-added")]


def quirks() -> list[tuple[str, str, str]]:
    """Vendor, quirk and each value that is not the usual one."""
    from feedloom.vendors.aptrinsic.emulator import BLUEPRINT as APTRINSIC  # noqa: PLC0415 - large worlds
    from feedloom.vendors.refiner.emulator import BLUEPRINT as REFINER  # noqa: PLC0415 - the same

    return [
        (slug, quirk.name, value)
        for slug, blueprint in (("refiner", REFINER), ("aptrinsic", APTRINSIC))
        for quirk in blueprint.quirks
        for value in (quirk.choices or ("2",))
        if value != quirk.default
    ]


async def outcomes(slug: str) -> list[str]:
    """How each reading tool of a vendor ends: a status, or the code of an error."""
    ended = []
    async with Workspace() as workspace:
        for name, arguments in EVERY_READ:
            if name.startswith(slug):
                try:
                    result = await every_tool().call(workspace, name, arguments)
                except ToolError as error:
                    ended.append(error.code)
                else:
                    ended.append(result["verification"]["status"])
    return ended


@pytest.mark.nightly
def test_every_reading_tool_bears_every_quirk(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bench.folder.exists()
    for slug, name, value in quirks():
        emulator = create_emulator(slug, rows=100, seed=5, key=KEYS[slug], quirks={name: value})
        with serve(emulator) as url:
            monkeypatch.setenv(f"SOURCES__{slug.upper()}_SOURCE__BASE_URL", url)
            ended = set(asyncio.run(outcomes(slug)))
        emulator.close()
        assert ended <= TOLD.get((slug, name), {"verified"}), (slug, name, value, ended)


@pytest.mark.nightly
@pytest.mark.parametrize("slug", ["refiner", "aptrinsic"])
def test_under_every_fault_the_rows_are_right_or_there_are_none(bench: Bench, slug: str) -> None:
    calls: dict[str, list[tuple[str, dict[str, Any]]]] = {
        "refiner": [("refiner_list_contacts", {"limit": 30}), ("refiner_list_forms", {"limit": 5})],
        "aptrinsic": [("aptrinsic_list", {"resource": "users", "limit": 90})],
    }
    emulator = bench.played.refiner if slug == "refiner" else bench.played.aptrinsic
    for name, arguments in calls[slug]:
        right = [item for result in bench.walk(name, arguments) for item in result["items"]]
        for fault in PASSING:
            emulator.faults.add(f"{fault}=3")
            results, code = [], ""
            try:
                results = list(bench.walk(name, arguments))
            except ToolError as error:
                code = error.code
            emulator.faults.clear()
            found = [item for result in results for item in result["items"]]
            is_sure = {result["verification"]["status"] for result in results} == {"verified"}
            assert code in ("", "VENDOR", "UNAVAILABLE", "RATE_LIMITED"), fault
            assert code or found == right or not is_sure, fault


def test_a_list_that_grows_between_two_pages_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator = create_emulator("refiner", rows=100, seed=5, key=KEYS["refiner"], faults=["rows-added=1"])
    arguments = {"limit": 5, "include": "all"}
    with serve(emulator) as url:
        monkeypatch.setenv("SOURCES__REFINER_SOURCE__BASE_URL", url)
        first = bench.call("refiner_list_responses", arguments)
        second = bench.call("refiner_list_responses", arguments, cursor=first["cursor"])
    emulator.close()
    assert first["verification"]["status"] == "verified"
    assert second["verification"]["status"] == "unverified"
    assert any(check.startswith("total: ") for check in second["verification"]["checks"])
