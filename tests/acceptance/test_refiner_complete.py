"""A synced database holds what the API holds: every row once, every value in its column, and nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import duckdb
import httpx2
import pytest

from support.compare_refiner import KEYS

if TYPE_CHECKING:
    from .conftest import Play

Equal = Callable[[list[str]], None]

SIZES = [1, 120, pytest.param(1500, marks=pytest.mark.big)]


@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_a_sync_loads_every_row_and_value(seed: int, rows: int, play: Play, equal: Equal) -> None:
    stage = play(rows=rows, seed=seed)
    stage.sync()
    equal(stage.differences(KEYS))
