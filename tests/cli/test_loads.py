"""Rows that the database refuses are put aside, hold up no other table, and come once it takes them."""

from __future__ import annotations

from typing import Any

import duckdb

from cli.stage import Here, Stage

SYNC = ("sync", "refiner", "--only", "forms,segments", "--json")
REFUSE = "alter table refiner_data_staging.segments alter name type integer using 0"
ACCEPT = "alter table refiner_data_staging.segments alter name type varchar"


def change(stage: Stage, *statements: str) -> None:
    with duckdb.connect(str(stage.database)) as database:
        for statement in statements:
            database.execute(statement)


def count(stage: Stage, table: str) -> int:
    with duckdb.connect(str(stage.database), read_only=True) as database:
        [(found,)] = database.execute(f"select count(*) from refiner_data.{table}").fetchall()
        return int(found)


def refused(here: Here, stage: Stage) -> Any:
    """The load that is put aside by a sync into a database that refuses the segments."""
    change(stage, REFUSE)
    ended = here(stage, *SYNC)
    assert ended.code == 6
    outcomes = {table["table"]: table["error"] and table["error"]["code"] for table in ended.document["tables"]}
    assert outcomes == {"forms": None, "segments": "FL620"}
    [load] = listed(here, stage)
    return load


def listed(here: Here, stage: Stage) -> Any:
    return here(stage, "loads", "list", "refiner", "--json").document["loads"]


def test_a_refused_load_holds_up_no_other_table_and_comes_once_it_can(here: Here, stage: Stage) -> None:
    assert here(stage, *SYNC).code == 0
    held = count(stage, "segments")
    load = refused(here, stage)
    assert count(stage, "segments") == held > 0
    assert (load["tables"], "Conversion Error" in load["reason"]) == (["segments"], True)
    assert load["reason"] in here(stage, "loads", "show", "refiner", load["load_id"]).out
    again = here(stage, "loads", "retry", "refiner", load["load_id"], "--json")
    assert (again.code, again.document["error"]["code"]) == (6, "FL620")
    kept = here(stage, "loads", "drop", "refiner", load["load_id"])
    assert (kept.code, "FL252" in kept.errors) == (2, True)

    change(stage, ACCEPT, "delete from refiner_data.segments")
    away = {"SOURCES__REFINER_SOURCE__BASE_URL": "http://127.0.0.1:9/v1"}
    assert here(stage, "loads", "retry", "refiner", load["load_id"], environment=away).code == 0
    assert (count(stage, "segments"), listed(here, stage)) == (held, [])

    load = refused(here, stage)
    change(stage, ACCEPT)
    mended = here(stage, *SYNC)
    assert mended.code == 0, mended.said
    assert (count(stage, "segments"), listed(here, stage)) == (held, [])
    assert here(stage, "loads", "drop", "refiner", load["load_id"], "--yes").code == 2


def test_nothing_is_made_where_nothing_was_loaded(here: Here, bare: Stage) -> None:
    assert here(bare, "loads", "list", "refiner").code == 2
    assert list(bare.folder.iterdir()) == []
