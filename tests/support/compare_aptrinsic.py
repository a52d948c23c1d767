"""Compares a Gainsight PX database with the API it was loaded from, value by value and in both directions.

It shares no code with the client, the sources or the loader: it pages the API itself, works out on its own how every
row has to look in the database, and names whatever differs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

import httpx2

from support.loaded import MOMENT, Builder, Database, Shape, differing

SCHEMA = "aptrinsic_data"

Span: TypeAlias = tuple[datetime, datetime]
"""A range of moments with its start and without its end."""

_HISTORY = timedelta(days=730)
SUMS = {"engagement_errors": timedelta(days=180), "feature_adoption": timedelta(days=7)}
"""Tables that sum over ranges, which end at midnight: how long one is at most, and how far the first load goes back."""

_STEP = timedelta(days=97)
"""How long a piece of history this comparison asks for at once: another length than the loader's."""

_EVENT = ("event_id",)
KEYS: Mapping[str, tuple[str, ...]] = {
    "users": ("aptrinsic_id",),
    "accounts": ("id",),
    "user_preferences": ("identify_id",),
    "events_custom": _EVENT,
    "events_page_view": _EVENT,
    "events_session": _EVENT,
    "events_engagement_view": _EVENT,
    "events_feature_match": _EVENT,
    "events_segment_match": _EVENT,
    "events_identify": _EVENT,
    "events_email": _EVENT,
    "events_form_submit": _EVENT,
    "events_lead": _EVENT,
    "survey_responses": _EVENT,
    "articles": ("id",),
    "engagements": ("id",),
    "engagements_extended": ("id",),
    "feature_flags": ("id",),
    "segments": ("id",),
    "kcbot": ("id",),
    "feature_adoption": ("feature_id", "date_range_start", "date_range_end"),
    "admin_integrations": ("integration_sync_name",),
    "user_attributes": ("id",),
    "account_attributes": ("id",),
    "engagement_collisions": ("engagement_id", "property_key", "triggered_date", "viewed_by_user"),
    "engagement_errors": ("engagement_id", "property_key", "last_occurrence_date"),
    "engagement_error_details": ("engagement_id", "step_number", "error_type", "value"),
    "subscription": ("id",),
}
"""The tables compared, with the columns that name a row."""

EVENT_LISTS = {
    "events_custom": ("events/custom", "customEvents"),
    "events_page_view": ("events/pageView", "results"),
    "events_session": ("events/session", "sessionInitializedEvents"),
    "events_engagement_view": ("events/engagementView", "results"),
    "events_feature_match": ("events/feature_match", "featureMatchEvents"),
    "events_segment_match": ("events/segment_match", "featureMatchEvents"),
    "events_identify": ("events/identify", "identifyEvents"),
    "events_email": ("events/email", "results"),
    "events_form_submit": ("events/formSubmit", "results"),
    "events_lead": ("events/lead", "results"),
    "survey_responses": ("survey/responses", "results"),
}
NUMBERED_LISTS = {
    "articles": ("articles", "articleExternalViewList", 500),
    "engagements": ("engagement", "engagements", 500),
    "engagements_extended": ("engagement/extended", "engagements", 500),
    "feature_flags": ("feature", "features", 200),
    "segments": ("segment", "segments", 200),
    "kcbot": ("kcbot", "kcList", 500),
}
"""Table -> path, list key and, for numbered pages, the largest page. Source: aptrinsic-notes, section 1."""

_SCROLL_ROWS = 437
_OPEN_MAPS = {
    "users": ("customAttributes",),
    "accounts": ("customAttributes",),
    "events_custom": ("attributes",),
    "events_form_submit": ("formData",),
}
_JSON_COLUMNS = ("globalContext", "queryParams")
_MOMENTS = frozenset(
    [
        "date",
        "executionDate",
        "firstSeenDate",
        "lastSeenDate",
        "signUpDate",
        "firstVisitDate",
        "createDate",
        "lastModifiedDate",
        "renewalDate",
        "createdDate",
        "modifiedDate",
        "firstOccurrenceDate",
        "lastSuccessfulDate",
    ]
)
"""Epoch milliseconds of which 0 stands for never. Source: aptrinsic.openapi, schemas; aptrinsic-notes, section 5."""

_KEY_MOMENTS = frozenset(["triggeredDate", "lastOccurrenceDate", "dateRangeStart", "dateRangeEnd"])
"""Epoch milliseconds that name a row, where a 0 stays."""

_FRACTIONS = frozenset(["nps", "ratio", "latitude", "longitude"])
_TYPES = {"STRING": "VARCHAR", "NUMBER": "DOUBLE", "BOOLEAN": "BOOLEAN", "DATE_TIME": MOMENT}
_PLAIN_NAME = re.compile(r"[a-z][A-Za-z0-9]*")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def end_of_load(table: str, now: datetime) -> datetime:
    """Where a load of *table* at *now* ends: ranges that are summed over end at midnight, others now."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) if table in SUMS else now.replace(microsecond=0)


def first_span(table: str, now: datetime) -> Span:
    """What the first load of *table*, at *now*, reads when nobody names a start."""
    until = end_of_load(table, now)
    return until - SUMS.get(table, _HISTORY), until


def compare(
    url: str,
    key: str,
    database_path: str | Path,
    *,
    tables: Collection[str] = tuple(KEYS),
    spans: Mapping[str, Sequence[Span]] | None = None,
    now: datetime | None = None,
) -> list[str]:
    """What differs between the API at *url* and the database, one text each; empty when they are equal.

    Only *tables* are looked at. The API has to behave as its emulator does by default, apart from the shape of the
    global context. *spans* are the ranges that tables were read in, load by load; a table that is not in it was loaded
    once, at *now*, the clock's when left out.
    """
    database = Database(Path(database_path), SCHEMA)
    with reading(url, key, spans=spans, now=now) as vendor:
        differences = [*database.problems]
        for table in tables:
            builder = Builder(table, _shape(table, vendor), database)
            there = [builder.row(row) for row in vendor.rows(table)]
            differences += differing(table, KEYS[table], database.roots.get(table, []), there)
    return differences + [f"{table}: a table that nobody asked for" for table in database.roots if table not in KEYS]


@contextmanager
def reading(
    url: str, key: str, *, spans: Mapping[str, Sequence[Span]] | None = None, now: datetime | None = None
) -> Iterator[Vendor]:
    """The API at *url*, to be read in the ranges that :func:`compare` reads."""
    with httpx2.Client(base_url=url, headers={"X-APTRINSIC-API-KEY": key}, timeout=60) as http:
        yield Vendor(http, spans or {}, now or datetime.now(UTC))


class Vendor:
    """The API, read list by list."""

    def __init__(self, http: httpx2.Client, spans: Mapping[str, Sequence[Span]], now: datetime) -> None:
        self._http = http
        self._spans = spans
        self._now = now

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """The rows that *table* must hold, as the API gives them."""
        if table in EVENT_LISTS:
            return self._events(*EVENT_LISTS[table], self._whole(table))
        if table in NUMBERED_LISTS:
            return self._numbered(*NUMBERED_LISTS[table])
        others: Mapping[str, Callable[[], Iterator[dict[str, Any]]]] = {
            "users": lambda: self._scroll("users", "users", {}),
            "accounts": lambda: self._scroll("accounts", "accounts", {}),
            "user_preferences": self._preferences,
            "feature_adoption": self._adoption,
            "admin_integrations": lambda: iter(self._get("admin/monitoring/integrations")["integrationStatuses"]),
            "user_attributes": lambda: self.attributes("user"),
            "account_attributes": lambda: self.attributes("account"),
            "engagement_collisions": self._collisions,
            "engagement_errors": self._errors,
            "engagement_error_details": self._error_details,
            "subscription": lambda: iter([self._get("admin/subscription")]),
        }
        return others[table]()

    def attributes(self, of: str) -> Iterator[dict[str, Any]]:
        """The attributes that users or accounts can have."""
        return iter(self._get(f"admin/model/{of}/attributes"))

    def _loads(self, table: str) -> Sequence[Span]:
        return self._spans.get(table) or [first_span(table, self._now)]

    def _whole(self, table: str) -> Span:
        """What all loads of a table have read together."""
        loads = self._loads(table)
        return min(start for start, _ in loads), max(end for _, end in loads)

    def _events(self, path: str, records: str, span: Span) -> Iterator[dict[str, Any]]:
        for start, end in _pieces(span, _STEP):
            condition = f"date>={_epoch_ms(start)};date<{_epoch_ms(end)}"
            for row in self._scroll(path, records, {"filter": condition}):
                if not _epoch_ms(start) <= row["date"] < _epoch_ms(end):
                    raise ValueError(f"{path} gave an event of {row['date']} for {condition}")
                yield row

    def _preferences(self) -> Iterator[dict[str, Any]]:
        for user in self.rows("users"):
            name = user["identifyId"]
            yield {**self._get(f"user/preferences/{quote(name, safe='')}"), "identifyId": name}

    def _adoption(self) -> Iterator[dict[str, Any]]:
        """The use of each feature, summed over each range of each load."""
        for feature in self.rows("feature_flags"):
            for load in self._loads("feature_adoption"):
                for span in _pieces(load, SUMS["feature_adoption"]):
                    yield self._get(f"feature/adoption/{feature['id']}", _date_range(span))

    def _collisions(self) -> Iterator[dict[str, Any]]:
        path, records = "admin/monitoring/engagement_collisions", "engagementCollisions"
        for span in _pieces(self._whole("engagement_collisions"), _STEP):
            yield from self._scroll(path, records, _date_range(span), only_null_ends=True)

    def _errors(self) -> Iterator[dict[str, Any]]:
        """The errors of engagements, summed over each range of each load."""
        for load in self._loads("engagement_errors"):
            for span in _pieces(load, SUMS["engagement_errors"]):
                yield from self._errors_in(span)

    def _errors_in(self, span: Span) -> Iterator[dict[str, Any]]:
        path, records = "admin/monitoring/engagement_errors", "engagementErrorSummaries"
        return self._scroll(path, records, _date_range(span), only_null_ends=True)

    def _error_details(self) -> Iterator[dict[str, Any]]:
        """The errors of the engagements that had some in the range of a first load, at the time of the last load."""
        _, until = self._loads("engagement_error_details")[-1]
        for error in self._errors_in(first_span("engagement_errors", until)):
            path = f"admin/monitoring/engagement_error_details/{error['engagementId']}"
            params = {"dateRangeStart": error["firstOccurrenceDate"], "groupByBrowser": "false"}
            yield from self._get(path, params)["engagementErrorDetails"]

    def _scroll(
        self, path: str, records: str, params: Mapping[str, Any], *, only_null_ends: bool = False
    ) -> Iterator[dict[str, Any]]:
        """The rows of a scroll, which ends at a page that is not full or, for some lists, where its id is null."""
        asked = {**params, "pageSize": _SCROLL_ROWS}
        while True:
            page = self._get(path, asked)
            yield from page[records]
            is_short = len(page[records]) < _SCROLL_ROWS and not only_null_ends
            if is_short or not page[records] or page["scrollId"] is None:
                return
            asked = {"scrollId": page["scrollId"]}

    def _numbered(self, path: str, records: str, size: int) -> Iterator[dict[str, Any]]:
        for number in range(1_000_000):
            page = self._get(path, {"pageNumber": number, "pageSize": size})
            yield from page[records]
            if page["isLastPage"]:
                return

    def _get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        response = self._http.get(path, params=params)
        response.raise_for_status()
        return json.loads(response.content)


def _shape(table: str, vendor: Vendor) -> Shape:
    declared: dict[tuple[str, str], str] = {}
    if table in ("users", "accounts"):
        for row in vendor.attributes(table.removesuffix("s")):
            declared["customAttributes", row["apiName"]] = _TYPES[row["type"]]
    return Shape(
        column=column_of,
        keep=_kept,
        read_moment=_moment_or_none,
        open_maps=_OPEN_MAPS.get(table, ()),
        json_columns=_JSON_COLUMNS,
        declared=declared,
    )


def column_of(name: str) -> str:
    """The column of a key that the vendor chose: its words in small letters, joined by underscores."""
    if _PLAIN_NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} is no plain name and stands in no open map")
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return words.lower()


def _kept(name: str, value: Any) -> Any:
    if name in _KEY_MOMENTS:
        return moment(value)
    if name in _MOMENTS:
        return moment(value) if value else None
    if name == "releaseDate" and value is not None:
        return datetime.fromisoformat(value).astimezone(UTC)
    return float(value) if name in _FRACTIONS and value is not None else value


def moment(epoch_ms: int) -> datetime:
    """The moment *epoch_ms* milliseconds after the beginning of 1970."""
    return _EPOCH + timedelta(milliseconds=epoch_ms)


def _moment_or_none(value: Any) -> datetime | None:
    return moment(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _pieces(span: Span, longest: timedelta) -> Iterator[Span]:
    since, until = span
    while since < until:
        yield since, min(since + longest, until)
        since += longest


def _date_range(span: Span) -> dict[str, int]:
    start, end = span
    return {"dateRangeStart": _epoch_ms(start), "dateRangeEnd": _epoch_ms(end)}


def _epoch_ms(when: datetime) -> int:
    return (when - _EPOCH) // timedelta(milliseconds=1)
