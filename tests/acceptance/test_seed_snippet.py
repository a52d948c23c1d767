"""The first program a user writes, word for word, and what dlt users expect of any source."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import duckdb
import pytest

from support.compare_refiner import KEYS, SCHEMA, compare

if TYPE_CHECKING:
    from support.refiner_stage import Stage

    from .conftest import Play

SNIPPET = """
import dlt
from feedloom import refiner_source
pipeline = dlt.pipeline("refiner_pipeline", destination="duckdb", dataset_name="refiner_data")
print(pipeline.run(refiner_source()))
print(pipeline.dataset().responses.df().head())
"""

PIPELINE = """
import dlt
from feedloom import refiner_source
pipeline = dlt.pipeline("refiner_pipeline", destination="duckdb", dataset_name="refiner_data")
"""


def run(stage: Stage, program: str, *, variables: bool = True) -> str:
    """Run *program* in the folder as a user would; returns what it prints. Any warning fails it."""
    settings = stage.settings
    if not variables:
        settings = {name: value for name, value in settings.items() if not name.startswith("SOURCES__")}
    done = subprocess.run(  # noqa: S603 - the program under test
        [sys.executable, "-c", program],
        cwd=stage.folder,
        env=settings,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def differences(stage: Stage, *tables: str) -> list[str]:
    return compare(stage.url, stage.emulator.key, stage.folder / "refiner_pipeline.duckdb", tables=tables)


def rows(stage: Stage, table: str) -> int:
    with duckdb.connect(str(stage.folder / "refiner_pipeline.duckdb"), read_only=True) as connection:
        (found,) = connection.execute(f"select count(*) from {SCHEMA}.{table}").fetchone() or (0,)
        return int(found)


def test_the_snippet_loads_everything_with_the_key_in_the_environment(play: Play) -> None:
    stage = play(rows=20)
    printed = run(stage, SNIPPET)
    assert "LOADED and contains no failed jobs" in printed
    assert "[5 rows x " in printed
    assert differences(stage, *KEYS) == []


def test_the_snippet_loads_everything_with_the_key_in_secrets_toml(play: Play) -> None:
    stage = play(rows=20)
    folder = stage.folder / ".dlt"
    folder.mkdir()
    (folder / "config.toml").write_text(f'[sources.refiner_source]\nbase_url = "{stage.url}"\n', encoding="utf-8")
    (folder / "secrets.toml").write_text(
        f'[sources.refiner_source]\napi_key = "{stage.emulator.key}"\n', encoding="utf-8"
    )
    assert "LOADED" in run(stage, SNIPPET, variables=False)
    assert differences(stage, *KEYS) == []


def test_run_twice_the_snippet_loads_only_what_is_new(play: Play) -> None:
    stage = play(rows=20)
    program = f"{PIPELINE}pipeline.run(refiner_source().with_resources('responses', 'contacts'))"
    run(stage, program)
    stage.emulator.requests.clear()
    run(stage, program)
    windows = [seen.query for seen in stage.emulator.requests if seen.endpoint == "list_responses"]
    assert len(windows) == 2
    assert all("date_range_start=" in query for query in windows)
    assert differences(stage, "responses", "contacts") == []


def test_without_a_key_the_error_says_where_it_may_be_put(play: Play) -> None:
    stage = play(rows=1)
    with pytest.raises(AssertionError, match="api_key"):
        run(stage, SNIPPET, variables=False)


@pytest.mark.parametrize("table", ["contacts", "responses", "segments", "account"])
def test_a_single_resource_can_be_selected(table: str, play: Play) -> None:
    stage = play(rows=20)
    run(stage, f"{PIPELINE}pipeline.run(refiner_source().with_resources('{table}'))")
    assert differences(stage, table) == []
    assert {seen.endpoint for seen in stage.emulator.requests} == {
        "get_account" if table == "account" else f"list_{table}"
    }


def test_add_limit_takes_a_few_pages_and_loses_nothing_later(play: Play) -> None:
    stage = play(rows=2100)
    run(stage, f"{PIPELINE}pipeline.run(refiner_source().with_resources('responses').add_limit(1))")
    assert rows(stage, "responses") == 1000
    run(stage, f"{PIPELINE}pipeline.run(refiner_source().with_resources('responses'))")
    assert differences(stage, "responses") == []


def test_apply_hints_changes_the_table(play: Play) -> None:
    stage = play(rows=20)
    run(
        stage,
        f"{PIPELINE}"
        "source = refiner_source().with_resources('segments')\n"
        "source.segments.apply_hints(table_name='groups', columns={'name': {'data_type': 'text', 'nullable': False}})\n"
        "pipeline.run(source)",
    )
    assert rows(stage, "groups") == 7


def test_contacts_can_be_looked_up_by_email(play: Play) -> None:
    stage = play(rows=120)
    email = stage.emulator.control.every_response()[0]["contact"]["email"]
    assert email
    run(stage, f"{PIPELINE}pipeline.run(refiner_source(contact_email={email!r}).with_resources('contact'))")
    with duckdb.connect(str(stage.folder / "refiner_pipeline.duckdb"), read_only=True) as connection:
        found = connection.execute(f"select email from {SCHEMA}.contact").fetchall()
    assert found == [(email,)]
    assert [seen.endpoint for seen in stage.emulator.requests] == ["get_contact"]


def test_rows_can_be_filtered_and_mapped(play: Play) -> None:
    stage = play(rows=120)
    run(
        stage,
        f"{PIPELINE}"
        "source = refiner_source().with_resources('contacts')\n"
        "source.contacts.add_filter(lambda row: row['email'] is not None)\n"
        "source.contacts.add_map(lambda row: {**row, 'email': row['email'].upper()})\n"
        "pipeline.run(source)",
    )
    with duckdb.connect(str(stage.folder / "refiner_pipeline.duckdb"), read_only=True) as connection:
        emails = [email for (email,) in connection.execute(f"select email from {SCHEMA}.contacts").fetchall()]
    assert emails
    assert all(email == email.upper() for email in emails)
