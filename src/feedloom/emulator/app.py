"""The web side of an emulator: an ASGI application around the door."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from feedloom.emulator.behaviour import Answer
from feedloom.emulator.door import Door, Incoming
from feedloom.emulator.faults import Fault
from feedloom.emulator.openapi import openapi_json
from feedloom.emulator.request_log import RequestLog, SeenRequest
from feedloom.emulator.routing import Match, Routes


def application(*, door: Door, requests: RequestLog, latency_s: float) -> ASGIApp:
    """The ASGI application: the API below its base path, and its description at ``/openapi.json``."""
    behaviour = door.behaviour

    async def openapi(request: Request) -> Response:
        server_url = str(request.base_url).rstrip("/") + behaviour.base_path
        return Response(openapi_json(file=behaviour.openapi_file, server_url=server_url), media_type="application/json")

    api = _Api(door=door, requests=requests, latency_s=latency_s)
    return Router(routes=[Route("/openapi.json", openapi)], default=api, redirect_slashes=False)


class _Api:
    def __init__(self, *, door: Door, requests: RequestLog, latency_s: float) -> None:
        self._door = door
        self._requests = requests
        self._latency_s = latency_s
        self._routes = Routes(door.behaviour.endpoints)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = scope["raw_path"].decode("ascii").partition("?")[0]
        base_path = self._door.behaviour.base_path
        if path != base_path and not path.startswith(f"{base_path}/"):
            await Response("Not found", status_code=404)(scope, receive, send)
            return
        match = self._routes.match(method=request.method, path=path.removeprefix(base_path))
        struck: Mapping[str, Fault] = {}
        if match.endpoint is None:
            answer = self._nothing_there(match)
        else:
            incoming = Incoming(
                endpoint=match.endpoint,
                method=request.method,
                path=path,
                query=request.url.query,
                parts=match.parts,
                headers=request.headers,
                body=await request.body(),
            )
            struck = self._door.strike(incoming)
            await _wait(latency_s=self._latency_s, slow=struck.get("slow"))
            answer = self._door.answer(incoming=incoming, struck=struck)
        self._requests.note(
            SeenRequest(
                method=request.method,
                path=path,
                query=request.url.query,
                status=answer.status,
                endpoint=match.endpoint.name if match.endpoint else "",
            )
        )
        if "drop" in struck:
            await _send_half(answer, send=send)
        else:
            response = Response(
                answer.body, status_code=answer.status, headers=answer.headers, media_type=answer.media_type
            )
            await response(scope, receive, send)

    def _nothing_there(self, match: Match) -> Answer:
        if not match.methods:
            return self._door.behaviour.error(status=404, message="Not found")
        answer = self._door.behaviour.error(status=405, message="Method not allowed")
        return Answer(body=answer.body, status=405, headers={"Allow": ", ".join(match.methods)})


async def _wait(*, latency_s: float, slow: Fault | None) -> None:
    wait_s = latency_s + (slow.argument or 0) / 1000 if slow else latency_s
    if wait_s:
        await asyncio.sleep(wait_s)


async def _send_half(answer: Answer, *, send: Send) -> None:
    """Announce the whole body and stop in the middle, upon which the server closes the connection."""
    headers = [(b"content-type", answer.media_type.encode()), (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
