"""The tools that read the database here: right, masked, and no way out for whatever SQL is sent."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from feedloom.sync.warehouse import Target
from feedloom.tools.every import every_tool
from feedloom.tools.query_worker import open_sealed
from feedloom.tools.snapshot import take_snapshot
from feedloom.tools.workspace import Workspace
from tools.bench import Bench

ATTACKS: dict[str, list[str]] = json.loads(Path(__file__).with_name("attacks.json").read_text(encoding="utf-8"))
SECRET = "zq7x-a-secret-of-the-folder"
REFUSALS = frozenset({"SQL_REFUSED", "SQL", "INPUT"})
STOPPED = frozenset({"TIMEOUT", "TOO_MUCH", "TOO_LARGE"})
FEW_BOMBS = 3
HOLDER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("create or replace table refiner_data.held as select range as i from range(1000)")
print("held", flush=True)
sys.stdin.readline()
connection.execute("insert into refiner_data.held values (-1)")
connection.execute("checkpoint")
print("written", flush=True)
sys.stdin.readline()
connection.execute("drop table refiner_data.held")
"""


def state_of(folder: Path) -> dict[str, str]:
    """A digest of every file but the copies that are read from, the journal of calls, and dlt's own."""
    files = [file for file in folder.rglob("*") if file.is_file() and not {"snapshots", "calls"} & set(file.parts)]
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.relative_to(folder).parts[0] != "dlt"
    }


def lay_bait(folder: Path) -> None:
    for name in ("secret.csv", "secret.txt", "x.duckdb"):
        (folder / name).write_text(f"a\n{SECRET}\n", encoding="utf-8")
    (folder / ".dlt").mkdir(exist_ok=True)
    (folder / ".dlt" / "secrets.toml").write_text(f'bait = "{SECRET}"\n', encoding="utf-8")


def test_there_are_many_attacks_and_no_two_are_the_same() -> None:
    every = [sql for group in ATTACKS.values() for sql in group]
    assert 350 <= len(every) == len(set(every))


@pytest.mark.parametrize("group", [group for group in ATTACKS if group != "bombs"])
def test_no_attack_gets_through_and_each_gets_a_clear_refusal(stocked: Bench, group: str) -> None:
    lay_bait(stocked.folder)
    before = state_of(stocked.folder)
    for sql in ATTACKS[group]:
        error = stocked.refusal("warehouse_query", sql=sql)
        assert error.code in REFUSALS, (sql, str(error))
        assert SECRET not in f"{error} {error.details}"
        assert error.next_step
    assert state_of(stocked.folder) == before


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param(sql, marks=[pytest.mark.nightly] if at >= FEW_BOMBS else [])
        for at, sql in enumerate(ATTACKS["bombs"])
    ],
)
def test_what_would_use_up_the_machine_is_stopped_in_time(stocked: Bench, sql: str) -> None:
    error = dataclasses.replace(stocked, query_s=1.5).refusal("warehouse_query", sql=sql)
    assert error.code in STOPPED
    assert stocked.call("warehouse_query", sql="select 1 as one")["rows"] == [[1]]


def test_the_engine_alone_keeps_files_settings_and_the_database_safe(stocked: Bench) -> None:
    lay_bait(stocked.folder)
    taken = take_snapshot(Target("duckdb:feedloom.duckdb", "refiner_data"))
    before = state_of(stocked.folder)
    copied = hashlib.sha256(taken.file.read_bytes()).hexdigest()
    with open_sealed(str(taken.file), shows_personal=False) as connection:
        for group in sorted(set(ATTACKS) - {"bombs", "no query"}):
            for sql in ATTACKS[group]:
                assert SECRET not in outcome(connection, sql), sql
        settings = dict(connection.execute("select name, value from duckdb_settings()").fetchall())
        assert settings["enable_external_access"] == "false"
        assert settings["lock_configuration"] == "true"
    assert state_of(stocked.folder) == before
    assert hashlib.sha256(taken.file.read_bytes()).hexdigest() == copied


def outcome(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Everything that running *sql* shows, with no parser before it."""
    try:
        found = connection.execute(sql)
        return "" if found is None else str(found.fetchall())
    except (duckdb.Error, UnicodeError, RuntimeError) as error:
        return str(error)


def test_a_query_gives_exact_rows_without_personal_values(stocked: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    sql = "select count(*) as n, count(email) as known, max(email) as e, any_value(c.display_name) as d from contacts c"
    result = stocked.call("warehouse_query", sql=sql)
    [[count, known, email, name]] = result["rows"]
    assert 0 < known <= count == 60
    assert (email, name) == ("[masked]", "[masked]")
    assert [column["name"] for column in result["columns"] if column.get("untrusted")] == ["e", "d"]
    for smuggled in (
        "select substr(email, 2) from contacts",
        "select upper(c.email) from (from refiner_data.contacts) c",
    ):
        assert "@" not in str(stocked.call("warehouse_query", sql=smuggled)["rows"])

    monkeypatch.setenv("FEEDLOOM__TOOLS__PERSONAL", "show")
    [[*_, email, _]] = stocked.call("warehouse_query", sql=sql)["rows"]
    assert "@" in email


def test_rows_are_cut_whole_and_the_cut_is_told(stocked: Bench) -> None:
    few = stocked.call("warehouse_query", sql="select range as i from range(50)", limit=7)
    assert (few["rows"], few["truncated"]) == ([[i] for i in range(7)], True)
    exactly = stocked.call("warehouse_query", sql="select range as i from range(7)", limit=7)
    assert not exactly["truncated"]
    wide = stocked.call("warehouse_query", sql="select repeat('x', 3000) as x from range(50)", limit=50)
    assert wide["truncated"]
    assert {len(text) for [text] in wide["rows"]} == {3000}
    assert "hint" in wide
    assert stocked.refusal("warehouse_query", sql="select repeat('x', 90000)").code == "TOO_LARGE"


def test_values_of_every_type_come_exact(stocked: Bench) -> None:
    sql = (
        "select 9007199254740993::bigint as a, 170141183460469231731687303715884105727::hugeint as b,"
        " 0.1::decimal(3,1) as c, 12345678901234567890.123456789::decimal(38,9) as d, 'nan'::double as e,"
        " timestamptz '2026-01-31 12:00:00+02' as f, date '2026-01-31' as g, [1, null] as h,"
        " {'k': 'v'} as i, blob 'ab' as j, null as k, true as l"
    )
    [row] = stocked.call("warehouse_query", sql=sql)["rows"]
    assert row == [
        9007199254740993,
        "170141183460469231731687303715884105727",
        0.1,
        "12345678901234567890.123456789",
        "nan",
        "2026-01-31T10:00:00+00:00",
        "2026-01-31",
        [1, None],
        {"k": "v"},
        "YWI=",
        None,
        True,
    ]


def test_tables_are_listed_and_described(stocked: Bench) -> None:
    tables = {row["table"]: row for row in stocked.call("warehouse_list_tables")["tables"]}
    assert tables["refiner_data.responses"]["rows"] == 300
    assert "newest" in tables["refiner_data.responses"]
    assert not any("_dlt" in name for name in tables)
    described = stocked.call("warehouse_describe", table="contacts", sample=2)
    columns = {column["name"]: column for column in described["columns"]}
    assert columns["email"]["personal"]
    assert "own id" in columns["remote_id"]["meaning"]
    assert len(described["sample"]) == 2
    assert "@" not in str(described["sample"])
    assert stocked.refusal("warehouse_describe", table="contact").code == "INPUT"


def test_a_query_neither_waits_for_a_writer_nor_makes_it_wait(stocked: Bench) -> None:
    ask: dict[str, Any] = {"sql": "select count(*) as n from refiner_data.held"}
    with subprocess.Popen(  # noqa: S603 - a fixed program
        [sys.executable, "-c", HOLDER, "feedloom.duckdb"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        try:
            assert holder.stdout.readline() == "held\n"
            assert stocked.call("warehouse_query", ask)["rows"] == [[1000]]
            print("go on", file=holder.stdin, flush=True)
            assert holder.stdout.readline() == "written\n"
            assert stocked.call("warehouse_query", ask)["rows"] == [[1001]]
            print("end", file=holder.stdin, flush=True)
            assert holder.wait(30) == 0
        finally:
            holder.kill()


def test_tools_that_read_the_database_at_once_do_not_disturb_each_other(stocked: Bench) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("workspace_status", {}),
        ("warehouse_list_tables", {}),
        ("warehouse_describe", {"table": "contacts"}),
        ("warehouse_query", {"sql": "select 1 as one"}),
    ]

    async def all_at_once() -> list[dict[str, Any]]:
        async with Workspace(query_s=stocked.query_s) as workspace:
            return await asyncio.gather(
                *(every_tool().call(workspace, name, arguments) for name, arguments in [*calls, *calls[:3] * 2])
            )

    assert {result["verification"]["status"] for result in asyncio.run(all_at_once())} == {"verified"}


def test_every_dataset_of_the_database_can_be_asked(stocked: Bench) -> None:
    with duckdb.connect("feedloom.duckdb") as connection:
        connection.execute("create schema own; create table own.notes as select 'x@y.example' as email, 1 as n")
    try:
        for sql in ("select email, n from own.notes", 'select * from "OWN".notes', "with own as (from notes) from own"):
            assert stocked.call("warehouse_query", sql=sql)["rows"] == [["[masked]", 1]]
        assert "own.notes" in [row["table"] for row in stocked.call("warehouse_list_tables")["tables"]]
        assert stocked.refusal("warehouse_query", sql="from other.notes").code == "SQL"
    finally:
        with duckdb.connect("feedloom.duckdb") as connection:
            connection.execute("drop schema own cascade")


def test_without_a_database_the_tools_say_how_to_get_one(bench: Bench) -> None:
    for name, arguments in (("warehouse_query", {"sql": "select 1"}), ("warehouse_list_tables", {})):
        error = bench.refusal(name, arguments)
        assert error.code == "WAREHOUSE"
        assert "feedloom sync" in str(error)
    assert "no database" in bench.call("workspace_status")["database"]["state"]
