"""Random bytes by index: the same seed, kind and index always give the same bytes, in any order of asking."""

from __future__ import annotations

from hashlib import blake2b


class Dice:
    """``size`` random bytes for each index of one kind of thing."""

    def __init__(self, *, seed: int, kind: str, size: int = 32) -> None:
        self._start = blake2b(f"{seed}:{kind}:".encode(), digest_size=size)

    def roll(self, index: int) -> bytes:
        """The bytes of *index*, which is 0 or more."""
        state = self._start.copy()
        state.update(index.to_bytes(8, "little"))
        return state.digest()
