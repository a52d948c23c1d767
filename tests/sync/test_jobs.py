"""A sync is made ready from what a person asks for, or refused before anything is changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from feedloom.config import Setting
from feedloom.errors import CredentialError, FeedloomError, InputError
from feedloom.sources.planning import Range
from feedloom.sync.jobs import Job, Reread, chosen_tables, make_job, plan
from feedloom.vendors import VENDORS
from sources.fakes import KEY, NOW, FakeRefiner, response

REFINER, APTRINSIC = VENDORS["refiner"], VENDORS["aptrinsic"]
SETTING = Setting(KEY, "the test")
Load = Callable[..., None]


def made(**settings: Any) -> Job:
    return make_job(REFINER, **{"key": SETTING, **settings})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"only": "contacts,form"}, "Refiner has no table 'form'"),
        ({"only": "contacts,"}, "Refiner has no table ''"),
        ({"start": "yesterday"}, "start is no date"),
        ({"start": "2026-01-01"}, "start has no time zone"),
        ({"start": "2026-02-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"}, "is not before end"),
        ({"to": "nowhere"}, "no destination is called 'nowhere'"),
        ({"to": "duckdb:missing/a.duckdb"}, "folder of the database does not exist"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_made(
    tmp_path: Path, settings: dict[str, str], message: str
) -> None:
    with pytest.raises(FeedloomError, match=message) as caught:
        made(**settings)
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_missing_key_is_said_with_where_to_put_it() -> None:
    with pytest.raises(CredentialError, match="no Refiner key was found") as caught:
        make_job(REFINER)
    assert "SOURCES__REFINER_SOURCE__API_KEY" in caught.value.hint


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__REFINER_SOURCE__API_KEY", KEY)
    job = make_job(REFINER, only="contacts")
    source = job.source(job.tables[0], None)
    assert "contacts" in source.resources


def test_tables_come_in_loading_order_whatever_order_is_asked_for() -> None:
    assert [table.name for table in made(only="responses, contacts").tables] == ["contacts", "responses"]
    assert [table.name for table in made(only="responses,responses").tables] == ["responses"]


def test_all_tables_are_wanted_but_those_that_have_to_be_named() -> None:
    names = [table.name for table in made().tables]
    assert names == [table.name for table in REFINER.tables if table.name != "contact"]
    assert [table.name for table in chosen_tables(REFINER, ["contact"])] == ["contact"]


def test_a_table_answers_to_its_other_name() -> None:
    assert [table.name for table in chosen_tables(APTRINSIC, ["features"])] == ["feature_flags"]
    assert [table.name for table in chosen_tables(APTRINSIC, ["features", "feature_flags"])] == ["feature_flags"]


def test_an_unknown_table_is_refused_with_those_that_exist() -> None:
    with pytest.raises(InputError) as caught:
        chosen_tables(REFINER, ["respones"])
    assert "responses" in caught.value.hint


def test_the_range_is_taken_as_it_is_written() -> None:
    job = made(start="2026-01-01T00:00:00+02:00", end="2026-02-01T00:00:00Z")
    assert job.wanted == Range(
        start=datetime(2025, 12, 31, 22, tzinfo=UTC),
        end=datetime(2026, 2, 1, tzinfo=UTC),
    )


def dispositions(job: Job, again: Reread | None) -> str:
    table = REFINER.table("responses")
    return str(job.source(table, again).resources["responses"].write_disposition)


def test_the_source_reads_what_is_planned_or_what_is_to_be_read_again() -> None:
    again = Reread(calls=[{"search": "c1"}])
    assert dispositions(made(), None) == "merge"
    assert dispositions(made(full=True), None) == "replace"
    assert dispositions(made(full=True), again) == "merge"
    assert dispositions(made(), Reread(calls=[], whole=True)) == "replace"


def test_journals_of_one_target_are_not_those_of_another() -> None:
    folders = [job.session.journals for job in (made(), made(dataset="other"), made(to="duckdb:other.duckdb"))]
    assert all(folder is not None and folder.is_dir() for folder in folders)
    assert len(set(folders)) == 3


def test_a_plan_says_what_would_be_read_and_asks_nothing() -> None:
    job = made(start="2026-01-01T00:00:00Z", only="contacts,responses,account,reporting")
    job.session.now = NOW
    assert {row["table"]: (row["how"], row["calls"]) for row in plan(job)} == {
        "contacts": ("the whole list", "one list"),
        "responses": ("from 2026-01-01T00:00:00+00:00 to 2026-03-01T12:00:00+00:00", "9 windows"),
        "account": ("once", "one list"),
        "reporting": ("once for each of forms", "one or more each"),
    }
    assert job.tally.requests == 0


def test_a_plan_knows_what_is_loaded(load: Load, job: Callable[[FakeRefiner], Job]) -> None:
    api = FakeRefiner(lists={"/responses": [response("r1", "2026-02-01 10:00:00")]})
    ready = job(api)
    ready.tables = [REFINER.table("responses")]
    ready.session.now = NOW + timedelta(days=3)
    assert plan(ready)[0]["how"].startswith("from the beginning")
    load(api, "responses")
    assert plan(ready)[0]["how"] == "from 2026-02-28T12:00:00+00:00 to 2026-03-04T12:00:00+00:00"
    assert plan(ready)[0]["calls"] == "2 windows"
    ready.full = True
    assert plan(ready)[0]["how"].startswith("from the beginning")
