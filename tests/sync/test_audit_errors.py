"""A vendor that answers one table wrongly spoils the audit of that table alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2

from feedloom.audit.run import run_audit
from feedloom.errors import VendorError
from feedloom.sync.jobs import Job
from feedloom.vendors import VENDORS
from sources.fakes import FakeRefiner, contact

TABLES = ("contacts", "segments")


def test_a_list_without_its_rows_is_an_error_of_its_table(
    load: Callable[..., None], job: Callable[[FakeRefiner], Job]
) -> None:
    api = FakeRefiner(lists={"/contacts": [contact("c1")], "/segments": [{"uuid": "s1", "name": "All"}]})
    load(api, *TABLES)
    made = job(api)
    made.tables = [VENDORS["refiner"].table(name) for name in TABLES]

    def answer(path: str, _params: Any) -> httpx2.Response | None:
        return httpx2.Response(200, json={"pagination": {}}) if path.endswith("/contacts") else None

    api.answer = answer
    found = run_audit(made)

    assert [(table, type(error)) for table, error in found.errors] == [("contacts", VendorError)]
    assert {(check.table, check.verdict) for check in found.checks} == {("segments", "matches")}
