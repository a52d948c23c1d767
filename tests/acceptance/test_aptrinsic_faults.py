"""Whatever goes wrong on the way from Gainsight PX: the database is equal in the end, or one named error says what happened.

After an error nothing is half true: tables hold what they held before, and the next sync makes all equal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from feedloom.emulator import describe
from feedloom.errors import CredentialError, FeedloomError, RateLimitedError, RetryLaterError, VendorError
from feedloom.sync.failures import explain
from feedloom.sync.report import Report
from support.aptrinsic_stage import LATEST, Stage, playing, table_of

TABLES = ("users", "events_page_view", "articles", "feature_flags", "feature_adoption", "engagement_collisions")
"""A list that fills its last page, one of two pages, two that replace their table, a call for each row, a short list."""

A_DAY_AGO = LATEST - timedelta(days=1)

PASSING = {
    "slow": ("slow=20",),
    "429": ("429=2@list_features", "429=30@get_feature_adoption"),
    "429-bare": ("429-bare=3",),
    "500": ("500=3",),
    "503": ("503=2",),
    "html": ("html=3",),
    "truncated": ("truncated=3",),
    "drop": ("drop=3",),
}
"""Faults that a client which tries again gets over."""

NAMED = {
    "key-refused": (CredentialError, 4, "was refused"),
}


@pytest.fixture(autouse=True)
def _waits_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedloom.http.retry.LONGEST_BACKOFF_S", 0.05)
