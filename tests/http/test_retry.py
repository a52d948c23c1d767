# ruff: noqa: INP001  # a package here would hide the standard library's http, since tests/ is on the path
"""What fails for now is tried again, as long as that can do no harm; then an error says what happened."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import HTMLResponse, JSONResponse, Response

from feedloom.errors import FeedloomError, RateLimitedError, RefusedError, RetryLaterError, VendorError
from feedloom.http import OutcomeUnknownError
from feedloom.http.retry import read_retry_after

if TYPE_CHECKING:
    from .conftest import Stage

OK = JSONResponse({"ok": True})
HTML = "<!DOCTYPE html><html><body>Sorry, we are down: trace 8812</body></html>"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def limited(**headers: str) -> Response:
    return JSONResponse({"message": "Too many"}, 429, headers)


def failures() -> dict[str, Response | Exception]:
    return {
        "500": JSONResponse({"message": "Boom"}, 500),
        "503 as HTML": HTMLResponse(HTML, 503),
        "read timeout": httpx2.ReadTimeout("slow"),
        "write timeout": httpx2.WriteTimeout("slow"),
        "broken connection": httpx2.ReadError("reset by peer"),
        "closed connection": httpx2.RemoteProtocolError("Server disconnected without sending a response."),
        "unpackable": httpx2.DecodingError("bad gzip"),
        "cut-off JSON": Response('{"items": [{"id": 1}, {"i', media_type="application/json"),
        "no JSON": Response("ok", media_type="text/plain"),
        "no text": Response(b"\xff\xfe\x00", media_type="application/json"),
        "HTML": HTMLResponse(HTML),
        "nothing": Response(b"", media_type="application/json"),
    }


NEVER_SENT = {
    "refused": httpx2.ConnectError("All connection attempts failed"),
    "connect timeout": httpx2.ConnectTimeout(""),
    "no free connection": httpx2.PoolTimeout(""),
    "proxy": httpx2.ProxyError("407 Proxy Authentication Required"),
}


# Retry-After


@given(st.floats(0, 1e9))
def test_retry_after_in_seconds_is_read_with_its_fraction(seconds: float) -> None:
    assert read_retry_after(repr(seconds), now=NOW) == seconds


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # bounds
def test_retry_after_as_a_date_is_the_time_until_then_and_never_negative(moment: datetime) -> None:
    whole = moment.replace(microsecond=0)

    assert read_retry_after(format_datetime(whole, usegmt=True), now=NOW) == max(0, (whole - NOW).total_seconds())


@given(st.text())
def test_no_retry_after_header_breaks_the_reader(header: str) -> None:
    seconds = read_retry_after(header, now=NOW)

    assert seconds is None or 0 <= seconds < float("inf")


@pytest.mark.parametrize("header", [None, "", "soon", "-5", "nan", "inf", "1e999", "Thu, 99 Foo 2026 00:00:00 GMT"])
def test_a_retry_after_without_sense_is_as_none(header: str | None) -> None:
    assert read_retry_after(header, now=NOW) is None


# Rate limits


def test_a_rate_limit_is_waited_out_as_long_as_the_vendor_says(stage: Stage) -> None:
    in_90_s = format_datetime(datetime.fromtimestamp(stage.clock() + 97, UTC), usegmt=True)
    script = [
        limited(**{"Retry-After": "3"}),
        limited(**{"Retry-After": "0.25"}),
        limited(**{"Retry-After": in_90_s}),
        OK,
    ]

    assert stage.call(stage.endpoint(), {}, script).content == {"ok": True}

    assert stage.clock.slept_s == pytest.approx([3, 0.25, 93.75])
    assert stage.notes.retries == [("list_things", 2), ("list_things", 3), ("list_things", 4)]
    assert stage.notes.requests == [("list_things", 429)] * 3 + [("list_things", 200)]


def test_a_retry_after_in_the_past_means_at_once(stage: Stage) -> None:
    stage.call(stage.endpoint(), {}, [limited(**{"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}), OK])

    assert stage.clock.slept_s == [0]


def test_a_date_to_wait_for_is_read_against_the_vendors_own_clock(stage: Stage) -> None:
    theirs = datetime(2031, 5, 5, tzinfo=UTC)
    headers = {"Date": format_datetime(theirs, usegmt=True)}
    headers["Retry-After"] = format_datetime(theirs + timedelta(seconds=20), usegmt=True)

    stage.call(stage.endpoint(), {}, [limited(**headers), OK])

    assert stage.clock.slept_s == [20]


def test_without_retry_after_the_wait_doubles_and_is_jittered(stage: Stage) -> None:
    script = [limited() for _ in range(7)]

    with pytest.raises(RateLimitedError):
        stage.call(stage.endpoint(), {}, script, attempts=7)
    assert stage.clock.slept_s == [2, 4, 8, 16, 30, 30]

    draws = iter([0.0, 0.25, 0.999])
    with pytest.raises(RetryLaterError):
        stage.call(stage.endpoint(), {}, [JSONResponse({}, 500)] * 4, attempts=4, random=lambda: next(draws))
    assert stage.clock.slept_s[6:] == pytest.approx([0, 0.5, 3.996])


def test_a_rate_limit_that_stays_is_an_error_that_says_how_long_to_wait(stage: Stage) -> None:
    with pytest.raises(RateLimitedError, match="6 attempts: status 429, Too many") as caught:
        stage.call(stage.endpoint(), {}, lambda _: limited(**{"Retry-After": "9"}))

    assert caught.value.retry_after_s == 9
    assert caught.value.exit_code == 5
    assert "in 9 s" in caught.value.hint
    assert len(stage.seen) == 6
    assert stage.clock.slept_s == [9] * 5


def test_waiting_is_bounded_in_all(stage: Stage) -> None:
    with pytest.raises(RateLimitedError) as caught:
        stage.call(stage.endpoint(), {}, lambda _: limited(**{"Retry-After": "400"}))

    assert caught.value.retry_after_s == 400
    assert stage.clock.slept_s == [400, 400]


def test_a_wait_past_all_patience_is_not_begun(stage: Stage) -> None:
    with pytest.raises(RateLimitedError) as caught:
        stage.call(stage.endpoint(), {}, [limited(**{"Retry-After": "3600"})])

    assert (caught.value.retry_after_s, stage.clock.slept_s) == (3600, [])


def test_a_rate_limit_is_waited_out_even_where_a_call_must_not_be_sent_twice(stage: Stage) -> None:
    event = stage.endpoint(name="create_event", method="POST", effect="write", repeatable=False)

    assert stage.call(event, {}, [limited(), OK]).status == 200


# Failures


@pytest.mark.parametrize("kind", failures())
def test_a_failed_call_is_sent_again_where_that_does_no_harm(stage: Stage, kind: str) -> None:
    assert stage.call(stage.endpoint(), {}, [failures()[kind], OK]).content == {"ok": True}

    assert stage.clock.slept_s == [0.5]
    assert stage.notes.waits[0][1] == 0.5


@pytest.mark.parametrize("kind", failures())
def test_a_failed_call_that_must_not_be_sent_twice_has_an_unknown_outcome(stage: Stage, kind: str) -> None:
    event = stage.endpoint(name="create_event", path="/events", method="POST", effect="write", repeatable=False)
    if kind == "nothing":
        assert stage.call(event, {}, [failures()[kind]]).content is None
        return

    with pytest.raises(OutcomeUnknownError, match=r"create_event \(POST http.*/v1/events\) was carried out is unknown"):
        stage.call(event, {}, [failures()[kind]])
    assert len(stage.seen) == 1


@pytest.mark.parametrize("kind", NEVER_SENT)
def test_a_call_that_was_never_sent_may_always_be_sent_again(stage: Stage, kind: str) -> None:
    event = stage.endpoint(name="create_event", method="POST", effect="write", repeatable=False)

    assert stage.call(event, {}, [NEVER_SENT[kind], OK]).status == 200


@pytest.mark.parametrize("kind", NEVER_SENT)
def test_a_vendor_that_cannot_be_reached_is_named_with_its_host(stage: Stage, kind: str) -> None:
    with pytest.raises(RetryLaterError, match=r"Acme cannot be reached for list_things .*us\.acme\.test") as caught:
        stage.call(stage.endpoint(), {}, lambda _: NEVER_SENT[kind])

    assert caught.value.exit_code == 5
    assert "6 attempts" in caught.value.message


@pytest.mark.parametrize("kind", failures())
def test_a_failure_that_stays_is_an_error_with_endpoint_request_status_and_attempts(stage: Stage, kind: str) -> None:
    reply = failures()[kind]
    expected: type[FeedloomError] = RetryLaterError
    if kind == "unpackable" or (isinstance(reply, Response) and reply.status_code == 200):
        expected = VendorError

    with pytest.raises(expected) as caught:
        stage.call(stage.endpoint(), {}, lambda _: failures()[kind], attempts=3)

    message = caught.value.message
    assert "list_things (GET http://us.acme.test/v1/things)" in message
    assert "3 attempts" in message
    assert len(stage.seen) == 3
    assert "trace 8812" not in message
    if isinstance(reply, Response):
        assert f"status {reply.status_code}" in message


def test_a_vendor_that_asks_for_time_while_failing_gets_it(stage: Stage) -> None:
    stage.call(stage.endpoint(), {}, [JSONResponse({}, 503, {"Retry-After": "12"}), OK])

    assert stage.clock.slept_s == [12]


def test_one_attempt_means_no_retry(stage: Stage) -> None:
    with pytest.raises(RetryLaterError, match="1 attempt: status 500, Boom"):
        stage.call(stage.endpoint(), {}, [failures()["500"]], attempts=1)


def test_a_refusal_is_final_and_quotes_the_vendor_briefly(stage: Stage) -> None:
    text = "Bad\x00 filter\n\x1b[31m field " + "x" * 1000
    body = {"error": {"sub": [{"message": text}]}, "message": "worse"}

    with pytest.raises(RefusedError) as caught:
        stage.call(stage.endpoint(), {}, [JSONResponse(body, 400)])

    assert caught.value.status == 400
    assert "Acme refused list_things (GET http://us.acme.test/v1/things): status 400, Bad filter" in (
        caught.value.message.replace("  ", " ")
    )
    assert len(caught.value.message) < 450
    assert caught.value.message.isprintable()
    assert (caught.value.exit_code, caught.value.where) == (1, "list_things")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"error": {"sub": [], "message": "second best"}}, "status 400, second best"),
        ({"error": {"sub": None, "message": ""}, "message": "last"}, "status 400, last"),
        ({"error": "flat"}, "status 400"),
        (["?"], "status 400"),
    ],
)
def test_the_best_message_of_an_error_body_is_quoted(stage: Stage, body: Any, text: str) -> None:
    with pytest.raises(RefusedError) as caught:
        stage.call(stage.endpoint(), {}, [JSONResponse(body, 400)])

    assert caught.value.message.endswith(text)


def test_a_refusal_in_html_is_not_quoted(stage: Stage) -> None:
    with pytest.raises(RefusedError, match=r"status 403, an HTML page$"):
        stage.call(stage.endpoint(), {}, [HTMLResponse(HTML, 403)])


def test_a_thing_that_is_not_there_is_refused_with_a_hint(stage: Stage) -> None:
    with pytest.raises(RefusedError) as caught:
        stage.call(stage.endpoint(), {}, [JSONResponse({"message": "User was not found"}, 404)])

    assert "exists" in caught.value.hint


def test_a_redirect_is_not_followed(stage: Stage) -> None:
    elsewhere = Response(status_code=302, headers={"Location": "http://evil.test/"})

    with pytest.raises(VendorError, match=r"status 302, a redirect to http://evil\.test/"):
        stage.call(stage.endpoint(), {}, [elsewhere])
    assert len(stage.seen) == 1


def test_waiting_between_attempts_leaves_the_connections_to_others(stage: Stage) -> None:
    things = stage.endpoint()
    order: list[str] = []

    async def sleep(_: float) -> None:
        await asyncio.sleep(0.01)
        order.append("woke")

    async def run() -> None:
        async with stage.client([limited(), OK, OK], things, connections=1, sleep=sleep) as client:

            async def other() -> None:
                await client.call(things, {})
                order.append("other")

            await asyncio.gather(client.call(things, {}), other())

    asyncio.run(run())
    assert order == ["other", "woke"]
