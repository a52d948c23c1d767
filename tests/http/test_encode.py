# ruff: noqa: INP001  # a package here would hide the standard library's http, since tests/ is on the path
"""Parameters become exactly the request they describe, or an InputError before anything is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedloom.catalogue import Endpoint, Known, NumberPaging, Param, Source
from feedloom.errors import InputError
from feedloom.http import Value
from feedloom.http.encode import encode

if TYPE_CHECKING:
    from .conftest import Stage

SOURCE = Source(where=("made up",), checked="2026-01", known=Known.ASSUMED)
TEXTS = st.text(st.characters(codec="utf-8"))
KEYS = st.text(st.characters(codec="utf-8", exclude_characters="[]"), min_size=1)


def endpoint(*params: Param, **more: Any) -> Endpoint:
    given: dict[str, Any] = {"name": "list_things", "operation_id": "x", "method": "GET", "path": "/things", **more}
    return Endpoint(params=params, summary="Things.", source=SOURCE, **given)


def query(described: Endpoint, values: dict[str, Value]) -> list[tuple[str, str]]:
    return parse_qsl(encode(described, values).query, keep_blank_values=True, strict_parsing=True)


@given(text=TEXTS)
def test_any_text_arrives_as_it_was_given(text: str) -> None:
    assert query(endpoint(Param(name="search")), {"search": text}) == [("search", text)]


@given(items=st.lists(TEXTS, min_size=1))
def test_a_list_is_written_with_brackets_and_keeps_its_order(items: list[str]) -> None:
    listed = endpoint(Param(name="form_uuids", encoding="list"))

    assert query(listed, {"form_uuids": items}) == [("form_uuids[]", item) for item in items]


@given(items=st.lists(TEXTS, min_size=1))
def test_a_repeated_parameter_keeps_its_order(items: list[str]) -> None:
    assert query(endpoint(Param(name="filter", encoding="repeat")), {"filter": items}) == [("filter", i) for i in items]


@given(values=st.dictionaries(KEYS, TEXTS | st.integers() | st.booleans(), min_size=1))
def test_a_map_is_written_with_its_keys_in_brackets(values: dict[str, str | int | bool]) -> None:
    sent = query(endpoint(Param(name="data", type="object", encoding="map")), {"data": values})

    plain = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in values.items()}
    assert sent == [(f"data[{key}]", value) for key, value in plain.items()]


@given(text=TEXTS.filter(lambda text: text not in {"", ".", ".."}))
def test_a_path_parameter_is_one_segment_whatever_it_holds(text: str) -> None:
    by_id = endpoint(Param(name="id", place="path", required=True), path="/things/{id}/parts")

    path = encode(by_id, {"id": text}).path

    assert path.count("/") == 3
    assert "?" not in path
    assert "#" not in path
    assert unquote(path.split("/")[2]) == text


@pytest.mark.parametrize("text", ["", ".", ".."])
def test_a_path_parameter_that_would_name_another_path_is_refused(text: str) -> None:
    by_id = endpoint(Param(name="id", place="path"), path="/things/{id}", name="delete_thing", method="DELETE")

    with pytest.raises(InputError, match="delete_thing cannot put"):
        encode(by_id, {"id": text})


def test_body_parameters_travel_as_json() -> None:
    update = endpoint(
        Param(name="id", place="path"),
        Param(name="name", place="body"),
        Param(name="tags", place="body", encoding="list"),
        Param(name="traits", type="object", place="body", encoding="map"),
        Param(name="published", type="boolean", place="body", encoding="flag"),
        Param(name="note", place="body"),
        path="/things/{id}",
        method="PUT",
    )
    values: dict[str, Value] = {
        "id": "a/b",
        "name": "Ærlig 🎈",
        "tags": ["x"],
        "traits": {"deep": {"er": [1, None]}},
        "published": True,
        "note": None,
    }

    call = encode(update, values)

    assert (call.path, call.query) == ("/things/a%2Fb", "")
    assert call.body is not None
    assert orjson.loads(call.body) == {
        "name": "Ærlig 🎈",
        "tags": ["x"],
        "traits": {"deep": {"er": [1, None]}},
        "published": 1,
        "note": None,
    }


def test_a_body_is_sent_by_delete_and_left_out_by_calls_without_one() -> None:
    assert encode(endpoint(Param(name="id", place="body"), method="DELETE"), {"id": "7"}).body == b'{"id":"7"}'
    assert encode(endpoint(Param(name="id", place="body"), method="POST"), {}).body == b"{}"
    assert encode(endpoint(method="DELETE"), {}).body is None


def test_an_open_body_takes_keys_that_nobody_described() -> None:
    identify = endpoint(Param(name="id", place="body"), method="POST", open_body=True)

    assert encode(identify, {"id": "7", "plan": "pro"}).body == b'{"id":"7","plan":"pro"}'


def test_a_single_item_may_stand_bare_where_a_list_is_taken() -> None:
    assert query(endpoint(Param(name="filter", encoding="repeat")), {"filter": "a>1"}) == [("filter", "a>1")]


def test_none_leaves_a_query_parameter_out() -> None:
    assert encode(endpoint(Param(name="search")), {"search": None}).query == ""


def test_flags_and_plain_booleans_and_numbers_have_their_own_spelling() -> None:
    mixed = endpoint(
        Param(name="info", type="integer", encoding="flag", enum=(0, 1)),
        Param(name="hard", type="boolean"),
        Param(name="n", type="integer"),
        Param(name="x", type="number"),
    )

    sent = encode(mixed, {"info": True, "hard": False, "n": 3, "x": 0.5}).query

    assert sent == "info=1&hard=false&n=3&x=0.5"


MOMENT = datetime(2026, 1, 31, 23, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=2)))


def test_a_datetime_is_written_in_utc_with_its_zone_or_as_epoch_milliseconds() -> None:
    window = ("start", "end")
    texts = endpoint(Param(name="start"), Param(name="end"), window=window)
    numbers = endpoint(Param(name="start", type="integer"), Param(name="end", type="integer"), window=window)
    format_says_so = endpoint(Param(name="seen_at", format="date-time", place="body"), method="POST")

    assert query(texts, {"start": MOMENT}) == [("start", "2026-01-31T21:59:59Z")]
    assert query(numbers, {"end": MOMENT}) == [("end", "1769896799999")]
    assert encode(format_says_so, {"seen_at": MOMENT}).body == b'{"seen_at":"2026-01-31T21:59:59Z"}'


@given(st.datetimes(timezones=st.timezones()), st.datetimes(timezones=st.timezones()))
def test_earlier_moments_are_never_written_later(one: datetime, other: datetime) -> None:
    first, second = sorted((one, other), key=lambda moment: moment.astimezone(UTC).replace(tzinfo=None))
    texts = endpoint(Param(name="start"), Param(name="end"), window=("start", "end"))

    written = dict(query(texts, {"start": first, "end": second}))

    assert datetime.fromisoformat(written["start"]) <= datetime.fromisoformat(written["end"])
    assert (
        datetime.fromisoformat(written["start"])
        <= first
        < datetime.fromisoformat(written["start"]) + timedelta(seconds=1)
    )


ENUM = Param(name="include", enum=("completed", "all"))
COUNT = Param(name="n", type="integer", minimum=1, maximum=10)
LIST = Param(name="ids", encoding="list", minimum=1, maximum=2)


@pytest.mark.parametrize(
    ("param", "value", "message", "hint"),
    [
        (ENUM, "complete", "'complete' as 'include'", "completed, all"),
        (ENUM, 3, "an int as 'include'", "of type text"),
        (COUNT, 0, "does not take 0 as 'n'", "at least 1"),
        (COUNT, 11, "does not take 11 as 'n'", "at most 10"),
        (COUNT, "5", "a str as 'n'", "of type integer"),
        (COUNT, True, "a bool as 'n'", "of type integer"),
        (COUNT, 5.0, "a float as 'n'", "of type integer"),
        (Param(name="n", type="number"), float("nan"), "nan", "finite"),
        (Param(name="n", type="boolean"), 1, "an int as 'n'", "of type boolean"),
        (Param(name="n", encoding="flag"), 2, "an int as 'n'", "1 or 0"),
        (Param(name="n", encoding="flag"), "1", "a str as 'n'", "1 or 0"),
        (LIST, ["a", "b", "c"], "3 items as 'ids'", "at most 2 items"),
        (LIST, ["a", 2], "an int as 'ids'", "of type text"),
        (Param(name="ids", encoding="list"), [], "nothing in 'ids'", "leave 'ids' out"),
        (Param(name="data", type="object", encoding="map"), {}, "nothing in 'data'", "leave 'data' out"),
        (Param(name="data", type="object", encoding="map"), ["a"], "a list as 'data'", "a map"),
        (Param(name="data", type="object", encoding="map"), {"a": {}}, "a dict as 'data'", "made of"),
        (Param(name="data", type="object", encoding="map"), {"a]": 1}, "a key of 'data'", "no brackets"),
        (Param(name="x", type="any"), {"a": 1}, "a dict as 'x'", "made of"),
        (Param(name="search"), MOMENT, "a datetime as 'search'", "of type text"),
        (Param(name="seen_at", format="date-time"), datetime(2026, 1, 1), "no time zone", "with a time zone"),  # noqa: DTZ001  # the point
        (Param(name="search"), "\ud800", "not valid Unicode", "broken"),
        (Param(name="traits", type="object", place="body"), {"a": float("nan")}, "as JSON", "JSON can hold"),
        (Param(name="traits", type="object", place="body"), {"a": object()}, "as JSON", "JSON can hold"),
        (Param(name="tags", type="list", place="body", maximum=1), ["a", "b"], "2 items as 'tags'", "at most 1 items"),
    ],
)
def test_a_value_that_the_description_rules_out_is_refused_with_what_is_allowed(
    param: Param, value: Any, message: str, hint: str
) -> None:
    with pytest.raises(InputError) as caught:
        encode(endpoint(param, method="POST"), {param.name: value})

    assert caught.value.message.startswith("list_things ")
    assert message.replace("an int", "a int") in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.where == "list_things"


def test_an_unknown_parameter_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="'date_start'; did you mean 'date_range_start'") as caught:
        encode(endpoint(Param(name="date_range_start"), Param(name="search")), {"date_start": "2026-01-01"})

    assert caught.value.hint == "It takes: date_range_start, search."


def test_a_deprecated_parameter_is_never_sent() -> None:
    with pytest.raises(InputError, match="takes no parameter 'date_start'"):
        encode(endpoint(Param(name="date_start", deprecated=True)), {"date_start": "2026-01-01"})


@pytest.mark.parametrize("values", [{}, {"type": None}])
def test_a_missing_required_parameter_is_refused(values: dict[str, Value]) -> None:
    with pytest.raises(InputError, match="needs the parameter 'type'"):
        encode(endpoint(Param(name="type", required=True)), values)


def test_of_alternatives_at_least_one_has_to_be_given() -> None:
    alternatives = endpoint(Param(name="id"), Param(name="email"), one_of=(("id", "email"),))

    with pytest.raises(InputError, match="needs 'id' or 'email', and got neither"):
        encode(alternatives, {})
    assert encode(alternatives, {"id": "1"}).query == "id=1"
    assert encode(alternatives, {"id": "1", "email": "e"}).query == "id=1&email=e"


def test_parameters_of_the_paging_need_no_second_description() -> None:
    paging = NumberPaging(number_param="page", first_number=0, size_param="size", size_default=25, size_max=50)

    assert encode(endpoint(paging=paging), {"page": 0, "size": 50}).query == "page=0&size=50"


def test_a_refused_call_sends_nothing(stage: Stage) -> None:
    with pytest.raises(InputError):
        stage.call(stage.endpoint(ENUM), {"include": "none"})

    assert stage.seen == []
