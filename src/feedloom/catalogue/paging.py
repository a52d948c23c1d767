"""The ways a list is cut into pages. Written down per endpoint, never detected.

Every list is read with its page size sent, whatever the vendor's default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

OtherSize: TypeAlias = Literal["goes on", "starts over"]
"""What a list does when its next page has to be asked for with another size."""

Resumes: TypeAlias = Literal["while its count holds", "while its cursor is taken", "never"]
"""When a list that broke off in one run is gone on with in a later one, at the page after the last that came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPaging:
    """The whole list comes in one answer."""

    resumes: ClassVar[Resumes] = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberPaging:
    """Pages are asked for by number.

    A page that is short or empty is the last. ``last`` names a flag, ``last_number`` the number of the last page,
    ``total`` the count of all rows: paths in the answer, parts joined by dots; empty where the vendor gives none.
    A page starts at its number times the size, so that a list goes on with any size that divides that place.

    A list that broke off is gone on with only within the hour and while the vendor counts as many rows as before. Lists
    come newest first: what was added since stands in front and only brings rows again, but what was deleted draws the
    others forward, some of them past the edge of a page that is not asked for again.
    """

    number_param: str
    first_number: int
    size_param: str
    size_default: int
    size_max: int
    last: str = ""
    last_number: str = ""
    total: str = ""
    other_size: ClassVar[OtherSize] = "goes on"
    resumes: ClassVar[Resumes] = "while its count holds"


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorPaging:
    """Each answer names the cursor of the next page; a null or absent cursor, or an empty page, is the end.

    ``next`` is the path of that cursor in the answer. A cursor that comes twice is an error. Where the vendor may leave
    the cursor out of the first page, ``number_param`` (first page 1) goes on while ``last_number`` says there is more.
    Whether a cursor may be used with another size than it was handed out with is not known of any vendor, so that a
    list starts over with another size.

    A cursor names a place between rows, so that a list that broke off is gone on with however old it is; one that the
    vendor does not take any more makes the list start over. How long cursors live is not known
    (Source: refiner-notes, "Pagination": assume unlimited).
    """

    cursor_param: str
    next: str
    size_param: str
    size_default: int
    size_max: int
    total: str = ""
    number_param: str = ""
    last_number: str = ""
    other_size: ClassVar[OtherSize] = "starts over"
    resumes: ClassVar[Resumes] = "while its cursor is taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrollPaging:
    """The vendor keeps a scroll open and hands out its next rows at each call.

    A page that is short or empty, or a null id, is the end. The same id may come back on every page; a lost page can
    then not be asked for again, and a scroll that broke off is never gone on with. ``only_null_ends`` marks lists that
    go on until the id is null. The size lives in the scroll, so that a list starts over with another size.
    """

    scroll_param: str
    next: str
    size_param: str
    size_default: int
    size_max: int
    total: str = ""
    only_null_ends: bool = False
    other_size: ClassVar[OtherSize] = "starts over"
    resumes: ClassVar[Resumes] = "never"


Paging: TypeAlias = NoPaging | NumberPaging | CursorPaging | ScrollPaging
