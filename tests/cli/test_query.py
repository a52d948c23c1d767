"""``feedloom query``: what comes out, in each format, and that nothing else can be done with it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from cli.stage import Here, Stage
from feedloom.errors import InputError
from feedloom.sync.reading import Database, read_only

SECRET = "zq7x-a-secret"

ATTACKS = (
    # writing to the database
    "insert into refiner_data.t values (2)",
    "insert into refiner_data.t values (2) returning *",
    "update refiner_data.t set a = 2",
    "delete from refiner_data.t",
    "truncate refiner_data.t",
    "merge into refiner_data.t using refiner_data.t as s on t.a = s.a when matched then delete",
    "drop table refiner_data.t",
    "drop schema refiner_data cascade",
    "create table refiner_data.u (a int)",
    "create table u as select 1",
    "create or replace view refiner_data.t as select 1",
    "create temp table u as select 1",
    "create temp macro m() as 1",
    "create schema s",
    "create sequence q",
    "create index i on refiner_data.t (a)",
    "create type e as enum ('a')",
    "alter table refiner_data.t add column b int",
    "comment on table refiner_data.t is 'x'",
    "explain analyze delete from refiner_data.t",
    "explain insert into refiner_data.t values (1)",
    "with gone as (delete from refiner_data.t returning *) select * from gone",
    "with new as (insert into refiner_data.t values (3) returning *) select * from new",
    "select nextval('refiner_data.numbers')",
    "select * into u from refiner_data.t",
    "checkpoint",
    "force checkpoint",
    "vacuum",
    "analyze",
    "begin",
    "commit",
    "rollback",
    # several statements
    "select 1; drop table refiner_data.t",
    "select 1; select 2",
    "select 1;;select 2",
    "drop table refiner_data.t; select 1",
    "/* ; */ select 1; -- drop\ndelete from refiner_data.t",
    # files, read and written
    "from 'secret.csv'",
    "from 'secret.txt'",
    'from "secret.csv"',
    "from '/etc/passwd'",
    "select * from read_csv('secret.csv')",
    "select * from read_csv_auto('secret.csv')",
    "select * from read_text('secret.txt')",
    "select * from read_blob('secret.txt')",
    "select * from read_json('secret.json')",
    "select * from read_ndjson_objects('secret.json')",
    "select * from read_parquet('secret.parquet')",
    "select * from parquet_schema('secret.parquet')",
    "select * from read_duckdb('other.duckdb')",
    "select * from sniff_csv('secret.csv')",
    "select * from glob('*')",
    "select (select content from read_text('secret.txt'))",
    "select list(x.content) from (from read_text('secret.txt')) x",
    "with a as materialized (from read_text('secret.txt')) from a",
    "select * from refiner_data.t, lateral (select * from read_text('secret.txt'))",
    "describe from read_csv('secret.csv')",
    "summarize from read_csv('secret.csv')",
    "describe table 'secret.csv'",
    "select 1 where exists (from glob('*'))",
    "select 1 union all from glob('*')",
    "(from glob('*'))",
    "select 1 order by (select count(*) from glob('*'))",
    "select count(*) filter (where a in (select 1 from glob('*'))) from refiner_data.t",
    "copy refiner_data.t to 'out.csv'",
    "copy (select 1) to 'out.parquet'",
    "copy refiner_data.t from 'secret.csv'",
    "export database 'out'",
    "import database 'out'",
    "attach 'other.duckdb' as other",
    "attach ':memory:' as other",
    "detach feedloom",
    "use main",
    "copy from database feedloom to memory",
    "create table u as from 'secret.csv'",
    "from query('select content from read_text(''secret.txt'')')",
    "from query_table('secret.csv')",
    "from query_table(['secret.csv'])",
    "select * from json_execute_serialized_sql(json_serialize_sql('select content from read_text(''secret.txt'')'))",
    # the network, extensions, secrets and the environment
    "from 'https://example.com/rows.csv'",
    "from 's3://bucket/rows.parquet'",
    "select * from read_csv('https://example.com/rows.csv')",
    "install httpfs",
    "load httpfs",
    "force install httpfs",
    "update extensions",
    "select * from postgres_scan('host=localhost', 'public', 't')",
    "select * from sqlite_scan('other.db', 't')",
    "select * from st_read('secret.json')",
    "attach 'host=localhost' as p (type postgres)",
    "create secret s (type s3, key_id 'a', secret 'b')",
    "create persistent secret s (type http, bearer_token 'b')",
    "drop secret s",
    "from duckdb_secrets()",
    "from duckdb_secrets(redact = false)",
    "from which_secret('s3://bucket', 's3')",
    "select getenv('FEEDLOOM_SECRET')",
    "from duckdb_extensions()",
    "from duckdb_settings()",
    # the program around the query
    "from hidden_rows",
    "select * from hidden_frame",
    "from arrow_scan(1, 2, 3)",
    "from pandas_scan(140000000000000)",
    "from python_map_function()",
    # settings and logs
    "set enable_external_access = true",
    "reset enable_external_access",
    "set global lock_configuration = false",
    "set variable a = 1",
    "pragma enable_external_access = true",
    "pragma database_list",
    "pragma enable_profiling",
    "call enable_logging(storage = 'file', storage_path = 'logs')",
    "from enable_logging(storage = 'file', storage_path = 'logs')",
    "from enable_profiling(save_location = 'profile.json')",
    "from truncate_duckdb_logs()",
    "from force_checkpoint()",
    "prepare p as select 1",
    "execute p",
    "deallocate p",
    "call pragma_version()",
    "load 'evil.duckdb_extension'",
    # too much
    f"select {'+'.join(['1'] * 900)}",
    f"select {'+'.join(['1'] * 9000)}",
    # not SQL at all
    "",
    ";",
    "-- nothing",
    "selct 1",
    "select 'open",
    "\x00",
    "{}",
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database in a folder with files that no query may read; the folder is the current one."""
    folder = tmp_path_factory.mktemp("attacked")
    for name in ("secret.csv", "secret.txt", "secret.json"):
        (folder / name).write_text(f'{{"a": "{SECRET}"}}\n', encoding="utf-8")
    for name in ("feedloom.duckdb", "other.duckdb"):
        with duckdb.connect(str(folder / name)) as connection:
            connection.execute("create schema refiner_data; create sequence refiner_data.numbers")
            connection.execute("create table refiner_data.t as select 1 as a")
    with chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEEDLOOM_SECRET", SECRET)
        patch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
        with read_only("duckdb:feedloom.duckdb") as opened:
            yield opened


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack[:60])
def test_nothing_but_reading_the_database_is_done(attack: str, database: Database) -> None:
    hidden_rows, hidden_frame = [SECRET], {"a": [SECRET]}
    before = {file.name: file.read_bytes() for file in Path().iterdir()}

    with pytest.raises(InputError) as refused:
        database.ask(attack).records()

    assert SECRET not in refused.value.message + refused.value.hint
    assert {file.name: file.read_bytes() for file in Path().iterdir()} == before
    assert database.ask("select a from t").records() == [{"a": 1}]
    del hidden_rows, hidden_frame  # until here the SQL could have found them by name


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("from t", [{"a": 1}]),
        ("from refiner_data.t", [{"a": 1}]),
        ("select a from t;", [{"a": 1}]),
        ("-- the table\nselect a from t", [{"a": 1}]),
        ("with x as (from t) select a + 1 as b from x", [{"b": 2}]),
        ("select count(*) as n from range(5)", [{"n": 5}]),
        ("select unnest([1, 2]) as one", [{"one": 1}, {"one": 2}]),
        ("values (1), (2)", [{"col0": 1}, {"col0": 2}]),
        ("select table_name from duckdb_tables() where schema_name = 'refiner_data'", [{"table_name": "t"}]),
        ("select column_name from (describe t)", [{"column_name": "a"}]),
        ("select key from json_each('{\"k\": 1}')", [{"key": "k"}]),
        ("select name from (show all tables)", [{"name": "t"}]),
        ("pivot (select 'x' as k, 1 as v) on k in ('x') using sum(v)", [{"x": 1}]),
    ],
)
def test_every_kind_of_reading_works(sql: str, rows: list[dict[str, Any]], database: Database) -> None:
    assert database.ask(sql).records() == rows


def test_a_pivot_over_values_that_are_not_named_says_how_to_name_them(database: Database) -> None:
    with pytest.raises(InputError) as refused:
        database.ask("pivot t on a using count(*)")

    assert "ON column IN" in refused.value.hint


def test_a_failure_in_the_middle_of_the_rows_is_told_like_any_other(database: Database) -> None:
    rows = database.ask("select cast(case when range = 500000 then 'a' else '1' end as int) from range(1000000)")

    with pytest.raises(InputError, match="Could not convert string 'a'"):
        rows.records()


VALUES = """
select
  timestamptz '2026-01-31 08:00:00+02' as moment, timestamp '2026-01-31 08:00:00' as local, date '2026-01-31' as day,
  time '08:00:00.5' as clock, interval '1 month 2 days 1.5 seconds' as span, 1.10::decimal(9, 2) as price,
  12345678901234567890123456789012345678::hugeint as huge, 18446744073709551615::ubigint as large, true as yes,
  'ab'::blob as bytes, [1, null] as list, {'a': 1, 'b': [1.5::decimal(3, 1)]} as struct, map {'k': 1} as map,
  map {1: 2} as numbers, 'nan'::double as nan, null as nothing, '18e2a3d0-0000-4000-8000-000000000000'::uuid as id,
  'x'::enum ('x') as choice, 1 as a, 2 as a, 3 as a_2, 'été'::varchar as text
"""
AS_JSON = {
    "moment": "2026-01-31T06:00:00+00:00",
    "local": "2026-01-31T08:00:00",
    "day": "2026-01-31",
    "clock": "08:00:00.500000",
    "span": "P1M2DT1.5S",
    "price": 1.1,
    "huge": 12345678901234567890123456789012345678,
    "large": 18446744073709551615,
    "yes": True,
    "bytes": "YWI=",
    "list": [1, None],
    "struct": {"a": 1, "b": [1.5]},
    "map": {"k": 1},
    "numbers": [[1, 2]],
    "nan": None,
    "nothing": None,
    "id": "18e2a3d0-0000-4000-8000-000000000000",
    "choice": "x",
    "a": 1,
    "a_3": 2,
    "a_2": 3,
    "text": "été",
}


def test_json_holds_every_kind_of_value_without_losing_any(loaded: Stage, here: Here) -> None:
    ended = here(loaded, "query", VALUES, "--json")

    assert ended.errors == ""
    assert ended.document == {"columns": list(AS_JSON), "rows": [AS_JSON]}
    assert '"price": 1.10' in ended.out


def test_csv_holds_the_same_values_as_text(loaded: Stage, here: Here) -> None:
    ended = here(loaded, "query", VALUES, "--format", "csv")

    names, row = csv.reader(io.StringIO(ended.out))
    found = dict(zip(names, row, strict=True))
    assert names == list(AS_JSON)
    assert (found["moment"], found["price"], found["nothing"]) == ("2026-01-31T06:00:00+00:00", "1.10", "")
    assert json.loads(found["struct"]) == AS_JSON["struct"]


def test_parquet_holds_the_rows_as_they_are(loaded: Stage, here: Here) -> None:
    file = loaded.folder.parent / "rows.parquet"

    ended = here(loaded, "query", "select uuid, 1 as n, 2 as n from responses", "--format", "parquet", "-o", str(file))

    assert ended.said == ""
    table = pq.read_table(file)
    assert table.column_names == ["uuid", "n", "n_2"]
    assert table.num_rows == 300


def test_a_table_is_cut_at_two_hundred_rows_and_says_so(loaded: Stage, here: Here) -> None:
    ended = here(loaded, "query", "select uuid, last_data_reception_at from responses")

    assert len(ended.out.splitlines()) == 201
    assert ended.errors == "... and 100 rows more; --format csv writes all\n"


def test_what_an_answer_would_do_to_a_terminal_is_shown_and_not_done(loaded: Stage, here: Here) -> None:
    ended = here(loaded, "query", "select 'a' || chr(27) || '[2J' || chr(10) || 'b' as said, null as none")

    assert ended.out == "said        none\na\\x1b[2J b     -\n"


def test_a_file_is_written_whole_or_not_at_all(loaded: Stage, here: Here) -> None:
    file = loaded.folder.parent / "rows.csv"
    file.write_text("before", encoding="utf-8")
    failing = "select cast(case when range = 500000 then 'a' else '1' end as int) as n from range(1000000)"

    assert here(loaded, "query", failing, "--format", "csv", "-o", str(file)).code == 2
    assert file.read_text(encoding="utf-8") == "before"
    assert here(loaded, "query", "select 1 as n", "--format", "csv", "-o", str(file)).code == 0
    assert file.read_text(encoding="utf-8") == "n\n1\n"
    assert here(loaded, "query", "select 1", "-o", "nosuch/rows.csv").code == 2
    assert {one.name for one in file.parent.iterdir() if one.name.startswith(".")} == set()


def test_a_date_that_python_cannot_hold_says_how_to_get_it(loaded: Stage, here: Here) -> None:
    ended = here(loaded, "query", "select 'infinity'::timestamp as late")

    assert ended.code == 2
    assert "late::varchar" in ended.errors


def test_a_name_that_is_not_there_is_told_with_the_nearest(loaded: Stage, here: Here) -> None:
    ended = here(loaded, "query", "from respnses")

    assert ended.code == 2
    assert "error[FL242]: Catalog Error: Table with name respnses does not exist!" in ended.errors
    assert 'Did you mean "responses"?' in ended.errors


def test_a_query_leaves_the_folder_as_it_was(loaded: Stage, here: Here) -> None:
    before = loaded.files()

    assert here(loaded, "query", "select count(*) as n from responses a, responses b, range(10)").code == 0
    assert loaded.files() == before
