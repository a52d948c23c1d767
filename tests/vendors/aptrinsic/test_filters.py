"""The filter language: what expressions say, what is refused, and that reading undoes writing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedloom.catalogue import Endpoint
from feedloom.errors import InputError
from feedloom.vendors.aptrinsic.catalogue import APTRINSIC
from feedloom.vendors.aptrinsic.filters import F, Filter, Value, parse_filter

USERS = APTRINSIC.endpoint("list_users")
MATCHES = APTRINSIC.endpoint("list_feature_match_events")
SESSIONS = APTRINSIC.endpoint("list_session_events")
SEGMENTS = APTRINSIC.endpoint("list_segments")

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (F("lastName") == "Moe", "lastName==Moe"),
        (F("lastName") != "Moe", "lastName!=Moe"),
        (F("score") < 3, "score<3"),
        (F("score") <= 3, "score<=3"),
        (F("score") > 2.5, "score>2.5"),
        (F("score") >= 3, "score>=3"),
        (F("email").like("*@example.co?"), "email~*@example.co?"),
        (F("email").unlike("*@example.com"), "email!~*@example.com"),
        (F("globalUnsubscribe") == True, "globalUnsubscribe==true"),  # noqa: E712 - the comparison is the expression
        (F("lastSeenDate") >= NEW_YEAR, "lastSeenDate>=1767225600000"),
        (NEW_YEAR <= F("lastSeenDate"), "lastSeenDate>=1767225600000"),  # noqa: SIM300 - the other way round works too
        (F("customAttributes.plan") == "pro", "customAttributes.plan==pro"),
        (F("location.city") == "Bergen", "location.city==Bergen"),
        (F("lastVisitedUserAgentData.propertyKey") == "AP-1", "lastVisitedUserAgentData.propertyKey==AP-1"),
        (F("title") == "a==b>=c!~d", "title==a==b>=c!~d"),
        (F("title") == "", "title=="),
    ],
)
def test_a_comparison_renders_as_field_operator_value(expression: Filter, text: str) -> None:
    assert expression.render(USERS) == [text]


def test_and_joins_terms_in_one_parameter_and_or_makes_another() -> None:
    kari = (F("firstName") == "Kari") & (F("lastName") == "Moe")

    assert (kari | (F("firstName") == "Ola")).render(USERS) == ["firstName==Kari;lastName==Moe", "firstName==Ola"]


def test_and_over_or_is_written_out_as_one_parameter_for_each_choice() -> None:
    either = (F("role") == "editor") | (F("role") == "owner")

    assert ((F("score") > 1) & either).render(USERS) == ["score>1;role==editor", "score>1;role==owner"]


def test_a_moment_is_written_in_utc_whatever_its_zone() -> None:
    in_oslo = datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=1)))

    assert (F("date") >= in_oslo).render(SESSIONS) == ["date>=1767225600000"]


@given(moment=st.datetimes(timezones=st.timezones()))
def test_ranges_that_share_a_bound_touch_without_overlapping(moment: datetime) -> None:
    (before,) = (F("date") < moment).render(SESSIONS)
    (after,) = (F("date") >= moment).render(SESSIONS)

    assert before.removeprefix("date<") == after.removeprefix("date>=")


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(InputError, match="names no time zone"):
        F("date") >= datetime(2026, 1, 1)  # noqa: B015, DTZ001 - the comparison is what raises, for lack of a zone


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), ["a"], NEW_YEAR.date()])
def test_a_value_that_is_no_text_number_boolean_or_moment_is_refused(value: Value) -> None:
    with pytest.raises(InputError, match="'score' cannot compare with"):
        F("score") == value  # noqa: B015 - the comparison is what raises


def test_a_value_with_a_semicolon_is_refused_since_nothing_quotes_it() -> None:
    with pytest.raises(InputError, match="semicolon"):
        F("title") == "a;b"  # noqa: B015 - the comparison is what raises


def test_a_value_that_would_change_the_operator_is_refused() -> None:
    with pytest.raises(InputError, match="read as part of the operator, >="):
        F("title") > "=5"  # noqa: B015 - the comparison is what raises


@pytest.mark.parametrize("name", ["", ".", "a..b", "a b", "a=b", "a;b", "lastName!"])
def test_a_name_outside_the_language_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot be the field of a filter"):
        F(name) == "x"  # noqa: B015 - the comparison is what raises


@pytest.mark.parametrize(
    ("endpoint", "name", "known"),
    [
        (SESSIONS, "dates", "It knows: identifyId, accountId, date."),
        (USERS, "location.cityName", "customAttributes.<name>"),
        (USERS, "location", "location.city"),
        (USERS, "customAttributes", "lastSeenDate"),
    ],
)
def test_an_unknown_field_is_refused_with_those_that_are_known(endpoint: Endpoint, name: str, known: str) -> None:
    with pytest.raises(InputError, match=f"does not know the field '{name}'") as refusal:
        (F(name) == "x").render(endpoint)

    assert known in refusal.value.hint
    assert refusal.value.where == endpoint.name


def test_an_operator_that_the_field_does_not_take_is_refused_with_those_it_takes() -> None:
    with pytest.raises(InputError, match="does not take ~ on 'identifyId'") as refusal:
        F("identifyId").like("kari*").render(MATCHES)

    assert refusal.value.hint == "On this field it takes: ==."


def test_a_list_without_a_filter_refuses_any() -> None:
    with pytest.raises(InputError, match="list_segments takes no filter"):
        (F("name") == "x").render(SEGMENTS)


def test_joining_with_python_words_is_refused_rather_than_dropping_a_side() -> None:
    with pytest.raises(TypeError, match="join filters with & and"):
        (F("score") > 1) and (F("score") < 3)


_NAMES = st.from_regex(r"[A-Za-z_]\w*", fullmatch=True, alphabet=st.characters(codec="utf-8"))
_FIELDS = st.sampled_from(["email", "id", "location.city"]) | _NAMES.map("customAttributes.{}".format)
_TEXTS = st.text().filter(lambda text: ";" not in text)
_VALUES = (
    st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.datetimes(timezones=st.timezones())
    | _TEXTS.filter(lambda text: not text.startswith("="))
)
_COMPARISONS = st.one_of(
    st.builds(lambda name, value: F(name) == value, _FIELDS, _VALUES | _TEXTS),
    st.builds(lambda name, value: F(name) != value, _FIELDS, _VALUES | _TEXTS),
    st.builds(lambda name, value: F(name) < value, _FIELDS, _VALUES),
    st.builds(lambda name, value: F(name) <= value, _FIELDS, _VALUES | _TEXTS),
    st.builds(lambda name, value: F(name) > value, _FIELDS, _VALUES),
    st.builds(lambda name, value: F(name) >= value, _FIELDS, _VALUES | _TEXTS),
    st.builds(lambda name, pattern: F(name).like(pattern), _FIELDS, _TEXTS),
    st.builds(lambda name, pattern: F(name).unlike(pattern), _FIELDS, _TEXTS),
)
_FILTERS = st.recursive(
    _COMPARISONS,
    lambda inner: st.builds(lambda a, b: a & b, inner, inner) | st.builds(lambda a, b: a | b, inner, inner),
    max_leaves=6,
)


@given(filter_=_FILTERS)
def test_reading_a_rendered_filter_gives_it_back(filter_: Filter) -> None:
    assert parse_filter(filter_.render(USERS)) == filter_


@given(filter_=_FILTERS)
def test_a_filter_that_was_read_renders_the_same_texts(filter_: Filter) -> None:
    texts = filter_.render(USERS)

    assert parse_filter(texts).render(USERS) == texts


@given(filter_=_FILTERS)
def test_a_semicolon_at_the_end_of_a_text_changes_nothing(filter_: Filter) -> None:
    texts = filter_.render(USERS)

    assert parse_filter([f"{text};" for text in texts]) == parse_filter(texts)


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        ([], "no filter to read"),
        ([""], "which is no comparison"),
        (["score>1;;score<3"], "which is no comparison"),
        (["lastName=Doe"], "'lastName=Doe', which is no comparison"),
        (["score!3"], "which is no comparison"),
        (["==3"], "cannot be the field of a filter"),
        ([" score==3"], "cannot be the field of a filter"),
    ],
)
def test_a_text_outside_the_language_is_refused(texts: list[str], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        parse_filter(texts)
