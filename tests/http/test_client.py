# ruff: noqa: INP001  # a package here would hide the standard library's http, since tests/ is on the path
"""What a call gives back, and what the client tells while it works."""

from __future__ import annotations

import asyncio
import gzip
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from starlette.responses import JSONResponse, Response

from feedloom import http
from feedloom.catalogue import NumberPaging, Param
from feedloom.errors import VendorError
from feedloom.http import Answer

if TYPE_CHECKING:
    from .conftest import Stage

NUMBERS = NumberPaging(number_param="page", first_number=0, size_param="size", size_default=2, size_max=50)


def test_an_answer_carries_what_came_and_when(stage: Stage) -> None:
    answer = stage.call(stage.endpoint(), {}, [JSONResponse({"id": 1})])

    assert (answer.status, answer.body, answer.content) == (200, b'{"id":1}', {"id": 1})
    assert answer.request == "GET http://us.acme.test/v1/things"
    assert answer.received_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_the_vendors_own_date_is_when_an_answer_came(stage: Stage) -> None:
    reply = JSONResponse({}, headers={"Date": "Tue, 03 Feb 2026 04:05:06 GMT"})

    assert stage.call(stage.endpoint(), {}, [reply]).received_at == datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


def test_an_unreadable_date_is_replaced_by_this_machines(stage: Stage) -> None:
    reply = JSONResponse({}, headers={"Date": "today"})

    assert stage.call(stage.endpoint(), {}, [reply]).received_at == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_success_is_one_and_a_write_may_answer_nothing(stage: Stage, status: int) -> None:
    write = stage.endpoint(Param(name="id", place="body"), method="PUT", effect="write", success=(204,))

    answer = stage.call(write, {"id": "7"}, [Response(b"", status)])

    assert (answer.status, answer.content) == (status, None)
    assert stage.seen[0].body == b'{"id":"7"}'
    assert stage.seen[0].headers["content-type"] == "application/json"


def test_a_file_is_handed_out_unread(stage: Stage) -> None:
    download = stage.endpoint(answer="binary")

    answer = stage.call(download, {}, [Response(b"<xliff>\xff", media_type="application/octet-stream")])

    assert (answer.body, answer.content) == (b"<xliff>\xff", None)
    assert stage.seen[0].headers["accept"] == "*/*"


def test_a_packed_answer_is_unpacked(stage: Stage) -> None:
    packed = Response(gzip.compress(b'{"id":1}'), headers={"Content-Encoding": "gzip"}, media_type="application/json")

    assert stage.call(stage.endpoint(), {}, [packed]).body == b'{"id":1}'


def test_parameters_reach_the_vendor_in_path_query_and_body(stage: Stage) -> None:
    update = stage.endpoint(
        Param(name="id", place="path"),
        Param(name="dry", type="boolean", encoding="flag"),
        Param(name="name", place="body"),
        path="/things/{id}",
        method="DELETE",
    )

    stage.call(update, {"id": "a/b c", "dry": True, "name": "x"})

    [seen] = stage.seen
    assert (seen.method, seen.path, seen.query) == ("DELETE", "/v1/things/a%2Fb%20c", [("dry", "1")])
    assert orjson.loads(seen.body) == {"name": "x"}


def test_a_page_holds_its_rows_and_its_bytes(stage: Stage) -> None:
    [page] = stage.read(stage.endpoint(paging=NUMBERS), [JSONResponse({"items": [{"id": 1}], "total": 1})])

    assert (len(page), page.rows, orjson.loads(page.body)["items"]) == (1, [{"id": 1}], [{"id": 1}])


def test_an_answer_read_from_its_bytes_has_the_same_content(stage: Stage) -> None:
    answer = stage.call(stage.endpoint(), {}, [JSONResponse({"id": 1})])
    kept: dict[str, Any] = {"endpoint": answer.endpoint, "url": answer.url, "received_at": answer.received_at}

    assert Answer(body=answer.body, status=200, **kept).content == {"id": 1}
    with pytest.raises(VendorError, match="is not JSON"):
        _ = Answer(body=b"{", status=200, **kept).content


def test_an_observer_hears_of_each_request_page_wait_and_retry(stage: Stage) -> None:
    script = [
        JSONResponse({"items": [{"id": 1}, {"id": 2}]}),
        JSONResponse({}, 503),
        JSONResponse({"items": [{"id": 3}]}),
    ]

    pages = stage.read(stage.endpoint(paging=NUMBERS), script, page_size=2)

    assert stage.notes.requests == [("list_things", 200), ("list_things", 503), ("list_things", 200)]
    assert stage.notes.pages == pages
    assert stage.notes.waits == [("status 503", 0.5)]
    assert stage.notes.retries == [("list_things", 2)]


def test_calls_outside_of_the_context_are_a_mistake(stage: Stage) -> None:
    things = stage.endpoint()

    async def outside() -> None:
        client = stage.client([], things)
        async with client:
            pass
        await client.call(things, {})

    with pytest.raises(RuntimeError, match="async with"):
        asyncio.run(outside())


@pytest.mark.parametrize("option", [{"attempts": 0}, {"connections": 0}, {"timeout_s": 0}])
def test_settings_that_cannot_be_are_a_mistake(stage: Stage, option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="start at 1"):
        stage.client([], **option)


def test_every_public_name_is_there() -> None:
    assert all(hasattr(http, name) for name in http.__all__)
    assert http.__all__ == sorted(http.__all__, key=lambda name: (not name.isupper(), name))
