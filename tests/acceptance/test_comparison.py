"""The comparison itself: equal means equal, and no damage to a database goes unnoticed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from support import compare_refiner

if TYPE_CHECKING:
    from support.refiner_stage import Stage

    from .conftest import Play

DAMAGE = {
    "a row is gone": "delete from responses where uuid = (select min(uuid) from responses)",
    "a row stands twice": "insert into segments select * replace ('again' as _dlt_id) from segments limit 1",
    "a row is invented": "insert into segments select * replace ('u' as uuid, 'i' as _dlt_id) from segments limit 1",
    "a text differs": "update contacts set display_name = display_name || ' ' where display_name is not null",
    "a number differs": "update forms set views_count = views_count + 1",
    "a moment differs by a microsecond": "update responses set last_shown_at = last_shown_at + interval 1 microsecond",
    "a value is lost": "update responses set data__app_version = null",
    "a value is invented": "update responses set completed_at = now() where completed_at is null",
    "a truth value differs": "update segments set is_manual = not is_manual",
    "a number is in a column of another type": "alter table forms alter views_count type double",
    "a document differs": "update forms set config = '{}'",
    "a child row is gone": "delete from contacts__segments where _dlt_list_idx = 0",
    "a child row stands twice": (
        "insert into forms__channels select * replace ('again' as _dlt_id) from forms__channels limit 1"
    ),
    "a child has no parent": "update responses__answers set _dlt_parent_id = 'nobody' where position = 0",
    "children are in another order": (
        "update forms__channels set _dlt_list_idx = 1 - _dlt_list_idx where _dlt_list_idx < 2"
    ),
    "an answer differs in its long form": "update responses__answers set value_number = 3 where value_number = 4",
    "two keys share a column": "update feedloom_columns set column_name = 'plan' where table_name = 'contacts'",
    "a table is invented": "create table strangers as select 1 as number, 'i' as _dlt_id",
}


@pytest.fixture(scope="module")
def loaded(play_for_module: Play) -> Stage:
    stage = play_for_module(rows=120)
    stage.sync(only=("contacts", "forms", "responses", "segments"))
    return stage


@pytest.fixture
def stage(loaded: Stage) -> Iterator[Stage]:
    kept = loaded.database.with_suffix(".kept")
    shutil.copy(loaded.database, kept)
    yield loaded
    shutil.move(kept, loaded.database)


TABLES = ("contacts", "forms", "responses", "segments")


def test_a_database_as_it_was_synced_is_equal(stage: Stage) -> None:
    assert stage.differences(TABLES) == []


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_noticed(damage: str, stage: Stage) -> None:
    with duckdb.connect(str(stage.database)) as connection:
        connection.execute(f"set search_path = 'refiner_data'; {DAMAGE[damage]}")
    assert stage.differences(TABLES)


def test_a_row_more_at_the_api_is_noticed(play: Play) -> None:
    stage = play(rows=1)
    stage.sync(only=["responses"])
    uuid = stage.emulator.control.add_row()
    assert any(uuid in difference for difference in stage.differences(["responses"]))


@pytest.mark.parametrize(("damage", "code"), [("select 1", 0), (DAMAGE["a table is invented"], 1)])
def test_as_a_script_it_exits_1_when_something_differs(damage: str, code: int, play: Play) -> None:
    stage = play(rows=1)
    stage.sync(only=compare_refiner.KEYS)
    with duckdb.connect(str(stage.database)) as connection:
        connection.execute(f"set search_path = 'refiner_data'; {damage}")
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, Path(compare_refiner.__file__), stage.url, stage.emulator.key, stage.database],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
