"""The comparison with Gainsight PX itself: equal means equal, and no damage to a database goes unnoticed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import duckdb
import pytest

from feedloom.vendors import VENDORS
from support.aptrinsic_stage import Stage, playing
from support.compare_aptrinsic import KEYS

TABLES = ("users", "accounts", "events_custom", "events_page_view", "articles")
DAMAGE = {
    "a row is gone": "delete from events_page_view where event_id = (select min(event_id) from events_page_view)",
    "a row stands twice": "insert into accounts select * replace ('again' as _dlt_id) from accounts limit 1",
    "a row is invented": "insert into accounts select * replace ('a' as id, 'i' as _dlt_id) from accounts limit 1",
    "an unset gender is lost": "update users set gender = null where gender = 'EMPTY_GENDER'",
    "an empty text is lost": "update users set title = null where title = ''",
    "a date that was never is shown": "update users set last_seen_date = 'epoch' where last_seen_date is null",
    "a moment differs by a millisecond": "update events_page_view set date = date + interval 1 millisecond",
    "a number differs": "update accounts set number_of_users = number_of_users + 1",
    "a number is in a column of another type": "alter table accounts alter number_of_users type double",
    "a fraction differs": "update users set location__coordinates__latitude = 1.5",
    "a truth value differs": "update users set global_unsubscribe = not global_unsubscribe",
    "an attribute of type number is kept as text": "alter table users alter custom_attributes__mrr_eur type varchar",
    "an attribute is lost": "update users set custom_attributes__plan = null",
    "two attributes change places": (
        "update feedloom_columns set column_name = case key when 'userTier' then 'user_tier_x' else column_name end; "
        "update feedloom_columns set column_name = (select column_name from feedloom_columns where key = 'Größe') "
        "where key = 'userTier'"
    ),
    "a document differs": "update events_page_view set global_context = '{}'",
    "an open key has the value of another": "update events_custom set attributes__rows = attributes__rows + 1",
    "a child row is gone": "delete from users__property_keys where _dlt_list_idx = 0",
    "a child row stands twice": (
        "insert into articles__languages select * replace ('again' as _dlt_id) from articles__languages limit 1"
    ),
    "a child has no parent": "update articles__languages set _dlt_parent_id = 'nobody' where _dlt_list_idx = 0",
    "a table is invented": "create table strangers as select 1 as number, 'i' as _dlt_id",
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with playing(tmp_path_factory.mktemp("comparison"), rows=60) as stage:
        stage.sync(only=TABLES)
        yield stage


@pytest.fixture
def stage(loaded: Stage) -> Iterator[Stage]:
    kept = loaded.database.with_suffix(".kept")
    shutil.copy(loaded.database, kept)
    yield loaded
    shutil.move(kept, loaded.database)


def test_every_table_of_the_source_is_compared_but_those_of_lookups() -> None:
    assert set(KEYS) == {table.name for table in VENDORS["aptrinsic"].tables if not table.arguments}


def test_a_database_as_it_was_synced_is_equal(stage: Stage) -> None:
    assert stage.differences(TABLES) == []


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_noticed(damage: str, stage: Stage) -> None:
    with duckdb.connect(str(stage.database)) as connection:
        connection.execute(f"set search_path = 'aptrinsic_data'; {DAMAGE[damage]}")
    assert stage.differences(TABLES)


def test_a_row_more_at_the_api_is_noticed(stage: Stage) -> None:
    row = stage.twin.control.add_event("page_view", "u-000000", 1_790_000_000_000)
    assert any(row["eventId"] in difference for difference in stage.differences(["events_page_view"]))
