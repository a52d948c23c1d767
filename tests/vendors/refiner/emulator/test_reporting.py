"""Reports agree with what can be counted in the list of responses."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any

import pytest

from emulator.asking import Asking, asking

RANGES = [
    ("2024-01-01", "2030-01-01"),
    ("2025-03-01", "2025-04-01"),
    ("2025-03-11 07:30:00", "2025-09-02"),
    ("2026-10-01", "2026-12-01"),
]


@pytest.fixture(scope="module")
def api() -> Iterator[Asking]:
    """An environment with writes on top of the base data."""
    with asking(rows=1500) as started:
        started.emulator.control.random_writes(120, 3, deletes=True)
        yield started


def answers(api: Asking, window: dict[str, Any], identifiers: tuple[str, ...]) -> list[Any]:
    rows = api.rows("responses", {"include": "partials", **window})
    return [row["data"][name] for row in rows for name in identifiers if row["data"].get(name) is not None]


def rounded(dividend: int, divisor: int, places: str) -> Decimal:
    return (Decimal(dividend) / divisor).quantize(Decimal(places), ROUND_HALF_UP)


@pytest.mark.parametrize(("start", "end"), RANGES)
def test_nps_and_csat_are_those_of_the_answers(api: Asking, start: str, end: str) -> None:
    window = {"date_range_start": start, "date_range_end": end}
    scores = [int(score) for score in answers(api, window, ("nps",))]
    promoters, detractors = sum(score >= 9 for score in scores), sum(score <= 6 for score in scores)
    report = api.get("reporting", {"type": "nps", **window})
    assert report["count"] == len(scores) > 0
    passives = len(scores) - promoters - detractors
    assert report["data"] == {"detractors": detractors, "passives": passives, "promoters": promoters}
    assert report["nps"] == rounded(100 * (promoters - detractors), len(scores), "1")

    marks = Counter(int(score) for score in answers(api, window, ("csat",)))
    report = api.get("reporting", {"type": "csat", **window})
    assert list(report["data"].values()) == [marks[mark] for mark in range(-2, 3)]
    assert report["csat"] == rounded(100 * (marks[1] + marks[2]), marks.total(), "1")


@pytest.mark.parametrize(("start", "end"), RANGES)
def test_ratings_distributions_and_counts_are_those_of_the_responses(api: Asking, start: str, end: str) -> None:
    window = {"date_range_start": start, "date_range_end": end}
    ratings = [int(score) for score in answers(api, window, ("rating_reports", "ces", "оценка", "beta_rating"))]
    report = api.get("reporting", {"type": "ratings", **window})
    assert {int(score): count for score, count in report["data"].items() if count} == Counter(ratings)
    assert (report["count"], report["sum"]) == (len(ratings), sum(ratings))
    assert report["average"] == float(rounded(sum(ratings), len(ratings), "0.01"))

    chosen = answers(api, window, ("wanted_features",))
    report = api.get("reporting", {"type": "distribution", "question_identifiers[]": ["wanted_features"], **window})
    counted = Counter(choice for choices in chosen for choice in choices)
    assert (report["data"], report["datapoints"], report["responses"]) == (counted, counted.total(), len(chosen))

    report = api.get("reporting", {"type": "count", **window})
    views = api.get("responses", {"include": "all", **window})["pagination"]["items_count"]
    responses = api.get("responses", {"include": "partials", **window})["pagination"]["items_count"]
    assert (report["views"], report["responses"]) == (views, responses)


def test_reports_can_be_narrowed_as_lists_can(api: Asking) -> None:
    window = {"date_range_start": "2025-01-01", "date_range_end": "2026-12-01"}
    forms = [form["uuid"] for form in api.rows("forms", {"list": "all_with_archived"}) if "NPS" in form["name"]]
    for narrower in (
        {"form_uuids[]": forms[:1]},
        {"segment_uuids[]": [api.uuids("segments")[2]]},
        {"contact_data[plan]": "pro"},
        {"response_data[nps]": "9"},
    ):
        report = api.get("reporting", {"type": "count", **window, **narrower})
        responses = api.get("responses", {"include": "partials", **window, **narrower})["pagination"]["items_count"]
        assert report["responses"] == responses > 0
    parts = [api.get("reporting", {"type": "nps", **window, "form_uuids[]": [form]})["count"] for form in forms]
    assert sum(parts) == api.get("reporting", {"type": "nps", **window, "form_uuids[]": forms})["count"]


def test_reports_by_tag(api: Asking) -> None:
    tag = api.emulator.control.tag_uuid("praise")
    window = {"date_range_start": "2024-01-01", "date_range_end": "2026-12-01"}
    report = api.get("reporting", {"type": "count", "tag_uuids[]": [tag], **window})
    tagged = api.get("responses", {"include": "partials", "tag_uuid": tag, **window})["pagination"]["items_count"]
    assert report["responses"] == tagged > 0


def test_an_empty_window_has_zeros_and_null_scores(api: Asking) -> None:
    window = {"date_range_start": "2001-01-01", "date_range_end": "2001-02-01"}
    nps = api.get("reporting", {"type": "nps", **window})
    assert (nps["data"], nps["count"], nps["nps"]) == ({"detractors": 0, "passives": 0, "promoters": 0}, 0, None)
    ratings = api.get("reporting", {"type": "ratings", **window})
    assert (ratings["count"], ratings["sum"], ratings["average"]) == (0, 0, None)
    assert api.get("reporting", {"type": "distribution", **window})["data"] == {}


def test_without_dates_a_report_covers_the_last_seven_days_and_today() -> None:
    with asking() as api:
        form = api.uuids("forms")[0]
        for date in ("2026-10-28 23:59:59", "2026-10-29 00:00:00", "2026-11-05 23:59:59", "2026-11-06 00:00:00"):
            api.post("responses", {"id": "u-000002", "form_uuid": form, "date": date, "note": date})
        shown = api.get("reporting", {"type": "count"})
        assert shown["date_range_start"] == "2026-10-29T00:00:00.000000Z"
        assert shown["date_range_end"] == "2026-11-05T23:59:59.000000Z"
        window = {"date_range_start": "2026-10-29", "date_range_end": "2026-11-06"}
        assert shown["responses"] == api.get("reporting", {"type": "count", **window})["responses"] >= 2


def test_a_report_for_every_form_month_and_type_takes_seconds() -> None:
    with asking(rows=20_000) as api:
        forms = api.uuids("forms", {"list": "all_with_archived"})
        months = [f"{year}-{month:02d}-01" for year in (2025, 2026) for month in range(1, 13)]
        started = time.monotonic()
        answered = 0
        for start, end in pairwise(months):
            for form in forms:
                asked = {"type": "nps", "form_uuids[]": [form], "date_range_start": start, "date_range_end": end}
                answered += api.get("reporting", asked)["count"]
        assert answered > 2000
        assert time.monotonic() - started < 10
