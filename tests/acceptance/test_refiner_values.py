"""Whatever JSON customers put into answers and traits comes out in the database, value by value.

The API here is a script: it gives the rows of a test, since no environment holds all of this at once.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import chdir
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from feedloom.config import Setting
from feedloom.sync.jobs import make_job
from feedloom.sync.run import run
from feedloom.vendors import VENDORS
from support.compare_refiner import SCHEMA, compare

Data = dict[str, Any]

_folders = count(1)


@dataclass(slots=True)
class Script:
    """What the API gives: its responses and its contacts; both are changed between syncs."""

    url: str
    folder: Path
    key: str
    responses: list[Data] = field(default_factory=list)
    contacts: list[Data] = field(default_factory=list)

    @property
    def database(self) -> Path:
        """The database that :meth:`sync` writes."""
        return self.folder / "feedloom.duckdb"

    def answer(self, *answers: Data) -> None:
        """Give one response for each map of answers."""
        self.responses = [_response(number, data) for number, data in enumerate(answers)]

    def describe(self, *attributes: Data) -> None:
        """Give one contact for each map of attributes."""
        self.contacts = [_contact(number, traits) for number, traits in enumerate(attributes)]

    def sync(self, *, full: bool = False) -> list[str]:
        """Sync both tables; returns what differs."""
        tables = ("contacts", "responses")
        with chdir(self.folder):
            key = Setting(self.key, "the test")
            run(make_job(VENDORS["refiner"], only=",".join(tables), full=full, base_url=self.url, key=key))
        return compare(self.url, self.key, self.database, tables=tables)

    def columns(self) -> dict[tuple[str, str], str]:
        """The column of each key of an open map, by table and key."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            query = f"select table_name, key, column_name from {SCHEMA}.feedloom_columns"
            return {(table, key): column for table, key, column in connection.execute(query).fetchall()}


def _response(number: int, data: Data) -> Data:
    moment = f"2026-10-{number % 28 + 1:02d} 10:00:00"
    return {
        "uuid": f"r{number}",
        "first_shown_at": moment,
        "last_shown_at": moment,
        "show_counter": 1,
        "first_data_reception_at": moment,
        "last_data_reception_at": moment,
        "completed_at": None,
        "received_at": None,
        "dismissed_at": None,
        "form": {"uuid": "f", "name": "F"},
        "data": data,
        "contact": {"uuid": "c", "remote_id": None, "email": None, "display_name": None, "account": None},
    }


def _contact(number: int, attributes: Data) -> Data:
    return {
        "uuid": f"c{number}",
        "remote_id": None,
        "email": None,
        "display_name": None,
        "first_seen_at": "2026-01-01T00:00:00.000000Z",
        "last_seen_at": "2026-01-01T00:00:00.000000Z",
        "attributes": attributes,
        "segments": [],
        "account": None,
    }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    scripts: dict[str, Script]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        script = self.server.scripts[self.headers["Authorization"].removeprefix("Bearer ")]
        parts = urlsplit(self.path)
        items = {"/v1/responses": script.responses, "/v1/contacts": script.contacts}[parts.path]
        size = int(parse_qs(parts.query)["page_length"][0])
        last_page = max(1, -(-len(items) // size))
        pagination = {"items_count": len(items), "current_page": 1, "last_page": last_page, "next_page_cursor": None}
        body = json.dumps({"items": items[:size], "pagination": pagination}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """Say nothing."""


@pytest.fixture(scope="module")
def write_script(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Script]]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.scripts = {}
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()

        def new() -> Script:
            folder = tmp_path_factory.mktemp("script")
            script = Script(
                f"http://127.0.0.1:{server.server_port}/v1", folder, f"key-of-a-script-{next(_folders):06d}"
            )
            server.scripts[script.key] = script
            return script

        yield new
        server.shutdown()
        thread.join(10)


@pytest.fixture
def script(write_script: Callable[[], Script]) -> Script:
    return write_script()


def test_keys_that_look_alike_keep_columns_of_their_own(script: Script) -> None:
    script.answer(
        {
            "userName": 1,
            "user_name": 2,
            "User Name": 3,
            "USER-NAME": 4,
            "user__name": 5,
            "userName ": 6,
            "_userName": 7,
        },
        {"оценка": "a", "отзыв": "b", "🎯": "c", "🎯 goal": "d", "": "e", "-": "f", "1st": "g", "select": "h"},
        {"_dlt_id": "i", "uuid": "j", "value": "k", "feedloom_more_keys": "l", "_feedloom_hash": "m"},
    )
    assert script.sync() == []


def test_values_of_every_kind_keep_their_kind(script: Script) -> None:
    script.answer(
        {"a": "9", "b": 9, "c": 9.5, "d": True, "e": None},
        {"a": 9, "b": "9", "c": "9", "d": "true", "e": 1},
        {"a": 9.5, "b": 9.5, "c": 9, "d": 1, "e": None},
        {"a": True, "b": True, "c": False, "d": 1.0, "e": "x"},
    )
    assert script.sync() == []


def test_numbers_at_the_edges_keep_every_digit(script: Script) -> None:
    script.answer(
        {"a": 2**63 - 1, "b": -(2**63), "c": 2**53 + 1, "d": 1.5, "e": 1e300, "f": 5e-324},
        {"a": 2**63, "b": -(2**63) - 1, "c": 2**64, "d": 2**53 + 1, "e": 2**70, "f": -(2**70)},
    )
    assert script.sync() == []


def test_texts_of_every_sort_keep_every_character(script: Script) -> None:
    script.answer(
        {
            "a": "",
            "b": " ",
            "c": "a\r\nb\tc",
            "d": "\x00",
            "e": "x" * 10_000,
            "f": "🎯\u202e",
            "g": "=1+1",
            "h": "null",
        },
        {"a": "2026-01-01", "b": "10:00:00", "c": "2026-01-01 10:00:00", "d": "NaN", "e": "-0", "f": "1e5", "g": "٣"},
    )
    assert script.sync() == []


def test_a_text_that_names_a_moment_and_one_that_does_not_are_both_kept(script: Script) -> None:
    script.answer({"when": "2026-01-01T10:00:00.123456Z"}, {"when": "soon"}, {"when": "2026-01-01T11:00:00+01:00"})
    assert script.sync() == []


def test_lists_keep_order_kinds_nulls_and_nesting(script: Script) -> None:
    script.answer(
        {
            "list": [1, 2.5, None, True, "checkout", "7"],
            "texts": ["a", 1, True, 2.5, None],
            "empty": [],
            "null": [None],
        },
        {
            "list": ["x"],
            "texts": "no list",
            "nested": [[1, 2], ["a"], [], [[3]]],
            "objects": [{"k": 1, "K": 2}, {"k": "x"}],
        },
        {"list": [{"a": [1, {"b": [True]}]}, 2, [3]]},
    )
    assert script.sync() == []


@pytest.mark.parametrize("item", [1e30, "9" * 22])
def test_a_list_with_a_number_beyond_64_bits_stops_no_sync(item: object, script: Script) -> None:
    script.answer({"list": [1]}, {"list": [item]})
    assert script.sync() == []
    script.answer({"a": 1}, {"a": 2})
    assert script.sync() == []


def test_objects_keep_every_level(script: Script) -> None:
    script.answer(
        {"o": {"a": 1, "b": {"c": "x", "d": []}, "e": {}}},
        {"o": {"a": "text", "b": 5}, "deep": {"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}}},
        {"o": "no object"},
    )
    assert script.sync() == []


def test_keys_past_the_cap_are_kept_together(script: Script) -> None:
    script.answer(*({f"key {number} {turn}": number for number in range(120)} for turn in range(4)))
    script.describe({"plan": "free", "nested": {str(number): number for number in range(400)}})
    assert script.sync() == []


def test_an_empty_map_may_be_written_as_a_list(script: Script) -> None:
    script.responses = [_response(0, {}), {**_response(1, {}), "data": []}]
    script.contacts = [{**_contact(0, {}), "attributes": []}]
    assert script.sync() == []


def test_a_key_keeps_its_column_when_rows_come_in_another_order(script: Script) -> None:
    script.describe({"userName": "a"}, {"user_name": "b"})
    assert script.sync() == []
    before = script.columns()
    script.describe({"user_name": "b"}, {"userName": "a"})
    assert script.sync() == []
    assert script.columns() == before


@pytest.mark.parametrize("full", [False, True])
def test_values_that_change_their_kind_between_syncs_keep_both_kinds(full: bool, script: Script) -> None:  # noqa: FBT001 - a case
    script.describe({"seats": "10", "plan": "pro"})
    script.answer({"nps": "9"})
    assert script.sync() == []
    script.describe({"seats": 10, "plan": "pro"}, {"seats": "11", "plan": 3})
    script.answer({"nps": 9}, {"nps": "8"})
    assert script.sync(full=full) == []


TEXTS = st.text(max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
KEY_NAMES = st.text(st.sampled_from("aAbB _-1é🎯.[]"), max_size=4)
OBJECTS = st.recursive(
    st.dictionaries(KEY_NAMES, SCALARS | st.lists(TEXTS, max_size=3), max_size=4),
    lambda inner: st.dictionaries(
        KEY_NAMES, inner | st.lists(inner | st.lists(TEXTS, max_size=2), max_size=3), max_size=3
    ),
    max_leaves=6,
)


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # to shrink an example takes hundreds of syncs
    suppress_health_check=list(HealthCheck),
)
@given(answers=st.lists(OBJECTS, min_size=1, max_size=12))
def test_any_answers_come_out_as_they_went_in(write_script: Callable[[], Script], answers: list[Data]) -> None:
    script = write_script()
    script.answer(*answers)
    assert script.sync() == []
