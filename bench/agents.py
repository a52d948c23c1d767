"""Measures the tools as agents use them: 8 clients at once over HTTP, the start of a server, what a call costs.

``python bench/agents.py --calls 10000`` plays both vendors with their limits on, loads a database, serves it with
``feedloom mcp --http`` and prints figures as JSON. A limit is kept when the vendors answer no request with 429.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from feedloom.emulator import Emulator, create_emulator, serve

KEYS = {"refiner": "emulated-refiner-key-of-the-bench", "aptrinsic": "emulated-px-key-of-the-bench"}
TOKEN = "token-of-the-bench"  # noqa: S105 - an invented one
CLIENTS = 8
PEOPLE = 300
SAMPLES = 10
START_S = 30.0
AUTUMN = {"start": "2026-08-01T00:00:00Z", "end": "2026-11-01T00:00:00Z"}
MIX: tuple[tuple[int, str, dict[str, Any]], ...] = (
    (160, "refiner_list_responses", {"limit": 20}),
    (160, "refiner_list_contacts", {"limit": 20}),
    (160, "refiner_get_contact", {"id": ""}),
    (100, "refiner_get_report", {"type": "nps", **AUTUMN}),
    (160, "aptrinsic_list", {"resource": "users", "limit": 20}),
    (120, "aptrinsic_get", {"resource": "users", "id": ""}),
    (60, "credentials_check", {"source": "refiner"}),
    (50, "refiner_get_contact", {"id": "a", "uuid": "b"}),
    (20, "workspace_status", {}),
    (10, "warehouse_query", {"sql": "select count(*) as n from responses"}),
)
"""Weight, tool and arguments; one is refused. An empty id stands for any: calls for one user have limits too."""


@dataclass(slots=True)
class Tally:
    """What came of the calls: outcomes, seconds a call, and the memory of the server as they went."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=10_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="feedloom-agents-") as name, vendors() as (emulators, urls):
        folder = Path(name)
        environment = settings(folder, urls)
        run("sync", "refiner", "--only", "contacts,forms,responses", "--quiet", folder=folder, environment=environment)
        started = [asyncio.run(start(folder, environment)) for _ in range(5)]
        for emulator in emulators.values():
            emulator.requests.clear()
        with served(folder, environment) as (url, process_id):
            tally = asyncio.run(drive(url, process_id, calls=given.calls))
            journal = journal_of_calls(folder, environment)
        costs = what_a_call_costs(folder)
        figures = {
            "calls": given.calls,
            "clients": CLIENTS,
            "outcomes": dict(tally.outcomes),
            "wall_s": round(sum(tally.seconds) / CLIENTS, 1),
            "median_ms": round(1000 * statistics.median(tally.seconds), 1),
            "memory_mb": tally.memory_mb,
            "refused_by_vendors": {slug: one.requests.by_status[429] for slug, one in emulators.items()},
            "requests": {slug: one.requests.total for slug, one in emulators.items()},
            "journal": journal,
            "start_to_tools_list_s": sorted(round(seconds, 2) for seconds in started),
            **costs,
        }
    print(json.dumps(figures, indent=2))  # noqa: T201 - what this is for


@contextmanager
def vendors() -> Iterator[tuple[Mapping[str, Emulator], Mapping[str, str]]]:
    """Both vendors with the limits that are theirs, and where they are."""
    emulators = {slug: create_emulator(slug, rows=2_000, seed=3, key=key) for slug, key in KEYS.items()}
    with serve(emulators["refiner"]) as refiner, serve(emulators["aptrinsic"]) as aptrinsic:
        yield emulators, {"refiner": refiner, "aptrinsic": aptrinsic}


def settings(folder: Path, urls: Mapping[str, str]) -> dict[str, str]:
    """The environment of somebody who uses both vendors, with a state of its own."""
    own = {"DLT_DATA_DIR": str(folder / "dlt"), "FEEDLOOM_STATE": str(folder / "state"), "FEEDLOOM__MCP_TOKEN": TOKEN}
    for slug, url in urls.items():
        own |= {
            f"SOURCES__{slug.upper()}_SOURCE__BASE_URL": url,
            f"SOURCES__{slug.upper()}_SOURCE__API_KEY": KEYS[slug],
        }
    return {**os.environ, "RUNTIME__DLTHUB_TELEMETRY": "false", **own}


def run(*arguments: str, folder: Path, environment: Mapping[str, str]) -> None:
    """Run the command; it has to succeed."""
    command = [sys.executable, "-m", "feedloom", *arguments]
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own


def journal_of_calls(folder: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """How many calls the journal holds, one line each, and whether its chain is whole."""
    command = [sys.executable, "-m", "feedloom", "journal", "calls", "--last", "1", "--verify", "--json"]
    done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)  # noqa: S603 - our own
    chain: dict[str, Any] = json.loads(done.stdout)["chain"]
    return chain


async def start(folder: Path, environment: Mapping[str, str]) -> float:
    """Seconds from the start of a server on stdio to its list of tools."""
    begun_s = time.perf_counter()
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "feedloom", "mcp"], env=dict(environment), cwd=folder
    )
    async with Client(server) as client:
        await client.list_tools()
        return time.perf_counter() - begun_s


@contextmanager
def served(folder: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """The URL and the process of a server over HTTP, once it answers."""
    command = [sys.executable, "-m", "feedloom", "mcp", "--http", "--port", "0"]
    with subprocess.Popen(  # noqa: S603 - our own
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            url = server.stderr.readline().split()[1].rstrip(";") if server.stderr else ""
            until_s = time.monotonic() + START_S
            while time.monotonic() < until_s:
                try:
                    httpx2.get(url, trust_env=False)
                    break
                except httpx2.TransportError:
                    time.sleep(0.05)
            yield url, server.pid
        finally:
            server.terminate()
            server.wait(START_S)


async def drive(url: str, process_id: int, *, calls: int) -> Tally:
    """Make *calls* of the mix, by ``CLIENTS`` clients that each begin the next when the last is answered."""
    dice = random.Random(3)  # noqa: S311 - a choice of calls
    left = dice.choices(MIX, [weight for weight, _, _ in MIX], k=calls)
    tally = Tally()
    between = max(1, calls // SAMPLES)

    async def client() -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            httpx2.AsyncClient(headers=headers, trust_env=False, timeout=300) as http,
            Client(streamable_http_client(url, http_client=http)) as asking,
        ):
            while left:
                _, name, arguments = left.pop()
                any_id = {} if arguments.get("id") != "" else {"id": f"u-{dice.randrange(1, PEOPLE):06d}"}
                begun_s = time.perf_counter()
                result = await asking.call_tool(name, arguments | any_id)
                tally.seconds.append(time.perf_counter() - begun_s)
                structured = result.structured_content or {}
                ended = structured["error"]["code"] if result.is_error else structured["verification"]["status"]
                tally.outcomes[ended] += 1
                if len(tally.seconds) % between == 0:
                    tally.memory_mb.append(memory_mb(process_id))

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return tally


def what_a_call_costs(folder: Path) -> dict[str, float]:
    """As ``overhead``, of a vendor without limits: the bare requests keep none."""
    emulator = create_emulator("refiner", rows=2_000, seed=3, key=KEYS["refiner"], quirks={"limit_key": "0"})
    with serve(emulator) as vendor, served(folder, settings(folder, {"refiner": vendor})) as (url, _):
        return asyncio.run(overhead(url, vendor))


async def overhead(url: str, vendor: str, *, times: int = 100) -> dict[str, float]:
    """Median milliseconds of one read through the server, and of the bare request behind it, one after the other."""
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    key = {"Authorization": f"Bearer {KEYS['refiner']}"}
    through, bare = [], []
    async with (
        httpx2.AsyncClient(headers=bearer, trust_env=False, timeout=120) as http,
        httpx2.AsyncClient(headers=key, trust_env=False) as direct,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        for _ in range(times):
            begun_s = time.perf_counter()
            await client.call_tool("refiner_get_account", {})
            through.append(time.perf_counter() - begun_s)
            begun_s = time.perf_counter()
            (await direct.get(f"{vendor}/account")).raise_for_status()
            bare.append(time.perf_counter() - begun_s)
    return {
        "read_tool_ms": round(1000 * statistics.median(through), 2),
        "bare_request_ms": round(1000 * statistics.median(bare), 2),
    }


def memory_mb(process_id: int) -> float:
    """What a process holds in memory now (Linux)."""
    lines = Path(f"/proc/{process_id}/status").read_text(encoding="utf-8").splitlines()
    [resident] = [line for line in lines if line.startswith("VmRSS")]
    return round(int(resident.split()[1]) / 1024, 1)


if __name__ == "__main__":
    main()
