# ruff: noqa: INP001  # a package here would hide the standard library's http, since tests/ is on the path
"""A list is read to its end, or an error says that it was not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import JSONResponse

from feedloom.catalogue import CursorPaging, NumberPaging, Paging, Param, ScrollPaging
from feedloom.errors import InputError, RefusedError, VendorError
from feedloom.http import Page, ScrollLostError, paging

if TYPE_CHECKING:
    from .conftest import Seen, Stage

NUMBERS = NumberPaging(number_param="page", first_number=0, size_param="size", size_default=2, size_max=50)
FLAGGED = NumberPaging(
    number_param="page", first_number=1, size_param="size", size_default=2, size_max=50, last="is_last", total="total"
)
COUNTED = NumberPaging(
    number_param="page", first_number=1, size_param="size", size_default=2, size_max=50, last_number="paging.last"
)
CURSORS = CursorPaging(
    cursor_param="cursor",
    next="paging.next",
    size_param="size",
    size_default=2,
    size_max=50,
    total="paging.total",
    number_param="page",
    last_number="paging.last",
)
SCROLL = ScrollPaging(
    scroll_param="scroll", next="scroll", size_param="size", size_default=2, size_max=50, total="total"
)
TO_NULL = ScrollPaging(
    scroll_param="scroll", next="scroll", size_param="size", size_default=2, size_max=50, only_null_ends=True
)

Rows = list[dict[str, Any]]


def things(count: int) -> Rows:
    return [{"id": number, "text": f"thing {number}"} for number in range(count)]


def ids(pages: list[Page]) -> list[int]:
    return [row["id"] for page in pages for row in page.rows]


def by_number(rows: Rows, *, first: int) -> Callable[[Seen], JSONResponse]:
    """A vendor that cuts *rows* by page number, with every mark there is."""

    def answer(seen: Seen) -> JSONResponse:
        query = dict(seen.query)
        size = int(query["size"])
        start = (int(query["page"]) - first) * size
        last = first + max(0, len(rows) - 1) // size
        marks = {"is_last": start + size >= len(rows), "total": len(rows), "paging": {"last": last}}
        return JSONResponse({"items": rows[start : start + size], **marks})

    return answer


def by_cursor(rows: Rows, **changes: Any) -> Callable[[Seen], JSONResponse]:
    """A vendor whose cursor is the offset of the next row; *changes* overwrite its paging marks."""

    def answer(seen: Seen) -> JSONResponse:
        query = dict(seen.query)
        start, size = int(query.get("cursor", "0")), int(query["size"])
        following = str(start + size) if start + size < len(rows) else None
        marks = {"next": following, "total": len(rows), **changes}
        return JSONResponse({"items": rows[start : start + size], "paging": marks})

    return answer


def by_scroll(rows: Rows, *, null_at_end: bool = False) -> Callable[[Seen], JSONResponse]:
    """A vendor with one scroll, whose id never changes, and which moves on at each call."""
    position = 0

    def answer(seen: Seen) -> JSONResponse:
        nonlocal position
        query = dict(seen.query)
        position = position if "scroll" in query else 0
        size = int(query["size"])
        part = rows[position : position + size]
        position += size
        scroll = None if null_at_end and position >= len(rows) else "scroll-1"
        return JSONResponse({"items": part, "scroll": scroll, "total": len(rows) + 7})

    return answer


@given(count=st.integers(0, 60), size=st.integers(1, 50))
@pytest.mark.parametrize("way", ["numbers", "flagged", "counted", "cursor", "scroll", "to null"])
def test_any_page_size_yields_the_same_rows(new_stage: type[Stage], way: str, count: int, size: int) -> None:
    rows = things(count)
    ways: dict[str, tuple[Paging, Callable[[Seen], JSONResponse]]] = {
        "numbers": (NUMBERS, by_number(rows, first=0)),
        "flagged": (FLAGGED, by_number(rows, first=1)),
        "counted": (COUNTED, by_number(rows, first=1)),
        "cursor": (CURSORS, by_cursor(rows)),
        "scroll": (SCROLL, by_scroll(rows)),
        "to null": (TO_NULL, by_scroll(rows, null_at_end=True)),
    }
    described, script = ways[way]
    stage = new_stage()

    pages = stage.read(stage.endpoint(paging=described), script, page_size=size)

    assert ids(pages) == list(range(count))
    assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert [page.number for page in pages] == list(range(len(pages)))
    assert all(dict(seen.query)["size"] == str(size) for seen in stage.seen)
    assert stage.notes.pages == pages


@pytest.mark.parametrize("described", [NUMBERS, CURSORS, SCROLL])
def test_the_largest_page_size_is_sent_by_default_and_never_more(stage: Stage, described: Any) -> None:
    listed = stage.endpoint(paging=described)

    stage.read(listed, lambda _: JSONResponse({"items": []}))
    stage.read(listed, lambda _: JSONResponse({"items": []}), page_size=1000)
    stage.call(listed)

    assert [dict(seen.query)["size"] for seen in stage.seen] == ["50", "50", "50"]


@pytest.mark.parametrize("size", [0, -1])
def test_a_page_size_below_one_is_refused(stage: Stage, size: int) -> None:
    with pytest.raises(InputError, match="as page size"):
        stage.read(stage.endpoint(paging=NUMBERS), [], page_size=size)


@pytest.mark.parametrize("size", [0, 51, "20"])
def test_a_page_size_among_the_parameters_has_to_be_one_the_vendor_takes(stage: Stage, size: Any) -> None:
    with pytest.raises(InputError, match="as page size") as caught:
        stage.call(stage.endpoint(paging=NUMBERS), {"size": size})

    assert "from 1 to 50" in caught.value.hint


@pytest.mark.parametrize(("described", "name"), [(NUMBERS, "page"), (CURSORS, "cursor"), (SCROLL, "scroll")])
def test_the_position_in_a_list_is_not_the_callers_to_set(stage: Stage, described: Any, name: str) -> None:
    with pytest.raises(InputError, match=f"sets '{name}' itself"):
        stage.read(stage.endpoint(paging=described), [], params={name: 3})


def test_a_page_says_how_it_was_asked_for(stage: Stage) -> None:
    pages = stage.read(stage.endpoint(paging=CURSORS), by_cursor(things(3)), page_size=2)

    assert [page.position for page in pages] == [None, "2"]
    assert [page.total for page in pages] == [3, 3]
    assert pages[1].request == "GET http://us.acme.test/v1/things?size=2&cursor=2"
    assert pages[1].body.startswith(b'{"items":[{"id":2')


def test_an_answer_that_is_no_list_is_one_page_of_one_row(stage: Stage) -> None:
    [page] = stage.read(stage.endpoint(name="get_account"), [JSONResponse({"plan": "pro"})])

    assert (page.rows, page.is_last, page.position) == ([{"plan": "pro"}], True, None)


def test_a_list_that_comes_whole_is_one_page(stage: Stage) -> None:
    bare = stage.endpoint(is_list=True)
    named = stage.endpoint(is_list=True, records="data.rows")

    assert ids(stage.read(bare, [JSONResponse(things(3))])) == [0, 1, 2]
    assert ids(stage.read(named, [JSONResponse({"data": {"rows": things(2)}})])) == [0, 1]


def test_every_request_of_a_list_repeats_the_filters(stage: Stage) -> None:
    filters = Param(name="filter", encoding="repeat")
    for described, script in ((CURSORS, by_cursor(things(5))), (SCROLL, by_scroll(things(5)))):
        stage.read(stage.endpoint(filters, paging=described), script, params={"filter": ["a>1", "b"]}, page_size=2)

    assert len(stage.seen) == 6
    assert all(seen.query[:2] == [("filter", "a>1"), ("filter", "b")] for seen in stage.seen)


# The end of a list by number


def test_a_short_page_is_the_last_where_the_vendor_marks_none(stage: Stage) -> None:
    stage.read(stage.endpoint(paging=NUMBERS), by_number(things(3), first=0), page_size=2)

    assert [dict(seen.query)["page"] for seen in stage.seen] == ["0", "1"]


def test_a_full_last_page_is_the_end_where_the_vendor_marks_it(stage: Stage) -> None:
    for described in (FLAGGED, COUNTED):
        stage.read(stage.endpoint(paging=described), by_number(things(4), first=1), page_size=2)

    assert [dict(seen.query)["page"] for seen in stage.seen] == ["1", "2"] * 2


def test_a_short_page_is_not_the_last_where_the_vendor_says_that_more_follow(stage: Stage) -> None:
    capped = [
        JSONResponse({"items": things(3)[:2], "is_last": False}),
        JSONResponse({"items": things(3)[2:], "is_last": True}),
    ]

    pages = stage.read(stage.endpoint(paging=FLAGGED), capped, page_size=50)

    assert ids(pages) == [0, 1, 2]


@pytest.mark.parametrize("before", [0, 2])
def test_an_empty_page_that_is_said_not_to_be_the_last_is_no_end(stage: Stage, before: int) -> None:
    pages = [things(before)] * (before > 0)
    script = [JSONResponse({"items": rows, "is_last": False}) for rows in [*pages, []]]

    with pytest.raises(VendorError, match="brought no rows, and says that more follow"):
        stage.read(stage.endpoint(paging=FLAGGED), script, page_size=2)


@pytest.mark.parametrize("marks", [{"is_last": True}, {}])
def test_an_empty_page_after_full_ones_is_the_end(stage: Stage, marks: dict[str, Any]) -> None:
    script = [JSONResponse({"items": things(2), "is_last": False}), JSONResponse({"items": [], **marks})]

    assert ids(stage.read(stage.endpoint(paging=FLAGGED), script, page_size=2)) == [0, 1]


# The end of a list by cursor


@pytest.mark.parametrize("end", [{"next": None}, {"next": ""}, {}])
def test_a_list_ends_without_a_cursor(stage: Stage, end: dict[str, Any]) -> None:
    script = [
        JSONResponse({"items": things(2), "paging": {"next": "b"}}),
        JSONResponse({"items": things(3)[2:], "paging": end}),
    ]

    assert ids(stage.read(stage.endpoint(paging=CURSORS), script, page_size=2)) == [0, 1, 2]


def test_an_empty_page_ends_a_list_that_still_names_a_cursor(stage: Stage) -> None:
    script = [
        JSONResponse({"items": things(2), "paging": {"next": "b"}}),
        JSONResponse({"items": [], "paging": {"next": "c"}}),
    ]

    assert ids(stage.read(stage.endpoint(paging=CURSORS), script, page_size=2)) == [0, 1]


def test_a_list_whose_first_page_names_no_cursor_goes_on_by_number(stage: Stage) -> None:
    rows = things(5)

    def answer(seen: Seen) -> JSONResponse:
        start = (int(dict(seen.query).get("page", "1")) - 1) * 2
        return JSONResponse({"items": rows[start : start + 2], "paging": {"next": None, "last": 3, "total": 5}})

    pages = stage.read(stage.endpoint(paging=CURSORS), answer, page_size=2)

    assert ids(pages) == [0, 1, 2, 3, 4]
    assert [page.position for page in pages] == [None, 2, 3]
    assert [dict(seen.query).get("cursor") for seen in stage.seen] == [None] * 3


def test_a_missing_cursor_on_a_later_page_is_the_end_and_no_change_to_numbers(stage: Stage) -> None:
    script = [
        JSONResponse({"items": things(2), "paging": {"next": "b", "last": 9}}),
        JSONResponse({"items": things(3)[2:], "paging": {"next": None, "last": 9}}),
    ]

    assert ids(stage.read(stage.endpoint(paging=CURSORS), script, page_size=2)) == [0, 1, 2]


# The end of a scroll


def test_a_scroll_ends_on_a_short_page_though_its_id_lives_and_its_total_is_inflated(stage: Stage) -> None:
    pages = stage.read(stage.endpoint(paging=SCROLL), by_scroll(things(5)), page_size=2)

    assert ids(pages) == [0, 1, 2, 3, 4]
    assert pages[-1].total == 12
    assert [page.position for page in pages] == [None, "scroll-1", "scroll-1"]
    assert len(stage.seen) == 3


def test_a_scroll_that_only_null_ends_goes_on_after_a_short_page(stage: Stage) -> None:
    script = [
        JSONResponse({"items": things(1), "scroll": "a"}),
        JSONResponse({"items": things(3)[1:], "scroll": "a"}),
        JSONResponse({"items": things(4)[3:], "scroll": None}),
    ]

    assert ids(stage.read(stage.endpoint(paging=TO_NULL), script, page_size=2)) == [0, 1, 2, 3]


@pytest.mark.parametrize("described", [SCROLL, TO_NULL])
@pytest.mark.parametrize("end", [{"items": [], "scroll": "a"}, {"items": [], "scroll": None}, {"items": []}])
def test_an_empty_page_ends_a_scroll(stage: Stage, described: ScrollPaging, end: dict[str, Any]) -> None:
    script = [JSONResponse({"items": things(2), "scroll": "a"}), JSONResponse(end)]

    assert ids(stage.read(stage.endpoint(paging=described), script, page_size=2)) == [0, 1]


def test_a_scroll_may_bring_rows_again_that_came_before_the_last_page(stage: Stage) -> None:
    first, second = things(4)[:2], things(4)[2:]
    script = [JSONResponse({"items": rows, "scroll": "a"}) for rows in (first, second, first, [])]

    assert ids(stage.read(stage.endpoint(paging=SCROLL), script, page_size=2)) == [0, 1, 2, 3, 0, 1]


# What is never a quiet end


@pytest.mark.parametrize(
    ("described", "script"),
    [
        (FLAGGED, [{"items": things(2), "total": 5, "is_last": True}]),
        (FLAGGED, [{"items": things(2), "total": 5}, {"items": [], "total": 5}]),
        (FLAGGED, [{"items": things(2), "total": 5}, {"items": [], "total": 0}]),
        (CURSORS, [{"items": things(2), "paging": {"total": 5, "next": None}}]),
        (CURSORS, [{"items": things(2), "paging": {"total": 5, "next": "a"}}, {"items": [], "paging": {"total": 5}}]),
    ],
)
def test_a_list_that_ends_before_the_vendors_own_count_is_an_error(
    stage: Stage, described: Any, script: list[dict[str, Any]]
) -> None:
    with pytest.raises(VendorError, match=r"list_things: page .* ended the list after 2 rows, .* counts 5") as caught:
        stage.read(stage.endpoint(paging=described), [JSONResponse(body) for body in script], page_size=2)

    assert "GET http://us.acme.test/v1/things?size=2" in caught.value.message
    assert not stage.notes.pages or not stage.notes.pages[-1].is_last


@pytest.mark.parametrize("totals", [(3, 4), (5, 3)])
def test_rows_that_come_or_go_while_a_list_is_read_are_no_error(stage: Stage, totals: tuple[int, int]) -> None:
    script = [
        JSONResponse({"items": things(2), "paging": {"total": totals[0], "next": "a"}}),
        JSONResponse({"items": things(3)[2:], "paging": {"total": totals[1], "next": None}}),
    ]

    assert ids(stage.read(stage.endpoint(paging=CURSORS), script, page_size=2)) == [0, 1, 2]


@pytest.mark.parametrize("described", [NUMBERS, CURSORS, SCROLL])
def test_a_page_that_comes_again_is_an_error(stage: Stage, described: Any) -> None:
    turn = iter(range(9))
    same = lambda _: JSONResponse({"items": things(2), "scroll": "a", "paging": {"next": f"c{next(turn)}"}})  # noqa: E731

    with pytest.raises(VendorError, match=r"list_things: page 2 \(GET http.*\) brought the same rows"):
        stage.read(stage.endpoint(paging=described), same, page_size=2)


def test_a_page_that_comes_again_much_later_is_an_error(stage: Stage) -> None:
    rows = things(40)

    def answer(seen: Seen) -> JSONResponse:
        number = int(dict(seen.query)["page"]) % 20
        return JSONResponse({"items": rows[number * 2 : number * 2 + 2]})

    with pytest.raises(VendorError, match=r"page 21 .* brought the same rows"):
        stage.read(stage.endpoint(paging=NUMBERS), answer, page_size=2)


@pytest.mark.parametrize("cursors", ["aa", "aba"])
def test_a_cursor_that_does_not_move_is_an_error(stage: Stage, cursors: str) -> None:
    script = [
        JSONResponse({"items": [{"id": number}], "paging": {"next": cursor}}) for number, cursor in enumerate(cursors)
    ]

    with pytest.raises(VendorError, match="a cursor that was used before"):
        stage.read(stage.endpoint(paging=CURSORS), script, page_size=1)


@pytest.mark.parametrize("cursor", [True, 1.5, {"a": 1}, ["a"]])
def test_a_cursor_that_cannot_be_one_is_an_error(stage: Stage, cursor: Any) -> None:
    with pytest.raises(VendorError, match="is no cursor"):
        stage.read(stage.endpoint(paging=CURSORS), [JSONResponse({"items": things(1), "paging": {"next": cursor}})])


@pytest.mark.parametrize("described", [NUMBERS, CURSORS, SCROLL])
@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"results": []}, "has no 'items'"),
        ({"items": None}, "holds no list"),
        ({"items": {"a": 1}}, "holds no list"),
        ({"items": [1]}, "are not objects"),
        ([], "has no 'items'"),
    ],
)
def test_rows_that_are_not_where_they_should_be_are_an_error(
    stage: Stage, described: Any, body: Any, problem: str
) -> None:
    with pytest.raises(VendorError, match=rf"list_things \(GET http://us.acme.test/v1/things\?.*{problem}"):
        stage.read(stage.endpoint(paging=described), [JSONResponse(body)])


def test_a_list_without_end_is_cut_off(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_PAGES", 3)

    with pytest.raises(VendorError, match="not the last page after 3"):
        stage.read(stage.endpoint(paging=NUMBERS), by_number(things(50), first=0), page_size=2)


# A scroll cannot be asked twice


@pytest.mark.parametrize("status", [400, 404, 410, 500, 503])
def test_a_page_of_a_scroll_that_failed_is_lost_and_not_asked_for_again(stage: Stage, status: int) -> None:
    script = [JSONResponse({"items": things(2), "scroll": "a"}), JSONResponse({"message": "oh no"}, status)]

    with pytest.raises(ScrollLostError, match=rf"list_things .*scroll=a.* is lost: status {status}, oh no") as caught:
        stage.read(stage.endpoint(paging=SCROLL), script, page_size=2)

    assert len(stage.seen) == 2
    assert "start the list over" in caught.value.hint
    assert (caught.value.exit_code, caught.value.retryable) == (5, True)


def test_the_first_page_of_a_scroll_is_retried_like_any_other(stage: Stage) -> None:
    script = [JSONResponse({}, 503), JSONResponse({"items": things(1), "scroll": "a"})]

    assert ids(stage.read(stage.endpoint(paging=SCROLL), script, page_size=2)) == [0]


def test_a_scroll_waits_out_a_rate_limit(stage: Stage) -> None:
    script = [
        JSONResponse({"items": things(2), "scroll": "a"}),
        JSONResponse({}, 429, {"Retry-After": "7"}),
        JSONResponse({"items": things(3)[2:], "scroll": "a"}),
    ]

    assert ids(stage.read(stage.endpoint(paging=SCROLL), script, page_size=2)) == [0, 1, 2]
    assert stage.clock.slept_s == [7]


def test_a_call_that_takes_a_page_of_a_scroll_is_not_repeated_either(stage: Stage) -> None:
    with pytest.raises(ScrollLostError):
        stage.call(stage.endpoint(paging=SCROLL), {"scroll": "a"}, [JSONResponse({}, 500)])


def test_the_first_page_of_a_scroll_can_be_refused(stage: Stage) -> None:
    with pytest.raises(RefusedError, match="status 400"):
        stage.read(stage.endpoint(paging=SCROLL), [JSONResponse({}, 400)])


def test_pages_are_asked_for_only_as_they_are_taken(stage: Stage) -> None:
    listed = stage.endpoint(paging=NUMBERS)

    async def take_one() -> int:
        async with stage.client(by_number(things(50), first=0), listed) as client:
            pages = client.pages(listed, {}, page_size=2)
            return (await anext(pages)).number

    assert asyncio.run(take_one()) == 0
    assert len(stage.seen) == 1
