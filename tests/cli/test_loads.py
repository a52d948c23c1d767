"""Rows that the database refuses are put aside, hold up no other table, and come once it takes them."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

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


@pytest.fixture
def refusing(here: Here, stage: Stage) -> Any:
    """A stage whose database refuses the segments, after a sync that tried to load them."""
    assert here(stage, *SYNC).code == 0
    change(stage, REFUSE)
    return here(stage, *SYNC)


def test_a_refused_load_is_put_aside_and_the_others_go_on(here: Here, stage: Stage, refusing: Any) -> None:
    assert refusing.code == 6
    outcomes = {table["table"]: table["error"] and table["error"]["code"] for table in refusing.document["tables"]}
    assert outcomes == {"forms": None, "segments": "FL620"}
    held = count(stage, "segments")
    assert held > 0

    [load] = here(stage, "loads", "list", "refiner", "--json").document["loads"]
    assert load["tables"] == ["segments"]
    assert "Conversion Error" in load["reason"]
    shown = here(stage, "loads", "show", "refiner", load["load_id"])
    assert load["reason"] in shown.out

    again = here(stage, "loads", "retry", "refiner", load["load_id"], "--json")
    assert (again.code, again.document["error"]["code"]) == (6, "FL620")
    assert here(stage, *SYNC).code == 6, "it fails again, and only there"
    assert len(here(stage, "loads", "list", "refiner", "--json").document["loads"]) == 1

    change(stage, ACCEPT)
    mended = here(stage, *SYNC)
    assert mended.code == 0, mended.said
    assert count(stage, "segments") == held
    assert here(stage, "loads", "list", "refiner", "--json").document["loads"] == []


def test_a_refused_load_can_be_loaded_without_asking_or_be_forgotten(here: Here, stage: Stage, refusing: Any) -> None:
    assert refusing.code == 6
    [load] = here(stage, "loads", "list", "refiner", "--json").document["loads"]
    kept = here(stage, "loads", "drop", "refiner", load["load_id"])
    assert (kept.code, "FL252" in kept.errors) == (2, True)
    change(stage, ACCEPT, "delete from refiner_data.segments")
    away = {"SOURCES__REFINER_SOURCE__BASE_URL": "http://127.0.0.1:9/v1"}
    assert here(stage, "loads", "retry", "refiner", load["load_id"], environment=away).code == 0
    assert count(stage, "segments") > 0
    assert here(stage, "loads", "drop", "refiner", load["load_id"], "--yes").code == 2
    assert here(stage, *SYNC).code == 0


def test_nothing_is_made_where_nothing_was_loaded(here: Here, bare: Stage) -> None:
    assert here(bare, "loads", "list", "refiner").code == 2
    assert list(bare.folder.iterdir()) == []
