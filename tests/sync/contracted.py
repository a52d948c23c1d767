"""Syncs of a fake Refiner, under contracts and on later days."""

from __future__ import annotations

from datetime import timedelta

from feedloom.config import Setting
from feedloom.http import Client, Key
from feedloom.sync.jobs import Job, make_job
from feedloom.vendors import VENDORS
from sources.fakes import KEY, NOW, FakeRefiner

REFINER = VENDORS["refiner"]


def job_of(
    api: FakeRefiner, *contracts: str, only: str = "contacts,responses", full: bool = False, days: int = 0
) -> Job:
    """A sync that asks *api*, under *contracts*, some *days* after ``NOW``."""
    job = make_job(REFINER, only=only, full=full, contracts=contracts, key=Setting(KEY, "the test"))
    job.session.transport = api.transport
    job.session.now = NOW + timedelta(days=days)
    job.client = lambda: Client(REFINER, Key(KEY, "the test"), transport=api.transport())
    return job
