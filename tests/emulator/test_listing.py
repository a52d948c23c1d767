"""A listing gives the same rows as a sorted list that is built at once, however it is cut and changed."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from feedloom.emulator.listing import Key, Listing, Query

SIZE = 40


@dataclass
class Model:
    """A listing of numbers beside a plain dictionary with the same rows."""

    listing: Listing[str]
    rows: dict[Key, int | str] = field(default_factory=dict)


def base_key(position: int) -> Key:
    return (position // 3 * 2, position)


def takes(row: int | str) -> bool:
    return int(row) % 4 != 1


@st.composite
def models(draw: st.DrawFn) -> tuple[Model, bool]:
    descending = draw(st.booleans())
    listing: Listing[str] = Listing(
        size=SIZE, key=base_key, block=draw(st.sampled_from([1, 4, 7, 64])), descending=descending
    )
    model = Model(listing, {base_key(position): position for position in range(SIZE)})
    for position in draw(st.sets(st.integers(0, SIZE - 1), max_size=9)):
        listing.hide(position)
        del model.rows[base_key(position)]
    for number, value in enumerate(draw(st.lists(st.integers(-3, SIZE), max_size=9)), start=100):
        listing.put(key=(value, number), row=str(number))
        model.rows[value, number] = str(number)
    for key in draw(st.sets(st.sampled_from([key for key in model.rows if key[1] >= 100] or [(0, -1)]), max_size=3)):
        listing.drop(key)
        model.rows.pop(key, None)
    return model, descending


BOUNDS = st.none() | st.tuples(st.integers(-2, SIZE), st.just(-1))


@settings(max_examples=150)
@given(built=models(), low=BOUNDS, high=BOUNDS, length=st.integers(1, 12), filtered=st.booleans())
def test_pages_by_cursor_and_by_number_tile_the_list(
    built: tuple[Model, bool], *, low: Key | None, high: Key | None, length: int, filtered: bool
) -> None:
    model, descending = built
    query: Query[str] = Query(
        name=("query", filtered),
        takes_base=takes if filtered else None,
        takes_extra=takes if filtered else lambda _: True,
        low=low,
        high=high,
    )
    inside = [key for key in model.rows if (low is None or key >= low) and (high is None or key < high)]
    expected = [model.rows[key] for key in sorted(inside, reverse=descending)]
    expected = [row for row in expected if takes(row) or not filtered]

    assert model.listing.count(query) == len(expected)

    by_cursor: list[int | str] = []
    page = model.listing.page(query, length=length)
    by_cursor.extend(page.rows)
    while page.has_more:
        page = model.listing.page(query, after=page.last_key, length=length)
        assert page.rows
        by_cursor.extend(page.rows)
    assert by_cursor == expected

    by_number = [
        row
        for skip in range(0, len(expected) + length, length)
        for row in model.listing.page(query, skip=skip, length=length).rows
    ]
    assert by_number == expected


def test_known_counts_of_blocks_are_taken_unless_a_row_of_the_block_is_hidden() -> None:
    listing: Listing[str] = Listing(size=SIZE, key=base_key, block=10, descending=True)
    query: Query[str] = Query(
        name="all", takes_base=lambda _: True, takes_extra=lambda _: True, count_block=lambda _: 1000
    )
    assert listing.count(query) == 4000
    listing.hide(15)
    assert listing.count(query) == 3009


def test_an_empty_listing_has_no_pages() -> None:
    listing: Listing[str] = Listing(size=0, key=base_key, block=10, descending=True)
    query: Query[str] = Query(name="all", takes_base=None, takes_extra=lambda _: True)
    page = listing.page(query, length=5)
    assert (listing.count(query), page.rows, page.last_key, page.has_more) == (0, [], None, False)
