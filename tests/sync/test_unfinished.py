"""A first load, which appends, loads each row once: when rows come twice, and when it is cut off anywhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dlt.common.storages.load_package import PackageStorage
from dlt.pipeline.pipeline import Pipeline

from feedloom.config import Setting
from feedloom.errors import DestinationError
from feedloom.http import Client, Key
from feedloom.sync.checks import check_database
from feedloom.sync.jobs import make_job
from feedloom.sync.report import TableReport
from feedloom.sync.run import run
from feedloom.vendors import VENDORS
from sources.fakes import KEY, NOW, FakeRefiner, response
from support.loaded import Database, Row

REFINER = VENDORS["refiner"]
FILE = Path("feedloom.duckdb")
CHOICES = "responses__data__several"


class KilledError(BaseException):
    """Stands for the end of the process."""


def sync(api: FakeRefiner, *, only: str = "responses", days: int = 0, to: str | None = None) -> TableReport:
    job = make_job(REFINER, only=only, to=to, key=Setting(KEY, "the test"))
    job.session.transport = api.transport
    job.session.now = NOW + timedelta(days=days)
    job.client = lambda: Client(REFINER, Key(KEY, "the test"), transport=api.transport())
    (table,) = run(job).tables
    assert table.error is None
    return table


def answered(uuid: str, *choices: str) -> dict[str, Any]:
    return response(uuid, "2026-02-28 20:00:00", data={"several": [*choices]})


def loaded() -> dict[str, list[str]]:
    """The choices of each response, in order; nothing else may stand in the database."""
    database = Database(FILE, "refiner_data")
    assert database.problems == []
    found: dict[str, list[str]] = {}
    for row in database.roots["responses"]:
        assert row.cells["uuid"] not in found
        found[row.cells["uuid"]] = _choices(row, CHOICES, "value")
        assert _choices(row, "responses__answers", "value_text") == found[row.cells["uuid"]]
    return found


def _choices(row: Row, table: str, column: str) -> list[str]:
    return [item.cells[column] for item in row.children.get(table, [])]


@pytest.fixture
def api() -> FakeRefiner:
    return FakeRefiner(lists={"/responses": [answered("r1", "a", "b"), answered("r2", "c"), answered("r3", "d")]})


@pytest.fixture
def kill(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Ends the run when the job of a table is committed and dlt has not noted it yet."""

    def when_committed(table: str) -> None:
        complete = PackageStorage.complete_job

        def killed(self: PackageStorage, load_id: str, file_name: str) -> str:
            if file_name.startswith(f"{table}."):
                raise KilledError(table)
            return complete(self, load_id, file_name)

        monkeypatch.setattr(PackageStorage, "complete_job", killed)

    return when_committed


def test_rows_that_come_twice_in_a_first_load_are_one_row_with_one_set_of_children(api: FakeRefiner) -> None:
    api.page_rows = 2
    api.lists["/responses"] += [answered("r1", "a", "b"), answered("r3", "d")]
    table = sync(api)
    assert loaded() == {"r1": ["a", "b"], "r2": ["c"], "r3": ["d"]}
    assert table.new == 3
    assert table.repeated > 0


def test_after_a_first_load_a_row_that_comes_again_replaces_its_children(api: FakeRefiner) -> None:
    sync(api)
    api.lists["/responses"][:2] = [answered("r1", "z"), answered("r2")]
    table = sync(api, days=0)
    assert (table.new, table.changed, table.same) == (0, 2, 1)
    database = Database(FILE, "refiner_data")
    assert database.problems == []
    rows = {row.cells["uuid"]: _choices(row, CHOICES, "value") for row in database.roots["responses"]}
    assert rows == {"r1": ["z"], "r2": [], "r3": ["d"]}


@pytest.mark.parametrize("table", ["responses", CHOICES])
def test_a_first_load_that_is_cut_off_after_its_commit_doubles_nothing(
    table: str, api: FakeRefiner, kill: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    kill(table)
    with pytest.raises(KilledError):
        sync(api)
    monkeypatch.undo()
    with duckdb.connect(str(FILE)) as connection:
        assert connection.execute(f"select count(*) > 0 from refiner_data.{table}").fetchone() == (True,)
    api.seen.clear()
    table_report = sync(api)
    assert loaded() == {"r1": ["a", "b"], "r2": ["c"], "r3": ["d"]}
    assert table_report.verdict == "matches"
    assert [params["page_length"] for params in api.asked("/responses")] == ["1"]  # the journal had the pages
    assert sync(api, days=1).verdict == "matches"


def test_children_that_arrived_without_their_parents_are_not_left_behind(
    api: FakeRefiner, kill: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    kill("responses__answers")
    with pytest.raises(KilledError):
        sync(api)
    monkeypatch.undo()
    with duckdb.connect(str(FILE)) as connection:
        connection.execute("delete from refiner_data.responses")
        assert connection.execute("select count(*) > 0 from refiner_data.responses__answers").fetchone() == (True,)
    sync(api)
    assert loaded() == {"r1": ["a", "b"], "r2": ["c"], "r3": ["d"]}


def test_a_later_merge_that_is_cut_off_after_its_commit_is_finished(
    api: FakeRefiner, kill: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(api)
    api.lists["/responses"][0] = answered("r1", "z")
    kill("responses")
    with pytest.raises(KilledError):
        sync(api)
    monkeypatch.undo()
    assert sync(api).verdict == "matches"
    assert loaded() == {"r1": ["z"], "r2": ["c"], "r3": ["d"]}


@pytest.mark.parametrize(
    "left",
    ["no schema", *(pytest.param(left, marks=pytest.mark.nightly) for left in ("all of it", "no rows", "nothing"))],
)
def test_what_was_normalised_and_not_cleared_away_is_no_obstacle(
    left: str, api: FakeRefiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(api)
    api.lists["/responses"][0] = answered("r1", "z")
    delete = PackageStorage.delete_package

    def killed(self: PackageStorage, load_id: str, *arguments: Any, **more: Any) -> None:
        folder = Path(self.storage.make_full_path(self.get_package_path(load_id)))
        if folder.parent.name != "extracted":
            delete(self, load_id, *arguments, **more)
            return
        gone = {"all of it": "none", "no schema": "schema.json", "no rows": "*.parquet", "nothing": "*.*"}[left]
        for file in filter(Path.is_file, folder.rglob(gone)):
            file.unlink()
        raise KilledError(load_id)

    def not_reached(_: Pipeline) -> None:
        raise KilledError

    monkeypatch.setattr(Pipeline, "abort_packages", not_reached)
    monkeypatch.setattr(PackageStorage, "delete_package", killed)
    with pytest.raises(KilledError):
        sync(api)
    monkeypatch.undo()
    api.seen.clear()
    assert sync(api).verdict == "matches"
    assert loaded() == {"r1": ["z"], "r2": ["c"], "r3": ["d"]}
    assert [params["page_length"] for params in api.asked("/responses")] == ["1"]  # the journal had the pages


def test_what_was_read_and_is_damaged_on_disk_is_read_again(api: FakeRefiner, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(_: Pipeline, **_more: Any) -> None:
        raise KilledError

    sync(api)
    api.lists["/responses"][0] = answered("r1", "z")
    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "normalize", killed)
        with pytest.raises(KilledError):
            sync(api)
    (file,) = Path.cwd().rglob("extracted/*/new_jobs/responses.*.parquet")
    file.write_bytes(file.read_bytes()[:100])
    assert sync(api).verdict == "matches"
    assert loaded() == {"r1": ["z"], "r2": ["c"], "r3": ["d"]}


def test_a_history_that_is_cut_off_gains_no_row_twice(
    kill: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    api = FakeRefiner(singles={"/account": {"subscription": {"plan": "pro"}}})
    kill("account")
    with pytest.raises(KilledError):
        sync(api, only="account")
    monkeypatch.undo()
    sync(api, only="account")
    with duckdb.connect(str(FILE), read_only=True) as connection:
        query = "select count(*), count(distinct _dlt_id), count(distinct read_at) from refiner_data.account"
        assert connection.execute(query).fetchone() == (2, 2, 2)


def test_a_first_load_into_files_that_is_cut_off_is_finished(
    api: FakeRefiner, kill: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", str(tmp_path / "bucket"))
    api.lists["/responses"] = [response(f"r{number}", "2026-02-01 20:00:00", data={"nps": 9}) for number in range(3)]
    kill("responses")
    with pytest.raises(KilledError):
        sync(api, to="filesystem")
    monkeypatch.undo()
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", str(tmp_path / "bucket"))
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))
    table = sync(api, to="filesystem")
    assert (table.rows, table.verdict) == (3, "matches")


@pytest.mark.parametrize("where", ["link", "fsync"])
def test_a_database_whose_making_is_cut_off_is_no_obstacle(
    where: str, api: FakeRefiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(f"feedloom.sync.warehouse.os.{where}", killed)
        with pytest.raises(KilledError):
            sync(api)
    assert not FILE.exists()
    assert sync(api).verdict == "matches"


def test_a_file_without_a_byte_becomes_the_database(api: FakeRefiner) -> None:
    FILE.touch()
    assert sync(api).verdict == "matches"
    assert loaded()


def test_a_file_that_is_a_part_of_a_database_is_refused_by_name(api: FakeRefiner) -> None:
    sync(api)
    FILE.write_bytes(FILE.read_bytes()[:8192])
    with pytest.raises(DestinationError, match="no DuckDB database, or not a whole one"):
        check_database(REFINER, None)
