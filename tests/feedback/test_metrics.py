"""Metrics over a loaded database say what the vendor's reports say, and what a plain loop over all rows finds."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import chdir, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dlt.dataset import Dataset

from feedloom.config import Setting
from feedloom.emulator import create_emulator, serve
from feedloom.errors import InputError
from feedloom.feedback import (
    Selection,
    answered_questions,
    count_of,
    csat_of,
    distribution_of,
    nps_of,
    ratings_of,
    read_rows,
    text_of,
)
from feedloom.feedback.metrics import CSAT_VALUES
from feedloom.feedback.selection import Include
from feedloom.http import Client, Key
from feedloom.sync.jobs import make_job
from feedloom.sync.run import run
from feedloom.vendors import VENDORS

REFINER = VENDORS["refiner"]
FROM, TO = datetime(2025, 12, 1, tzinfo=UTC), datetime(2026, 8, 15, 12, tzinfo=UTC)
KEY = "emulator-key-of-the-metrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A database, what it was loaded from, and the reports of that."""

    dataset: Dataset
    responses: list[dict[str, Any]]
    contacts: list[dict[str, Any]]
    tag: str
    report: Callable[[dict[str, Any]], dict[str, Any]]

    def one(self, metric: Callable[..., Any], selection: Selection) -> dict[str, Any]:
        """The one row of a metric."""
        [row] = read_rows(self.dataset, metric(self.dataset, selection))
        return row

    def form(self, name: str) -> str:
        """The uuid of a survey."""
        return next(str(row["form"]["uuid"]) for row in self.responses if row["form"]["name"] == name)

    def segments(self) -> list[str]:
        """Segments that somebody is in."""
        return sorted({segment["uuid"] for contact in self.contacts for segment in contact["segments"]})


@pytest.fixture(scope="module", params=["partials", "completed"])
def rule(request: pytest.FixtureRequest) -> Include:
    found: Include = request.param
    return found


@pytest.fixture(scope="module")
def loaded(rule: Include, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """Loaded from an emulator that counts by *rule*."""
    quirks = {"reported_responses": rule, "tags_on_read": "present", "limit_key": "0"}
    emulator = create_emulator("refiner", rows=400, seed=5, key=KEY, quirks=quirks)
    with (
        pytest.MonkeyPatch.context() as patch,
        closing(emulator),
        serve(emulator) as url,
        chdir(tmp_path_factory.mktemp("metrics")),
        tempfile.TemporaryDirectory() as scratch,
    ):
        patch.setenv("DLT_DATA_DIR", scratch)
        job = make_job(REFINER, only="responses,contacts", base_url=url, key=Setting(KEY, "the test"))
        assert run(job).failure is None

        async def ask(name: str, params: dict[str, Any]) -> Any:
            async with Client(REFINER, Key(KEY, "the test"), base_url=url) as client:
                if name == "get_reporting":
                    return (await client.call(REFINER.endpoint(name), params)).content
                return [row async for page in client.pages(REFINER.endpoint(name), params) for row in page.rows]

        looking = make_job(REFINER, base_url=url, key=Setting(KEY, "the test"), scratch=Path(scratch)).pipeline
        looking.sync_destination()
        yield Loaded(
            dataset=looking.dataset(),
            responses=emulator.control.every_response(),
            contacts=asyncio.run(ask("list_contacts", {})),
            tag=emulator.control.tag_uuid("bug"),
            report=lambda params: asyncio.run(ask("get_reporting", params)),
        )


def params_of(kind: str, selection: Selection, loaded: Loaded) -> dict[str, Any]:
    """The report that asks for a selection."""
    given = {
        "form_uuids": list(selection.forms),
        "question_identifiers": list(selection.questions),
        "segment_uuids": list(selection.segments),
        "tag_uuids": [loaded.tag] if selection.tags else [],
    }
    return {
        "type": kind,
        "date_range_start": selection.start,
        "date_range_end": selection.end,
        **{name: value for name, value in given.items() if value},
    }


def selections(loaded: Loaded, rule: Include, question: str) -> list[Selection]:
    """A question by survey, segment, tag and time."""
    wide: dict[str, Any] = {"start": datetime(2020, 1, 1, tzinfo=UTC), "end": datetime(2027, 1, 1, tzinfo=UTC)}
    common: dict[str, Any] = {"questions": (question,), "include": rule}
    return [
        Selection(**common, **wide),
        Selection(**common, start=FROM, end=TO),
        Selection(**common, **wide, forms=(loaded.form("Quarterly NPS"),)),
        Selection(**common, **wide, segments=tuple(loaded.segments()[:2])),
        Selection(**common, **wide, tags=("bug",)),
    ]


def test_nps(loaded: Loaded, rule: Include) -> None:
    for selection in selections(loaded, rule, "nps"):
        report = loaded.report(params_of("nps", selection, loaded))
        assert loaded.one(nps_of, selection) == {**report["data"], "count": report["count"]}


def test_csat(loaded: Loaded, rule: Include) -> None:
    for selection in selections(loaded, rule, "csat"):
        report = loaded.report(params_of("csat", selection, loaded))
        found = loaded.one(csat_of, selection)
        assert {name: found[name] for name in (*CSAT_VALUES, "count")} == {**report["data"], "count": report["count"]}
        assert found["satisfied_count"] == report["data"]["satisfied"] + report["data"]["very_satisfied"]


def test_ratings(loaded: Loaded, rule: Include) -> None:
    for selection in selections(loaded, rule, "ces"):
        report = loaded.report(params_of("ratings", selection, loaded))
        found = loaded.one(ratings_of, selection)
        assert (found["count"], found["sum"]) == (report["count"], report["sum"])
        average = found["average"]
        assert report["average"] == (None if average is None else pytest.approx(average, abs=0.005))


@pytest.mark.parametrize("question", ["wanted_features", "onboarding_help", "nps"])
def test_distribution(loaded: Loaded, rule: Include, question: str) -> None:
    for selection in selections(loaded, rule, question):
        report = loaded.report(params_of("distribution", selection, loaded))
        rows = read_rows(loaded.dataset, distribution_of(loaded.dataset, selection))
        assert {row["value"]: row["datapoints"] for row in rows} == report["data"]


def test_count(loaded: Loaded, rule: Include) -> None:
    for selection in selections(loaded, rule, ""):
        plain = Selection(
            forms=selection.forms,
            segments=selection.segments,
            tags=selection.tags,
            start=selection.start,
            end=selection.end,
            include=rule,
        )
        report = loaded.report(params_of("count", plain, loaded))
        assert loaded.one(count_of, plain) == {"responses": report["responses"], "views": report["views"]}


def test_a_plain_loop_finds_the_same_scores(loaded: Loaded, rule: Include) -> None:
    scores: Counter[tuple[str, int]] = Counter()
    for row in loaded.responses:
        finished = row["completed_at"] is not None or rule == "partials"
        if finished and row["last_data_reception_at"] and "nps" in row["data"]:
            scores[row["form"]["uuid"], int(row["data"]["nps"])] += 1
    rows = read_rows(loaded.dataset, nps_of(loaded.dataset, Selection(questions=("nps",), include=rule), by=("form",)))
    assert {row["form"]: row["promoters"] for row in rows} == {
        form: sum(number for (one, score), number in scores.items() if one == form and score >= 9) for form, _ in scores
    }
    assert sum(row["count"] for row in rows) == scores.total()


def test_responses_can_be_left_out(loaded: Loaded, rule: Include) -> None:
    everything = loaded.one(count_of, Selection(include=rule))
    left_out = tuple(row["uuid"] for row in loaded.responses[:7])
    assert loaded.one(count_of, Selection(include=rule, without=left_out))["views"] == everything["views"] - 7


def test_questions_are_described_by_their_answers(loaded: Loaded) -> None:
    rows = read_rows(loaded.dataset, answered_questions(loaded.dataset, Selection()))
    found = {(row["form"], row["question"]): row for row in rows}
    nps = found[loaded.form("Quarterly NPS"), "nps"]
    assert (nps["lowest"] >= 0, nps["highest"], nps["others"]) == (True, 10, 0)
    assert nps["scores"] == nps["datapoints"] == nps["responses"]


def test_a_table_that_is_not_loaded_is_named(loaded: Loaded) -> None:
    del loaded
    with pytest.raises(InputError, match="responses is not loaded yet"):
        nps_of(_Empty(), Selection())  # type: ignore[arg-type] # all that is looked at


class _Empty:
    tables: tuple[str, ...] = ()


def test_the_sql_that_is_shown_gives_the_same_rows(loaded: Loaded, rule: Include) -> None:
    for metric, question in (
        (nps_of, "nps"),
        (ratings_of, "ces"),
        (distribution_of, "wanted_features"),
        (count_of, ""),
    ):
        for selection in selections(loaded, rule, question):
            expression = metric(loaded.dataset, selection)
            text = text_of(loaded.dataset, expression)
            assert text.startswith("SELECT")
            with duckdb.connect("feedloom.duckdb", config={"access_mode": "read_only"}) as connection:
                shown = connection.execute(text).fetchall()
            assert shown == [tuple(row.values()) for row in read_rows(loaded.dataset, expression)]
