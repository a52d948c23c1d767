"""An emulator as a whole: how it is made, what it remembers, and how it is put behind a port."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import pytest

from emulator.asking import asking
from feedloom.emulator import create_emulator, describe, emulated_vendors, serve
from feedloom.errors import InputError

PROGRAM = """
from feedloom.emulator import create_emulator, run
run(create_emulator("refiner", rows=10), on_ready=lambda url: print(url, flush=True))
print("stopped", flush=True)
"""


def fetch(url: str, key: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request("GET", f"{urlsplit(url).path}/forms", headers={"Authorization": f"Bearer {key}"})
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def test_refiner_has_an_emulator() -> None:
    assert "refiner" in emulated_vendors()


def test_the_key_follows_from_the_seed_unless_one_is_given() -> None:
    assert create_emulator("refiner", rows=0, seed=7).key == "emulator-key-000000000000-seed7"
    assert create_emulator("refiner", rows=0, key="another-key-for-the-tests").key == "another-key-for-the-tests"


@pytest.mark.parametrize(
    "wrong",
    [
        {"slug": "nobody"},
        {"rows": -1},
        {"rows": 10**9},
        {"latency_ms": -1},
        {"quirks": {"no_such_quirk": "1"}},
        {"quirks": {"numbers": "roman"}},
        {"quirks": {"page_length_default": "1001"}},
        {"quirks": {"limit_key": "many"}},
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError) as refused:
        create_emulator(**{"slug": "refiner", "rows": 5, **wrong})  # type: ignore[arg-type] # wrong on purpose
    assert refused.value.hint


def test_quirks_are_described_with_their_values() -> None:
    quirks = dict(describe("refiner").quirks)
    assert {"page_length_default", "lenient", "limit_key", "limit_user"} <= set(quirks)
    assert quirks["numbers"].endswith("Takes text or number; text when left out.")
    with pytest.raises(InputError):
        describe("nobody")


def test_requests_are_remembered_and_counted() -> None:
    with asking() as api:
        api.send("GET", "forms", {"list": "all"})
        api.send("GET", "nothing")
        api.send("GET", "forms?page=0")
        first, second, third = api.emulator.requests
        assert (first.method, first.path, first.query, first.status) == ("GET", "/v1/forms", "list=all", 200)
        assert (second.status, second.endpoint) == (404, "")
        assert (third.status, api.emulator.requests[-1]) == (400, third)
        assert api.emulator.requests.by_endpoint == {"list_forms": 2, "": 1}
        assert api.emulator.requests.by_status == {200: 1, 404: 1, 400: 1}
        api.emulator.requests.clear()
        assert (len(api.emulator.requests), api.emulator.requests.total) == (0, 0)


def test_the_log_of_requests_is_bounded_and_the_count_is_not() -> None:
    with asking(rows=0) as api:
        for _ in range(20):
            api.send("GET", "segments")
        assert api.emulator.requests.total == 20
        assert api.emulator.requests._latest.maxlen == 10_000


def test_a_wrong_method_is_told_which_are_right() -> None:
    with asking() as api:
        response = api.send("PUT", "forms")
        assert response.status_code == 405
        assert response.headers["allow"] == "DELETE, GET"
        assert set(response.json()) == {"error"}


def test_the_description_names_the_emulator_as_its_server_and_needs_no_key() -> None:
    with asking() as api:
        response = api.send("GET", "http://emulator/openapi.json", headers={"Authorization": ""})
        assert response.json()["servers"][0]["url"] == "http://emulator/v1"
        assert "/responses" in response.json()["paths"]
        assert api.send("GET", "http://emulator/elsewhere").status_code == 404
        assert api.emulator.requests.total == 0


def test_every_answer_waits_for_the_latency() -> None:
    with asking(latency_ms=30) as api:
        assert api.send("GET", "forms").elapsed.total_seconds() >= 0.03


def test_a_page_asked_for_twice_is_made_once_until_something_is_written() -> None:
    with asking() as api:
        cache = api.emulator._door.cache
        first = api.get("responses", {"page_length": 5})
        assert api.get("responses", {"page_length": 5}) == first
        assert cache.hits == 1
        api.emulator.control.add_row()
        assert api.get("responses", {"page_length": 5}) != first
        assert cache.hits == 1


def test_kept_answers_never_hold_more_bytes_than_allowed() -> None:
    with asking(rows=300, cache_bytes=30_000) as api:
        for page in range(1, 20):
            api.get("responses", {"page": page, "page_length": 10, "include": "all"})
            assert api.emulator._door.cache.bytes_held <= 30_000
        assert api.emulator._door.cache.bytes_held > 10_000
        api.emulator.close()
        assert api.emulator._door.cache.bytes_held == 0


def test_a_served_emulator_answers_at_its_url_and_stops_with_the_block() -> None:
    emulator = create_emulator("refiner", rows=10)
    threads = threading.active_count()
    with serve(emulator) as url:
        assert url.startswith("http://127.0.0.1:")
        assert url.endswith("/v1")
        assert fetch(url, emulator.key) == 200
    assert threading.active_count() == threads
    with pytest.raises(OSError, match=r"."):
        fetch(url, emulator.key)


def test_a_port_that_is_taken_is_an_error_of_input() -> None:
    emulator = create_emulator("refiner", rows=10)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match="cannot listen on port"), serve(emulator, port=taken.getsockname()[1]):
            pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_running_command_stops_on_a_signal_without_a_traceback(number: signal.Signals) -> None:
    with subprocess.Popen(  # noqa: S603 - a program of this file
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert fetch(url, "emulator-key-000000000000-seed7") == 200
        process.send_signal(number)
        out, errors = process.communicate(timeout=20)
    assert (out.strip(), errors, process.returncode) == ("stopped", "", 0)


def test_importing_the_package_loads_no_web_server() -> None:
    program = "import sys, feedloom.emulator; print(any(name in sys.modules for name in ('starlette', 'uvicorn')))"
    done = subprocess.run(  # noqa: S603 - a program of this test
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "False"
