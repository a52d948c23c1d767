"""Which changes of fields are told, when, and how often."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedloom.sync import ledger, repair
from feedloom.sync.drift import EXPECTED, Fill, filled_again
from feedloom.sync.jobs import Job
from feedloom.sync.report import Report
from feedloom.sync.run import run
from sources.fakes import FakeRefiner, ask, contact, response
from sync.contracted import job_of

TOLD = "select table_name, column_name, kind, old_type, new_type from feedloom_schema_changes order by all"


def load(filled: list[tuple[int, int]], *, whole: bool = False) -> list[str | None]:
    """What is told of a field after each load, of some rows of which some have a value."""
    fill: Fill | None = None
    told: list[str | None] = []
    before = 0
    for rows, values in filled:
        fill, kind = filled_again(fill, rows=rows, values=values, new=rows, whole=whole, before=before)
        before += rows
        told.append(kind)
    return told


def test_a_field_has_vanished_when_twenty_values_were_to_be_expected_and_is_told_of_once() -> None:
    assert load([(1000, 500), (39, 0), (1, 0), (500, 0), (10, 1), (5, 0)]) == [
        None, None, "no values", None, "values again", None,
    ]  # fmt: skip
    assert load([(1000, 19), (100_000, 0)]) == [None, None], "too rare to tell"
    assert load([(3, 3), *[(1, 0)] * 50]) == [None] * 51, "too little is known"


def test_a_list_that_comes_whole_is_held_against_the_one_before() -> None:
    assert load([(12, 12), (12, 0), (12, 0), (12, 1)], whole=True) == [None, "no values", None, "values again"]
    assert load([(12, 4), (12, 0)], whole=True) == [None, None]
    assert load([(12, 12), (2, 0)], whole=True) == [None, None], "the list is shorter than the doubt"


@given(
    share=st.floats(0.05, 1.0),
    sizes=st.lists(st.integers(1, 400), max_size=12),
    way=st.sampled_from(["whole", "windows"]),
)
def test_a_field_that_goes_on_as_before_never_alarms(share: float, sizes: list[int], way: str) -> None:
    steady = [(rows, max(1, int(rows * share))) for rows in sizes]
    assert set(load(steady, whole=way == "whole")) <= {None}
    quiet = [(rows, 0) for rows in sizes if rows * share < EXPECTED / len(sizes)]
    assert set(load([(10_000, int(10_000 * share)), *quiet])) <= {None}


def sync(api: FakeRefiner, *, days: int = 1) -> tuple[Job, Report]:
    job = job_of(api, days=days)
    return job, run(job)


def test_what_changed_is_told_once_in_the_report_and_the_ledger_and_the_first_load_is_no_news(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    people = [contact(f"c{number}", plan="free") | {"lang": "de"} for number in range(6)]
    rows = [response(f"r{n}", "2026-03-01 20:00:00", data={"nps": n}, extra=1, mood="x") for n in range(25)]
    api = FakeRefiner(lists={"/contacts": people, "/responses": rows})
    job, report = sync(api)
    assert [row.schema_changes for row in report.tables] == [[], []]
    for person in people:
        del person["lang"]
        person["segments"] = [{"uuid": "s1"}]
    rows += [response(f"n{n}", "2026-03-04 20:00:00", data={"why": "x"}, extra="z", kids=[{"a": 1}]) for n in range(25)]
    monkeypatch.setattr(FakeRefiner, "_page", _with_another_list(FakeRefiner._page))
    for place, name in ((ledger, "keep"), (repair, "stale_copies")):  # at the end, and when the first table is loaded
        with monkeypatch.context() as patch:
            patch.setattr(place, name, _killed)
            with pytest.raises(KeyboardInterrupt):
                sync(api, days=4)
        assert "feedloom_schema_changes" not in job.pipeline.default_schema.tables
    job, report = sync(api, days=4)
    told = ask(job.pipeline, TOLD)
    assert told == [
        ("contacts", "archived", "unknown list", None, None),
        ("contacts", "lang", "no values", "text", None),
        ("contacts__segments", None, "new list", None, None),
        ("responses", "archived", "unknown list", None, None),
        ("responses", "data__why", "new column", None, "text"),
        ("responses", "extra", "new type", "bigint", "text"),
        ("responses__kids", None, "new list", None, None),
    ]
    assert sum(len(row.schema_changes) for row in report.tables) == len(told)
    assert report.findings == []
    rows += [response(f"o{n}", "2026-03-08 20:00:00", extra="z", kids=[{"a": 1}]) for n in range(25)]
    job, report = sync(api, days=8)
    assert [change.column for row in report.tables for change in row.schema_changes] == ["mood"]
    assert ask(job.pipeline, "select count(*) from feedloom_schema_changes") == [(8,)]


def _killed(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def _with_another_list(page: Any) -> Any:
    def answered(self: FakeRefiner, rows: Any, params: Any) -> Any:
        answer = page(self, rows, params)
        return type(answer)(200, json={"archived": [], **answer.json()})

    return answered
