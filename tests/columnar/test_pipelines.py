"""The engine inside real dlt pipelines: the same database as the slow way makes, whatever the write disposition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dlt
import pyarrow as pa
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from columnar.made_up import Loads, evolving_loads, page
from columnar.pipelines import Warehouse
from columnar.reference import trees
from feedloom.columnar.arrow.dlt_seam import check_version
from feedloom.errors import InputError

NewWarehouse = Callable[[str], Warehouse]


@pytest.fixture
def new_warehouse(tmp_path: Path) -> NewWarehouse:
    return lambda engine: Warehouse(tmp_path / engine, engine=engine)


def pages(*rows: dict[str, Any]) -> list[list[tuple[bytes, dict[str, Any]]]]:
    return [[(page(list(rows)), {})]]


def values(warehouse: Warehouse, table: str, column: str) -> list[Any]:
    return sorted(row[column] for row in warehouse.rows().get(table, []) if row.get(column) is not None)


SIDE_BY_SIDE = 20
"""Tables of one database, each an example of its own: dlt's runs cost more than their rows."""

FEW = settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
MANY = settings(FEW, max_examples=26)


@dataclass(frozen=True, slots=True)
class Examples:
    """Several examples, too long to be shown whole: the one that fails is."""

    loads: list[Loads] = field(repr=False)


side_by_side = st.builds(Examples, st.lists(evolving_loads, min_size=SIDE_BY_SIDE, max_size=SIDE_BY_SIDE))


def compare(examples: Examples, engines: Sequence[str], warehouses: Sequence[Warehouse]) -> None:
    """Load all examples by dlt's own way and by *engines* in turn; whatever differs fails here."""
    slow, fast = warehouses
    named = {f"things{number}": loads for number, loads in enumerate(examples.loads)}
    for number in range(max(map(len, examples.loads))):
        loads = {name: loads[number] for name, loads in named.items() if number < len(loads)}
        fast.engine = engines[number % len(engines)]
        for warehouse in warehouses:
            warehouse.load_side_by_side(loads, write="append")
    assert fast.columns() == slow.columns()
    ours, theirs = fast.rows(), slow.rows()
    for name, given_loads in named.items():
        assert trees(name, ours) == trees(name, theirs), given_loads


def both(folder: str) -> list[Warehouse]:
    return [Warehouse(Path(folder) / name, engine="json") for name in ("slow", "fast")]


@FEW
@given(examples=side_by_side)
def test_any_loads_make_the_same_database_as_the_slow_way(examples: Examples) -> None:
    with TemporaryDirectory() as folder:
        compare(examples, ["arrow"], both(folder))


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(4))
@MANY
@given(examples=side_by_side)
def test_any_loads_at_length(part: int, examples: Examples) -> None:
    engines = [["arrow"], ["arrow"], ["arrow", "json"], ["json", "arrow"]][part]
    with TemporaryDirectory() as folder:
        compare(examples, engines, both(folder))


@pytest.mark.parametrize("write", ["merge", "append", "replace", {"disposition": "merge", "strategy": "upsert"}])
def test_every_write_disposition_leaves_what_the_slow_way_leaves(write: Any, new_warehouse: NewWarehouse) -> None:
    first = pages(
        {"uuid": "u", "tags": ["a", "b"], "grid": [[1], [2, 3]], "answers": {"nps": "9"}, "config": {"a": 1}},
        {"uuid": "v", "tags": ["c"], "count": 1},
    )
    second = pages({"uuid": "v", "tags": ["d"], "count": "many"}, {"uuid": "w", "answers": {"nps": 9}})
    for engine in ("json", "arrow"):
        warehouse = new_warehouse(engine)
        warehouse.load(first, write=write)
        warehouse.load(second, write=write)
    slow, fast = new_warehouse("json"), new_warehouse("arrow")
    assert fast.columns() == slow.columns()
    assert trees("things", fast.rows()) == trees("things", slow.rows())


def test_children_go_when_their_parent_comes_again_without_them(new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse("arrow")
    warehouse.load(pages({"uuid": "u", "tags": ["a", "b"]}, {"uuid": "v", "tags": ["c"]}))
    warehouse.load(pages({"uuid": "u", "tags": ["d"]}))
    assert values(warehouse, "things__tags", "value") == ["c", "d"]
    warehouse.load(pages({"uuid": "u", "tags": []}))
    assert values(warehouse, "things__tags", "value") == ["c"]


def test_a_merge_after_a_whole_reading_keeps_the_children_it_does_not_see(new_warehouse: NewWarehouse) -> None:
    warehouse = new_warehouse("arrow")
    warehouse.load(pages({"uuid": "u", "tags": ["a"]}, {"uuid": "v", "tags": ["b"]}), write="replace")
    warehouse.load(pages({"uuid": "w"}), write="merge")
    assert values(warehouse, "things__tags", "value") == ["a", "b"]
    warehouse.load(pages({"uuid": "w", "tags": ["c"]}), write="replace")
    assert values(warehouse, "things__tags", "value") == ["c"]


@pytest.mark.parametrize("engines", [("json", "arrow", "json"), ("arrow", "json", "arrow")])
def test_a_table_can_be_loaded_by_one_engine_after_the_other(
    engines: Sequence[str], new_warehouse: NewWarehouse
) -> None:
    warehouse = new_warehouse("arrow")
    for number, engine in enumerate(engines):
        warehouse.engine = engine
        warehouse.load(
            pages(
                {"uuid": "u", "tags": [f"{number}"], "count": number, "answers": {"nps": "9", "userName": "a"}},
                {"uuid": f"only {number}", "answers": {"user_name": number}, "config": {"a": number}},
            )
        )
    assert values(warehouse, "things__tags", "value") == ["2"]
    assert values(warehouse, "things", "uuid") == ["only 0", "only 1", "only 2", "u"]
    assert values(warehouse, "things", "answers__user_name_8c7e9c") == [0, 1, 2]


def load_arrow(folder: Path, *tables: pa.Table) -> list[Any]:
    """What dlt makes of plain Arrow tables, loaded one after the other."""
    database = dlt.destinations.duckdb(str(folder / "plain.duckdb"))
    pipeline = dlt.pipeline("plain", destination=database, dataset_name="loaded", pipelines_dir=str(folder))
    for table in tables:
        pipeline.run(table, table_name="things", loader_file_format="parquet").raise_on_failed_jobs()
    with pipeline.sql_client() as client:
        return sorted(row[0] for row in client.execute_sql("select extra from things") or ())


def test_what_dlt_rounds_in_arrow_tables_keeps_its_value_here(tmp_path: Path, new_warehouse: NewWarehouse) -> None:
    assert load_arrow(tmp_path / "plain", pa.table({"extra": [1]}), pa.table({"extra": [1.5]})) == [1, 2]
    warehouse = new_warehouse("arrow")
    warehouse.load(pages({"uuid": "u", "extra": 1}))
    warehouse.load(pages({"uuid": "v", "extra": 1.5}))
    assert values(warehouse, "things", "extra") == [1]
    assert values(warehouse, "things", "extra__v_double") == [1.5]


def test_what_wedges_dlt_in_arrow_tables_is_loaded_here(tmp_path: Path, new_warehouse: NewWarehouse) -> None:
    with pytest.raises(PipelineStepFailed):
        load_arrow(tmp_path / "plain", pa.table({"extra": [1]}), pa.table({"extra": ["one"]}))
    warehouse = new_warehouse("arrow")
    warehouse.load(pages({"uuid": "u", "extra": 1}))
    warehouse.load(pages({"uuid": "v", "extra": "one"}))
    assert values(warehouse, "things", "extra__v_text") == ["one"]


def test_dlt_says_nothing_of_json_columns_that_arrive_as_text(
    new_warehouse: NewWarehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    new_warehouse("arrow").load(pages({"uuid": "u", "config": {"a": 1}}))
    assert "hints" not in capsys.readouterr().err


def test_a_dlt_that_was_not_tested_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"tested with dlt 1\.31\.x, not with dlt 1\.99\.0") as refused:
        check_version("1.99.0")
    assert 'engine = "json"' in refused.value.hint
