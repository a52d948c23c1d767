"""The lists of Refiner and the way they are cut into pages.

Source: refiner-notes, Pagination; Lists: order and filters.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from feedloom.emulator.listing import Key, Listing, Query, RowT
from feedloom.emulator.quirks import Quirks
from feedloom.vendors.refiner.emulator.environment import Environment
from feedloom.vendors.refiner.emulator.filters import Arguments, contact_query, response_query
from feedloom.vendors.refiner.emulator.quirks import ABSENT, PRESENT
from feedloom.vendors.refiner.emulator.records import Form
from feedloom.vendors.refiner.emulator.refusal import bad_request, not_found
from feedloom.vendors.refiner.emulator.rendering import Renderer
from feedloom.vendors.refiner.emulator.segments import SEGMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a page starts: beyond a key when it was asked for by cursor, else after so many rows."""

    page: int
    length: int
    after: Key | None

    @property
    def skip(self) -> int:
        return 0 if self.after is not None else (self.page - 1) * self.length


class Lists:
    """Answers the calls that list something."""

    def __init__(self, *, environment: Environment, renderer: Renderer, quirks: Quirks) -> None:
        self._environment = environment
        self._renderer = renderer
        self._quirks = quirks

    def responses(self, arguments: Arguments) -> dict[str, Any]:
        """Responses, newest first by the column that the date range compares."""
        responses = self._environment.responses
        include_all = arguments.get("include") == "all"
        listing, column = (responses.by_shown, "shown") if include_all else (responses.by_data, "data")
        with_attributes = bool(arguments.get("with_attributes", False))
        return self._page(
            arguments=arguments,
            listing=listing,
            query=response_query(environment=self._environment, arguments=arguments),
            order=column,
            render=lambda place: self._renderer.response(responses.at(place), with_attributes=with_attributes),
        )

    def contacts(self, arguments: Arguments) -> dict[str, Any]:
        """Contacts in the order asked for."""
        contacts = self._environment.contacts
        order = arguments.get("order_by", "first_seen_at")
        ordered = contacts.ordered(order)
        return self._page(
            arguments=arguments,
            listing=ordered.listing,
            query=contact_query(environment=self._environment, arguments=arguments, seq_at=ordered.seqs.__getitem__),
            order=order,
            render=lambda place: self._renderer.contact(
                contacts.known(ordered.seqs[place] if isinstance(place, int) else place.seq)
            ),
        )

    def forms(self, arguments: Arguments) -> dict[str, Any]:
        """Surveys by name."""
        listed = _LISTED[arguments.get("list", "all")]
        forms = sorted((form for form in self._environment.forms.all if listed(form)), key=lambda form: form.name)
        return self._short_page(
            arguments=arguments,
            rows=forms,
            render=lambda form: self._renderer.form(
                form,
                with_info=bool(arguments.get("include_info", False)),
                with_config=bool(arguments.get("include_config", False)),
            ),
        )

    def form_history(self, arguments: Arguments) -> dict[str, Any]:
        """The history of one survey, newest first."""
        form = self._environment.forms.by_uuid(arguments["form_uuid"])
        if form is None:
            raise not_found("Form")
        return self._short_page(arguments=arguments, rows=form.history[::-1], render=self._renderer.edit)

    def segments(self, arguments: Arguments) -> dict[str, Any]:
        """Segments by name."""
        if self._quirks["segments_cursor"] == PRESENT:
            listing: Listing[Any] = Listing(
                size=len(SEGMENTS), key=lambda place: (place, place), block=len(SEGMENTS), descending=False
            )
            every: Query[Any] = Query(name="all", takes_base=None, takes_extra=lambda _: True)
            return self._page(
                arguments=arguments, listing=listing, query=every, order="name", render=self._renderer.segment
            )
        return self._short_page(arguments=arguments, rows=range(len(SEGMENTS)), render=self._renderer.segment)

    def _page(
        self,
        *,
        arguments: Arguments,
        listing: Listing[RowT],
        query: Query[RowT],
        order: str,
        render: Callable[[Any], dict[str, Any]],
    ) -> dict[str, Any]:
        place = self._place(arguments=arguments, order=order)
        found = listing.page(query, after=place.after, skip=place.skip, length=place.length)
        page = self._envelope(
            items=[render(row) for row in found.rows], total=listing.count(query), page=place.page, length=place.length
        )
        pagination = page["pagination"]
        if found.has_more and (place.after is not None or self._quirks["first_page_cursor"] == PRESENT):
            pagination["next_page_cursor"] = _encode(order=order, key=found.last_key, page=place.page + 1)
        elif self._quirks["end_cursor"] != ABSENT:
            pagination["next_page_cursor"] = None
        if self._quirks["unverified_fields"] == PRESENT:
            pagination["previous_page_cursor"] = arguments.get("page_cursor") if place.after is not None else None
        return page

    def _short_page(
        self, *, arguments: Arguments, rows: Sequence[Any], render: Callable[[Any], dict[str, Any]]
    ) -> dict[str, Any]:
        """A page of a list that has no cursors."""
        page, length = arguments.get("page", 1), self._length(arguments)
        start = (page - 1) * length
        return self._envelope(
            items=[render(row) for row in rows[start : start + length]], total=len(rows), page=page, length=length
        )

    def _envelope(self, *, items: list[dict[str, Any]], total: int, page: int, length: int) -> dict[str, Any]:
        return {
            "items": items,
            "pagination": {
                "items_count": total,
                "current_page": page,
                "last_page": max(1, -(-total // length)),
                "page_length": length,
            },
        }

    def _length(self, arguments: Arguments) -> int:
        length: int = arguments.get("page_length") or max(1, self._quirks.number("page_length_default"))
        return length

    def _place(self, *, arguments: Arguments, order: str) -> _Place:
        length = self._length(arguments)
        cursor = arguments.get("page_cursor")
        page_wins = self._quirks["page_and_cursor"] == "page" and "page" in arguments
        if not cursor or page_wins:
            return _Place(page=arguments.get("page", 1), length=length, after=None)
        page, after = _decode(cursor=cursor, order=order)
        return _Place(page=page, length=length, after=after)


_LISTED: dict[str, Callable[[Form], bool]] = {
    "all": lambda form: form.archived_s is None,
    "published": lambda form: form.archived_s is None and form.published_s is not None,
    "drafts": lambda form: form.archived_s is None and form.published_s is None,
    "archived": lambda form: form.archived_s is not None,
    "all_with_archived": lambda _form: True,
}


def _encode(*, order: str, key: Key | None, page: int) -> str:
    return urlsafe_b64encode(orjson.dumps([order, page, key])).decode().rstrip("=")


def _decode(*, cursor: str, order: str) -> tuple[int, Key]:
    """The page number and the key that a cursor holds; refuses one that was made for another order."""
    try:
        made_for, page, (value, seq) = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError) as problem:
        raise bad_request("The parameter page_cursor is not valid") from problem
    if made_for != order or not isinstance(page, int) or not isinstance(seq, int):
        raise bad_request("The parameter page_cursor belongs to another list")
    if isinstance(value, str) != (order in ("display_name", "email")):
        raise bad_request("The parameter page_cursor is not valid")
    return page, (value, seq)
