"""Vendors made up for these tests: a Refiner behind a transport, and a client that asks nobody."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import dlt
import httpx2
import orjson
from dlt.common.configuration.container import Container
from dlt.common.pipeline import PipelineContext
from dlt.pipeline.pipeline import Pipeline

from feedloom.catalogue import Endpoint, Known, Source
from feedloom.http import Page, cut_body
from feedloom.sources import Session

Row = dict[str, Any]

KEY = "refiner-key-0123456789abcdef"
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
SOURCE = Source(where=("made up",), checked="2026-01", known=Known.ASSUMED)


@dataclass(slots=True)
class FakeRefiner:
    """Answers as Refiner does, from rows that a test keeps.

    Attributes:
        lists: Path of a list -> its rows, as bytes where they are to come so; a path that is not here is not found.
        singles: Path of an answer that is no list -> it.
        page_rows: Rows on a page at most, however many are asked for.
        seen: Path and parameters of every request, in order.
        answer: Answers in place of what is kept, where it gives an answer.
    """

    lists: dict[str, list[Any]] = field(default_factory=dict)
    singles: dict[str, Row] = field(default_factory=dict)
    page_rows: int = 1000
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    answer: Callable[[str, Mapping[str, str]], httpx2.Response | None] = lambda _path, _params: None

    def transport(self) -> httpx2.MockTransport:
        """A transport whose requests come here."""
        return httpx2.MockTransport(self.handle)

    def session(self, **more: Any) -> Session:
        """A session whose clients come here, at ``NOW`` unless *more* says otherwise."""
        return Session(**{"now": NOW, "transport": self.transport, **more})

    def asked(self, path: str) -> list[dict[str, str]]:
        """The parameters of each request to *path*."""
        return [params for seen, params in self.seen if seen == path]

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        """The answer to one request."""
        path = request.url.path.removeprefix("/v1")
        params = dict(request.url.params)
        self.seen.append((path, params))
        if (answer := self.answer(path, params)) is not None:
            return answer
        if path in self.singles:
            return httpx2.Response(200, json=self.singles[path])
        if path not in self.lists:
            return httpx2.Response(404, json={"message": "not found"})
        return self._page([row for row in self.lists[path] if _fits(_seen(row), params)], params)

    def _page(self, rows: list[Any], params: Mapping[str, str]) -> httpx2.Response:
        size = min(self.page_rows, int(params.get("page_length", "100")))
        start = int(params.get("page_cursor", (int(params.get("page", "1")) - 1) * size))
        more = start + size < len(rows)
        pagination = {
            "items_count": len(rows),
            "current_page": start // size + 1,
            "last_page": max(1, -(-len(rows) // size)),
            "next_page_cursor": str(start + size) if more else None,
        }
        items = b",".join(row if isinstance(row, bytes) else orjson.dumps(row) for row in rows[start : start + size])
        body = b'{"items":[' + items + b'],"pagination":' + orjson.dumps(pagination) + b"}"
        return httpx2.Response(200, content=body, headers={"Content-Type": "application/json"})


def _seen(row: Any) -> Row:
    """What the filters look at of a row, which may be no JSON."""
    seen: Row = json.loads(row.decode(errors="replace"), strict=False) if isinstance(row, bytes) else row
    return seen


@contextmanager
def served(api: FakeRefiner) -> Iterator[str]:
    """Yields the address at which *api* answers over HTTP, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer = api.handle(httpx2.Request("GET", f"http://127.0.0.1{self.path}"))
            self.send_response(answer.status_code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join(10)


def _fits(row: Row, params: Mapping[str, str]) -> bool:
    """Whether the list holds *row* under the filters of Refiner that these tests use."""
    column = "last_shown_at" if params.get("include") == "all" else "last_data_reception_at"
    for bound, is_start in (("date_range_start", True), ("date_range_end", False)):
        if bound in params:
            moment = row.get(column)
            if moment is None or (_moment(moment) >= _moment(params[bound])) is not is_start:
                return False
    if "form_uuid" in params and row.get("form", {}).get("uuid") != params["form_uuid"]:
        return False
    return "search" not in params or params["search"] in (row.get("contact") or row).values()


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def response(uuid: str, shown: str, *, received: str | None = None, contact: str = "c1", **more: Any) -> Row:
    """A survey response, shown (and answered) at a moment in UTC written like ``2026-01-31 10:00:00``."""
    return {
        "uuid": uuid,
        "last_shown_at": shown,
        "last_data_reception_at": received,
        "form": {"uuid": "f1", "name": "NPS"},
        "data": {},
        "contact": {"uuid": contact, "email": f"{contact}@example.com", "account": None},
        **more,
    }


def contact(uuid: str, **attributes: Any) -> Row:
    """A contact with these traits."""
    return {
        "uuid": uuid,
        "email": f"{uuid}@example.com",
        "attributes": attributes,
        "segments": [],
        "account": None,
    }


Script = Sequence[Sequence[Row] | Exception]
"""What a list brings: pages, and perhaps an error at their end."""


@dataclass(slots=True)
class FakeClient:
    """Stands for a client: gives the pages that *script* has for the parameters of a list, in place of asking.

    *before* is awaited before each page, with the parameters of its list; *total* is the count that each page carries,
    but for as many pages as *totals* has counts.
    """

    script: Callable[[Mapping[str, Any]], Script]
    before: Callable[[Mapping[str, Any]], Any] | None = None
    total: int | None = None
    totals: Iterator[int] = field(default_factory=lambda: iter(()))
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def pages(
        self, endpoint: Endpoint, params: Mapping[str, Any], *, kept: Iterable[Page] = ()
    ) -> AsyncIterator[Page]:
        """The pages of one list; of none that an earlier run kept in part."""
        assert not list(kept)
        self.asked.append(dict(params))
        script = self.script(params)
        for number, rows in enumerate(script):
            if self.before is not None:
                await self.before(params)
            if isinstance(rows, Exception):
                raise rows
            content = list(rows) if endpoint.is_list else rows[0]
            body = orjson.dumps({endpoint.records: content} if endpoint.records else content)
            yield Page(
                endpoint=endpoint,
                request="GET /made-up",
                position=None,
                number=number,
                body=body,
                total=next(self.totals, self.total),
                received_at=NOW,
                is_last=number == len(script) - 1,
                cut=cut_body(body, endpoint=endpoint, request="GET /made-up"),
            )


def no_active_pipeline() -> None:
    """Forget the pipeline that an earlier test made, so that sources outside of a pipeline have no state."""
    Container()[PipelineContext].deactivate()


def new_pipeline(folder: Any, name: str = "made_up") -> Pipeline:
    """A pipeline into a DuckDB file in *folder*, where all of its working files are too."""
    return dlt.pipeline(
        name,
        destination=dlt.destinations.duckdb(f"{folder}/warehouse.duckdb"),
        dataset_name="made_up",
        pipelines_dir=f"{folder}/pipelines",
    )


def ask(pipeline: Pipeline, query: str) -> list[tuple[Any, ...]]:
    """The rows that *query* gives."""
    with pipeline.sql_client() as client:
        return [tuple(row) for row in client.execute_sql(query) or ()]
