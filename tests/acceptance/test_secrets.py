"""The key stands nowhere: not in what commands say or log, nor in a file that they leave, packed or not."""

from __future__ import annotations

import gzip
import json
import logging
import shlex
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import chdir
from pathlib import Path
from urllib.parse import quote, quote_plus

import duckdb
import pyarrow.parquet as pq
import pytest

from feedloom.cli.main import run
from feedloom.emulator import Emulator, create_emulator, serve
from feedloom.sources.journal.records import read_records

KEY = "zebra+quartz/7=%41&vixen-of-the-night"

FAULTY = {
    "refiner": (
        "500=always@list_responses",
        "html=always@list_forms",
        "truncated=always@list_contacts",
        "drop=always@list_segments",
        "429-bare=always@list_contacts",
        "key-refused=3",
    ),
    "aptrinsic": ("500=always@list_users", "html=always@list_segments", "key-refused=3"),
}
TABLES = {"refiner": "contacts,forms,responses,segments", "aptrinsic": "users,segments"}
COMMANDS = (
    "{debug} plan {source} --only {tables}",
    "{debug} sync {source} --only {tables}",
    "{debug} sync {source} --only {tables} --json",
    "{debug} audit {source} --only {tables} --sample 3 --json",
    "check {source}",
    "status",
    "journal list",
    "state history {source}",
    "loads list {source}",
    "lateness {source}",
    "replay {source} --all --to duckdb:again.duckdb",
    "query 'select * from {source}_data.feedloom_runs'",
    "tool call {tool} --json",
)
FEW = ("{debug} sync {source} --only {tables} --json", "tool call {tool} --json")
TOOLS = {"refiner": "refiner_list_contacts", "aptrinsic": "aptrinsic_list --arg resource=users"}


def forms_of(key: str) -> dict[str, bytes]:
    """The key as it is, percent-encoded, in JSON, and in base64 wherever in a longer text it stands."""
    found = {"as it is": key, "quoted": quote(key, safe=""), "as a form": quote_plus(key), "in JSON": json.dumps(key)}
    packed = {
        f"in base64, {before} bytes in": b64encode(b"x" * before + key.encode())[-(-before * 8 // 6) : -4]
        for before in range(3)
    }
    return {name: text.strip('"').encode() for name, text in found.items()} | packed


def contents(file: Path) -> Iterator[bytes]:
    """What stands in a file: its bytes, and what is packed in them."""
    raw = file.read_bytes()
    yield raw
    if raw.startswith(b"\x1f\x8b"):
        yield gzip.decompress(raw)
    elif raw.startswith(b"PAR1"):
        yield str(pq.read_table(file).to_pylist()).encode()
    elif file.suffix == ".duckdb":
        with duckdb.connect(str(file), read_only=True) as connection:
            for schema, table in connection.execute(
                "select table_schema, table_name from information_schema.tables"
            ).fetchall():
                yield str(connection.execute(f'select * from "{schema}"."{table}"').fetchall()).encode()
    elif file.suffix == ".journal":
        for record in read_records(file.parent):
            yield str(record.header).encode() + record.body


def told_by(command: str, capfd: pytest.CaptureFixture[str]) -> str:
    """All that a command writes to its two streams."""
    with pytest.raises(SystemExit):
        run(shlex.split(command))
    out, errors = capfd.readouterr()
    return out + errors


@pytest.fixture
def emulator(vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator that takes the key, told of by the environment, in a folder where everything is kept."""
    monkeypatch.setattr("feedloom.http.retry.LONGEST_BACKOFF_S", 0.01)
    for name, folder in {"HOME": "home", "DLT_DATA_DIR": "dlt", "FEEDLOOM_STATE": "state", "TMPDIR": "tmp"}.items():
        (tmp_path / folder).mkdir()
        monkeypatch.setenv(name, str(tmp_path / folder))
    quirks = {"limit_key": "0"} if vendor == "refiner" else {}
    emulator = create_emulator(vendor, rows=30, key=KEY, quirks=quirks)
    with serve(emulator) as url, chdir(tmp_path):
        monkeypatch.setenv(f"SOURCES__{vendor.upper()}_SOURCE__BASE_URL", url)
        monkeypatch.setenv(f"SOURCES__{vendor.upper()}_SOURCE__API_KEY", KEY)
        yield emulator
    emulator.close()


def test_the_key_is_found_where_it_stands() -> None:
    """The search itself works."""
    for text in (KEY, quote(KEY, safe=""), b64encode(KEY.encode()).decode(), b64encode(f"api:{KEY}".encode()).decode()):
        assert any(form in text.encode() for form in forms_of(KEY).values()), text


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("vendor", "faults", "commands"),
    [
        ("aptrinsic", FAULTY["aptrinsic"][:1], FEW),
        ("aptrinsic", FAULTY["aptrinsic"], COMMANDS),
        ("refiner", FAULTY["refiner"], COMMANDS),
    ],
)
def test_the_key_stands_nowhere_whatever_was_run(
    vendor: str,
    faults: Sequence[str],
    commands: Sequence[str],
    emulator: Emulator,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    said: dict[str, str] = {}
    sync = f"--debug sync {vendor} --only {TABLES[vendor]} --json"
    for fault in faults:
        emulator.faults.add(fault)
        said[fault] = told_by(sync, capfd)
        assert "error" in said[fault]
        emulator.faults.clear()
    for command in commands:
        line = command.format(debug="--debug", source=vendor, tables=TABLES[vendor], tool=TOOLS[vendor])
        said[line] = told_by(line, capfd)
        assert "error[" not in said[line], said[line]
    said["logs"] = caplog.text
    places = {name: [text.encode()] for name, text in said.items()}
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert {".duckdb", ".journal", ".sqlite"} <= {file.suffix for file in files}
    shown = [
        f"{place}: {form}"
        for place, texts in [*places.items(), *((str(file), list(contents(file))) for file in files)]
        for form, spelt in forms_of(KEY).items()
        if any(spelt in text for text in texts)
    ]
    assert shown == []
