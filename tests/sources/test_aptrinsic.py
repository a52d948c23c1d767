"""What users of the Gainsight PX source choose, as the calls that it makes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from dlt.extract.exceptions import ResourceExtractionError
from dlt.pipeline.pipeline import Pipeline

from feedloom.errors import FeedloomError, InputError
from feedloom.sources import Session, active, aptrinsic_source
from feedloom.sync.failures import explain
from feedloom.vendors.aptrinsic.filters import F
from sources.fakes import NOW, ask, new_pipeline

KEY = "aptrinsic-key-0123456789"
DAY = timedelta(days=1)
EMPTY: dict[str, Any] = {
    "/v1/users": {"users": [], "scrollId": None},
    "/v1/accounts": {"accounts": [], "scrollId": None},
    "/v1/events/pageView": {"results": [], "scrollId": None},
    "/v1/events/custom": {"customEvents": [], "scrollId": None},
    "/v1/feature": {"features": [], "isLastPage": True},
    "/v1/admin/model/user/attributes": [],
}
"""Path -> an answer without rows."""


class FakeGainsight:
    """Answers from *answers*, and keeps the requests."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {**EMPTY, **answers}
        self.seen: list[httpx2.Request] = []

    def read(self, *tables: str, **settings: Any) -> list[dict[str, Any]]:
        """The rows of *tables*, read without a pipeline, at ``NOW``."""
        with active(Session(now=NOW, transport=self.transport)):
            return list(aptrinsic_source(**{"api_key": KEY, **settings}).with_resources(*tables))

    def extract(self, pipeline: Pipeline, *tables: str, now: datetime, **settings: Any) -> None:
        """Read *tables* at *now* as a load does, with the state of *pipeline*; forgets what was asked before."""
        self.seen.clear()
        with active(Session(now=now, transport=self.transport)):
            pipeline.extract(aptrinsic_source(api_key=KEY, **settings).with_resources(*tables))

    def transport(self) -> httpx2.MockTransport:
        """A transport whose requests come here."""
        return httpx2.MockTransport(self._handle)

    def filters(self, path: str = "/v1/users") -> list[str]:
        """The filters of the first request to *path*."""
        found: list[str] = next(self._of(path)).url.params.get_list("filter")
        return found

    def count(self, path: str) -> int:
        """How many requests went to *path*."""
        return len(list(self._of(path)))

    def _of(self, path: str) -> Any:
        return (request for request in self.seen if request.url.path == path)

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        self.seen.append(request)
        return httpx2.Response(200, json=self.answers[request.url.path])


@pytest.fixture
def api() -> FakeGainsight:
    return FakeGainsight()


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        ({}, "api.aptrinsic.com"),
        ({"region": "eu"}, "api-eu.aptrinsic.com"),
        ({"region": "us2"}, "api-us2.aptrinsic.com"),
        ({"region": "eu", "base_url": "https://px.example.com"}, "px.example.com"),
        ({"base_url": "https://px.example.com/v1"}, "px.example.com"),
    ],
)
def test_calls_go_to_the_server_of_the_region_or_the_address_given(
    api: FakeGainsight, settings: dict[str, str], host: str
) -> None:
    api.read("events_page_view", **settings)
    assert {(request.url.host, request.url.path) for request in api.seen} == {(host, "/v1/events/pageView")}
    assert {request.headers["X-APTRINSIC-API-KEY"] for request in api.seen} == {KEY}


@pytest.mark.parametrize("region", ["uk", "EU", "esp", ""])
def test_a_region_that_does_not_exist_is_refused(api: FakeGainsight, region: str) -> None:
    with pytest.raises(InputError, match="has no region") as caught:
        api.read("users", region=region)
    assert "us2" in caught.value.hint


def test_events_are_read_in_windows_the_vendor_accepts_two_years_back(api: FakeGainsight) -> None:
    api.read("events_page_view")
    assert api.count("/v1/events/pageView") == 16
    bounds = [
        tuple(int(part.lstrip("date<>=")) for part in request.url.params["filter"].split(";")) for request in api.seen
    ]
    assert min(start for start, _ in bounds) == ms(NOW - 730 * DAY)
    assert max(end for _, end in bounds) == ms(NOW)
    assert all(end - start <= 46 * 86_400_000 for start, end in bounds)
    assert {request.url.params["sort"] for request in api.seen} == {"date"}


@pytest.mark.parametrize("form", [str, datetime.fromisoformat])
def test_a_range_can_be_given_as_text_or_datetime(api: FakeGainsight, form: Any) -> None:
    api.read("events_page_view", start=form("2026-01-01T00:00:00+01:00"), end=form("2026-01-01T23:00:00+00:00"))
    start, end = datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 1, 1, 23, tzinfo=UTC)
    assert api.filters("/v1/events/pageView") == [f"date>={ms(start)};date<{ms(end)}"]


WINDOW = f"date>={ms(NOW - DAY)};date<{ms(NOW)}"


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (F("path") == "/cart", [f"path==/cart;{WINDOW}"]),
        ((F("path") == "/a") | (F("path") == "/b"), [f"path==/a;{WINDOW}", f"path==/b;{WINDOW}"]),
        ("path~*cart*;host==a.example", [f"path~*cart*;host==a.example;{WINDOW}"]),
        (["path==/a;", "path==/b"], [f"path==/a;{WINDOW}", f"path==/b;{WINDOW}"]),
    ],
)
def test_a_filter_is_joined_with_the_window(api: FakeGainsight, given: Any, sent: list[str]) -> None:
    api.read("events_page_view", start=NOW - DAY, filters={"events_page_view": given})
    assert api.filters("/v1/events/pageView") == sent


def test_a_first_load_of_users_reads_all_of_them_with_the_users_filter_alone(api: FakeGainsight) -> None:
    api.read("users", filters={"users": F("score") > 3})
    assert api.filters() == ["score>3"]
    assert "sort" not in api.seen[-1].url.params


def test_a_first_load_of_users_reads_all_of_them_whatever_the_start(api: FakeGainsight) -> None:
    api.read("users", start=NOW - DAY)
    assert api.filters() == []


def test_later_loads_of_users_filter_by_the_last_change_without_end(api: FakeGainsight, tmp_path: Path) -> None:
    pipeline, filters = new_pipeline(tmp_path), {"users": F("score") > 3}
    api.extract(pipeline, "users", now=NOW - 5 * DAY, filters=filters)
    api.extract(pipeline, "users", now=NOW, filters=filters)
    assert api.filters() == [f"score>3;lastModifiedDate>={ms(NOW - 6 * DAY)}"]
    api.extract(pipeline, "users", now=NOW + DAY, filters=filters, look_back_hours=0)
    assert api.filters() == [f"score>3;lastModifiedDate>={ms(NOW)}"]


def test_users_are_read_whole_when_the_vendor_ignores_the_filter(tmp_path: Path) -> None:
    row = {"aptrinsicId": "u1", "lastModifiedDate": ms(NOW - 9 * DAY)}
    api = FakeGainsight(**{"/v1/users": {"users": [row], "scrollId": None}})
    pipeline, filters = new_pipeline(tmp_path), {"users": F("score") > 3}
    for _ in range(2):
        api.extract(pipeline, "users", now=NOW, filters=filters)
    asked = [request.url.params.get_list("filter") for request in api.seen if request.url.path == "/v1/users"]
    assert asked == [[f"score>3;lastModifiedDate>={ms(NOW - DAY)}"], ["score>3"]]


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"user": F("score") > 3}, "has no table 'user'"),
        ({"feature_flags": F("name") == "a"}, "feature_flags takes no filter"),
        ({"features": F("name") == "a"}, "features takes no filter"),
        ({"users": F("scores") > 3}, "does not know the field 'scores'"),
        ({"events_page_view": "path"}, "holds 'path', which is no comparison"),
        ({"events_page_view": []}, "there is no filter to read"),
        ({"events_feature_match": F("identifyId").like("a*")}, "does not take ~ on 'identifyId'"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_before_anything_is_asked(
    api: FakeGainsight, filters: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        api.read("users", filters=filters)
    assert caught.value.hint
    assert api.seen == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start": "2026-01-01T00:00:00"}, "start has no time zone"),
        ({"end": "yesterday"}, "end is no date"),
        ({"start": NOW, "end": NOW - DAY}, "is not before end"),
        ({"look_back_hours": -0.5}, "look_back_hours is negative"),
        ({"lookups": {"events": [{}]}}, "has no table 'events'"),
        ({"api_key": "with a space"}, "holds a space"),
        ({"base_url": "px.example.com"}, "not an address"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(api: FakeGainsight, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(Exception, match=message) as caught:
        api.read("events_page_view", **settings)
    error: BaseException | None = caught.value
    while error is not None and not isinstance(error, FeedloomError):
        error = error.__cause__ or error.__context__
    assert isinstance(error, InputError)
    assert api.seen == []


def test_lookups_replace_what_is_planned(api: FakeGainsight) -> None:
    api.read("users", lookups={"users": [{"filter": ["email==a@example.com"]}, {"filter": ["email==b@example.com"]}]})
    asked = [request.url.params.get_list("filter") for request in api.seen if request.url.path == "/v1/users"]
    assert sorted(asked) == [["email==a@example.com"], ["email==b@example.com"]]


def test_a_table_can_be_looked_up_by_its_other_name(api: FakeGainsight) -> None:
    api.read("feature_flags", lookups={"features": [{}, {}]})
    assert api.count("/v1/feature") == 2


def test_custom_attributes_have_the_types_that_the_vendor_lists() -> None:
    attributes = [
        {"apiName": "born", "type": "DATE_TIME"},
        {"apiName": "seats", "type": "NUMBER"},
        {"apiName": "code", "type": "STRING"},
        {"apiName": "odd", "type": "SOMETHING_NEW"},
    ]
    row = {"aptrinsicId": "u1", "customAttributes": {"born": 0, "seats": 3, "code": 7, "odd": 1}}
    api = FakeGainsight(
        **{"/v1/admin/model/user/attributes": attributes, "/v1/users": {"users": [row], "scrollId": None}}
    )
    shaped = api.read("users")[0]["customAttributes"]
    assert shaped == {"born": datetime(1970, 1, 1, tzinfo=UTC), "seats": 3.0, "code": {"v_bigint": 7}, "odd": 1}
    assert isinstance(shaped["seats"], float)


def test_numbers_that_no_column_can_hold_stop_no_load(tmp_path: Path) -> None:
    long = 2**70
    values = {"numberOfVisits": str(long), "score": long, "location": long, "lastSeenDate": 10**18, "signUpDate": 1e18}
    rows = [{"aptrinsicId": "u1", **values}, {"aptrinsicId": "u2", "numberOfVisits": 3}]
    api = FakeGainsight(**{"/v1/users": {"users": rows, "scrollId": None}})
    pipeline = new_pipeline(tmp_path)
    with active(Session(now=NOW, transport=api.transport)):
        pipeline.run(aptrinsic_source(api_key=KEY).with_resources("users"))
    columns = (
        "number_of_visits__v_text, score__v_text, location__v_text, last_seen_date__v_bigint, sign_up_date__v_double"
    )
    assert ask(pipeline, f"select {columns} from users where aptrinsic_id = 'u1'") == [
        (str(long), str(long), str(long), 10**18, 1e18)
    ]
    assert ask(pipeline, "select number_of_visits from users where aptrinsic_id = 'u2'") == [(3,)]


def test_every_resource_but_the_one_that_asks_user_by_user_is_loaded_by_default() -> None:
    made = aptrinsic_source(api_key=KEY)
    assert set(made.resources) - set(made.selected_resources) == {"user_preferences", "external_segments"}


def test_external_segments_are_looked_up_by_the_ids_that_are_named() -> None:
    api = FakeGainsight(**{f"/v1/segment/{name}": {"id": name, "name": name.upper()} for name in ("9c1e", "77aa")})
    rows = api.read("external_segments", lookups={"external_segments": [{"segmentId": "9c1e"}, {"segmentId": "77aa"}]})
    assert sorted((row["id"], row["name"]) for row in rows if "id" in row) == [("77aa", "77AA"), ("9c1e", "9C1E")]
    assert len(api.seen) == 2


def test_external_segments_without_an_id_are_refused_before_anything_is_asked(api: FakeGainsight) -> None:
    with pytest.raises(ResourceExtractionError) as caught:
        api.read("external_segments")
    error = explain(caught.value)
    assert isinstance(error, InputError)
    assert "looked up by segmentId, and none was named" in error.message
    assert "[sources.aptrinsic_source.lookups]" in error.hint
    assert api.seen == []
