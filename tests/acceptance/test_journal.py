"""Whatever ends a sync, the next one goes on where it was; and what was read can be loaded again, and traced."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from feedloom.errors import InputError
from feedloom.sources.journal.records import read_records
from feedloom.sync import packages
from feedloom.sync.failures import causes_of
from feedloom.sync.journals import find_run, shelves
from feedloom.sync.ledger import LEDGER
from feedloom.sync.replay import make_replay
from feedloom.sync.run import run
from feedloom.sync.trace import Traced, trace
from support import aptrinsic_stage, compare_aptrinsic, compare_refiner
from support.killing import PHASES, loaded_endpoints, most_repeated, pages_asked, small_pages, strike_at
from support.loaded import Database, differing

if TYPE_CHECKING:
    from support.refiner_stage import Stage

    from .conftest import Play

REFINER = ("forms", "responses", "account", "form_history")
APTRINSIC = ("users", "segments", "feature_adoption")
PAGE_ROWS = 20


class KilledError(Exception):
    """Stands for a kill at this very place."""


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let lists of some hundred rows have many pages."""
    small_pages(PAGE_ROWS, monkeypatch.setattr)


def kill() -> None:
    raise KilledError


def is_killed(sync: Callable[[], object]) -> bool:
    """Whether *sync* ends as by a kill, in whatever dlt wraps that."""
    try:
        sync()
    except Exception as error:  # noqa: BLE001 - the causes tell
        return any(isinstance(cause, KilledError) for cause in causes_of(error))
    return False


@pytest.mark.parametrize("phase", PHASES)
def test_refiner_goes_on_after_a_kill(phase: str, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = play(rows=70)
    with monkeypatch.context() as patch:
        strike_at(phase, kill, patch.setattr)
        assert is_killed(lambda: stage.sync(only=REFINER))
    before = pages_asked(stage.emulator)
    loaded = loaded_endpoints(stage.folder)
    stage.emulator.requests.clear()
    stage.sync(only=REFINER)
    assert stage.differences(REFINER) == []
    after = [one for one in pages_asked(stage.emulator) if one[0] not in loaded]
    assert most_repeated(before, after) <= 1
    assert _no_key(stage.folder, stage.emulator.key)


@pytest.mark.parametrize("phase", PHASES)
def test_gainsight_px_goes_on_after_a_kill(phase: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with aptrinsic_stage.playing(tmp_path, rows=45) as stage:
        with monkeypatch.context() as patch:
            strike_at(phase, kill, patch.setattr)
            assert is_killed(lambda: stage.sync(only=APTRINSIC))
        stage.spans.clear()
        stage.sync(only=APTRINSIC)
        assert stage.differences(APTRINSIC) == []
        assert _no_key(stage.folder, stage.emulator.key)


def _no_key(folder: Path, key: str) -> bool:
    """Whether the key stands nowhere in what is kept, unpacked."""
    records = 0
    for place in folder.rglob("*-*/"):
        for record in read_records(place):
            records += 1
            assert key not in str(record.header)
            assert key.encode() not in record.body
    return records > 0


def rows_that_differ(one: Path, other: Path, schema: str, keys: Mapping[str, Sequence[str]]) -> list[str]:
    """What differs between two databases, but for the ids of loads and rows, and the ledgers of what was asked."""
    here, there = Database(one, schema), Database(other, schema)
    assert _without_ledger(here.types) == _without_ledger(there.types)
    assert here.names == there.names
    found = here.problems + there.problems
    for table in here.roots:
        if keys.get(table):
            found += differing(table, keys[table], here.roots[table], there.roots[table])
        elif sorted(map(str, here.roots[table])) != sorted(map(str, there.roots[table])):
            found.append(f"{table} differs")
    return found


def _without_ledger(tables: Mapping[str, Any]) -> dict[str, Any]:
    return {name: columns for name, columns in tables.items() if name not in LEDGER}


def replayed(folder: Path, what: str, **more: Any) -> list[str]:
    """Replay in *folder*; returns the tables."""
    with chdir(folder):
        job, left_out = make_replay(what, **more)
        report = run(job)
        assert report.failure is None, report.failure
        assert (report.requests, left_out) == (0, [])
        return [table.table for table in report.tables]


@pytest.fixture(scope="module")
def twice(play_for_module: Play) -> Stage:
    """All of Refiner, synced, changed, and synced again but for the reports."""
    stage = play_for_module(rows=25)
    stage.sync()
    stage.emulator.control.random_writes(20, 3, deletes=True)
    stage.sync(only=("contacts", *REFINER))
    return stage


def test_all_runs_of_refiner_replayed_elsewhere_give_the_same_database(twice: Stage) -> None:
    twice.emulator.requests.clear()
    replayed(twice.folder, "refiner", everything=True, to="duckdb:again.duckdb")
    assert twice.emulator.requests.total == 0
    again = twice.folder / "again.duckdb"
    assert rows_that_differ(twice.database, again, compare_refiner.SCHEMA, compare_refiner.KEYS) == []


def test_a_run_of_gainsight_px_replayed_elsewhere_gives_the_same_database(tmp_path: Path) -> None:
    with aptrinsic_stage.playing(tmp_path, rows=45) as stage:
        stage.sync(only=APTRINSIC)
        with chdir(stage.folder):
            ((run_kept,),) = (shelf.runs for shelf in shelves())
        replayed(stage.folder, run_kept.name, to="duckdb:again.duckdb")
        again = stage.folder / "again.duckdb"
        assert rows_that_differ(stage.database, again, compare_aptrinsic.SCHEMA, compare_aptrinsic.KEYS) == []


def test_a_run_replayed_where_it_was_loaded_changes_nothing_and_the_next_sync_goes_on(play: Play) -> None:
    """Later runs of its tables follow, so that no newer row is taken back; no cursor moves, no history row doubles."""
    stage = play(rows=60)
    stage.sync(only=REFINER)
    stage.emulator.control.random_writes(20, 3)
    stage.sync(only=REFINER)
    with chdir(stage.folder):
        (shelf,) = shelves()
    copy = stage.folder / "copy.duckdb"
    shutil.copy(stage.database, copy)
    assert replayed(stage.folder, shelf.runs[0].name[:-1], only="responses,account") == ["responses", "account"]
    assert rows_that_differ(copy, stage.database, compare_refiner.SCHEMA, compare_refiner.KEYS) == []
    stage.sync(only=("responses",))
    assert stage.differences(("responses",)) == []


def test_a_run_is_not_replayed_over_rows_that_are_newer(play: Play) -> None:
    stage = play(rows=20)
    stage.sync(only=("responses",))
    with chdir(stage.folder):
        (shelf,) = shelves()
        replayed(stage.folder, shelf.runs[0].name, dataset="elsewhere")
        stage.emulator.control.random_writes(5, 3)
    stage.sync(only=("responses",))
    with chdir(stage.folder):
        (shelf,) = shelves()
        replayed(stage.folder, shelf.runs[1].name, dataset="elsewhere")
        job, _ = make_replay(shelf.runs[0].name, dataset="elsewhere")
        with pytest.raises(InputError, match="holds rows up to"):
            run(job)


def test_a_journal_that_lost_pages_is_not_replayed(play: Play) -> None:
    stage = play(rows=20)
    stage.sync(only=("responses",))
    with chdir(stage.folder):
        (shelf,) = shelves()
        (file,) = shelf.runs[0].readings[0].folder.glob("*.journal")
        file.write_bytes(file.read_bytes()[:-1])
        job, _ = make_replay("refiner", everything=True, dataset="elsewhere")
        with pytest.raises(Exception, match=r"holds \d+ whole pages of \d+"):
            run(job)


def traced(folder: Path, table: str, *key: str) -> Traced:
    with chdir(folder):
        return trace(table, key, to=None)


def keys_of(database: Path, schema: str, table: str, columns: Sequence[str]) -> list[list[str]]:
    """The keys of the first and the last row, as a query shows them."""
    with duckdb.connect(str(database), read_only=True) as connection:
        named = ", ".join(f"{name}::varchar" for name in columns)
        rows = connection.execute(f"select {named} from {schema}.{table} order by all").fetchall()
    return [list(rows[0]), list(rows[-1])]


def test_rows_of_refiner_are_traced_to_their_request_and_bytes(twice: Stage) -> None:
    for table, columns in compare_refiner.KEYS.items():
        for key in keys_of(twice.database, compare_refiner.SCHEMA, table, columns) if columns else ():
            found = traced(twice.folder, f"refiner_data.{table}", *key)
            assert [str(value) for value in found.key.values()] == key
            raw = json.loads(found.origins[-1].raw)
            assert raw.get("uuid", key[-1]) == key[-1]
            assert found.origins[-1].request.startswith(f"GET {twice.url}")
            assert twice.emulator.key not in str(found.as_dict())
    for wrong in (("responses", "no-such-row"), ("account", "1"), ("nothing", "1"), ("reporting", "nps")):
        with pytest.raises(InputError):
            traced(twice.folder, *wrong)


def test_rows_of_gainsight_px_are_traced_whatever_their_key_is_made_of(tmp_path: Path) -> None:
    with aptrinsic_stage.playing(tmp_path, rows=45) as stage:
        stage.sync(only=APTRINSIC)
        for table in APTRINSIC:
            columns = compare_aptrinsic.KEYS[table]
            for key in keys_of(stage.database, compare_aptrinsic.SCHEMA, table, columns):
                assert json.loads(traced(stage.folder, f"aptrinsic_data.{table}", *key).origins[-1].raw)


def test_the_working_folder_does_not_grow_with_every_run(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = 3
    monkeypatch.setattr(packages.drop_loaded, "__kwdefaults__", {"keep": keep})
    stage = play(rows=20)
    for _ in range(2):
        stage.sync(only=("forms", "account"))
        stage.sync(only=("forms",))
    loaded = [one for one in stage.folder.glob(".feedloom/*/*/*/load/loaded/*") if one.is_dir()]
    assert keep <= len(loaded) <= keep + 1, "the ledger of the last run comes after"
    assert stage.differences(("forms",)) == []


def test_nothing_is_kept_where_nothing_is_to_be_kept(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEEDLOOM__JOURNAL_DAYS", "0")
    stage = play(rows=20)
    stage.sync(only=("forms", "responses"))
    with chdir(stage.folder):
        assert shelves() == []
        with pytest.raises(InputError, match="no run"):
            find_run("2026")
    (uuid,), _ = keys_of(stage.database, compare_refiner.SCHEMA, "responses", ("uuid",))
    with pytest.raises(InputError, match="not kept any more"):
        traced(stage.folder, "responses", uuid)
