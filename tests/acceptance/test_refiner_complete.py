"""A synced database holds what the API holds: every row once, every value in its column, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.compare_refiner import KEYS, LISTS

if TYPE_CHECKING:
    from .conftest import Play

SEEDS = range(1, 6)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_environment_with_one_response_comes_whole(seed: int, play: Play) -> None:
    stage = play(rows=1, seed=seed)
    stage.sync()
    assert stage.differences(KEYS) == []


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_the_command_loads_every_row_and_value_of_every_table(seed: int, play: Play) -> None:
    stage = play(rows=120, seed=seed)
    outcome = stage.command()
    assert outcome.code == 0, outcome
    assert outcome.table("responses")["rows"] == outcome.table("responses")["source_rows"] == 120
    assert outcome.document["findings"] == []
    assert stage.differences(KEYS) == []


@pytest.mark.parametrize("seed", SEEDS[2:])
def test_every_row_and_value_comes_from_120_responses(seed: int, play: Play) -> None:
    stage = play(rows=120, seed=seed)
    stage.sync(only=LISTS)
    assert stage.differences(LISTS) == []


@pytest.mark.big
@pytest.mark.parametrize("seed", SEEDS)
def test_every_row_and_value_comes_from_1500_responses(seed: int, play: Play) -> None:
    stage = play(rows=1500, seed=seed)
    tables = KEYS if seed == SEEDS[0] else LISTS
    report = stage.sync(only=tables)
    assert {table.verdict for table in report.tables if table.source_rows is not None} == {"matches"}
    assert stage.differences(tables) == []


def test_an_empty_environment_gives_tables_without_rows_and_no_error(play: Play) -> None:
    stage = play(rows=0)
    outcome = stage.command()
    assert outcome.code == 0, outcome
    assert outcome.table("responses")["rows"] == 0
    assert stage.differences(KEYS) == []
