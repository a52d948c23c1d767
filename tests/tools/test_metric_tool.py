"""``warehouse_metric`` says what plain loops over the vendor's rows find, by each rule and group, and shows its SQL."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any, get_args

import dlt
import duckdb
import pytest

from feedloom.feedback import Selection, read_rows
from feedloom.feedback.measures import Measure, estimate, scale_of, tally
from feedloom.feedback.scores import Z
from feedloom.feedback.selection import Include
from feedloom.feedback.tally import By, Grouping, Repeats
from feedloom.sync.warehouse import Target, open_destination
from tools.bench import AUTUMN, Bench

FROM, TO = (datetime.fromisoformat(AUTUMN[name]) for name in ("start", "end"))
GOOD: Mapping[str, Callable[[int], bool]] = {
    "nps": lambda score: score >= 9,
    "csat": lambda score: score >= 1,
    "ces": lambda score: score >= 5,
}
BAD: Mapping[str, Callable[[int], bool]] = {
    "nps": lambda score: score <= 6,
    "csat": lambda _: False,
    "ces": lambda _: False,
}
Group = Callable[[dict[str, Any], datetime], list[Any]]


def moment_of(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def groups_of(by: By | None, contacts: Mapping[str, dict[str, Any]]) -> Group:
    """The groups that a response belongs to, by a loop."""
    match by:
        case None:
            return lambda _row, _at: [""]
        case "form":
            return lambda row, _at: [row["form"]["uuid"]]
        case "month":
            return lambda _row, at: [at.strftime("%Y-%m-01")]
        case "segment":
            return lambda row, _at: [one["uuid"] for one in contacts[row["contact"]["uuid"]]["segments"]] or [None]
        case _:
            return lambda row, _at: [contacts[row["contact"]["uuid"]]["attributes"].get("plan")]


def expected(
    responses: list[dict[str, Any]],
    group: Group,
    measure: Measure,
    *,
    include: str,
    repeats: str,
    start: datetime | None,
    end: datetime | None,
) -> dict[Any, dict[str, float]]:
    """Value, answers, persons and unfinished answers by group, by loops over rows."""
    answers: dict[Any, dict[str, list[tuple[datetime, str, int]]]] = defaultdict(lambda: defaultdict(list))
    unfinished: dict[Any, int] = defaultdict(int)
    is_score = measure in GOOD
    for row in responses:
        at = moment_of(row["last_shown_at" if measure == "response_rate" else "last_data_reception_at"])
        if at is None or (start and at < start) or (end and at >= end):
            continue
        if is_score and measure not in row["data"]:
            continue
        is_finished = row["completed_at"] is not None
        for one in group(row, at):
            if measure == "response_rate":
                is_answered = is_finished or (include == "partials" and row["last_data_reception_at"] is not None)
                answers[one][row["contact"]["uuid"]].append((at, row["uuid"], int(is_answered)))
            elif include == "completed" and not is_finished:
                unfinished[one] += 1
                answers[one].setdefault(row["contact"]["uuid"], [])
            else:
                score = int(row["data"][measure]) if is_score else int(is_finished)
                answers[one][row["contact"]["uuid"]].append((at, row["uuid"], score))
    found = {}
    for one, persons in answers.items():
        kept = [[max(theirs)] if repeats == "latest" and theirs else theirs for theirs in persons.values()]
        scores = [score for theirs in kept for _, _, score in theirs]
        good, bad = GOOD.get(measure, lambda score: score == 1), BAD.get(measure, lambda _: False)
        net = sum(map(good, scores)) - sum(map(bad, scores))
        value = 100 * net / len(scores) if scores else math.nan
        found[one] = {
            "value": len(scores) if measure == "counts" else value,
            "n": len(scores),
            "persons": sum(1 for theirs in kept if theirs),
            "unfinished": unfinished[one],
        }
    return found


@pytest.fixture
def rows(stocked: Bench) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stocked.played.refiner.control.every_response()
    return found


@pytest.fixture
def people(stocked: Bench) -> dict[str, dict[str, Any]]:
    """Contacts by uuid, from the vendor itself."""
    pages = stocked.walk("refiner_list_contacts", {"limit": 200, "fields": ["uuid", "attributes", "segments"]})
    return {contact["uuid"]: contact for page in pages for contact in page["items"]}


BYS: tuple[By | None, ...] = (None, "form", "month", "segment", "trait")
BY_DAY = {("nps", "month"), ("csat", "segment"), ("response_rate", "form")}


@pytest.mark.parametrize(
    ("measure", "by"),
    [
        pytest.param(measure, by, marks=[] if (measure, by) in BY_DAY else [pytest.mark.nightly])
        for measure, by in product(get_args(Measure), BYS)
    ],
)
def test_loops_over_all_rows_find_the_same(
    stocked: Bench,
    rows: list[dict[str, Any]],
    people: dict[str, dict[str, Any]],
    measure: Measure,
    by: By | None,
) -> None:
    assert stocked.folder.exists()
    is_score = measure in GOOD
    place = open_destination(Target("duckdb:feedloom.duckdb", "refiner_data"), read_only=True)
    dataset = dlt.dataset(place, "refiner_data")
    kinds: tuple[Repeats, ...] = ("latest", "all") if is_score else ("all",)
    rules: tuple[tuple[Include, datetime | None, datetime | None], ...] = (
        ("completed", None, None),
        ("partials", FROM, TO),
    )
    for (include, start, end), repeats in product(rules, kinds):
        questions = (measure,) if is_score else ()
        selection = Selection(questions=questions, include=include, start=start, end=end)
        grouping = None if by is None else Grouping(by=by, columns=("attributes__plan",))
        scale = scale_of(measure, None) if is_score else None
        tallied = tally(dataset, measure, selection, scale=scale, grouping=grouping, repeats=repeats)
        wanted = expected(rows, groups_of(by, people), measure, include=include, repeats=repeats, start=start, end=end)
        found = {row.get("group", ""): (row, estimate(measure, row)) for row in read_rows(dataset, tallied)}
        assert set(found) == set(wanted) | ({""} if by is None else set())
        for group, one in wanted.items():
            row, shown = found[group]
            assert (shown["n"], shown["persons"], row["unfinished"]) == (one["n"], one["persons"], one["unfinished"])
            if shown["value"] is not None:
                assert shown["value"] == pytest.approx(one["value"], abs=0.0501)
            assert (shown["value"] is None) == (measure != "counts" and one["persons"] < 5)


def test_the_tool_gives_value_interval_rule_and_the_sql_that_made_them(stocked: Bench) -> None:
    result = stocked.call("warehouse_metric", {"name": "nps"}, group_by="trait", trait="plan")
    n, value = result["n"], result["value"]
    shares = {name: result[name] / n for name in ("promoters", "detractors")}
    assert value == pytest.approx(100 * (shares["promoters"] - shares["detractors"]), abs=0.05)
    p, d = ((result[name] + 0.75) / (n + 3) for name in ("promoters", "detractors"))
    reach = Z * math.sqrt((p + d - (p - d) ** 2) / (n + 3))
    assert result["interval"] == pytest.approx([100 * (p - d - reach), 100 * (p - d + reach)], abs=0.06)
    assert "0 counts" in result["rule"]
    assert "latest answer per person" in result["rule"]
    assert result["left_out"]["unfinished"] > 0
    assert result["untrusted"] == ["group"]
    with duckdb.connect("feedloom.duckdb", read_only=True) as connection:
        shown = connection.execute(result["sql"]).fetchall()
    assert sorted(str(row[0]) for row in shown) == sorted(str(group["group"]) for group in result["groups"])
    small = [group for group in result["groups"] if group["persons"] < 5]
    assert all(group["value"] is group["interval"] is None and "too few" in group["sample"] for group in small)


def test_an_answer_that_does_not_fit_its_scale_is_told(stocked: Bench) -> None:
    result = stocked.call("warehouse_metric", {"name": "csat"}, questions=["nps"])
    assert result["left_out"]["outside the scale"] > 0
    assert result["verification"]["status"] == "unverified"
    short = stocked.call("warehouse_metric", {"name": "ces"}, questions=["rating_reports"])
    assert any("scale=5" in check for check in short["verification"]["checks"])
    assert stocked.call("warehouse_metric", {"name": "ces"}, questions=["rating_reports"], scale=5)["verification"][
        "status"
    ] == ("verified")


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": "nps", "questions": ["no such question"]},
        {"name": "nps", "scale": 5},
        {"name": "csat", "scale": 6},
        {"name": "counts", "questions": ["nps"]},
        {"name": "response_rate", "repeats": "latest"},
        {"name": "nps", "group_by": "trait"},
        {"name": "nps", "trait": "plan"},
        {"name": "nps", "group_by": "trait", "trait": "email"},
        {"name": "nps", "group_by": "trait", "trait": "no' or '1'='1"},
        {"name": "nps", "start": "2026-02-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"},
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_change(stocked: Bench, arguments: dict[str, Any]) -> None:
    error = stocked.refusal("warehouse_metric", arguments)
    assert error.code == "INPUT"
    assert error.next_step


def test_the_questions_that_could_be_meant_are_named(stocked: Bench) -> None:
    error = stocked.refusal("warehouse_metric", {"name": "nps"}, questions=["no such question"])
    assert {"nps", "rating_reports"} <= set(error.details["questions"])
    assert "nps_reason" not in error.details["questions"]


SAME: tuple[dict[str, Any], ...] = (
    {"name": "nps"},
    {"name": "nps", "group_by": "month", "repeats": "all"},
    {"name": "csat", "group_by": "segment"},
    {"name": "ces", "group_by": "trait", "trait": "plan", "include": "partials"},
    {"name": "response_rate", "group_by": "form", **AUTUMN},
    {"name": "counts", "group_by": "trait", "trait": "account.industry"},
)


@pytest.mark.nightly
def test_postgresql_says_the_same_as_duckdb(
    stocked: Bench, server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = {"FEEDLOOM__TO": "postgres", "DESTINATION__POSTGRES__CREDENTIALS": server}
    command = [sys.executable, "-m", "feedloom", "sync", "refiner", "--only", "contacts,forms,responses", "--quiet"]
    environment = {**os.environ, **place, "DLT_DATA_DIR": str(tmp_path / "dlt")}
    done = subprocess.run(  # noqa: S603 - the command under test
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    described = [column["name"] for column in stocked.call("warehouse_describe", table="contacts")["columns"]]
    here = [stocked.call("warehouse_metric", arguments) for arguments in SAME]
    for name, value in place.items():
        monkeypatch.setenv(name, value)
    for arguments, wanted in zip(SAME, here, strict=True):
        found = stocked.call("warehouse_metric", arguments)
        alike = ("value", "interval", "n", "persons", "left_out", "rule", "verification")
        assert {name: found.get(name) for name in alike} == {name: wanted.get(name) for name in alike}
        assert ordered(found.get("groups", [])) == ordered(wanted.get("groups", []))
    tables = {row["table"]: row["rows"] for row in stocked.call("warehouse_list_tables")["tables"]}
    assert tables["refiner_data.responses"] == 300
    columns = [column["name"] for column in stocked.call("warehouse_describe", table="contacts", sample=1)["columns"]]
    assert set(columns) == set(described)
    assert stocked.call("workspace_status")["database"]["state"] == "ready"


def ordered(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Servers sort nulls and letters differently."""
    return sorted(groups, key=lambda group: str(group["group"]))
