"""``feedloom audit``: its exit codes, and what it prints for people and programs."""

from __future__ import annotations

import json
import shutil

import duckdb
import pytest

from cli.stage import API_KEY, Here, Stage
from cli.test_golden import check

AUDIT = ("audit", "refiner", "--quiet", "--only", "forms,segments", "--seed", "5")


@pytest.fixture
def synced(stage: Stage, loaded: Stage) -> Stage:
    """A folder of its own with a copy of the loaded database."""
    shutil.copy(loaded.folder / "feedloom.duckdb", stage.folder)
    return stage


def rename_a_form(stage: Stage) -> None:
    with duckdb.connect(str(stage.folder / "feedloom.duckdb")) as connection:
        connection.execute("update refiner_data.forms set name = 'An\x1b[31mother' where name = 'Quarterly NPS'")


def test_all_matches_is_exit_code_0_and_leaves_no_files(synced: Stage, here: Here) -> None:
    before = sorted(file.name for file in synced.folder.iterdir())
    ended = here(synced, *AUDIT)

    assert ended.code == 0
    assert ended.errors == ""
    check("audit.txt", ended.out)
    assert sorted(file.name for file in synced.folder.iterdir()) == before


def test_a_mismatch_is_exit_code_3_and_shows_query_and_request(synced: Stage, here: Here) -> None:
    rename_a_form(synced)
    ended = here(synced, *AUDIT)

    assert ended.code == 3
    check("audit-mismatch.txt", ended.out)


def test_the_document_has_every_check_with_query_and_request(synced: Stage, here: Here) -> None:
    rename_a_form(synced)
    ended = here(synced, *AUDIT, "--json", "--sample", "12")

    assert ended.code == 3
    document = ended.document
    assert document["seed"] == 5
    assert document["verdicts"] == {"matches": 12, "not checked": 1, "mismatch": 1}
    [wrong] = [found for found in document["checks"] if found["verdict"] == "mismatch"]
    check("audit.json", json.dumps(wrong, indent=2, ensure_ascii=False) + "\n")
    checked = [found for found in document["checks"] if found["verdict"] != "not checked"]
    assert all(found["query"] and found["request"]["method"] == "GET" for found in checked)


def test_fewer_rows_are_sampled_the_same_ones_for_the_same_seed(synced: Stage, here: Here) -> None:
    def sampled(seed: int) -> list[str]:
        ended = here(
            synced, "audit", "refiner", "-q", "--only", "contacts", "--sample", "3", "--seed", str(seed), "--json"
        )
        return [found["subject"] for found in ended.document["checks"] if found["check"] == "fields"]

    assert len(sampled(1)) == 3
    assert sorted(sampled(1)) == sorted(sampled(1))
    assert set(sampled(1)) != set(sampled(2))


def test_without_a_database_there_is_nothing_to_audit(stage: Stage, here: Here) -> None:
    ended = here(stage, *AUDIT)

    assert ended.code == 6
    assert "feedloom sync refiner" in ended.errors
    assert list(stage.folder.iterdir()) == []


def test_without_a_seed_other_rows_are_sampled_and_their_seed_is_told(synced: Stage, here: Here) -> None:
    quick = ("audit", "refiner", "-q", "--only", "segments", "--json")
    seeds = {here(synced, *quick).document["seed"] for _ in range(3)}

    assert len(seeds) > 1


def test_a_key_that_is_refused_is_exit_code_4(synced: Stage, here: Here) -> None:
    ended = here(synced, *AUDIT, environment={API_KEY: "a-key-that-nobody-gave-out"})

    assert ended.code == 4
    assert ended.out == ""


def test_a_table_that_does_not_exist_is_wrong_use(synced: Stage, here: Here) -> None:
    ended = here(synced, "audit", "refiner", "--only", "nothing")

    assert ended.code == 2
    assert "nothing" in ended.errors


def test_tables_that_were_asked_for_and_not_loaded_are_named(synced: Stage, here: Here) -> None:
    ended = here(synced, "audit", "refiner", "-q", "--only", "form_history", "--json")

    assert ended.code == 0
    [found] = ended.document["checks"]
    assert (found["table"], found["verdict"], found["why"]) == ("form_history", "not checked", "not loaded yet")
