"""``feedloom journal``, ``replay`` and ``trace``: what runs keep, loaded again and traced, for people and programs."""

from __future__ import annotations

import json

import duckdb

from cli.stage import Here, Stage


def test_what_a_sync_keeps_is_listed_shown_traced_replayed_and_forgotten(stage: Stage, here: Here) -> None:
    assert here(stage, "journal", "list").errors.startswith("nothing is kept here")
    here(stage, "sync", "refiner", "--only", "forms,responses", "--quiet")

    (run,) = here(stage, "journal", "list", "--json").document["runs"]
    assert (run["source"], run["dataset"], run["tables"], run["state"]) == ("refiner", "refiner_data", 2, "loaded")
    assert run["run"] in here(stage, "journal", "list").out

    shown = here(stage, "journal", "show", run["run"][:-1], "--json").document
    assert [(row["table"], row["pages"], row["state"]) for row in shown["readings"]] == [
        ("forms", 1, "loaded"),
        ("responses", 1, "loaded"),
    ]
    assert "forms" in here(stage, "journal", "show", run["run"]).out

    with duckdb.connect(str(stage.database), read_only=True) as database:
        [(uuid,)] = database.execute("select uuid from refiner_data.responses limit 1").fetchall()
    traced = here(stage, "trace", "responses", uuid, "--json").document
    assert traced["load_id"] in shown["readings"][1]["loads"]
    assert json.loads(traced["origins"][0]["raw"])["uuid"] == uuid
    assert f"row      refiner_data.responses  uuid={uuid}\n" in here(stage, "trace", "responses", uuid).out

    again = here(stage, "replay", run["run"], "--to", "duckdb:again.duckdb", "--json", "--quiet")
    assert again.code == 0, again
    assert [(row["table"], row["new"], row["requests"]) for row in again.document["tables"]] == [
        ("forms", 12, 0),
        ("responses", 300, 0),
    ]
    traced_again = here(stage, "trace", "responses", uuid, "--to", "duckdb:again.duckdb", "--json").document
    assert traced_again["origins"] == traced["origins"]

    assert "1 runs would be forgotten" in here(stage, "journal", "prune", "--days", "0", "--dry-run").out
    assert here(stage, "journal", "prune", "--days", "0", "--json").document["runs"] == [run["run"]]
    gone = here(stage, "replay", run["run"], "--json")
    assert (gone.code, gone.document["error"]["code"]) == (2, "FL260")
    lost = here(stage, "trace", "responses", uuid)
    assert (lost.code, "journal_days" in lost.errors) == (2, True)


def test_wrong_names_are_told(stage: Stage, here: Here) -> None:
    here(stage, "sync", "refiner", "--only", "forms", "--quiet")
    for arguments, words in (
        (("replay", "nobody", "--all"), "there is no source 'nobody'"),
        (("replay", "aptrinsic", "--all"), "no run of aptrinsic"),
        (("replay", "refiner", "--all", "--only", "contacts"), "nothing of refiner can be replayed"),
        (("journal", "show", "19990101T000000-0000"), "no run"),
        (("trace", "nothing", "1"), "holds no table 'nothing'"),
        (("trace", "forms", "1", "2"), "found by 1 values, not 2"),
        (("trace", "forms", "it's"), "holds no row with uuid it's"),
    ):
        ended = here(stage, *arguments)
        assert (ended.code, words in ended.errors) == (2, True), ended
