# ruff: noqa: INP001  # a package here would hide the standard library's http, since tests/ is on the path
"""A page that is too large or too slow is asked for in smaller ones, and no row is lost or doubled by that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx2
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import JSONResponse, Response

from feedloom.catalogue import CursorPaging, NumberPaging, Paging, ScrollPaging
from feedloom.errors import RetryLaterError
from feedloom.http import Client, StartOverError
from feedloom.http.sizes import GROWING, SMALLEST, smaller_size

from .test_paging import by_cursor, by_number, by_scroll, ids, things

if TYPE_CHECKING:
    from feedloom.catalogue import Endpoint

    from .conftest import Seen, Stage

FROM_0 = NumberPaging(
    number_param="page", first_number=0, size_param="size", size_default=2, size_max=200, last="is_last"
)
FROM_1 = NumberPaging(
    number_param="page", first_number=1, size_param="size", size_default=2, size_max=200, total="total"
)
CURSORS = CursorPaging(
    cursor_param="cursor", next="paging.next", size_param="size", size_default=2, size_max=200, total="paging.total"
)
SCROLL = ScrollPaging(scroll_param="scroll", next="scroll", size_param="size", size_default=2, size_max=200)

Script = Callable[["Seen"], Response]
WAYS: dict[str, tuple[Paging, Callable[[int], Script]]] = {
    "numbers from 0": (FROM_0, lambda count: by_number(things(count), first=0)),
    "numbers from 1": (FROM_1, lambda count: by_number(things(count), first=1)),
    "cursor": (CURSORS, lambda count: by_cursor(things(count))),
    "scroll": (SCROLL, lambda count: by_scroll(things(count))),
}
FAILURES: dict[str, Callable[[], Response | Exception]] = {
    "500": lambda: JSONResponse({}, 500),
    "413": lambda: JSONResponse({}, 413),
    "cut off": lambda: Response('{"items": [{"id": 1}, {"i', media_type="application/json"),
    "too slow": lambda: httpx2.ReadTimeout("slow"),
}


def failing_above(largest: int, row: int, script: Script, failure: str) -> Callable[[Seen], Response]:
    """*script*, but a page of more than *largest* rows fails when it holds *row*."""

    def answer(seen: Seen) -> Response:
        reply = script(seen)
        rows = [one["id"] for one in orjson.loads(bytes(reply.body))["items"]]
        if int(dict(seen.query)["size"]) > largest and row in rows:
            failed = FAILURES[failure]()
            if isinstance(failed, Exception):
                raise failed
            return failed
        return reply

    return answer


def read_at_last(stage: Stage, endpoint: Endpoint, script: Script, **options: Any) -> tuple[list[int], list[int]]:
    """The rows of a list that is started over when it has to be, and the page sizes it was asked with, in order."""

    async def read(client: Client) -> list[int]:
        for _ in range(20):
            try:
                return ids([page async for page in client.pages(endpoint, {})])
            except StartOverError:
                pass
        raise AssertionError("it never ended")

    async def run() -> list[int]:
        async with stage.client(script, endpoint, **options) as client:
            return await read(client)

    rows = asyncio.run(run())
    sizes = [int(dict(seen.query)["size"]) for seen in stage.seen]
    return rows, [size for index, size in enumerate(sizes) if index == 0 or sizes[index - 1] != size]


@settings(max_examples=30, deadline=None)
@given(
    count=st.integers(0, 900),
    place=st.floats(0, 1, exclude_max=True),
    largest=st.integers(SMALLEST, 250),
    failure=st.sampled_from(sorted(FAILURES)),
)
@pytest.mark.parametrize("way", WAYS)
def test_whatever_page_fails_above_a_size_every_row_comes_once(
    new_stage: type[Stage], way: str, count: int, place: float, largest: int, failure: str
) -> None:
    paging, make = WAYS[way]
    stage = new_stage()
    script = failing_above(largest, int(count * place), make(count), failure)

    rows, sizes = read_at_last(stage, stage.endpoint(paging=paging), script)

    assert rows == list(range(count))
    assert sizes == [size for size in (200, 100, 50, 25) if size in sizes]
    assert max([size for size in sizes if size <= largest], default=sizes[-1]) == sizes[-1]


@pytest.mark.parametrize("paging", [FROM_0, FROM_1])
def test_a_numbered_list_goes_on_from_the_row_it_had_come_to(stage: Stage, paging: NumberPaging) -> None:
    script = failing_above(50, 450, by_number(things(590), first=paging.first_number), "500")

    rows, _ = read_at_last(stage, stage.endpoint(paging=paging), script)

    assert rows == list(range(590))
    queries = [(int(dict(seen.query)["page"]), int(dict(seen.query)["size"])) for seen in stage.seen]
    asked = [((page - paging.first_number) * size, size) for page, size in queries]
    failed = [(400, 200), (400, 200), (400, 100), (400, 100)]
    assert asked == [(0, 200), (200, 200), *failed, (400, 50), (450, 50), (500, 50), (550, 50)]


def test_a_numbered_list_whose_pages_are_shorter_than_asked_for_starts_over_since_its_places_are_not_known(
    stage: Stage,
) -> None:
    short = by_number(things(300), first=0)

    def capped(seen: Seen) -> Response:
        """The vendor hands out 100 rows a page at most, and counts its pages so, whatever the size asked for."""
        query = [(name, str(min(100, int(value))) if name == "size" else value) for name, value in seen.query]
        return short(type(seen)(seen.method, seen.path, query, seen.headers, seen.body))

    failing = failing_above(100, 250, capped, "500")
    rows, sizes = read_at_last(stage, stage.endpoint(paging=FROM_0), failing)

    assert rows == list(range(300))
    assert sizes == [200, 100]


def test_a_page_that_fails_once_is_asked_for_again_as_it_was(stage: Stage) -> None:
    whole = by_number(things(300), first=0)
    failures = iter([True, False, True, False])

    def answer(seen: Seen) -> Response:
        return JSONResponse({}, 500) if next(failures, False) else whole(seen)

    assert read_at_last(stage, stage.endpoint(paging=FROM_0), answer) == (list(range(300)), [200])


def test_a_vendor_that_asks_for_time_is_not_asked_for_less(stage: Stage) -> None:
    whole = by_number(things(300), first=0)
    failures = iter([True] * 4)

    def answer(seen: Seen) -> Response:
        return JSONResponse({}, 503, {"Retry-After": "7"}) if next(failures, False) else whole(seen)

    assert read_at_last(stage, stage.endpoint(paging=FROM_0), answer) == (list(range(300)), [200])
    assert stage.clock.slept_s == [7] * 4


def test_a_list_that_fails_at_every_size_is_an_error_in_the_end_that_names_the_smallest(stage: Stage) -> None:
    with pytest.raises(RetryLaterError, match=r"size=25.* 6 attempts: status 500"):
        stage.read(stage.endpoint(paging=FROM_0), lambda _: JSONResponse({}, 500))

    assert len(stage.seen) == 2 + 2 + 2 + 6


def test_a_scroll_that_loses_a_page_once_starts_over_with_pages_as_large(stage: Stage) -> None:
    whole = by_scroll(things(300))
    failures = iter([False, True])

    def answer(seen: Seen) -> Response:
        reply = whole(seen)
        return JSONResponse({}, 500) if next(failures, False) else reply

    assert read_at_last(stage, stage.endpoint(paging=SCROLL), answer) == (list(range(300)), [200])


def test_later_lists_start_with_the_size_that_worked_and_try_the_larger_one_again_in_time(stage: Stage) -> None:
    listed = stage.endpoint(paging=CURSORS)
    script = failing_above(100, 0, by_cursor(things(110)), "500")

    async def run() -> None:
        async with stage.client(script, listed) as client:
            for _ in range(GROWING // 2 + 1):
                assert ids([page async for page in client.pages(listed, {})]) == list(range(110))

    asyncio.run(run())
    sizes = [int(dict(seen.query)["size"]) for seen in stage.seen]
    assert sizes == [200, 200, *[100] * GROWING, 200, 200, 100, 100]


@given(size=st.integers(1, 5000))
def test_a_smaller_size_divides_the_one_before_and_ends_at_the_floor(size: int) -> None:
    smaller = smaller_size(size)
    if smaller is None:
        assert all(size % half for half in range(SMALLEST, size // 2 + 1))
    else:
        assert SMALLEST <= smaller <= size // 2
        assert size % smaller == 0
