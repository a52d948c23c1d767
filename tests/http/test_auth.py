# ruff: noqa: INP001  # a package here would hide the standard library's http, since tests/ is on the path
"""The key is sent as the vendor wants it, shows up nowhere, and its refusal is told apart from other refusals."""

from __future__ import annotations

import asyncio
import base64
import logging
import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import httpx2
import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from feedloom.catalogue import CursorPaging, NumberPaging, Param, ScrollPaging
from feedloom.errors import CredentialError, FeedloomError, InputError, RefusedError
from feedloom.http import Key

if TYPE_CHECKING:
    from .conftest import Seen, Stage

WAYS = ["bearer", "header", "param", "basic"]


def sent_key(seen: Seen) -> list[str]:
    """Everything in a request that could be a key."""
    headers = [seen.headers[name] for name in ("authorization", "x-acme-key") if name in seen.headers]
    return headers + [value for name, value in seen.query if name == "api_key"]


def test_the_key_travels_as_the_vendor_wants_it(stage: Stage) -> None:
    for way in [None, *WAYS]:
        stage.call(stage.endpoint(Param(name="q")), {"q": "1"}, auth=way)

    value = stage.key.value
    basic = base64.b64encode(f"{value}:".encode()).decode()
    assert [sent_key(seen) for seen in stage.seen] == [
        [f"Bearer {value}"],
        [f"Bearer {value}"],
        [value],
        [value],
        [f"Basic {basic}"],
    ]


def test_an_unknown_way_is_refused_with_the_known_ones(stage: Stage) -> None:
    with pytest.raises(InputError, match="'cookie'") as caught:
        stage.call(stage.endpoint(), auth="cookie")

    assert "bearer, header, param, basic" in caught.value.hint


@pytest.mark.parametrize(
    "value", ["", "sk-secret\n", " sk-secret", "sk secret", "sk-\u00e6\u00f8\u00e5", "sk\x00secret"]
)
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(CredentialError, match=r"The key from \.dlt/secrets\.toml (is empty|holds)") as caught:
        Key(value, ".dlt/secrets.toml")

    assert not value or value.strip() not in str(caught.value)


def test_a_key_has_no_text_form() -> None:
    key = Key("sk-secret", "a test")

    assert "sk-secret" not in f"{key} {key!r} {key!s}"
    assert "a test" in repr(key)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (JSONResponse({"message": "API key not valid or does not exist"}, 404), "it is unknown or was revoked"),
        (JSONResponse({"message": "You have No Right here"}, 403), "it lacks the right to read"),
        (JSONResponse({}, 401), "the vendor did not accept it"),
        (HTMLResponse("<html>no right</html>", 403), "it lacks the right to read"),
    ],
)
def test_a_refused_key_is_told_by_status_and_body(stage: Stage, reply: Response, reason: str) -> None:
    with pytest.raises(CredentialError, match=reason) as caught:
        stage.call(stage.endpoint(), {}, [reply])

    assert "environment variable ACME_KEY" in caught.value.message
    assert "Settings > API" in caught.value.hint
    assert caught.value.exit_code == 4
    assert len(stage.seen) == 1


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_without_the_words_is_not_about_the_key(stage: Stage, status: int) -> None:
    with pytest.raises(RefusedError):
        stage.call(stage.endpoint(), {}, [JSONResponse({"message": "No such thing"}, status)])


def test_a_key_is_checked_with_the_smallest_call(stage: Stage) -> None:
    paging = NumberPaging(number_param="page", first_number=0, size_param="size", size_default=2, size_max=50)
    listed = stage.endpoint(paging=paging)

    async def check(reply: Response) -> int:
        async with stage.client([reply], listed) as client:
            return (await client.check_key()).status

    assert asyncio.run(check(JSONResponse({"items": []}))) == 200
    assert stage.seen[0].query == [("size", "1")]
    with pytest.raises(CredentialError):
        asyncio.run(check(JSONResponse({}, 401)))


# The key shows up nowhere


def echo(seen: Seen, status: int) -> Response:
    """A vendor that repeats everything it was sent, the key in each of its forms."""
    sent = " ".join([*sent_key(seen), str(seen.query), seen.path])
    return JSONResponse({"message": f"{quote('/'.join(sent_key(seen)), safe='')} {quote_plus(sent)} {sent}"}, status)


PAGINGS: list[Any] = [
    NumberPaging(number_param="page", first_number=0, size_param="size", size_default=2, size_max=1, total="total"),
    CursorPaging(cursor_param="cursor", next="next", size_param="size", size_default=2, size_max=1, total="total"),
    ScrollPaging(scroll_param="scroll", next="next", size_param="size", size_default=2, size_max=1),
]
ROW = {"items": [{"id": 1}], "next": "a", "total": 9}
TROUBLE: dict[str, list[Any]] = {
    "echo 400": [lambda seen: echo(seen, 400)],
    "echo 401": [lambda seen: echo(seen, 401)],
    "echo 404": [lambda seen: echo(seen, 404)],
    "echo 429": [lambda seen: echo(seen, 429)] * 2,
    "echo 500": [lambda seen: echo(seen, 500)] * 2,
    "redirect": [lambda seen: Response(status_code=302, headers={"Location": f"/x?{seen.query}{sent_key(seen)}"})],
    "html": [HTMLResponse("<html>")] * 2,
    "no list": [JSONResponse({"message": "?"})],
    "unreachable": [httpx2.ConnectError("no")] * 2,
    "unreachable, echoed": [lambda seen: httpx2.ConnectError(f"cannot reach {seen.query} {sent_key(seen)}")] * 2,
    "broken, echoed": [lambda seen: httpx2.ReadError(f"cannot read {seen.query} {sent_key(seen)}")] * 2,
    "timeout": [httpx2.ReadTimeout("no")] * 2,
    "same page": [JSONResponse(ROW), JSONResponse(ROW)],
    "missing rows": [JSONResponse(ROW), JSONResponse({"items": [], "total": 9})],
    "second page lost": [JSONResponse(ROW), JSONResponse({}, 500), JSONResponse({}, 500)],
}


def chain(error: BaseException | None) -> list[BaseException]:
    """An error with all that it came from."""
    return [] if error is None else [error, *chain(error.__cause__), *chain(error.__context__)]


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("way", WAYS)
def test_no_error_and_no_log_line_shows_the_key(
    stage: Stage, way: str, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    value = stage.key.value
    forms = {value, quote(value, safe=""), quote_plus(value), base64.b64encode(f"{value}:".encode()).decode()}
    texts = []
    caplog.set_level(logging.DEBUG)

    for paging in PAGINGS:
        replies = iter(TROUBLE[trouble])

        def script(seen: Seen, replies: Any = replies) -> Any:
            reply = next(replies, JSONResponse({"items": []}))
            return reply(seen) if callable(reply) and not isinstance(reply, Response) else reply

        try:
            stage.read(stage.endpoint(paging=paging), script, auth=way, attempts=2)
        except FeedloomError as error:
            for link in chain(error):
                texts += [str(link), repr(link), repr(link.args)]
            texts += [error.hint, error.where, "".join(traceback.format_exception(error))]

    texts += [record.getMessage() for record in caplog.records] + [repr(record.args) for record in caplog.records]
    texts += [repr(stage.notes), repr(stage.key)]
    assert len(stage.seen) >= len(PAGINGS)
    assert [text for text in texts for form in forms if form in text] == []


def test_a_key_in_the_url_is_in_no_answer_page_or_log_line(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    listed = stage.endpoint(Param(name="q"), is_list=True)

    answer = stage.call(listed, {"q": "a b"}, [JSONResponse([])], auth="param")
    [page] = stage.read(listed, [JSONResponse([])], auth="param")

    assert [sent_key(seen) for seen in stage.seen] == [[stage.key.value]] * 2
    assert answer.url == "http://us.acme.test/v1/things?q=a%20b"
    assert page.request == "GET http://us.acme.test/v1/things"
    logged = [record.getMessage() for record in caplog.records if record.name == "httpx2"]
    assert logged
    assert not any("api_key" in line for line in logged)
    assert any("/v1/things?q=a" in line for line in logged)
