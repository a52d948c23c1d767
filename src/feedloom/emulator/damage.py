"""What a fault does to an answer that was right."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

import orjson

from feedloom.catalogue import CursorPaging, Endpoint, Paging, ScrollPaging
from feedloom.emulator.behaviour import Answer

HTML = Answer(
    body=b"<!DOCTYPE html><html><head><title>Just a moment</title></head><body>Checking your browser</body></html>",
    media_type="text/html; charset=utf-8",
)


def cursor_param(paging: Paging) -> str:
    """The parameter that asks for a further page by cursor; empty where the list has none."""
    if isinstance(paging, CursorPaging):
        return paging.cursor_param
    return paging.scroll_param if isinstance(paging, ScrollPaging) else ""


def damaged(*, answer: Answer, endpoint: Endpoint, faults: Collection[str], cursor: str) -> Answer:
    """*answer* as it looks after *faults*; *cursor* is the one that the request carried."""
    for name, change in _CHANGES.items():
        if name in faults and answer.status in endpoint.success:
            answer = _changed(answer=answer, change=change, endpoint=endpoint, cursor=cursor)
    if "truncated" in faults:
        answer = replace(answer, body=answer.body[: len(answer.body) // 2])
    return answer


_Change = Callable[[Any, Endpoint, str], Any]


def _changed(*, answer: Answer, change: _Change, endpoint: Endpoint, cursor: str) -> Answer:
    return replace(answer, body=orjson.dumps(change(orjson.loads(answer.body), endpoint, cursor)))


def _without_rows(page: Any, endpoint: Endpoint, _cursor: str) -> Any:
    return _with(page, path=endpoint.records, value=[])


def _without_list_key(page: Any, endpoint: Endpoint, _cursor: str) -> Any:
    return {name: value for name, value in page.items() if name != endpoint.records}


def _with_cursor(page: Any, endpoint: Endpoint, cursor: str) -> Any:
    paging = endpoint.paging
    return _with(page, path=paging.next, value=cursor) if isinstance(paging, (CursorPaging, ScrollPaging)) else page


def _with(members: Any, *, path: str, value: Any) -> Any:
    first, _, rest = path.partition(".")
    if not first:
        return value
    return {**members, first: _with(members.get(first, {}), path=rest, value=value)}


_CHANGES: Mapping[str, _Change] = {
    "empty-page": _without_rows,
    "missing-list-key": _without_list_key,
    "repeated-cursor": _with_cursor,
}
