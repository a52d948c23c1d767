"""``feedloom query`` and ``status`` where the database is no DuckDB file: servers, and files that DuckDB reads."""

from __future__ import annotations

from pathlib import Path

import dlt
import pytest

from cli.stage import Here, Stage
from feedloom.errors import InputError
from feedloom.sync.one_select import refuse_elsewhere

SECRET = "zq7x-a-secret"
TABLES = {"refiner_data": {"responses", "_dlt_loads"}, "aptrinsic_data": {"users"}}

ATTACKS = (
    "insert into responses values (1)",
    "delete from responses",
    "with gone as (delete from responses returning *) select * from gone",
    "with new as (insert into responses values (1) returning *) select * from new",
    "select * into copied from responses",
    "select * from responses for update",
    "create table copied as select * from responses",
    "drop table responses",
    "select 1; drop table responses",
    "select pg_read_file('/etc/passwd')",
    "select * from pg_read_file('/etc/passwd')",
    "select lo_import('/etc/passwd')",
    "select pg_sleep(100)",
    "select pg_terminate_backend(1)",
    "select dblink('host=example.com', 'select 1')",
    "select setval('numbers', 1)",
    "select query_to_xml('delete from responses', true, true, '')",
    "select * from pg_shadow",
    "select * from pg_catalog.pg_authid",
    "select * from information_schema.tables",
    "select * from other_data.responses",
    "select * from other.refiner_data.responses",
    "select (select rolpassword from pg_authid limit 1) from responses",
    "select * from read_text('/etc/passwd')",
    "select * from read_csv('/etc/passwd')",
    "select * from read_parquet('rows.parquet')",
    "select * from 'rows.parquet'",
    "select * from glob('*')",
    "copy responses to '/tmp/out'",
    "copy (select 1) to program 'sh'",
    "call something()",
    "do $$ begin delete from responses; end $$",
    "set role postgres",
    "explain analyze delete from responses",
    "vacuum",
    "selct 1 frm",
    "",
)


@pytest.mark.parametrize("dialect", ["postgres", "bigquery", "snowflake", "redshift", "databricks", "duckdb"])
def test_only_one_select_over_tables_of_feedloom_gets_through(dialect: str) -> None:
    let_through = []
    for attack in ATTACKS:
        try:
            refuse_elsewhere(attack, dialect=dialect, tables=TABLES)
        except InputError:
            continue
        let_through.append(attack)

    assert let_through == []


@pytest.mark.parametrize(
    ("sql", "dataset"),
    [
        ("select count(*) as n from responses", "refiner_data"),
        ("select count(*) from refiner_data.responses", "refiner_data"),
        ("SELECT max(Inserted_At) FROM _dlt_loads", "refiner_data"),
        ("select a.email, count(*) from aptrinsic_data.users as a group by 1 having count(*) > 1", "aptrinsic_data"),
        ("with r as (select * from responses) select * from r union all select * from r", "refiner_data"),
        ("select coalesce(lower(email), '') from responses order by 1 limit 5", "refiner_data"),
        ("select 1", "refiner_data"),
    ],
)
@pytest.mark.parametrize("dialect", ["postgres", "bigquery", "snowflake", "duckdb"])
def test_a_select_is_sent_to_the_dataset_that_it_reads(sql: str, dataset: str, dialect: str) -> None:
    assert refuse_elsewhere(sql, dialect=dialect, tables=TABLES) == dataset


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A folder whose database is a folder of Parquet files."""
    folder = tmp_path_factory.mktemp("files") / "folder"
    folder.mkdir()
    (folder / "secret.txt").write_text(SECRET, encoding="utf-8")
    bucket = (folder / "bucket").as_uri()
    pipeline = dlt.pipeline(
        "refiner_pipeline",
        destination=dlt.destinations.filesystem(bucket),
        dataset_name="refiner_data",
        pipelines_dir=str(folder.parent / "work"),
    )
    pipeline.run([{"uuid": str(number)} for number in range(7)], table_name="segments", loader_file_format="parquet")
    environment = {"FEEDLOOM__TO": "filesystem", "DESTINATION__FILESYSTEM__BUCKET_URL": bucket}
    return Stage(folder=folder, environment=environment, secrets=[SECRET])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # dlt 1.31 takes Arrow from DuckDB by an old name
def test_a_query_and_the_status_read_files_of_another_destination(files: Stage, here: Here) -> None:
    ended = here(files, "query", "select count(*) as n from segments", "--json")

    assert ended.document == {"columns": ["n"], "rows": [{"n": 7}]}
    [row] = here(files, "status", "--json").document["tables"]
    assert (row["dataset"], row["table"], row["rows"]) == ("refiner_data", "segments", 7)


@pytest.mark.parametrize("sql", ["select * from read_text('secret.txt')", "from 'secret.txt'", "select 1; select 2"])
def test_a_query_reads_no_other_file(sql: str, files: Stage, here: Here) -> None:
    before = files.files()

    assert here(files, "query", sql, "--json").code == 2
    assert files.files() == before


def test_a_query_and_the_status_read_a_server_and_change_nothing(bare: Stage, here: Here, server: str) -> None:
    place = {"FEEDLOOM__TO": "postgres", "DESTINATION__POSTGRES__CREDENTIALS": server}
    pipeline = dlt.pipeline(
        "refiner_pipeline",
        destination=dlt.destinations.postgres(server),
        dataset_name="refiner_data",
        pipelines_dir=str(bare.folder.parent / "work"),
    )
    pipeline.run([{"uuid": str(number)} for number in range(7)], table_name="segments")

    removing = "with gone as (delete from segments returning uuid) select * from gone"
    assert here(bare, "query", removing, environment=place).code == 2
    assert here(bare, "query", "select pg_read_file('PG_VERSION')", environment=place).code == 2
    ended = here(bare, "query", "select count(*) as n from segments", "--json", environment=place)
    assert ended.document == {"columns": ["n"], "rows": [{"n": 7}]}
    [row] = here(bare, "status", "--json", environment=place).document["tables"]
    assert row["rows"] == 7


def test_an_empty_destination_says_what_fills_it(files: Stage, here: Here) -> None:
    empty = {"DESTINATION__FILESYSTEM__BUCKET_URL": Path("/nowhere/at/all").as_uri()}

    ended = here(files, "status", environment=empty)

    assert ended.code == 6
    assert "nothing has been loaded into filesystem yet" in ended.errors
    assert "feedloom sync" in ended.errors
