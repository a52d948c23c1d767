"""The scrolls that are open: what each hands out, how far it got, and when it was used last.

A scroll is a place in a list, not the rows of it, so that thousands of them cost next to nothing; the least lately used
are closed beyond that. Source: aptrinsic-notes, sections 2 and 10.
"""

from __future__ import annotations

from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import blake2b

from feedloom.vendors.aptrinsic.emulator.shelves import Query

_MOST_OPEN = 2_000
_ID_START = b"queryThenFetch"
_ID_BYTES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Scroll:
    """One scroll: its list, what is wanted of it, and the place of its next row.

    ``version`` is that of the list when the scroll was opened. ``used_s`` is in seconds since 1970.
    """

    list_name: str
    query: Query
    page_size: int
    version: int
    offset: int = 0
    used_s: float = 0.0


class Scrolls:
    """The open scrolls by id.

    Args:
        seed: Ids follow from it and from the order of opening.
        life_s: Seconds after its last use at which a scroll is closed; 0 for never.
        has_fresh_ids: Each page comes with an id of its own, by which the page after it can be had again and again.
        clock_s: Seconds since 1970.
    """

    def __init__(self, *, seed: int, life_s: int, has_fresh_ids: bool, clock_s: Callable[[], float]) -> None:
        self._seed = seed
        self._life_s = life_s
        self._has_fresh_ids = has_fresh_ids
        self._clock_s = clock_s
        self._opened = 0
        self._open: OrderedDict[str, Scroll] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    @property
    def oldest_version(self) -> int | None:
        """The oldest version that an open scroll may still read; None when none is open."""
        return min((scroll.version for scroll in self._open.values() if not self._is_over(scroll)), default=None)

    def find(self, scroll_id: str) -> Scroll | None:
        """The open scroll with that id."""
        scroll = self._open.get(scroll_id)
        if scroll is not None and self._is_over(scroll):
            del self._open[scroll_id]
            return None
        return scroll

    def keep(self, scroll: Scroll, *, scroll_id: str | None) -> str:
        """Keep *scroll*, which was found under *scroll_id* or is new; returns the id of its next page."""
        if scroll_id is None or self._has_fresh_ids:
            scroll_id = self._fresh_id()
        self._open[scroll_id] = replace(scroll, used_s=self._clock_s())
        self._open.move_to_end(scroll_id)
        if len(self._open) > _MOST_OPEN:
            self._open.popitem(last=False)
        return scroll_id

    def close(self, scroll_id: str) -> None:
        """Forget the scroll with that id, unless its pages can be had again."""
        if not self._has_fresh_ids:
            self._open.pop(scroll_id, None)

    def _is_over(self, scroll: Scroll) -> bool:
        return bool(self._life_s) and self._clock_s() - scroll.used_s > self._life_s

    def _fresh_id(self) -> str:
        """A text as search engines make them, with characters that a URL has to spell otherwise."""
        self._opened += 1
        digest = blake2b(f"{self._seed}:{self._opened}".encode(), digest_size=_ID_BYTES).digest()
        return b64encode(_ID_START + digest).decode()
