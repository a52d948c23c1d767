"""Whatever a person gets wrong, or the machine under them: one text, what to do now, and nothing left behind."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

from cli.stage import API_KEY, BASE_URL, COMMAND, Ended, Here, Served, Stage, own_mounts

WRONG_USE, KEY, UNREACHABLE, DATABASE = 2, 4, 5, 6
LONGEST_WAIT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One mistake, what the command says to it, and how it ends.

    Attributes:
        arguments: What was typed.
        exit_code: The cause, for programs.
        code: The error's identifier.
        says: Words of its message.
        helps: Words of what to do now.
        environment: Settings on top of a working address and key.
        files: Files that are there before.
    """

    arguments: Sequence[str]
    exit_code: int
    code: str
    says: str
    helps: str
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


CONFIG, SECRETS = ".dlt/config.toml", ".dlt/secrets.toml"
POSTGRES = "DESTINATION__POSTGRES__CREDENTIALS"
SYNC = ("sync", "refiner")

MISTAKES: Mapping[str, Wrong] = {
    "a key that is too short": Wrong(
        arguments=SYNC,
        environment={API_KEY: "zq7x"},
        exit_code=KEY,
        code="FL400",
        says="too short to be a key",
        helps="Integrations > Rest API in Refiner",
    ),
    "a key of the wrong shape": Wrong(
        arguments=SYNC,
        environment={API_KEY: "zq7x!zq7x!zq7x!zq7x!zq7x!zq7x!"},
        exit_code=KEY,
        code="FL400",
        says="not written like a key of Refiner",
        helps="Find a working key",
    ),
    "a key nobody has": Wrong(
        arguments=SYNC,
        environment={API_KEY: "zq7x0000000000000000000000000000"},
        exit_code=KEY,
        code="FL400",
        says="no environment of Refiner has it",
        helps="put it in place of that one",
    ),
    "a key with a line break": Wrong(
        arguments=("check", "refiner"),
        environment={API_KEY: "zq7x00000000000000000000\nzq7x0000"},
        exit_code=KEY,
        code="FL400",
        says="a line break",
        helps="Copy the key again",
    ),
    "no key": Wrong(
        arguments=SYNC,
        environment={API_KEY: ""},
        exit_code=KEY,
        code="FL401",
        says="no Refiner key was found",
        helps="SOURCES__REFINER_SOURCE__API_KEY",
    ),
    "a table that is not there": Wrong(
        arguments=(*SYNC, "--only", "forms,respones"),
        exit_code=WRONG_USE,
        code="FL230",
        says="no table 'respones'",
        helps="contacts, forms, responses",
    ),
    "a source that is not there": Wrong(
        arguments=("sync", "refinr"), exit_code=WRONG_USE, code="FL202", says="'refinr'", helps="did you mean refiner?"
    ),
    "a start after the end": Wrong(
        arguments=(*SYNC, "--start", "2026-02-01T00:00:00Z", "--end", "2026-01-01T00:00:00Z"),
        exit_code=WRONG_USE,
        code="FL211",
        says="is not before end",
        helps="swap them",
    ),
    "a date without a time zone": Wrong(
        arguments=(*SYNC, "--start", "2026-01-01T08:00:00"),
        exit_code=WRONG_USE,
        code="FL210",
        says="start has no time zone",
        helps="write 2026-01-01T08:00:00Z for UTC",
    ),
    "a date that is none": Wrong(
        arguments=(*SYNC, "--end", "yesterday"),
        exit_code=WRONG_USE,
        code="FL212",
        says="end is no date: 'yesterday'",
        helps="2026-01-31T00:00:00Z",
    ),
    "a start in the future": Wrong(
        arguments=(*SYNC, "--start", "2999-01-01T00:00:00Z"),
        exit_code=WRONG_USE,
        code="FL217",
        says="lies in the future",
        helps="a moment that has passed",
    ),
    "a destination that is not there": Wrong(
        arguments=(*SYNC, "--to", "nosuch"),
        exit_code=WRONG_USE,
        code="FL220",
        says="no destination is called 'nosuch'",
        helps="duckdb, duckdb:<file>, postgres",
    ),
    "a destination without settings": Wrong(
        arguments=(*SYNC, "--to", "postgres"),
        exit_code=WRONG_USE,
        code="FL221",
        says="settings of the destination postgres are missing: database, password, username, host",
        helps="[destination.postgres.credentials]",
    ),
    "a database server that is away": Wrong(
        arguments=(*SYNC, "--to", "postgres"),
        environment={POSTGRES: "postgresql://me:zq7x@127.0.0.1:9/none"},
        exit_code=DATABASE,
        code="FL605",
        says="can't be reached",
        helps="host and port",
    ),
    "credentials that are none": Wrong(
        arguments=("check", "refiner", "--to", "postgres"),
        environment={POSTGRES: "zq7x"},
        exit_code=WRONG_USE,
        code="FL216",
        says="can't be read",
        helps="postgresql://user:password@host",
    ),
    "a destination whose package is not installed": Wrong(
        arguments=(*SYNC, "--to", "weaviate"),
        exit_code=WRONG_USE,
        code="FL222",
        says="needs a package that is not installed",
        helps="pip install 'dlt[weaviate]'",
    ),
    "a database in memory": Wrong(
        arguments=(*SYNC, "--to", "duckdb::memory:"),
        exit_code=WRONG_USE,
        code="FL220",
        says="names no file",
        helps="duckdb:feedloom.duckdb",
    ),
    "a database in a folder that is not there": Wrong(
        arguments=(*SYNC, "--to", "duckdb:nosuch/feedloom.duckdb"),
        exit_code=DATABASE,
        code="FL602",
        says="does not exist: nosuch",
        helps="mkdir -p nosuch",
    ),
    "a database that is a folder": Wrong(
        arguments=(*SYNC, "--to", "duckdb:."),
        exit_code=DATABASE,
        code="FL603",
        says="is a folder",
        helps="name a file in it",
    ),
    "a file that is no database, to sync into": Wrong(
        arguments=SYNC,
        files={"feedloom.duckdb": "Dear diary,\n" * 1000},
        exit_code=DATABASE,
        code="FL604",
        says="no DuckDB database",
        helps="--to duckdb:<file>",
    ),
    "a file that is no database, to query": Wrong(
        arguments=("query", "select 1"),
        files={"feedloom.duckdb": "Dear diary,\n"},
        exit_code=DATABASE,
        code="FL604",
        says="no DuckDB database",
        helps="--to duckdb:<file>",
    ),
    "no database yet": Wrong(
        arguments=("status",),
        exit_code=DATABASE,
        code="FL607",
        says="there is no database feedloom.duckdb yet",
        helps="feedloom sync refiner",
    ),
    "an option that is not there": Wrong(
        arguments=(*SYNC, "--onyl", "forms"),
        exit_code=WRONG_USE,
        code="FL201",
        says="'--only'",
        helps="`feedloom sync --help`",
    ),
    "a command that is not there": Wrong(
        arguments=("snyc", "refiner"),
        exit_code=WRONG_USE,
        code="FL202",
        says="no command 'snyc'",
        helps="did you mean sync?",
    ),
    "a command of the emulator that is not there": Wrong(
        arguments=("emulator", "strat"),
        exit_code=WRONG_USE,
        code="FL202",
        says="feedloom emulator has no command 'strat'",
        helps="did you mean start?",
    ),
    "no source": Wrong(
        arguments=("sync",),
        exit_code=WRONG_USE,
        code="FL201",
        says="Choose from: refiner",
        helps="`feedloom sync --help`",
    ),
    "secrets that are no TOML": Wrong(
        arguments=SYNC,
        environment={API_KEY: ""},
        files={SECRETS: '[sources.refiner_source]\napi_key = "zq7x0000000000000000000000000000\n'},
        exit_code=WRONG_USE,
        code="FL218",
        says=".dlt/secrets.toml is no valid TOML",
        helps="correct that line",
    ),
    "a key that is a number": Wrong(
        arguments=SYNC,
        environment={API_KEY: ""},
        files={SECRETS: "[sources.refiner_source]\napi_key = 77117711\n"},
        exit_code=WRONG_USE,
        code="FL216",
        says="api_key has to be a text, not a number",
        helps="double quotes",
    ),
    "a database that is a number": Wrong(
        arguments=SYNC,
        files={CONFIG: "[feedloom]\nto = 5\n"},
        exit_code=WRONG_USE,
        code="FL216",
        says="to has to be a text, not a number",
        helps="double quotes",
    ),
    "a look-back that is no number": Wrong(
        arguments=SYNC,
        files={CONFIG: '[sources.refiner_source]\nlook_back_hours = "a day"\n'},
        exit_code=WRONG_USE,
        code="FL216",
        says="look_back_hours has a value of the wrong kind",
        helps="a number",
    ),
    "a negative look-back": Wrong(
        arguments=SYNC,
        files={CONFIG: "[sources.refiner_source]\nlook_back_hours = -1\n"},
        exit_code=WRONG_USE,
        code="FL213",
        says="look_back_hours is negative",
        helps="0 or more",
    ),
    "a contract for a table that is not there": Wrong(
        arguments=(*SYNC, "--contract", "answers=freeze"),
        exit_code=WRONG_USE,
        code="FL230",
        says="no table 'answers', for which a contract is set",
        helps="responses",
    ),
    "a contract that there is none of": Wrong(
        arguments=SYNC,
        files={CONFIG: '[sources.refiner_source.contracts]\nresponses = "melt"\n'},
        exit_code=WRONG_USE,
        code="FL234",
        says="no contract 'melt', which responses is given",
        helps="evolve, freeze or quarantine",
    ),
    "a contract for an open map that is not there": Wrong(
        arguments=(*SYNC, "--contract", "responses.form=freeze"),
        exit_code=WRONG_USE,
        code="FL235",
        says="no open map 'form'",
        helps="responses.data",
    ),
    "a contract without a table": Wrong(
        arguments=(*SYNC, "--contract", "freeze"),
        exit_code=WRONG_USE,
        code="FL234",
        says="'freeze' is no contract",
        helps="responses=freeze",
    ),
    "contracts that are no section": Wrong(
        arguments=SYNC,
        files={CONFIG: '[sources.refiner_source]\ncontracts = "freeze"\n'},
        exit_code=WRONG_USE,
        code="FL234",
        says="contracts is no section",
        helps="[sources.refiner_source.contracts]",
    ),
    "an address without http": Wrong(
        arguments=(*SYNC, "--base-url", "api.refiner.io/v1"),
        exit_code=WRONG_USE,
        code="FL200",
        says="'api.refiner.io/v1' is not an address",
        helps="https://",
    ),
    "an address with a password": Wrong(
        arguments=(*SYNC, "--base-url", "http://me:zq7x0000000000000000000000000000@localhost/v1"),
        exit_code=WRONG_USE,
        code="FL200",
        says="user name or password",
        helps="https://",
    ),
    "a path that is not the API": Wrong(
        arguments=(*SYNC, "--base-url", "{url}/nothing"),
        exit_code=1,
        code="FL310",
        says="status 404",
        helps="Check",
    ),
    "init without a terminal": Wrong(
        arguments=("init",), exit_code=WRONG_USE, code="FL245", says="no terminal", helps="give --source"
    ),
    "init with a variable that is not there": Wrong(
        arguments=("init", "--source", "refiner", "--key", "env:NOT_THERE", "--to", "duckdb"),
        exit_code=WRONG_USE,
        code="FL244",
        says="no NOT_THERE",
        helps="export NOT_THERE",
    ),
    "a demo in a folder with a project": Wrong(
        arguments=("demo",),
        files={SECRETS: "[sources.refiner_source]\n"},
        exit_code=WRONG_USE,
        code="FL246",
        says="a project of its own",
        helps="an empty folder",
    ),
    "a demo into a database that is not its own": Wrong(
        arguments=("demo",),
        files={"feedloom.duckdb": "Dear diary,\n"},
        exit_code=WRONG_USE,
        code="FL246",
        says="not made by the demo",
        helps="an empty folder",
    ),
    "an emulator with a quirk without a value": Wrong(
        arguments=("emulator", "start", "refiner", "--quirk", "lenient"),
        exit_code=WRONG_USE,
        code="FL240",
        says="has no value",
        helps="--quirk lenient=VALUE",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_text_and_leaves_the_folder_as_it_was(
    mistake: str, stage: Stage, refiner: Served, here: Here
) -> None:
    wrong = MISTAKES[mistake]
    for name, text in wrong.files.items():
        (stage.folder / name).parent.mkdir(exist_ok=True)
        (stage.folder / name).write_text(text, encoding="utf-8")
    stage.secrets.extend(["zq7x", "77117711"])
    before = stage.files()

    arguments = [part.format(url=refiner.url) for part in wrong.arguments]
    ended = here(stage, *arguments, environment=wrong.environment)

    expect(ended, exit_code=wrong.exit_code, code=wrong.code, says=wrong.says, helps=wrong.helps)
    assert stage.files() == before
    assert {path.name for path in stage.folder.iterdir()} == {Path(name).parts[0] for name in wrong.files}


def expect(ended: Ended, *, exit_code: int, code: str, says: str, helps: str) -> None:
    """One error in the one shape, and nothing as result."""
    assert ended.code == exit_code, ended.said
    assert ended.out == ""
    assert ended.errors.count("error[") == 1
    head, *middle, tail = ended.errors[ended.errors.index("error[") :].splitlines()
    assert head.startswith(f"error[{code}]: ")
    assert says in head
    assert all(line.startswith("  at ") for line in middle)
    assert tail.startswith("help: ")
    assert helps in tail


def test_with_json_an_error_is_one_object_on_stdout(stage: Stage) -> None:
    ended = stage.run("sync", "refiner", "--json", "--only", "nothing")

    assert ended.code == WRONG_USE
    assert set(ended.document) == {"error"}
    assert set(ended.document["error"]) == {"code", "message", "help", "retryable", "retry_after_s", "where"}
    assert ended.document["error"]["code"] == "FL230"
    assert ended.document["error"]["retryable"] is False
    assert ended.errors == ""


@pytest.mark.parametrize(
    "arguments", [("query", "--format", "json", "selct"), ("sync", "--nope", "--json"), ("--json",)]
)
def test_an_error_is_json_wherever_json_was_asked_for(arguments: Sequence[str], loaded: Stage) -> None:
    ended = loaded.run(*arguments)

    assert ended.code == WRONG_USE
    assert ended.document["error"]["message"]


@pytest.mark.parametrize(
    ("address", "reason"), [("http://127.0.0.1:{closed}/v1", "no connection"), ("http://nohost.invalid/v1", "nohost")]
)
def test_an_unreachable_source_is_told_soon_and_with_the_reason(address: str, reason: str, stage: Stage) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        closed = taken.getsockname()[1]
    started_s = time.monotonic()

    ended = stage.run("sync", "refiner", environment={BASE_URL: address.format(closed=closed)})

    expect(ended, exit_code=UNREACHABLE, code="FL501", says=reason, helps="Check the network")
    assert time.monotonic() - started_s < LONGEST_WAIT_S
    assert not stage.files()


def test_a_database_that_another_program_holds_is_named_with_that_program(stage: Stage) -> None:
    duckdb.connect(str(stage.database)).close()
    with holder(stage.database) as process:
        commands = [("sync", "refiner"), ("check", "refiner"), ("query", "select 1")]
        for arguments in commands:
            ended = stage.run(*arguments)
            expect(ended, exit_code=DATABASE, code="FL601", says=f"(process {process})", helps="close that program")

    assert stage.run("check", "refiner").code == 0


@contextmanager
def holder(database: Path) -> Iterator[int]:
    """Another program with *database* open for writing; yields its process id."""
    program = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(  # noqa: S603 - a fixed program
        [sys.executable, "-c", program, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process.pid
        assert process.stdin is not None
        process.stdin.close()


def test_a_read_only_folder_is_refused_before_anything_is_asked(stage: Stage, refiner: Served) -> None:
    asked = refiner.emulator.requests.total

    ended = in_mount(stage, "ro", f"{COMMAND} sync refiner")

    expect(ended, exit_code=DATABASE, code="FL603", says="can't be written", helps="--to")
    assert refiner.emulator.requests.total == asked


def test_a_full_disk_is_told_and_once_there_is_room_the_next_sync_completes(stage: Stage) -> None:
    sync = f"{COMMAND} sync refiner --quiet --json --only contacts,forms"
    states = f"{COMMAND} status --json"
    room = "mount -o remount,size=64m ."

    ended = in_mount(stage, "size=2m", f"{sync} || echo $?; echo @; {states}; {room}; echo @; {sync}; echo @; {states}")

    failure, between, report, after = (part.strip() for part in ended.out.split("@"))
    *document, exit_code = failure.splitlines()
    assert int(exit_code) == DATABASE
    assert json.loads("".join(document))["error"]["code"] == "FL606"
    assert json.loads(report)["findings"] == []
    complete = {row["table"]: row["rows"] for row in json.loads(after)["tables"]}
    assert set(complete) == {"contacts", "forms"}
    assert all(row["rows"] in (0, complete[row["table"]]) for row in json.loads(between)["tables"])
    assert ended.errors == ""


def in_mount(stage: Stage, options: str, script: str) -> Ended:
    """How *script* ends in a memory file system mounted with *options* on the stage's folder, for itself alone."""
    lines = f"mount -t tmpfs -o {options} none '{stage.folder}' && cd '{stage.folder}' && {{ {script}; }}"
    return stage.run_program([*own_mounts(), "sh", "-c", lines])
