"""``feedloom demo``: invented data, a report and answers, in a folder where nobody has data of their own."""

from __future__ import annotations

from cli.stage import Here, Stage


def test_a_demo_needs_no_key_says_what_to_do_next_and_marks_its_database(bare: Stage, here: Here) -> None:
    ended = here(bare, "demo", "--rows", "20", "--quiet")

    assert ended.code == 0, ended.said
    assert "responses" in ended.out
    assert "Newest answers" in ended.out
    assert 'feedloom query "from responses limit 3"' in ended.out
    assert {path.name for path in bare.folder.iterdir()} == {"feedloom.duckdb", ".feedloom"}

    mixed = here(bare, "sync", "refiner", environment={"SOURCES__REFINER_SOURCE__API_KEY": "zq7x0000000000000000000"})
    assert mixed.code == 2
    assert "error[FL249]: this database holds the demo's invented data" in mixed.errors

    bare.database.unlink()
    fresh = here(bare, "sync", "refiner", "--dry-run", environment={"SOURCES__REFINER_SOURCE__API_KEY": "zq7x"})
    assert fresh.code == 0
