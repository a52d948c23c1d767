"""The tools on PostgreSQL: right, masked, and no way out for whatever SQL is sent to a real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from feedloom.tools import database
from feedloom.tools.database import Place, ask, open_place, safe_sql
from feedloom.tools.failures import ToolError
from tools.bench import Bench

psycopg2 = pytest.importorskip("psycopg2", reason="PostgreSQL's driver is not installed")

from feedloom.tools.postgres_worker import open_sealed  # noqa: E402 - it needs the driver

ATTACKS: dict[str, list[str]] = json.loads(
    Path(__file__).with_name("attacks_postgres.json").read_text(encoding="utf-8")
)
SECRET = "zq7x-a-secret-of-the-server"
STOPPED = {"TIMEOUT", "TOO_MUCH", "TOO_LARGE"}
FEW_BOMBS = 1
STATEMENTS = f"""
create schema refiner_data;
create table refiner_data.responses (uuid text, score int);
insert into refiner_data.responses select i::text, i from generate_series(1, 60) i;
create table refiner_data.contacts (uuid text, email text, score numeric, made timestamptz, traits jsonb);
insert into refiner_data.contacts values
  ('a', 'ann@home.example', 0, '2026-01-31 12:00+02', '{{"plan": "pro"}}'),
  ('b', null, 12345678901234567890.5, null, null);
create schema vault;
create table vault.keys (key text);
insert into vault.keys values ('{SECRET}');
create view vault.seen as select * from vault.keys;
create sequence vault.numbers;
create type vault.kind as (a text);
create function vault.wipe() returns int language sql as 'delete from refiner_data.responses; select 1';
create function refiner_data.wipe() returns int language sql as 'delete from refiner_data.responses; select 1';
create procedure vault.empty() language sql as 'delete from refiner_data.responses';
drop role if exists reader;
create role reader login;
grant usage on schema refiner_data to reader;
grant select on all tables in schema refiner_data to reader;
"""


@pytest.fixture(scope="module")
def address(server: str) -> Iterator[str]:
    """A database of its own with two tables of feedloom and what nobody may see."""
    with_database(server, "drop database if exists attacked")
    with_database(server, "create database attacked")
    attacked = f"{server.rpartition('/')[0]}/attacked"
    with_database(attacked, STATEMENTS)
    yield attacked
    with_database(server, "drop database attacked with (force)")
    with_database(server, "drop role reader")


def with_database(address: str, statements: str) -> list[Any]:
    """What *statements* give, each committed."""
    connection = psycopg2.connect(address)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statements)
            return [] if cursor.description is None else list(cursor.fetchall())
    finally:
        connection.close()


@pytest.fixture
def place(address: str, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("FEEDLOOM__TO", "postgres")
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", address)
    assert bench.folder.exists()
    return open_place(None)


@pytest.fixture(scope="module")
def bait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that the server itself could read."""
    file = tmp_path_factory.mktemp("bait") / "secret"
    file.write_text(SECRET, encoding="utf-8")
    for folder in (file, *file.parents[:3]):
        folder.chmod(0o755)
    return file


def state_of(address: str) -> list[Any]:
    """Everything that an attack could have changed."""
    return with_database(
        address,
        "select (select json_agg(r order by uuid)::text from refiner_data.responses r),"
        " (select json_agg(distinct c.oid::regclass::text)::text from pg_class c where relkind in ('r','v','m','S')),"
        " (select string_agg(rolname, ',' order by rolname) from pg_roles),"
        " (select string_agg(extname, ',' order by extname) from pg_extension),"
        " (select last_value from vault.numbers), (select count(*) from pg_largeobject_metadata),"
        " (select count(*) from pg_proc), (select count(*) from pg_locks where locktype = 'advisory')",
    )


def test_there_are_many_attacks_and_no_two_are_the_same() -> None:
    every = [sql for group in ATTACKS.values() for sql in group]
    assert 350 <= len(every) == len(set(every))


def test_no_attack_reaches_the_server_and_each_gets_a_clear_refusal(place: Place, address: str, bait: Path) -> None:
    before = state_of(address)
    for group in sorted(set(ATTACKS) - {"bombs"}):
        for attack in ATTACKS[group]:
            with pytest.raises(ToolError) as refused:
                safe_sql(place, attack.replace("@secret@", str(bait)), shows_personal=False)
            assert refused.value.code == "SQL_REFUSED", attack
            assert SECRET not in str(refused.value)
            assert refused.value.undone == "Nothing was run."
            assert refused.value.next_step
    assert state_of(address) == before


@pytest.mark.nightly
def test_a_login_that_can_only_read_keeps_everything_safe_without_the_parser(address: str, bait: Path) -> None:
    """The second wall: what would happen if the parser let an attack through as it is."""
    before = state_of(address)
    reader = address.replace("feedloom:unused", "reader:unused")
    for group in sorted(set(ATTACKS) - {"bombs"}):
        for attack in ATTACKS[group]:
            assert SECRET not in outcome(reader, attack.replace("@secret@", str(bait))), attack
    assert state_of(address) == before


@pytest.mark.parametrize("attack", ["select pg_read_file('@secret@')", "delete from refiner_data.responses"])
def test_a_superuser_becomes_a_reader(address: str, bait: Path, attack: str) -> None:
    said = outcome(address, attack.replace("@secret@", str(bait)))
    assert "permission denied" in said or "syntax error" in said or "read-only" in said


def outcome(address: str, sql: str) -> str:
    """Everything that running *sql* shows, with no parser before it."""
    connection = open_sealed(address, role=None, longest_s=0.2)
    try:
        cursor = connection.cursor("attack")
        cursor.execute(sql)
        return str(cursor.fetchmany(5))
    except (psycopg2.Error, ValueError, UnicodeError) as error:
        return str(error)
    finally:
        connection.close()


def run(place: Place, sql: str, **further: Any) -> dict[str, Any]:
    limits = {"limit": 10, "max_chars": 20_000, "shows_personal": False, "longest_s": 5.0} | further
    shows = bool(limits["shows_personal"])
    return asyncio.run(ask(place, safe_sql(place, sql, shows_personal=shows), **limits))


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param(sql, marks=[pytest.mark.nightly] if at >= FEW_BOMBS else [])
        for at, sql in enumerate(ATTACKS["bombs"])
    ],
)
def test_what_would_use_up_the_server_is_stopped_in_time(place: Place, sql: str) -> None:
    with pytest.raises(ToolError) as stopped:
        run(place, sql, longest_s=0.5)
    assert stopped.value.code in STOPPED


def test_a_query_gives_exact_rows_without_personal_values(place: Place) -> None:
    sql = (
        "with contacts as (select * from contacts) select c.uuid, max(email) as e, substr(max(C.EMAIL), 2, 3) as part,"
        " max(score) as n, max(made) as at, min(c::text) as whole, max(traits::text) as t from contacts c"
        " group by 1 order by 1"
    )
    found = run(place, sql)
    first, second = found["rows"]
    assert first[:5] == ["a", "[masked]", "mas", 0, "2026-01-31T10:00:00+00:00"]
    assert "[masked]" in first[5]
    assert second[:5] == ["b", None, None, "12345678901234567890.5", None]
    assert "ann@" not in str(found)
    assert run(place, "select email from contacts order by 1", shows_personal=True)["rows"] == [
        ["ann@home.example"],
        [None],
    ]


def test_rows_are_cut_whole_and_the_cut_is_told(place: Place) -> None:
    few = run(place, "select score from refiner_data.responses order by score", limit=7)
    assert (few["rows"], few["truncated"]) == ([[i] for i in range(1, 8)], True)
    assert not run(place, "select uuid from responses where score <= 7", limit=7)["truncated"]
    wide = run(
        place, "select string_agg(a.uuid || b.uuid, '') from responses a, responses b group by a.uuid", max_chars=900
    )
    assert wide["truncated"]
    with pytest.raises(ToolError) as too_large:
        run(place, "select string_agg(a.uuid || b.uuid, '') from responses a, responses b", max_chars=900)
    assert too_large.value.code == "TOO_LARGE"


@pytest.mark.parametrize("sql", ["select selct from contacts", "select user", "select current_role"])
def test_a_name_that_is_no_column_is_told(place: Place, sql: str) -> None:
    with pytest.raises(ToolError) as wrong:
        run(place, sql)
    assert (wrong.value.code, "does not exist" in str(wrong.value)) == ("SQL", True)


def test_a_role_can_be_named_as_which_queries_run(place: Place, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    grants = "grant usage on schema refiner_data to narrow; grant select on refiner_data.responses to narrow"
    with_database(address, f"drop role if exists narrow; create role narrow; {grants}")
    monkeypatch.setenv("FEEDLOOM__TOOLS__POSTGRES_ROLE", "narrow")
    try:
        assert run(place, "select count(*) from responses")["rows"] == [[60]]
        with pytest.raises(ToolError) as refused:
            run(place, "select count(*) from contacts")
        assert refused.value.code == "SQL_REFUSED"
    finally:
        with_database(address, "drop owned by narrow; drop role narrow")


def test_a_server_that_is_not_there_is_told_without_its_address(
    place: Place, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(place, database.Server)
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", "postgresql://somebody:pw-of-somebody@127.0.0.1:1/nowhere")
    error = bench.refusal("warehouse_query", sql="select 1 as one")
    assert error.code == "WAREHOUSE"
    assert "pw-of-somebody" not in str(error)
