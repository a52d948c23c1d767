"""``feedloom init``: three questions or flags, a tested key, and files that keep what they held."""

from __future__ import annotations

import os
import pty
import stat
import subprocess
import tomllib
from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.stage import API_KEY, BASE_URL, COMMAND, Ended, Here, Stage
from feedloom.sync.project import write_project
from feedloom.sync.warehouse import choose_target, mark_as_demo
from feedloom.vendors import VENDORS

REFINER = VENDORS["refiner"]
FLAGS = ("init", "--source", "refiner", "--key", f"env:{API_KEY}", "--to", "duckdb")


def read(file: Path) -> dict[str, Any]:
    """The settings in *file*."""
    return tomllib.loads(file.read_text(encoding="utf-8"))


def test_flags_answer_all_questions_and_the_next_command_is_named(stage: Stage, here: Here) -> None:
    key, url = stage.environment[API_KEY], stage.environment[BASE_URL]

    ended = here(stage, *FLAGS, "--base-url", url)

    assert ended.code == 0
    assert (
        ended.out == "wrote .dlt/config.toml\nwrote .dlt/secrets.toml\nwrote .gitignore\nnext:  feedloom sync refiner\n"
    )
    config, secrets = stage.folder / ".dlt/config.toml", stage.folder / ".dlt/secrets.toml"
    assert read(config) == {"feedloom": {"to": "duckdb"}, "sources": {"refiner_source": {"base_url": url}}}
    assert read(secrets) == {"sources": {"refiner_source": {"api_key": key}}}
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert (stage.folder / ".gitignore").read_text() == ".dlt/secrets.toml\n.feedloom/\n"
    assert {path.name for path in stage.folder.iterdir()} == {".dlt", ".gitignore"}


def test_what_it_wrote_is_what_the_other_commands_use(stage: Stage, here: Here) -> None:
    url = stage.environment[BASE_URL]
    here(stage, *FLAGS, "--base-url", url)
    bare = Stage(folder=stage.folder, secrets=stage.secrets)

    ended = here(bare, "check", "refiner")

    assert ended.code == 0
    assert ".dlt/secrets.toml, section [sources.refiner_source], api_key" in ended.out
    assert "will be made: duckdb:feedloom.duckdb" in ended.out


def test_with_json_the_result_is_one_document(stage: Stage, here: Here) -> None:
    document = here(stage, *FLAGS, "--json").document

    assert document["source"] == "refiner"
    assert document["database"] == {"to": "duckdb:feedloom.duckdb", "state": "will be made"}
    assert document["wrote"] == [".dlt/config.toml", ".dlt/secrets.toml", ".gitignore"]


def test_nothing_is_written_when_the_key_is_refused(stage: Stage, here: Here) -> None:
    ended = here(stage, *FLAGS, environment={API_KEY: "zq7x0000000000000000000000000000"})

    assert ended.code == 4
    assert "from the answer to `feedloom init`" in ended.errors
    assert list(stage.folder.iterdir()) == []


def test_the_key_can_come_from_standard_input(stage: Stage) -> None:
    given_key = ("init", "--source", "refiner", "--key", "-", "--to", "duckdb")

    assert stage.run(*given_key, given=f"{stage.environment[API_KEY]}\n", environment={API_KEY: ""}).code == 0


def test_a_destination_whose_settings_are_missing_is_the_next_step_and_no_failure(stage: Stage, here: Here) -> None:
    ended = here(stage, *FLAGS[:-1], "postgres")

    assert ended.code == 0
    assert read(stage.folder / ".dlt/config.toml") == {"feedloom": {"to": "postgres"}}
    assert "next:  put them into .dlt/secrets.toml, section [destination.postgres.credentials]" in ended.out
    assert "feedloom check refiner" in ended.out


def test_a_destination_that_is_not_there_is_refused_and_nothing_written(stage: Stage, here: Here) -> None:
    assert here(stage, *FLAGS[:-1], "nosuch").code == 2
    assert list(stage.folder.iterdir()) == []


def test_a_database_of_the_demo_is_refused(stage: Stage, here: Here) -> None:
    stage.database.touch()
    with chdir(stage.folder):
        mark_as_demo(choose_target(REFINER, "duckdb", None))

    ended = here(stage, *FLAGS)

    assert ended.code == 2
    assert "error[FL249]: this database holds the demo's invented data" in ended.errors
    assert not (stage.folder / ".dlt").exists()


def test_three_questions_are_asked_at_a_terminal_and_the_key_stays_hidden(stage: Stage) -> None:
    ended = answering(stage, {"1/3": "1", "2/3": stage.environment[API_KEY], "3/3": ""})

    assert ended.code == 0, ended.said
    positions = [ended.errors.index(question) for question in ("1/3", "[1] Refiner", "2/3", "the key works", "3/3")]
    assert positions == sorted(positions)
    assert ended.out.splitlines()[-1] == "next:  feedloom sync refiner"
    assert read(stage.folder / ".dlt/config.toml") == {"feedloom": {"to": "duckdb"}}


def answering(stage: Stage, answers: Mapping[str, str]) -> Ended:
    """How ``feedloom init`` ends for somebody at a terminal who answers each question."""
    person, terminal = pty.openpty()
    process = subprocess.Popen(  # noqa: S603 - the command under test
        [COMMAND, "init"],
        cwd=stage.folder,
        env=stage.environment_of(),
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    seen = ""
    try:
        for question, answer in answers.items():
            while question not in seen or not seen.rstrip().endswith(":"):
                seen += os.read(person, 1024).decode()
            os.write(person, f"{answer}\n".encode())
            seen += "\n"
        out, _ = process.communicate(timeout=60)
        seen += os.read(person, 4096).decode()
    finally:
        process.kill()
        os.close(person)
    return stage.checked(Ended(code=process.returncode, out=out.decode(), errors=seen))


NAMES = st.sampled_from(["feedloom", "sources", "refiner_source", "other", "api_key", "to", "runtime"])
LEAVES = st.one_of(
    st.integers(-9, 9), st.booleans(), st.text("ab c#'", max_size=5), st.lists(st.integers(0, 9), max_size=2)
)
DOCUMENTS = st.recursive(LEAVES, lambda inner: st.dictionaries(NAMES, inner, max_size=4), max_leaves=12).filter(
    lambda made: isinstance(made, dict)
)
SECTION = ("sources", "refiner_source")


def is_open(document: Any, path: tuple[str, ...]) -> bool:
    """Whether a value can be put at *path* without taking another's place."""
    for part in path:
        if not isinstance(document, dict):
            return False
        document = document.get(part, {})
    return isinstance(document, dict)


@settings(max_examples=60, deadline=None)
@given(document=DOCUMENTS)
def test_whatever_the_files_hold_is_kept(document: dict[str, Any]) -> None:
    text = f"# mine\n{tomlkit.dumps(document)}\n# the end\n"
    with TemporaryDirectory() as folder, chdir(folder):
        Path(".dlt").mkdir()
        Path(".dlt/secrets.toml").write_text(text, encoding="utf-8")
        if not is_open(document, SECTION):
            with pytest.raises(Exception, match="has a value where the section"):
                write_project(REFINER, key="KEY", to="duckdb", base_url=None)
            assert Path(".dlt/secrets.toml").read_text(encoding="utf-8") == text
            assert not Path(".dlt/config.toml").exists()
            return

        write_project(REFINER, key="KEY", to="duckdb", base_url=None)

        written = Path(".dlt/secrets.toml").read_text(encoding="utf-8")
    place = document
    for part in SECTION:
        place = place.setdefault(part, {})
    place["api_key"] = "KEY"
    assert tomllib.loads(written) == document
    assert written.count("# mine") == written.count("# the end") == 1


def test_comments_order_and_links_of_the_files_are_kept(tmp_path: Path) -> None:
    (tmp_path / "kept.toml").write_text('# keys\n[sources.refiner_source]\napi_key = "old"  # mine\nstart = "x"\n')
    (tmp_path / ".gitignore").write_text(".dlt/secrets.toml\n*.tmp")
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt/secrets.toml").symlink_to(tmp_path / "kept.toml")

    with chdir(tmp_path):
        write_project(REFINER, key="new", to="duckdb", base_url=None)
        write_project(REFINER, key="new", to="duckdb", base_url=None)

    assert (tmp_path / ".dlt/secrets.toml").is_symlink()
    kept = (tmp_path / "kept.toml").read_text()
    assert kept == '# keys\n[sources.refiner_source]\napi_key = "new"  # mine\nstart = "x"\n'
    assert (tmp_path / ".gitignore").read_text() == ".dlt/secrets.toml\n*.tmp\n.feedloom/\n"
