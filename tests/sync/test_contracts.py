"""What becomes of new and re-typed fields under each contract: of ``feedloom sync``, and of dlt's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline

from feedloom.errors import ContractError
from feedloom.sources import active, refiner_source
from feedloom.sync.failures import explain
from feedloom.sync.jobs import Job
from feedloom.sync.report import Report
from feedloom.sync.run import run
from sources.fakes import KEY, FakeRefiner, ask, contact, response
from sync.contracted import job_of

STRANGE: dict[str, tuple[dict[str, Any], str]] = {
    "new": ({"mood": 5}, "its column mood (bigint) is new"),
    "typed": ({"extra": "many"}, "its column extra is bigint, and text here"),
    "list": ({"kids": [{"x": 1}]}, "its list responses__kids is new"),
    "inside": ({"tags": [{"name": "a"}]}, "its column responses__tags.name (text) is new"),
}


def error_of(report: Report, table: str) -> ContractError | None:
    [error] = [row.error for row in report.tables if row.table == table]
    assert error is None or isinstance(error, ContractError)
    return error


def stored(job: Job) -> tuple[list[Any], list[Any]]:
    """Every row of the responses, and every column of every table of theirs."""
    columns = ask(
        job.pipeline,
        "select table_name, column_name, data_type from information_schema.columns "
        "where starts_with(table_name, 'responses') and not ends_with(table_schema, '_staging') order by all",
    )
    return ask(job.pipeline, "from responses order by uuid"), columns


@pytest.fixture
def api() -> FakeRefiner:
    rows = [
        response(f"r{number}", f"2026-03-01 0{number}:00:00", data={"nps": number}, extra=1, tags=["a"])
        for number in range(6)
    ]
    return FakeRefiner(lists={"/contacts": [contact("c1")], "/responses": rows})


def make_strange(api: FakeRefiner, names: Sequence[str]) -> None:
    for place, name in enumerate(names):
        api.lists["/responses"][place] |= STRANGE[name][0]


@pytest.mark.parametrize(
    ("engine", "names"),
    [
        ("arrow", ["typed"]),
        pytest.param("arrow", ["new", "list", "inside"], marks=pytest.mark.nightly),
        pytest.param("json", ["new", "list"], marks=pytest.mark.nightly),
    ],
)
def test_a_frozen_table_stays_as_it_is_and_says_why_while_others_go_on(
    engine: str, names: Sequence[str], api: FakeRefiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__REFINER_SOURCE__ENGINE", engine)
    run(job_of(api, "responses=freeze"))
    api.lists["/contacts"].append(contact("c2"))
    before = stored(job_of(api))
    first = dict(api.lists["/responses"][0])
    for name in names:
        api.lists["/responses"][0] = dict(first)
        make_strange(api, [name])
        job = job_of(api, "responses=freeze")
        report = run(job)
        error = error_of(report, "responses")
        assert error is not None
        assert STRANGE[name][1] in error.message
        assert "--contract responses=evolve" in error.hint
        assert error.exit_code == 1
        assert stored(job) == before
        assert [row.rows for row in report.tables] == [2, 6]
    api.lists["/responses"][0] = {**first, "extra": 2}
    job = job_of(api, "responses=freeze")
    assert error_of(run(job), "responses") is None
    assert ask(job.pipeline, "select extra from responses where uuid = 'r0'") == [(2,)]


def test_rows_that_break_a_contract_are_put_aside_and_come_when_it_is_lifted(api: FakeRefiner) -> None:
    run(job_of(api, only="responses"))
    api.lists["/responses"] += [
        response(f"n{number}", f"2026-03-01 0{number}:30:00", data={"nps": number, "new question": "yes"}, extra=1)
        for number in range(5)
    ]
    for place, name in enumerate(STRANGE, start=7):
        api.lists["/responses"][place] |= STRANGE[name][0]
    job = job_of(api, "responses=quarantine", only="responses")
    _, columns = stored(job)
    report = run(job)
    aside = ask(job.pipeline, "select row_key, reason from feedloom_quarantine order by 1")
    assert aside == [(f"n{number}", reason) for number, (_, reason) in enumerate(STRANGE.values(), start=1)]
    held = ask(job.pipeline, "select uuid from responses where uuid not like 'r%'")
    assert held == [("n0",)]
    assert report.findings == [
        "responses: 4 rows have new or re-typed fields; by its contract they are in feedloom_quarantine"
    ]
    assert [row.verdict for row in report.tables] == ["matches"]
    new = {column for _, column, _ in set(stored(job)[1]) - set(columns)}
    assert new == {"data__new_question"}  # a question is data
    job = job_of(api, only="responses", full=True)
    assert run(job).findings == []
    assert ask(job.pipeline, "select count(*), max(mood) from responses") == [(11, 5)]


def test_keys_of_open_maps_have_a_contract_of_their_own_and_described_fields_are_never_new(
    load: Callable[..., None], pipeline: Pipeline, api: FakeRefiner
) -> None:
    frozen = {"contacts": "freeze", "responses": "freeze"}
    load(api, "contacts", "responses", contracts=frozen, full=True)
    api.lists["/contacts"][0] |= {
        "first_seen_at": "2026-01-01T00:00:00Z",
        "segments": [{"uuid": "s1", "name": "All"}],
        "account": {"uuid": "a1", "domain": "example.com", "attributes": {"size": 3}},
        "attributes": {"plan": "free", "languages": ["de"]},
    }
    api.lists["/responses"][0]["data"] = {"nps": "nine", "why": "because"}
    load(api, "contacts", "responses", contracts=frozen, full=True)
    assert ask(pipeline, "select data__nps__v_text, data__why from responses where uuid = 'r0'") == [
        ("nine", "because")
    ]
    api.lists["/responses"][1]["data"] = {"another": [1]}
    with pytest.raises(PipelineStepFailed) as failed:
        load(api, "responses", contracts={**frozen, "responses.data": "freeze"}, full=True)
    error = explain(failed.value)
    assert isinstance(error, ContractError)
    assert "its list responses__data__another is new" in error.message
    assert "--contract responses.data=evolve" in error.hint


@pytest.mark.parametrize(
    ("mode", "left"),
    [
        ("freeze", None),
        pytest.param("discard_value", [("r0", 2, 0), ("r1", 2, None), ("r2", 2, 2)], marks=pytest.mark.nightly),
        ("discard_row", [("r0", 1, 0), ("r1", 1, 1), ("r2", 2, 2)]),
    ],
)
def test_a_contract_of_dlt_s_own_does_as_dlt_documents(
    mode: Any, left: Any, pipeline: Pipeline, api: FakeRefiner
) -> None:
    rows = api.lists["/responses"] = api.lists["/responses"][:3]

    def load(**settings: Any) -> None:
        with active(api.session()):
            pipeline.run(refiner_source(api_key=KEY).with_resources("responses"), **settings)

    load()
    for row in rows:
        row["extra"] = 2
    rows[0]["mood"] = 5
    rows[1]["data"] = {"nps": "nine"}
    if left is None:
        with pytest.raises(PipelineStepFailed, match="mood"):
            load(schema_contract=mode)
        left = [("r0", 1, 0), ("r1", 1, 1), ("r2", 1, 2)]
        assert not pipeline.has_pending_data
    else:
        load(schema_contract=mode)
    assert ask(pipeline, "select uuid, extra, data__nps from responses order by 1") == left
    assert "mood" not in pipeline.default_schema.tables["responses"]["columns"]
