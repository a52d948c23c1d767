"""One page of a vendor's list for a caller: which rows, where the list goes on, and whether the page is whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from feedloom.catalogue import CursorPaging, Endpoint, NoPaging, NumberPaging, ScrollPaging, Vendor
from feedloom.errors import VendorError
from feedloom.http import Answer
from feedloom.http.answer import dig, whole_number
from feedloom.tools.calls import Calls
from feedloom.tools.cursors import Place
from feedloom.tools.failures import ToolError
from feedloom.tools.verification import Verification

DEEPEST: Final = 20_000
"""How many rows of a scroll are passed over at most: twenty requests."""

_SCROLL_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Some rows of a list.

    Attributes:
        rows: In the vendor's order.
        total: How long the list is, where the vendor says so.
        after: The place after that many of the rows; None at the end of the list.
    """

    rows: list[dict[str, Any]]
    total: int | None
    after: Callable[[int], Place | None]


async def read_rows(
    calls: Calls,
    vendor: Vendor,
    endpoint: Endpoint,
    params: Mapping[str, Any],
    *,
    limit: int,
    place: Place,
    verification: Verification,
) -> Rows:
    """The at most *limit* rows of the list from *place* on; notes in *verification* what does not add up.

    Raises what ``Client.call`` raises, VendorError when a page that should have rows stays empty, and ToolError for a
    place too deep in a scroll.
    """
    if isinstance(endpoint.paging, ScrollPaging):
        return await _scrolled(calls, vendor, endpoint, params, limit=limit, place=place, verification=verification)
    sized = {**params, **_size(endpoint, limit), **_page_params(endpoint, place)}
    page = await read_page(calls, vendor, endpoint, sized, limit=limit, place=place, verification=verification)
    _check_total(place, page.total, verification)
    return Rows(rows=page.rows[place.skip :], total=page.total, after=page.after)


async def read_page(
    calls: Calls,
    vendor: Vendor,
    endpoint: Endpoint,
    params: Mapping[str, Any],
    *,
    limit: int,
    place: Place,
    verification: Verification,
) -> NumberedPage:
    """The page that *params* ask for, of at most *limit* rows; asked for once more when rows are missing.

    A *limit* of 0 stands for a page of which nobody knows how many rows it should have. Raises what ``read_rows`` does.
    """
    page = NumberedPage(endpoint, await calls.call(vendor, endpoint, params), place, limit)
    if page.is_short:
        page = NumberedPage(endpoint, await calls.call(vendor, endpoint, params), place, limit)
        if not page.is_short:
            verification.heal("page")
    if page.is_short:
        if not page.rows:
            raise VendorError(
                f"{endpoint.name} says it has {page.total} rows and sends none",
                hint="Run it again later.",
                where=endpoint.name,
            )
        verification.doubt(f"page: {len(page.rows)} rows where {page.expected} should be")
    else:
        verification.checks.append("page")
    return page


class NumberedPage:
    """A page that was asked for by number or cursor: its ``rows``, and the whole answer as ``content``."""

    def __init__(self, endpoint: Endpoint, answer: Answer, place: Place, limit: int) -> None:
        self._paging = endpoint.paging
        self._place = place
        self.rows: list[dict[str, Any]] = _rows_of(answer)
        self.content = answer.content
        self.total = answer.total
        self.expected = limit if self.total is None else max(0, min(limit, self.total - place.passed))
        self.is_short = self.total is not None and len(self.rows) < self.expected
        self._is_full = len(self.rows) >= limit

    def after(self, count: int) -> Place | None:
        """The place after *count* of the rows that were not skipped."""
        place = self._place
        seen = place.skip + count
        if seen < len(self.rows):
            return Place(page=place.page, skip=seen, passed=place.passed, total=self.total, key=place.key)
        following = self._following() if self.rows else None
        if following is None:
            return None
        return Place(page=following, passed=place.passed + len(self.rows), total=self.total, key=place.key)

    def _following(self) -> dict[str, int | str] | None:
        """The parameter of the next page; None at the end."""
        match self._paging:
            case CursorPaging() as paging:
                return self._next_cursor(paging)
            case NumberPaging() as paging:
                is_last = dig(self.content, paging.last) is True if paging.last else False
                is_open = bool(paging.last or paging.last_number or self._is_full)
                if is_last or not is_open:
                    return None
                return self._next_number(paging.number_param, paging.first_number, paging.last_number)
            case _:
                return None

    def _next_cursor(self, paging: CursorPaging) -> dict[str, int | str] | None:
        """By cursor; where the first page offers none, by number from there on."""
        cursor = dig(self.content, paging.next)
        if isinstance(cursor, str) and cursor:
            return {paging.cursor_param: cursor}
        if not paging.number_param or paging.cursor_param in self._place.page:
            return None
        return self._next_number(paging.number_param, 1, paging.last_number)

    def _next_number(self, name: str, first: int, last_number: str) -> dict[str, int | str] | None:
        here = self._place.page.get(name, first)
        last = whole_number(self.content, last_number)
        if not isinstance(here, int) or (last is not None and here >= last):
            return None
        return {name: here + 1}


async def _scrolled(
    calls: Calls,
    vendor: Vendor,
    endpoint: Endpoint,
    params: Mapping[str, Any],
    *,
    limit: int,
    place: Place,
    verification: Verification,
) -> Rows:
    """Rows of a list whose pages come once only: read from the start, those of earlier calls passed over."""
    wanted = place.passed + limit
    if place.passed > DEEPEST:
        raise ToolError(
            "TOO_DEEP",
            f"the list is read from its start each time, and {place.passed:,} rows are too many to pass over",
            undone="Nothing was read.",
            next_step="narrow the filter or the range, or query the warehouse",
        )
    size = limit if place.passed == 0 else min(wanted, _SCROLL_PAGE)
    scroll = await _scroll(calls, vendor, endpoint, params, count=wanted, page_size=size)
    if scroll.is_short:
        again = await _scroll(calls, vendor, endpoint, params, count=wanted, page_size=size)
        if not again.is_short:
            verification.heal("page")
        scroll = again
    rows, total, is_whole = scroll.rows, scroll.total, scroll.is_whole
    _check_total(place, total, verification)
    if scroll.is_short:
        verification.doubt(f"page: the list ends after {len(rows)} rows where {total} should be")
    else:
        verification.checks.append("page")

    def after(count: int) -> Place | None:
        passed = place.passed + count
        is_end = passed >= len(rows) and (is_whole or (total is not None and passed >= total))
        return None if is_end else Place(passed=passed, total=total, key=place.key)

    return Rows(rows=rows[place.passed : wanted], total=total, after=after)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scroll:
    """The first rows of a list that is scrolled through.

    ``is_short`` tells that it ended before its total; the totals of one vendor are disputed, so that this is a doubt
    and no error. Source: aptrinsic-notes, section 2.
    """

    rows: list[Any]
    total: int | None
    is_whole: bool

    @property
    def is_short(self) -> bool:
        return self.is_whole and self.total is not None and len(self.rows) < self.total


async def _scroll(
    calls: Calls, vendor: Vendor, endpoint: Endpoint, params: Mapping[str, Any], *, count: int, page_size: int
) -> _Scroll:
    pages, is_whole = await calls.rows(vendor, endpoint, params, count=count, page_size=page_size)
    rows = [row for page in pages for row in page.rows]
    return _Scroll(rows=rows, total=pages[0].total if pages else None, is_whole=is_whole)


def _check_total(place: Place, total: int | None, verification: Verification) -> None:
    """A list that changed between two pages may show a row twice, or not at all."""
    if place.total is not None and total != place.total:
        verification.doubt(f"total: {place.total} rows before, {total} now, so rows may be missing or come twice")


def _size(endpoint: Endpoint, limit: int) -> dict[str, int]:
    paging = endpoint.paging
    return {} if isinstance(paging, NoPaging) else {paging.size_param: min(limit, paging.size_max)}


def _page_params(endpoint: Endpoint, place: Place) -> dict[str, int | str]:
    """The paging parameter of *place*, if it is one of the endpoint's."""
    names = {getattr(endpoint.paging, slot, "") for slot in ("number_param", "cursor_param")}
    return {name: value for name, value in place.page.items() if name in names}


def _rows_of(answer: Answer) -> list[dict[str, Any]]:
    """The rows of a list's answer; raises VendorError when they are not where they should be."""
    if not answer.cut.rows:
        return []
    return list(dig(answer.content, answer.endpoint.records) if answer.endpoint.records else answer.content)
