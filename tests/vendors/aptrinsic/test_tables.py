"""What is loaded from Gainsight PX, and the vendor's rules that its windows keep."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedloom.catalogue import ScrollPaging, Table
from feedloom.vendors.aptrinsic.catalogue import APTRINSIC

LONGEST_EVENT_RANGE = timedelta(days=190)
LONGEST_MONITORING_RANGE = timedelta(days=180)
LONGEST_ADOPTION_RANGE = timedelta(days=7)

EVENT_TABLES = [
    table
    for table in APTRINSIC.tables
    if APTRINSIC.endpoint(table.endpoint).path.startswith(("/v1/events/", "/v1/survey/"))
]

LISTS_WITHOUT_A_TABLE = {
    "list_features_extended",  # the same features as list_features, with their mapped elements
    "list_subscription_users_not_seen_after",  # people of the console, not of the product
    "list_engagement_rule_events",  # asked for by product key, on a host that takes no API key
}


def test_every_list_is_loaded_or_left_out_on_purpose() -> None:
    loaded = {table.endpoint for table in APTRINSIC.tables}
    lists = {endpoint.name for endpoint in APTRINSIC.endpoints if endpoint.is_list}

    assert lists - loaded == LISTS_WITHOUT_A_TABLE


@pytest.mark.parametrize(
    "name",
    [
        "users",
        "accounts",
        "events_custom",
        "survey_responses",
        "articles",
        "engagements",
        "feature_flags",
        "kcbot",
        "admin_integrations",
        "user_preferences",
        "external_segments",
    ],
)
def test_a_table_has_the_name_that_users_know_it_by(name: str) -> None:
    assert APTRINSIC.table(name).name == name


def test_features_are_also_found_under_what_they_are() -> None:
    assert APTRINSIC.table("features") is APTRINSIC.table("feature_flags")


def test_ten_event_lists_and_the_survey_responses_are_loaded() -> None:
    assert len(EVENT_TABLES) == 11


@pytest.mark.parametrize("table", EVENT_TABLES, ids=lambda table: table.name)
def test_events_are_read_by_date_in_ranges_that_the_vendor_allows(table: Table) -> None:
    window = table.window

    assert window is not None
    assert window.style == "filter"
    assert not window.optional, "without a range the vendor gives the last day only"
    assert window.longest is not None
    assert window.longest <= LONGEST_EVENT_RANGE
    assert window.look_back > timedelta(0), "events may be recorded with an earlier date"
    assert {step.column for step in window.passes} == {"date"}
    assert table.primary_key[0] == "eventId"


@pytest.mark.parametrize(
    ("name", "longest"),
    [
        ("engagement_collisions", LONGEST_MONITORING_RANGE),
        ("engagement_errors", LONGEST_MONITORING_RANGE),
        ("feature_adoption", LONGEST_ADOPTION_RANGE),
    ],
)
def test_ranges_that_are_parameters_stay_within_the_vendors_longest(name: str, longest: timedelta) -> None:
    window = APTRINSIC.table(name).window

    assert window is not None
    assert window.style == "params"
    assert window.longest == longest


@pytest.mark.parametrize("name", ["engagement_errors", "feature_adoption"])
def test_counts_over_a_range_are_read_in_ranges_that_do_not_overlap(name: str) -> None:
    window = APTRINSIC.table(name).window

    assert window is not None
    assert window.look_back == timedelta(0)


def test_only_collisions_and_errors_scroll_until_the_id_is_null() -> None:
    patient = {
        endpoint.name
        for endpoint in APTRINSIC.endpoints
        if isinstance(endpoint.paging, ScrollPaging) and endpoint.paging.only_null_ends
    }

    assert patient == {"list_engagement_collisions", "list_engagement_errors"}


def test_calls_that_would_make_a_second_record_are_not_repeated() -> None:
    assert {endpoint.name for endpoint in APTRINSIC.endpoints if not endpoint.repeatable} == {
        endpoint.name for endpoint in APTRINSIC.endpoints if endpoint.method == "POST" and endpoint.effect == "write"
    }
