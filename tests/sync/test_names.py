"""A sync tells of keys that got a column with a suffix, once, whichever engine shaped them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedloom.config import Setting
from feedloom.http import Client, Key
from feedloom.sync.jobs import Job, make_job
from feedloom.sync.run import run
from feedloom.vendors import VENDORS
from sources.fakes import KEY, NOW, FakeRefiner, ask, contact

REFINER = VENDORS["refiner"]


def job_of(api: FakeRefiner, days: int) -> Job:
    job = make_job(REFINER, only="contacts", key=Setting(KEY, "the test"))
    job.session.transport = api.transport
    job.session.now = NOW + timedelta(days=days)
    job.client = lambda: Client(REFINER, Key(KEY, "the test"), transport=api.transport())
    return job


@pytest.mark.parametrize("engine", ["arrow", "json"])
def test_the_report_says_once_that_keys_would_share_a_column(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__REFINER_SOURCE__ENGINE", engine)
    api = FakeRefiner(lists={"/contacts": [contact("c1", userName=1, user_name=2, ключ="a", plan="pro")]})
    notes = []
    for days in range(2):
        job = job_of(api, days)
        (table,) = run(job).tables
        notes.append(table.notes)
    assert notes == [
        ["2 new keys have a column with a suffix, as others would share it: feedloom_columns holds the names."],
        [],
    ]
    found = ask(job.pipeline, "select key, column_name from feedloom_columns where ends_with(key, 'e') or key = 'ключ'")
    assert len({column for _, column in found}) == len(found) == 3
