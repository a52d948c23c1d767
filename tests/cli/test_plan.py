"""What a plan expects is what comes."""

from __future__ import annotations

from cli.stage import Here, Stage

TABLES = ("refiner", "--only", "forms,responses,form_history", "--json")


def test_the_requests_and_rows_of_a_plan_are_those_of_the_sync(here: Here, stage: Stage) -> None:
    for _ in range(2):
        planned = here(stage, "plan", *TABLES).document
        assert planned["unknown"] == []
        assert planned["asked"] < 10
        assert (planned["quota"]["requests"], planned["quota"]["seconds"]) == (4000, 60)
        assert planned["least_s"] == 0
        before = stage.files().get("feedloom.duckdb")
        done = here(stage, "sync", *TABLES).document
        assert stage.files()["feedloom.duckdb"] != before
        assert (done["expected_requests"], done["expected_rows"]) == (planned["requests"], planned["rows"])
        assert {table["table"]: table["requests"] for table in done["tables"]} == {
            table["table"]: table["requests"] for table in planned["tables"]
        }
        assert all(
            table["read"] == expected["rows"]
            for table, expected in zip(done["tables"], planned["tables"], strict=True)
            if expected["rows"] is not None
        )
    assert here(stage, "sync", *TABLES).document["expected_requests"] is None


def test_a_plan_reads_as_a_table_and_writes_no_database(here: Here, stage: Stage) -> None:
    told = here(stage, "plan", "refiner", "--only", "responses,forms", "--end", "2026-10-01T00:00:00Z")
    assert told.code == 0
    assert "the beginning  2026-10-01 00:00" in told.out
    assert "of 4,000 a minute" in told.out
    assert not stage.database.exists()
