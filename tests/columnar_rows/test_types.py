"""The types that the catalogue promises, as parsed values and as hints for dlt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from dlt.common.normalizers.naming.snake_case import NamingConvention
from hypothesis import given
from hypothesis import strategies as st

from feedloom.catalogue import Field
from feedloom.columnar import column_hints
from feedloom.columnar.types import parse_time
from feedloom.vendors import VENDORS

TEXT = Field(name="at", type="timestamp", time="iso_or_space")
EPOCH = Field(name="at", type="timestamp", time="epoch_ms")
UNSET = Field(name="at", type="timestamp", time="epoch_ms", zero_is_null=True)

moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001 - zones are drawn beside them
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(moment=moments, zone=zones, separator=st.sampled_from("T "))
def test_a_moment_with_a_zone_is_read_to_the_microsecond(moment: datetime, zone: timezone, separator: str) -> None:
    aware = moment.replace(tzinfo=zone)
    found = parse_time(aware.isoformat(sep=separator), TEXT)
    assert found == aware
    assert found.tzinfo is UTC


@given(moment=moments, separator=st.sampled_from("T "))
def test_a_moment_without_zone_is_one_of_utc(moment: datetime, separator: str) -> None:
    assert parse_time(moment.isoformat(sep=separator), TEXT) == moment.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T10:00:00Z", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-01-31T10:00:00.5+01:00", datetime(2026, 1, 31, 9, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_dates_and_short_forms_are_read_too(text: str, moment: datetime) -> None:
    assert parse_time(text, TEXT) == moment


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "2026",
        "2026-13-01",
        "0000-00-00 00:00:00",
        "0001-01-01T00:00:00+09:00",
        1_700_000_000_000,
        True,
        [],
        {},
    ],
)
def test_what_is_no_moment_stays_what_it_is(value: Any) -> None:
    assert parse_time(value, TEXT) is value


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_epoch_milliseconds_are_exact(value: int) -> None:
    assert parse_time(value, EPOCH) == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value)


def test_an_epoch_of_zero_is_never_only_where_the_catalogue_says() -> None:
    assert parse_time(0, UNSET) is None
    assert parse_time(0, EPOCH) == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("value", ["1700000000000", 1.5, True, False, 10**18, -(10**18), [], None])
def test_what_is_no_epoch_stays_what_it_is(value: Any) -> None:
    assert parse_time(value, UNSET) is value


def hints(slug: str, table: str) -> dict[str, str]:
    vendor = VENDORS[slug]
    found = column_hints(vendor.table(table), vendor.endpoint(vendor.table(table).endpoint))
    return {name: str(hint["data_type"]) for name, hint in found.items()}


def test_hints_name_columns_as_dlt_does() -> None:
    found = hints("refiner", "responses")
    assert found["contact__account__remote_id"] == "text"
    assert found["last_shown_at"] == "timestamp"
    assert found["show_counter"] == "bigint"
    assert hints("aptrinsic", "users")["aptrinsic_id"] == "text"


def test_fields_of_lists_maps_and_hearsay_have_no_hint() -> None:
    found = hints("refiner", "contacts")
    assert not [name for name in found if "segments" in name or name.endswith("attributes")]
    assert "last_form_submission_at" not in found


def test_what_feedloom_adds_to_rows_has_hints() -> None:
    assert hints("refiner", "account")["read_at"] == "timestamp"
    found = hints("refiner", "reporting")
    assert [found[name] for name in ("month", "report_type", "form_uuid", "_feedloom_hash")] == ["date", *["text"] * 3]
    assert hints("aptrinsic", "user_preferences")["identify_id"] == "text"


def test_a_map_that_comes_out_long_only_has_no_columns() -> None:
    assert not [name for name in hints("refiner", "reporting") if name.startswith("data__")]


def test_shapes_that_the_vendor_does_not_promise_are_json() -> None:
    assert hints("refiner", "forms")["config"] == "json"
    assert hints("aptrinsic", "events_page_view")["query_params"] == "json"


@pytest.mark.parametrize("slug", ["refiner", "aptrinsic"])
def test_every_hint_is_for_a_name_that_dlt_leaves_alone(slug: str) -> None:
    naming = NamingConvention()
    for table in VENDORS[slug].tables:
        for name in hints(slug, table.name):
            assert naming.normalize_path(name) == name
