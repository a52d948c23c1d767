"""An audit finds nothing wrong after a sync, and calls what was changed here or at the source by its name."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import chdir
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import httpx2
import pytest

from feedloom.audit.checks import Audit, Check
from feedloom.audit.run import run_audit
from feedloom.config import Setting
from feedloom.sync.jobs import make_job
from feedloom.vendors import VENDORS
from support.refiner_stage import Clock, Stage

from .conftest import Play

TABLES = ("contacts", "forms", "responses", "segments")
Tamper = Callable[[str], list[Any]]


def audited(stage: Stage, clock: Clock, only: Collection[str] = TABLES, *, folder: Path | None = None) -> Audit:
    """An audit of all rows, of the database in *folder* where one is given."""
    with chdir(folder or stage.folder), tempfile.TemporaryDirectory() as scratch:
        job = make_job(
            VENDORS["refiner"],
            only=",".join(only),
            base_url=stage.url,
            key=Setting(stage.emulator.key, "the test"),
            scratch=Path(scratch),
        )
        return run_audit(job, sample=500, seed=1, now=clock())


def of(found: Audit, verdict: str) -> list[Check]:
    return [check for check in found.checks if check.verdict == verdict]


def named(checks: Collection[Check]) -> set[tuple[str, str]]:
    return {(check.table, check.name) for check in checks}


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock(moment=datetime.now(UTC).replace(microsecond=0))


@pytest.fixture(scope="module")
def loaded(play_for_module: Play, clock: Clock) -> Stage:
    """A stage whose tables are loaded, and whose emulator stays as it is."""
    stage = play_for_module(rows=120, now=clock)
    stage.sync(only=(*TABLES, "account", "form_history"), now=clock())
    return stage


@pytest.fixture
def copied(loaded: Stage, tmp_path: Path) -> tuple[Path, Tamper]:
    """A copy of the loaded database in a folder of its own, and what runs SQL on it."""
    shutil.copy(loaded.database, tmp_path)
    database = tmp_path / loaded.database.name

    def tamper(sql: str) -> list[Any]:
        with duckdb.connect(str(database)) as connection:
            return connection.execute(sql.replace("$", "refiner_data.")).fetchall()

    return tmp_path, tamper


def test_after_a_sync_every_table_matches(loaded: Stage, clock: Clock) -> None:
    before = loaded.database.read_bytes()
    found = audited(loaded, clock, [])
    assert found.errors == []
    assert {check.table for check in of(found, "not checked")} == {"account", "form_history", "reporting"}
    assert set(found.verdicts) == {"matches", "not checked"}
    assert named(of(found, "matches")) >= {
        *(("responses", name) for name in ("rows", "count", "nps", "csat", "ratings", "distribution", "counters")),
        *((table, name) for table in TABLES for name in ("rows", "fields")),
    }
    assert Counter(check.table for check in found.checks if check.name == "fields")["responses"] == 120
    assert loaded.database.read_bytes() == before


def test_every_check_can_be_seen_for_oneself(loaded: Stage, clock: Clock) -> None:
    found = audited(loaded, clock, ["responses"])
    with duckdb.connect(str(loaded.database), read_only=True) as connection:
        for check in found.checks[::20]:
            assert check.query is not None
            assert check.request is not None
            rows = connection.execute(check.query()).fetchall()
            if check.name == "rows":
                assert rows == [(check.here,)]
            elif check.name == "fields":
                assert len(rows) == 1
            with httpx2.Client(headers={"Authorization": f"Bearer {loaded.emulator.key}"}) as http:
                method, _, rest = check.request.text.partition(" ")
                answer = http.request(method, f"{loaded.url}{rest}").json()
            if check.name == "rows":
                assert answer["pagination"]["items_count"] == check.there
            assert loaded.emulator.key not in check.request.text


def test_a_row_that_is_missing_here_is_a_mismatch(loaded: Stage, clock: Clock, copied: tuple[Path, Tamper]) -> None:
    folder, tamper = copied
    [(uuid, form)] = tamper(
        "delete from $responses where uuid = (select response_uuid from $responses__answers where question = 'nps' "
        "order by 1 limit 1) returning uuid, form__name"
    )
    found = audited(loaded, clock, ["responses"], folder=folder)
    assert named(found.mismatches) >= {("responses", name) for name in ("rows", "count", "nps", "counters")}
    assert all(check.name == "rows" or form in check.subject for check in found.mismatches)
    assert {check.subject for check in found.checks if check.name == "fields"}.isdisjoint({uuid})
    assert set(found.verdicts) == {"matches", "mismatch"}
    [month] = [check for check in found.mismatches if check.name == "rows" and check.subject.startswith(form)]
    assert (month.here, month.why) == (month.there - 1, "rows 1 not explained; the next sync reads again what differs")


def test_a_field_that_was_changed_here_is_a_mismatch_that_names_it(
    loaded: Stage, clock: Clock, copied: tuple[Path, Tamper]
) -> None:
    folder, tamper = copied
    [(contact,)] = tamper(
        "update $contacts set email = 'else@example.com' where uuid = (select min(uuid) from $contacts) returning uuid"
    )
    [(response,)] = tamper(
        "update $responses__answers set value_text = 'never said' where _dlt_id = (select min(_dlt_id) from "
        "$responses__answers where question = 'nps_reason') returning response_uuid"
    )
    [(form,)] = tamper("update $forms set config = '{}' where uuid = (select min(uuid) from $forms) returning uuid")
    found = audited(loaded, clock, folder=folder).mismatches
    mismatches = {check.subject: check for check in found if check.name == "fields"}
    assert set(mismatches) == {contact, response, form}
    assert mismatches[contact].here == {"email": "else@example.com"}
    [(place, text)] = mismatches[response].here.items()
    assert place.startswith("responses__answers[")
    assert place.endswith("].value_text")
    assert text == "never said"
    assert list(mismatches[form].here) == ["config"]
    assert "the row here is another" in mismatches[form].why


def test_an_answer_that_is_missing_here_is_a_mismatch_of_figures(
    loaded: Stage, clock: Clock, copied: tuple[Path, Tamper]
) -> None:
    folder, tamper = copied
    tamper("delete from $responses__answers where question = 'csat'")
    found = audited(loaded, clock, ["responses"], folder=folder)
    assert named(found.mismatches) == {("responses", "fields")}
    tamper(
        "update $responses__answers set value_number = 0, value_text = '0' where _dlt_id = (select min(_dlt_id) from "
        "$responses__answers where question = 'nps' and value_number > 6)"
    )
    found = audited(loaded, clock, ["responses"], folder=folder)
    assert named(found.mismatches) >= {("responses", name) for name in ("nps", "ratings", "distribution", "fields")}


@pytest.mark.nightly
def test_what_changes_at_the_source_is_late_or_deleted_and_no_mismatch(play: Play, clock: Clock) -> None:
    stage = play(rows=120, now=clock)
    stage.sync(only=TABLES, now=clock())
    clock.forward(minutes=5)
    rows = stage.emulator.control.every_response()
    with httpx2.Client(base_url=stage.url, headers={"Authorization": f"Bearer {stage.emulator.key}"}) as http:
        contact = next(row["contact"] for row in rows if row["contact"]["remote_id"])
        http.post("/identify-user", json={"id": contact["remote_id"], "plan": "another"}).raise_for_status()
        found = audited(stage, clock)
        assert set(found.verdicts) == {"matches", "late data"}
        assert {check.subject for check in of(found, "late data")} == {contact["uuid"]}

        stage.emulator.control.add_row()
        view = next(
            row for row in rows if row["last_data_reception_at"] is None and row["form"]["name"] == "Quarterly NPS"
        )
        stage.emulator.control.answer_view(view["uuid"], {"nps": "9"})
        found = audited(stage, clock)
        assert found.mismatches == []
        assert set(found.verdicts) == {"matches", "late data"}
        assert named(of(found, "late data")) >= {("responses", name) for name in ("newer rows", "counters", "fields")}
        assert ("contacts", "rows") in named(of(found, "late data"))

        clock.forward(minutes=5)
        stage.sync(only=TABLES, now=clock())
        assert set(audited(stage, clock).verdicts) == {"matches"}

        gone = next(
            row["contact"]["uuid"]
            for row in rows
            if row["last_data_reception_at"] and row["contact"]["uuid"] != contact["uuid"]
        )
        lost = sum(row["contact"]["uuid"] == gone for row in rows)
        http.request("DELETE", "/contact", params={"uuid": gone}).raise_for_status()
        found = audited(stage, clock)
        assert found.mismatches == []
        assert named(of(found, "late data")) <= {("forms", "fields")}  # their counters moved
        assert set(found.verdicts) <= {"matches", "late data", "deleted at source"}
        deleted = of(found, "deleted at source")
        assert named(deleted) >= {("contacts", "rows"), ("contacts", "fields"), ("responses", "count")}
        assert sum(check.table == "responses" and check.name == "fields" for check in deleted) == lost


@pytest.mark.parametrize(
    ("quirks", "names"),
    [
        ({"reported_responses": "completed"}, {"count", "nps"}),
        ({"several_choices": "text"}, {"distribution"}),
    ],
)
def test_figures_that_are_counted_by_another_rule_say_so(
    play: Play, clock: Clock, quirks: dict[str, str], names: set[str]
) -> None:
    stage = play(rows=200, quirks=quirks, now=clock)
    stage.sync(only=["forms", "responses"], now=clock())
    found = audited(stage, clock, ["responses"])
    assert found.mismatches == []
    assert {check.name for check in of(found, "other counting rule")} >= names


@pytest.mark.nightly
def test_rows_that_are_written_otherwise_match_as_well(play: Play, clock: Clock) -> None:
    quirks = {"numbers": "number", "tags_on_read": "present", "unverified_fields": "present", "empty_map": "list"}
    stage = play(rows=120, quirks=quirks, now=clock)
    stage.sync(only=TABLES, now=clock())
    assert set(audited(stage, clock).verdicts) == {"matches"}
