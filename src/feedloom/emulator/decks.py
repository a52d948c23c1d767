"""Categories dealt to rows like cards: shuffled within a deck of rows, in shares that change from deck to deck.

Because a deck's shares fix how many rows of each category it holds, rows are counted deck by deck, without a look at
any of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from feedloom.emulator.dice import Dice

_MOST_DECKS = 1_460
_SMALLEST_DECK = 16
_DECKS_KEPT = 4_096


@dataclass(frozen=True, slots=True)
class _Deck:
    """How one deck was shuffled, and the rank at which each category ends."""

    first_factor: int
    second_factor: int
    shift: int
    ends: tuple[int, ...]


class Decks:
    """Deals categories to ``rows`` rows.

    ``shares`` gives, for the row in the middle of a deck, the share of each category, in order; they sum to 1.
    """

    def __init__(self, *, rows: int, seed: int, shares: Callable[[int], Sequence[float]]) -> None:
        self.size = max(_SMALLEST_DECK, 1 << (max(1, rows // _MOST_DECKS) - 1).bit_length())
        self._rows = rows
        self._bits = self.size.bit_length() - 1
        self._half = (self._bits + 1) // 2
        self._mask = self.size - 1
        self._shares = shares
        self._dice = Dice(seed=seed, kind="deck")
        self._deck = lru_cache(maxsize=_DECKS_KEPT)(self._shuffled)

    def category(self, row: int) -> int:
        """The category of *row*."""
        deck = self._deck(row >> self._bits)
        rank = (row * deck.first_factor + deck.shift) & self._mask
        rank = (rank ^ rank >> self._half) * deck.second_factor & self._mask
        return bisect_right(deck.ends, rank)

    def counts(self, number: int) -> tuple[int, ...]:
        """How many rows of each category the deck *number* holds."""
        ends = self._deck(number).ends
        if (number + 1) * self.size <= self._rows:
            return tuple(end - start for start, end in zip((0, *ends), (*ends, self.size), strict=True))
        counts = [0] * (len(ends) + 1)
        for row in range(number * self.size, self._rows):
            counts[self.category(row)] += 1
        return tuple(counts)

    def _shuffled(self, number: int) -> _Deck:
        roll = self._dice.roll(number)
        luck = int.from_bytes(roll[12:16], "little") / (1 << 32)
        shares = self._shares(min(number * self.size + self.size // 2, self._rows - 1))
        ends = (int(self.size * share + luck) for share in accumulate(shares[:-1]))
        return _Deck(
            first_factor=int.from_bytes(roll[0:4], "little") | 1,
            second_factor=int.from_bytes(roll[4:8], "little") | 1,
            shift=int.from_bytes(roll[8:12], "little"),
            ends=tuple(min(end, self.size) for end in ends),
        )
