"""The engine into a real PostgreSQL server: what the slow way leaves there, type by type and value by value."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings

from columnar.pipelines import PostgresWarehouse
from columnar.reference import trees
from columnar.test_pipelines import FEW, MANY, Examples, compare, pages, side_by_side
from feedloom.config import Setting
from feedloom.http import Client, Key
from feedloom.sync.jobs import make_job
from feedloom.sync.run import run
from feedloom.vendors import VENDORS
from sources.fakes import KEY, NOW, FakeRefiner, contact

REFINER = VENDORS["refiner"]
_datasets = count(1)


def warehouse(server: str, folder: Path, engine: str) -> PostgresWarehouse:
    return PostgresWarehouse(folder, engine=engine, server=server, dataset=f"loaded_{next(_datasets)}")


def both(server: str, folder: Path) -> list[PostgresWarehouse]:
    return [warehouse(server, folder / engine, engine) for engine in ("json", "arrow")]


@settings(FEW, max_examples=2)
@given(examples=side_by_side)
def test_any_loads_make_the_same_database_as_the_slow_way(server: str, examples: Examples) -> None:
    with TemporaryDirectory() as folder:
        compare(examples, ["arrow"], both(server, Path(folder)))


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@settings(MANY)
@given(examples=side_by_side)
def test_any_loads_at_length(server: str, examples: Examples) -> None:
    with TemporaryDirectory() as folder:
        compare(examples, ["arrow", "json"], both(server, Path(folder)))


def test_every_type_keeps_its_values(server: str, tmp_path: Path) -> None:
    first: list[dict[str, Any]] = [
        {
            "uuid": "u",
            "tags": ["a", "", None],
            "grid": [[1], [2, 3]],
            "answers": {"nps": "9", "empty": "", "none": None, "several": ["", "ü🎯"]},
            "config": {"a": [1, "x", None, ""], "b": "é\u0001"},
            "created_at": "2026-01-31T12:00:00.123456Z",
            "price": 0.1,
            "count": 2**63 - 1,
        },
        {"uuid": "v", "tags": [], "count": 1, "answers": {"nps": ""}, "is_open": True, "seen_at": 1_700_000_000_123},
    ]
    second: list[dict[str, Any]] = [
        {"uuid": "v", "tags": ["d"], "count": "many"},
        {"uuid": "w", "answers": {"nps": 9}},
    ]
    slow, fast = both(server, tmp_path)
    for one in (slow, fast):
        one.load(pages(*first))
        one.load(pages(*second))
    assert fast.columns() == slow.columns()
    assert trees("things", fast.rows()) == trees("things", slow.rows())
    (row,) = [row for row in fast.rows()["things"] if row["uuid"] == "u"]
    assert (row["answers__empty"], row["count"], row["price"]) == ("", 2**63 - 1, 0.1)
    assert row["created_at"].microsecond == 123_456
    assert row["config"] == '{"a":[1,"x",null,""],"b":"é\\u0001"}'
    kinds = {(table, column): kind for table, column, kind, _ in fast.columns()}
    assert kinds["things", "config"] == "json"
    assert kinds["things", "created_at"] == "timestamp with time zone"


def sync(api: FakeRefiner, engine: str, patch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """A sync of the contacts into the server that is configured: the report, and the pipeline."""
    patch.setenv("SOURCES__REFINER_SOURCE__ENGINE", engine)
    dataset = f"{Path.cwd().name}_{engine}"
    job = make_job(REFINER, only="contacts", to="postgres", dataset=dataset, key=Setting(KEY, "the test"))
    job.session.transport = api.transport
    job.session.now = NOW
    job.client = lambda: Client(REFINER, Key(KEY, "the test"), transport=api.transport())
    return run(job), job.pipeline


@pytest.fixture
def configured(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    folder = tmp_path / f"configured_{next(_datasets)}"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", server)
    return monkeypatch


def test_a_text_that_postgres_cannot_hold_is_put_aside_or_fails_its_table_by_name(
    configured: pytest.MonkeyPatch,
) -> None:
    rows = [contact("c1", plan="pro"), contact("c2", plan="a\0b"), contact("c3", plan="\\u0000")]
    api = FakeRefiner(lists={"/contacts": rows})
    report, pipeline = sync(api, "arrow", configured)
    assert [table.verdict for table in report.tables] == ["matches"]
    assert len(report.findings) == 1
    contacts = 'select "uuid", "attributes__plan" from "contacts" order by 1'
    assert [tuple(row) for row in _rows(pipeline, contacts)] == [("c1", "pro"), ("c3", "\\u0000")]
    ((key, reason),) = _rows(pipeline, "select row_key, reason from feedloom_quarantine")
    assert (key, "U+0000" in reason) == ("c2", True)
    report, _ = sync(api, "json", configured)
    assert "U+0000" in report.failure.message


def test_without_the_driver_rows_go_one_by_one_and_come_out_the_same(configured: pytest.MonkeyPatch) -> None:
    configured.setenv("DISABLE_ADBC_DETECTION", "true")
    rows = [contact("c1", plan="", seats=1, tags=["", "a"]), contact("c2", plan=None, seats="1", tags=[])]
    api = FakeRefiner(lists={"/contacts": rows})
    report, pipeline = sync(api, "arrow", configured)
    assert report.failure is None
    found = _rows(pipeline, 'select attributes__plan, attributes__seats, _feedloom_hash from "contacts" order by uuid')
    assert [tuple(row)[:2] for row in found] == [("", 1), (None, None)]
    assert not found[0][2].startswith("a1:")
    assert sorted(value for (value,) in _rows(pipeline, "select value from contacts__attributes__tags")) == ["", "a"]


def _rows(pipeline: Any, query: str) -> Any:
    with pipeline.sql_client() as client:
        return client.execute_sql(query)
