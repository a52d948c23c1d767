"""Reading a list page by page, in the way its endpoint describes, until its end is certain.

The ways of paging decide which request comes next and touch nothing else; ``read_pages`` sends the requests and checks
what comes back. A list never ends quietly when it may not be complete.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol, TypeAlias, assert_never, cast

from feedloom.catalogue import CursorPaging, Endpoint, NoPaging, NumberPaging, Paging, ScrollPaging
from feedloom.errors import REPORT_HINT, InputError, VendorError
from feedloom.http.answer import ABSENT, Answer, Page, dig, page_of, whole_number
from feedloom.http.encode import Value
from feedloom.http.errors import ScrollLostError, StartOverError
from feedloom.http.resuming import check_goes_on, check_may_go_on, no_going_on
from feedloom.http.sizes import PageSizes, Sizing

MOST_PAGES: Final = 10_000_000
REMEMBERED_DIGESTS: Final = 200_000

_FIRST_NUMBER: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What the request of the next page adds to the parameters of the list."""

    params: Mapping[str, Value] = field(default_factory=dict)
    position: int | str | None = None


class _Way(Protocol):
    """One way of paging, in the middle of one list."""

    def first(self) -> Turn:
        """The first request."""

    def after(self, page: Page, content: Any) -> Turn | None:
        """The request that follows *page*, beside whose rows stands *content*; None at the end."""


def with_page_size(endpoint: Endpoint, params: Mapping[str, Value], page_size: int | None = None) -> dict[str, Value]:
    """*params* with the page size, which is always sent, since vendors' defaults are small and disputed.

    It is *page_size*, else the one in *params*, else the largest; a larger *page_size* is lowered to the largest.
    Raises InputError for a size below 1, or one in *params* that is too large.
    """
    paging = endpoint.paging
    if isinstance(paging, NoPaging):
        return dict(params)
    given = params.get(paging.size_param)
    size = min(page_size, paging.size_max) if page_size is not None else paging.size_max if given is None else given
    if not isinstance(size, int) or not 1 <= size <= paging.size_max:
        problem = f"{endpoint.name} does not take {str(size)[:40]!r} as page size"
        hint = f"Give a whole number from 1 to {paging.size_max}, or none for the largest."
        raise InputError(problem, hint=hint, where=endpoint.name)
    return {**params, paging.size_param: size}


def list_params(endpoint: Endpoint, params: Mapping[str, Value], page_size: int | None) -> dict[str, Value]:
    """*params* with the page size, for a list that is read from its start.

    Raises InputError for a page size that cannot be, and where *params* say themselves which page comes.
    """
    for slot in ("number_param", "cursor_param", "scroll_param"):
        name = getattr(endpoint.paging, slot, "")
        if name and params.get(name) is not None:
            problem = f"{endpoint.name} is read page by page, which sets {name!r} itself"
            raise InputError(problem, hint=f"Leave {name!r} out.", where=endpoint.name)
    return with_page_size(endpoint, params, page_size)


def uses_up_a_page(endpoint: Endpoint, params: Mapping[str, Value]) -> bool:
    """Whether the request takes the next page of a scroll, which the vendor hands out once.

    Every scroll is taken to be one whose id stays the same: each call moves on, so a page that got lost is gone
    (Source: aptrinsic-notes, section 10, "retry of a lost page").
    """
    return isinstance(endpoint.paging, ScrollPaging) and params.get(endpoint.paging.scroll_param) is not None


class PageFailedError(Exception):
    """A page kept failing, so that its size may be to blame; the text says how, without the key."""


Ask: TypeAlias = Callable[[Mapping[str, Value], bool], Awaitable[Answer]]
"""Asks for one page; where the flag says that a smaller one could be asked for, raises PageFailedError early."""


async def read_pages(
    endpoint: Endpoint,
    params: Mapping[str, Value],
    *,
    ask: Ask,
    on_page: Callable[[Page], None],
    sizes: PageSizes,
    kept: Iterable[Page] = (),
) -> AsyncIterator[Page]:
    """The pages of a list in order, each one checked before it is handed out; *params* come from ``list_params``.

    A page that keeps failing is asked for with a smaller size: from the same place, where the way of paging allows it
    or nothing came yet. *kept* are the first pages of the list, read before, to be walked twice; they are handed out
    once the page after them has come. Raises StartOverError where a list cannot go on from where it is, and VendorError
    where the rows are not where they should be, a page comes again, a cursor does not move, or the list ends with fewer
    rows than the vendor says it has.
    """
    sizing = Sizing(endpoint, params, learned=sizes)
    listing = _Listing(endpoint, sizing.params)
    turn, last_kept = _first_turn(listing, sizing, kept)
    first_number = number = 0 if last_kept is None else last_kept.number + 1
    while number < MOST_PAGES:
        try:
            answer = await ask({**sizing.params, **turn.params}, sizing.may_shrink)
            page, following = listing.take(page_of(answer, number=number, position=turn.position, size=sizing.size))
        except PageFailedError as failed:
            listing.way, turn = _in_smaller_pages(listing.way, sizing, failed, number=number)
            continue
        except ScrollLostError as lost:
            lost.is_smaller = sizing.shrinks_after_loss(number)
            raise
        except VendorError as problem:
            if last_kept is None:
                raise
            raise no_going_on(last_kept, str(problem)) from problem
        if last_kept is not None and number == first_number:
            check_goes_on(last_kept, page, by_number=listing.goes_by_number(turn))
            for earlier in kept:
                yield earlier
        sizing.note_arrival()
        on_page(page)
        yield page
        if following is None:
            return
        turn = following
        number += 1
    raise _unexpected(page, f"is not the last page after {MOST_PAGES:,}")


class _Listing:
    """One list in the middle of being read: what came, and by which way it goes on."""

    def __init__(self, endpoint: Endpoint, params: Mapping[str, Value]) -> None:
        paging = endpoint.paging
        self.way = _way_of(paging, params)
        self._number_param = getattr(paging, "number_param", "")
        self._pages_seen = _Digests(1 if isinstance(paging, ScrollPaging) else REMEMBERED_DIGESTS)
        self._tally = _Tally(counts=isinstance(paging, NumberPaging | CursorPaging))

    def take(self, page: Page) -> tuple[Page, Turn | None]:
        """*page*, which is the last where that shows, and the request that follows it; None at the end.

        Raises VendorError for a page that came before, and at the end of a list with fewer rows than the vendor counts.
        """
        if len(page) and not self._pages_seen.add(page.cut.text):
            raise _unexpected(page, "brought the same rows as an earlier page")
        following = self.way.after(page, page.cut.beside)
        self._tally.add(page)
        if following is not None:
            return page, following
        self._tally.check_complete(page)
        return replace(page, is_last=True), None

    def goes_by_number(self, turn: Turn) -> bool:
        """Whether *turn* asks for a page by its number."""
        return self._number_param in turn.params


def _first_turn(listing: _Listing, sizing: Sizing, kept: Iterable[Page]) -> tuple[Turn, Page | None]:
    """The first request to send, and the last of the *kept* pages, which it follows; None where none is kept."""
    turn: Turn | None = listing.way.first()
    last = None
    for page in kept:
        if turn is None or page.position != turn.position or page.size != sizing.size:
            raise no_going_on(page, "its pages were asked for in another way")
        try:
            _, turn = listing.take(page)
        except VendorError as problem:
            raise no_going_on(page, str(problem)) from problem
        last = page
    if last is not None:
        if turn is None:
            raise no_going_on(last, "it had come to an end that was not believed")
        check_may_go_on(last, by_number=listing.goes_by_number(turn))
    return cast("Turn", turn), last


class _Once:
    """A list that comes whole."""

    def first(self) -> Turn:
        return Turn()

    def after(self, page: Page, content: Any) -> None:  # noqa: ARG002  # nothing it could hold makes a second page
        return None


class _ByNumber:
    """Pages asked for by number.

    Ends at the vendor's own mark of the last page, and at an empty or short page unless such a mark says that more
    follow: a vendor that hands out fewer rows than asked for must not cut the list. Raises VendorError for an empty
    page that is said not to be the last, since rows are missing, there or after it.
    """

    def __init__(self, paging: NumberPaging, *, size: int) -> None:
        self._paging = paging
        self._size = size
        self._index = 0
        self._all_full = True

    def first(self) -> Turn:
        return self._turn()

    def after(self, page: Page, content: Any) -> Turn | None:
        number = self._paging.first_number + self._index
        mark = _is_last(content, number=number, last=self._paging.last, last_number=self._paging.last_number)
        is_short = len(page) < self._size
        self._all_full = self._all_full and not is_short
        self._index += 1
        if mark is False and not len(page):
            raise _unexpected(page, "brought no rows, and says that more follow")
        is_last = is_short if mark is None else mark
        return None if is_last else self._turn()

    def with_size(self, size: int) -> Turn | None:
        """The request that goes on from the same row with *size*, which divides the size so far.

        None where a page was short and yet not the last: then the vendor may count pages of another size than asked.
        """
        if not self._all_full:
            return None
        self._index = self._index * self._size // size
        self._size = size
        return self._turn()

    def _turn(self) -> Turn:
        number = self._paging.first_number + self._index
        return Turn(params={self._paging.number_param: number}, position=number)


class _ByCursor:
    """Pages asked for by the cursor of the page before.

    Where the first page brings no cursor and yet says that more follow, the whole list is read by number.
    """

    def __init__(self, paging: CursorPaging) -> None:
        self._paging = paging
        self._by_number = False
        self._cursors = _Digests(REMEMBERED_DIGESTS)

    def first(self) -> Turn:
        return Turn()

    def after(self, page: Page, content: Any) -> Turn | None:
        if not len(page):
            return None
        cursor = None if self._by_number else _token(page, content, self._paging.next)
        if cursor is None:
            return self._next_number(page, content)
        if not self._cursors.add(str(cursor).encode()):
            raise _unexpected(page, "named a cursor that was used before, so the list does not move on")
        return Turn(params={self._paging.cursor_param: cursor}, position=cursor)

    def _next_number(self, page: Page, content: Any) -> Turn | None:
        if not self._paging.number_param or (page.number > 0 and not self._by_number):
            return None
        self._by_number = True
        number = _FIRST_NUMBER + page.number
        if _is_last(content, number=number, last="", last_number=self._paging.last_number) is not False:
            return None
        return Turn(params={self._paging.number_param: number + 1}, position=number + 1)


class _ByScroll:
    """Pages handed out by a scroll that the vendor keeps. Its id may stay the same and is no sign of standing still."""

    def __init__(self, paging: ScrollPaging, *, size: int) -> None:
        self._paging = paging
        self._size = size

    def first(self) -> Turn:
        return Turn()

    def after(self, page: Page, content: Any) -> Turn | None:
        is_short = len(page) < self._size and not self._paging.only_null_ends
        scroll = _token(page, content, self._paging.next)
        if is_short or not len(page) or scroll is None:
            return None
        return Turn(params={self._paging.scroll_param: scroll}, position=scroll)


class _Digests:
    """Which texts came before, by a hash of 64 bits; the oldest are forgotten past *most*."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._order: deque[int] = deque()
        self._known: set[int] = set()

    def add(self, text: bytes) -> bool:
        """Whether *text* is new."""
        digest = hash(text)
        if digest in self._known:
            return False
        self._known.add(digest)
        self._order.append(digest)
        if len(self._order) > self._most:
            self._known.discard(self._order.popleft())
        return True


class _Tally:
    """Holds the rows received against the vendor's own count.

    The smallest count that any page gave is the one to reach: rows that came or went while the list was read are no
    loss. A count of 0 says nothing, since an empty page may carry it in the middle of a list.
    """

    def __init__(self, *, counts: bool) -> None:
        self._counts = counts
        self._received = 0
        self._expected: int | None = None

    def add(self, page: Page) -> None:
        self._received += len(page)
        if page.total:
            self._expected = page.total if self._expected is None else min(self._expected, page.total)

    def check_complete(self, page: Page) -> None:
        if self._counts and self._expected is not None and self._received < self._expected:
            problem = f"ended the list after {self._received:,} rows, and the vendor counts {self._expected:,}"
            raise _unexpected(page, problem)


def _way_of(paging: Paging, params: Mapping[str, Value]) -> _Way:
    match paging:
        case NoPaging():
            return _Once()
        case NumberPaging():
            return _ByNumber(paging, size=cast("int", params[paging.size_param]))
        case CursorPaging():
            return _ByCursor(paging)
        case ScrollPaging():
            return _ByScroll(paging, size=cast("int", params[paging.size_param]))
        case _:
            assert_never(paging)


def _in_smaller_pages(way: _Way, sizing: Sizing, failed: PageFailedError, *, number: int) -> tuple[_Way, Turn]:
    """How the list is read on where page *number* kept failing; raises StartOverError where it cannot be."""
    paging, size = sizing.endpoint.paging, sizing.shrink()
    if number == 0:
        way = _way_of(paging, sizing.params)
        return way, way.first()
    goes_on = not isinstance(paging, NoPaging) and paging.other_size == "goes on"
    turn = way.with_size(size) if goes_on and isinstance(way, _ByNumber) else None
    if turn is None:
        raise _start_over(sizing.endpoint, failed, number=number)
    return way, turn


def _start_over(endpoint: Endpoint, failed: PageFailedError, *, number: int) -> StartOverError:
    message = f"{endpoint.name}: page {number + 1} kept failing at its size: {failed}"
    hint = "Start the list over, without the pages read so far: its pages will be smaller."
    error = StartOverError(message, hint=hint, where=endpoint.name)
    error.is_smaller = True
    return error


def _is_last(content: Any, *, number: int, last: str, last_number: str) -> bool | None:
    """Whether page *number* is the last one by the vendor's own marks; None where it carries none."""
    flag = dig(content, last) if last else ABSENT
    if isinstance(flag, bool):
        return flag
    highest = whole_number(content, last_number)
    return None if highest is None else number >= highest


def _token(page: Page, content: Any, path: str) -> str | int | None:
    """The cursor or scroll id at *path*; None where it is null, absent or empty."""
    token = dig(content, path)
    if token is ABSENT or token is None or token == "":
        return None
    if isinstance(token, bool) or not isinstance(token, str | int):
        raise _unexpected(page, f"named something at {path!r} that is no cursor")
    return token


def _unexpected(page: Page, problem: str) -> VendorError:
    message = f"{page.endpoint.name}: page {page.number + 1} ({page.request}) {problem}"
    return VendorError(message, hint=REPORT_HINT, where=page.endpoint.name)
