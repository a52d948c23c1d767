"""Whether a list that broke off in an earlier run may go on at the page after the last one that came."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from feedloom.http.answer import Page
from feedloom.http.errors import StartOverError

_LONGEST_PAUSE: Final = timedelta(hours=1)


def check_may_go_on(last: Page, *, by_number: bool) -> None:
    """Raise StartOverError where nothing could tell whether the page after *last* is the one that follows it.

    Source: ``NumberPaging``, which says why numbers need the vendor's count.
    """
    if last.endpoint.paging.resumes == "never":
        raise no_going_on(last, "such lists cannot be gone on with")
    if by_number and not last.total:
        raise no_going_on(last, "the vendor gives no count by which changes would show")


def check_goes_on(last: Page, page: Page, *, by_number: bool) -> None:
    """Raise StartOverError where *page*, asked for in a later run, may not begin where *last* ended.

    A page that was asked for by its number has to come within an hour of *last*, and with the same count.
    """
    if not by_number:
        return
    if page.total != last.total:
        raise no_going_on(last, f"the vendor counted {last.total:,} rows, and now counts {page.total or 0:,}")
    if page.received_at - last.received_at > _LONGEST_PAUSE:
        raise no_going_on(last, "it broke off more than an hour ago")


def no_going_on(page: Page, reason: str) -> StartOverError:
    """The error that makes the list of *page* start over."""
    return StartOverError(
        f"{page.endpoint.name} can't go on after page {page.number + 1}: {reason}",
        hint="Start the list over, without the pages read so far.",
        where=page.endpoint.name,
    )
