"""``feedloom emulator``: one line to read where it is, and a clean end."""

from __future__ import annotations

import json
import signal
import socket

import httpx2
import pytest

from cli.stage import Here, Stage


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_line_tells_where_it_is_and_a_signal_ends_it_with_zero(number: int, bare: Stage) -> None:
    with bare.started("emulator", "start", "refiner", "--rows", "20", "--json") as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        headers = {"Authorization": f"Bearer {told['key']}"}
        assert httpx2.get(f"{told['url']}/contacts", headers=headers).status_code == 200
        assert told["pid"] == process.pid
        process.send_signal(number)
        ended = bare.ended(process)

    assert ended.code == 0
    assert ended.said == ""


def test_people_are_told_how_to_use_it(bare: Stage) -> None:
    with bare.started("emulator", "start", "refiner", "--rows", "20") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]

    assert lines[0].startswith("Refiner is played at http://127.0.0.1:")
    assert lines[1].startswith("  export SOURCES__REFINER_SOURCE__BASE_URL=http://")
    assert lines[2].startswith("  export SOURCES__REFINER_SOURCE__API_KEY=")


def test_a_port_that_is_taken_is_told(bare: Stage, here: Here) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = here(bare, "emulator", "start", "refiner", "--rows", "20", "--port", str(taken.getsockname()[1]))

    assert ended.code == 2
    assert "cannot listen on port" in ended.errors
    assert "another port" in ended.errors


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--fault", "nosuch"], "no fault called 'nosuch'"),
        (["--quirk", "nosuch=1"], "no quirk called 'nosuch'"),
        (["--rows", "-1"], "-1 rows"),
        (["--latency-ms", "-1"], "-1"),
        (["--port", "70000"], "70000"),
    ],
)
def test_a_setting_that_cannot_be_is_told(arguments: list[str], says: str, bare: Stage, here: Here) -> None:
    ended = here(bare, "emulator", "start", "refiner", *arguments)

    assert ended.code == 2
    assert says in ended.errors
    assert "help: " in ended.errors


def test_faults_and_quirks_are_listed_for_people_and_programs(bare: Stage, here: Here) -> None:
    listed = here(bare, "emulator", "faults", "refiner")
    document = here(bare, "emulator", "faults", "refiner", "--json").document

    assert set(document) == {"faults", "quirks"}
    assert all(name in listed.out for name in [*document["faults"], *document["quirks"]])
