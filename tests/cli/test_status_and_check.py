"""``feedloom status`` and ``feedloom check``: for people and for programs, without changing anything."""

from __future__ import annotations

from datetime import UTC, datetime

from cli.stage import Here, Served, Stage

TABLES = {"contacts": 60, "forms": 12, "responses": 300, "account": 1}


def test_the_status_tells_rows_and_ages_of_each_table(loaded: Stage, here: Here) -> None:
    before = loaded.files()
    rows = {row["table"]: row for row in here(loaded, "status", "--json").document["tables"]}

    assert {name: row["rows"] for name, row in rows.items()} == TABLES
    assert all(datetime.fromisoformat(row["loaded_at"]).tzinfo is not None for row in rows.values())
    newest = datetime.fromisoformat(rows["responses"]["newest"])
    assert newest <= datetime.now(UTC)
    assert rows["contacts"]["newest"] is None
    assert loaded.files() == before


def test_the_status_is_a_table_for_people(loaded: Stage, here: Here) -> None:
    heading, *lines = here(loaded, "status").out.splitlines()

    assert heading.split() == ["table", "rows", "last", "load", "newest", "row"]
    assert [line.split()[:2] for line in lines] == [
        [f"refiner_data.{name}", str(rows)] for name, rows in TABLES.items()
    ]
    assert all(" ago " in line or "just now" in line for line in lines)


def test_a_check_tells_where_the_key_came_from_and_makes_nothing(stage: Stage, here: Here) -> None:
    ended = here(stage, "check", "refiner")

    assert ended.code == 0
    assert "works: Refiner, http://127.0.0.1:" in ended.out
    assert "from environment variable SOURCES__REFINER_SOURCE__API_KEY" in ended.out
    assert list(stage.folder.iterdir()) == []


def test_a_check_of_a_database_that_is_there_says_so(loaded: Stage, here: Here, refiner: Served) -> None:
    document = here(loaded, "check", "refiner", "--json").document

    assert document["database"] == {"to": "duckdb:feedloom.duckdb", "state": "can be written"}
    assert document["key"]["url"].startswith(refiner.url)


def test_two_databases_in_one_folder_keep_states_of_their_own(stage: Stage, here: Here) -> None:
    late = ("--start", "2026-10-20T00:00:00Z")
    sync = ("sync", "refiner", "--only", "responses", "--quiet", "--json")

    assert here(stage, *sync).document["new"] == 300
    assert here(stage, *sync, "--to", "duckdb:other.duckdb", *late).document["new"] < 300
    assert here(stage, *sync).document["new"] == 0


def test_a_database_that_was_deleted_is_loaded_anew(stage: Stage, here: Here) -> None:
    sync = ("sync", "refiner", "--only", "responses", "--quiet", "--json")
    assert here(stage, *sync).document["new"] == 300
    stage.database.unlink()

    assert here(stage, *sync).document["new"] == 300


def test_a_table_that_the_source_refuses_fails_alone_and_gives_the_exit_code(stage: Stage, refiner: Served) -> None:
    refiner.emulator.faults.add("missing-list-key=always@list_segments")
    try:
        ended = stage.run("sync", "refiner", "--only", "segments,forms", "--json", "--quiet")
    finally:
        refiner.emulator.faults.clear()

    assert ended.code == 1
    assert ended.document["error"]["where"] == "list_segments"
    assert {row["table"]: row["verdict"] for row in ended.document["tables"]} == {
        "segments": "failed",
        "forms": "matches",
    }
