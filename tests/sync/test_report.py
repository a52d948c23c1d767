"""What a sync says it did, for people and programs."""

from __future__ import annotations

import json

import pytest

from feedloom.errors import VendorError
from feedloom.sync.report import Report, TableReport, Verdict


def report(*tables: TableReport) -> Report:
    return Report(source="refiner", destination="duckdb:a.duckdb", dataset="refiner_data", tables=list(tables))


def test_rows_are_summed_without_histories_that_gain_one_at_every_run() -> None:
    made = report(
        TableReport(table="contacts", new=3, changed=1),
        TableReport(table="forms", new=2, changed=5),
        TableReport(table="account", new=1, history=True),
    )
    assert (made.new, made.changed) == (5, 6)


@pytest.mark.parametrize(
    ("verdict", "is_finding"),
    [
        ("matches", False),
        ("deleted at source", False),
        ("not checked", False),
        ("incomplete", False),
        ("more at source", True),
    ],
)
def test_a_finding_is_a_difference_that_nothing_explains(verdict: Verdict, *, is_finding: bool) -> None:
    made = report(TableReport(table="contacts", verdict=verdict, rows_checked=1000, source_rows=2500))
    assert made.findings == (["contacts: 1,000 rows here, 2,500 at the source"] if is_finding else [])


def test_the_failure_is_the_first_error_of_a_table() -> None:
    error = VendorError("forms came wrong", hint="report it")
    made = report(TableReport(table="contacts"), TableReport(table="forms", error=error), TableReport(table="segments"))
    assert made.failure is error
    assert report(TableReport(table="contacts")).failure is None


def test_a_report_is_plain_json_with_its_sums() -> None:
    error = VendorError("forms came wrong", hint="report it")
    made = report(
        TableReport(table="contacts", new=3, notes=["one"], verdict="more at source", rows_checked=1, source_rows=2),
        TableReport(table="forms", verdict="failed", error=error),
    )
    document = json.loads(json.dumps(made.as_dict()))
    assert document["new"] == 3
    assert document["findings"] == ["contacts: 1 rows here, 2 at the source"]
    assert document["interrupted"] is False
    assert document["tables"][0]["notes"] == ["one"]
    assert document["tables"][0]["error"] is None
    assert document["tables"][1]["error"] == {"code": error.code, "message": "forms came wrong"}


def test_reports_do_not_share_their_lists() -> None:
    TableReport(table="contacts").notes.append("one")
    assert TableReport(table="forms").notes == []
