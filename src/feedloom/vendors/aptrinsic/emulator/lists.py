"""The lists of Gainsight PX and the ways in which they are cut into pages.

Source: openapi.yaml, "Paging"; aptrinsic-notes, sections 1, 2, 3 and 10.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from feedloom.catalogue import Endpoint, NumberPaging, ScrollPaging
from feedloom.emulator.behaviour import Answer, Call, json_answer
from feedloom.emulator.cache import AnswerCache
from feedloom.emulator.quirks import Quirks
from feedloom.vendors.aptrinsic.catalogue import APTRINSIC
from feedloom.vendors.aptrinsic.emulator.conditions import Columns, Term
from feedloom.vendors.aptrinsic.emulator.environment import ACCOUNTS, COLLISIONS, ERRORS, USERS, Environment
from feedloom.vendors.aptrinsic.emulator.event_kinds import SEGMENT_MATCHES
from feedloom.vendors.aptrinsic.emulator.quirks import IGNORED, REFUSED
from feedloom.vendors.aptrinsic.emulator.refusal import bad_request
from feedloom.vendors.aptrinsic.emulator.scrolls import Scroll
from feedloom.vendors.aptrinsic.emulator.shelves import Query, Selections, SortKey
from feedloom.vendors.aptrinsic.emulator.windows import (
    MONITORING_DAYS,
    Group,
    Span,
    WindowRule,
    dated_group,
    given_range,
    ranged,
)

_MODIFIED = "lastModifiedDate"
_REPEATED = "repeated-cursor"

RECORD_LISTS = (USERS, ACCOUNTS)
MONITORING_LISTS = (COLLISIONS, ERRORS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """One page of a scroll: the rows as JSON, how many they are, and how many there are in all."""

    rows: bytes
    count: int
    total: int


class Lists:
    """Answers the calls that list something."""

    def __init__(self, *, environment: Environment, quirks: Quirks, cache: AnswerCache[Answer]) -> None:
        self._environment = environment
        self._quirks = quirks
        self._cache = cache
        self._selections = Selections()
        self._endpoints = {name: APTRINSIC.endpoint(name) for name in environment.shelves}
        self._columns = {name: Columns(endpoint) for name, endpoint in self._endpoints.items()}
        self._scrolls = environment.scrolls

    def scrolled(self, call: Call) -> Answer:
        """A page of a list that scrolls: the first of a new scroll, or the next of the one whose id is given.

        Page size, filter and sort live in the scroll; those sent again are ignored.
        """
        scroll_id = call.arguments.get("scrollId") or None
        scroll = self._found(call, scroll_id) if scroll_id else self._opened(call)
        if self._quirks["scrolling"] == "live":
            scroll = replace(scroll, version=self._environment.ledger.version)
        is_repeated = _REPEATED in call.faults and scroll_id is not None
        if is_repeated:
            scroll = replace(scroll, offset=max(0, scroll.offset - scroll.page_size))
        page = self._page(scroll)
        moved = replace(scroll, offset=scroll.offset + page.count)
        return self._scroll_answer(scroll=moved, page=page, scroll_id=scroll_id)

    def numbered(self, call: Call, rows: Sequence[dict[str, Any]]) -> Answer:
        """A page of a list that is cut by number; pages beyond the last are empty."""
        paging = call.endpoint.paging
        if not isinstance(paging, NumberPaging):
            raise TypeError(call.endpoint.name)
        number = call.arguments.get(paging.number_param, paging.first_number)
        size = call.arguments.get(paging.size_param, paging.size_default)
        page = {
            call.endpoint.records: [shown(row, endpoint=call.endpoint) for row in rows[number * size :][:size]],
            "pageNumber": number,
            "isLastPage": (number + 1) * size >= len(rows),
        }
        return json_answer(page, cacheable=True)

    def _found(self, call: Call, scroll_id: str) -> Scroll:
        scroll = self._scrolls.find(scroll_id)
        if scroll is None or scroll.list_name != call.endpoint.name:
            raise bad_request("Invalid scrollId")
        return scroll

    def _opened(self, call: Call) -> Scroll:
        name, arguments = call.endpoint.name, call.arguments
        paging = call.endpoint.paging
        if not isinstance(paging, ScrollPaging):
            raise TypeError(name)
        size = arguments.get(paging.size_param, paging.size_default)
        groups = self._monitored(arguments) if name in MONITORING_LISTS else self._groups(name, arguments)
        return Scroll(
            list_name=name,
            query=Query(groups=groups, sort=self._sort(name, arguments.get("sort") or "")),
            page_size=size,
            version=self._environment.ledger.version,
            offset=arguments.get("pageNumber", 0) * size,
        )

    def _groups(self, name: str, arguments: Mapping[str, Any]) -> tuple[Group, ...]:
        """What the filter of a list asks for."""
        terms = self._columns[name].groups(arguments.get("filter", ()))
        if name in RECORD_LISTS:
            kept = [tuple(term for term in group if self._counts(name, term)) for group in terms]
            return tuple(Group(span=Span(), terms=group) for group in kept)
        now_ms = self._environment.ledger.now_ms()
        rule = WindowRule(now_ms=now_ms, has_default=self._quirks["default_window"] == "day")
        also = given_range(arguments)
        return tuple(dated_group(terms=group, also=also, rule=rule) for group in terms or [()])

    def _counts(self, name: str, term: Term) -> bool:
        """Whether a term of the filter of users or accounts is looked at; refused where the vendor may refuse it."""
        if name == USERS and term.column.name == "id" and self._quirks["filter_by_id"] == REFUSED:
            raise bad_request("Unknown filter field: id")
        return term.column.name != _MODIFIED or self._quirks["modified_filter"] != IGNORED

    def _monitored(self, arguments: Mapping[str, Any]) -> tuple[Group, ...]:
        """What the range and the product key of a monitoring list ask for."""
        now_ms = self._environment.ledger.now_ms()
        span = ranged(arguments=arguments, now_ms=now_ms, most_days=MONITORING_DAYS)
        key = arguments.get("propertyKey")
        column = self._columns[COLLISIONS].find("propertyKey")
        terms = (Term(column=column, operator="==", value=key),) if key and column else ()
        return (Group(span=span, terms=terms),)

    def _sort(self, name: str, text: str) -> tuple[SortKey, ...]:
        """What the sort of a list asks for. A plus sign that was not encoded arrives as a space."""
        keys = []
        for part in text.removesuffix(";").split(";") if text else ():
            field = part.lstrip("+- ") if part[:1] in {"+", "-", " "} else part
            column = self._columns[name].find(field)
            if column is None:
                raise bad_request(f"Unknown sort field: {field}")
            is_ignored = name in RECORD_LISTS and field == _MODIFIED and self._quirks["modified_sort"] == IGNORED
            if not is_ignored:
                keys.append(SortKey(column=column, descending=part.startswith("-")))
        return tuple(keys)

    def _page(self, scroll: Scroll) -> _Page:
        shelf = self._environment.shelves[scroll.list_name]
        name = (scroll.list_name, scroll.query, scroll.version)
        numbers = self._selections.get(name, make=lambda: shelf.select(scroll.query, version=scroll.version))
        stop = min(scroll.offset + scroll.page_size, len(numbers))
        count = max(0, stop - scroll.offset)
        request = (*name, scroll.offset, scroll.page_size)
        version = self._environment.ledger.version
        kept = self._cache.get(request=request, version=version)
        if kept is None:
            rows = shelf.rows(scroll.query, numbers[scroll.offset : stop]) if count else []
            kept = Answer(body=orjson.dumps(rows))
            self._cache.put(request=request, version=version, answer=kept)
        return _Page(rows=kept.body, count=count, total=len(numbers))

    def _scroll_answer(self, *, scroll: Scroll, page: _Page, scroll_id: str | None) -> Answer:
        is_over = self._is_over(scroll=scroll, page=page)
        if is_over and scroll_id is not None:
            self._scrolls.close(scroll_id)
        following = None if is_over else self._scrolls.keep(scroll, scroll_id=scroll_id)
        total = page.total
        if self._quirks["total_hits"] == "inflated":
            total += 1 + total // 20
        key = self._endpoints[scroll.list_name].records
        if scroll.list_name == SEGMENT_MATCHES:
            key = self._quirks["segment_match_key"]
        tail = orjson.dumps({"totalHits": total, "scrollId": following})
        return Answer(body=b'{"%b":%b,%b' % (key.encode(), page.rows, tail[1:]))

    def _is_over(self, *, scroll: Scroll, page: _Page) -> bool:
        """Whether the page says that it is the last one. Monitoring lists always do."""
        is_last = scroll.offset >= page.total
        if scroll.list_name in MONITORING_LISTS:
            return is_last
        match self._quirks["scroll_end"]:
            case "never":
                return False
            case "last":
                return is_last
            case _:
                return page.count == 0


def shown(row: Mapping[str, Any], *, endpoint: Endpoint) -> dict[str, Any]:
    """*row* with the fields that *endpoint* shows."""
    names = {field.name.partition(".")[0].removesuffix("[]") for field in endpoint.fields}
    return {name: value for name, value in row.items() if name in names}
