"""Remembers which keys came before: digests on the disk, and in memory two bytes a key that say which may be there."""

from __future__ import annotations

import os
import tempfile
import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np

from feedloom.columnar.arrow.digests import Digester, Digests

_RUN_KEYS = 1 << 18
_BLOCK_KEYS = 512
_FILTER_KEYS = 1 << 21
_DIGEST_BYTES = 16
_WORD_BITS = 64
_PLACE_BITS = 6
_KEYS_A_WORD = 4
_BITS_A_KEY = 5


class SeenKeys:
    """The keys that came so far; two keys are taken for one with a chance of less than 1 in 10^20 among 10^9 keys.

    Args:
        run_keys: How many digests are kept in memory before they go to a temporary file.
        filter_keys: How many keys one filter is made for, a power of two; more are added as keys come.
    """

    def __init__(self, *, run_keys: int = _RUN_KEYS, filter_keys: int = _FILTER_KEYS) -> None:
        self._digester = Digester()
        self._run_keys = run_keys
        self._filter_keys = filter_keys
        self._filters: list[_Filter] = []
        self._recent: list[Digests] = []
        self._stored = _StoredRuns()

    def add(self, keys: Any) -> Any:
        """Mask of those of *keys*, a string array, that came before, in an earlier call or earlier in this one."""
        digests = self._digester.digests(keys)
        repeated = digests.repeated()
        maybe = np.zeros(len(repeated), dtype=bool)
        for one in self._filters:
            maybe |= one.may_hold(digests)
        if maybe.any():
            repeated[maybe] |= self._hold(digests.at(maybe))
        new = digests.at(~repeated)
        if len(new.high):
            self._keep(new)
        return repeated

    def _hold(self, digests: Digests) -> Any:
        found = self._stored.hold(digests)
        for run in self._recent:
            found |= digests.found_in(run)
        return found

    def _keep(self, new: Digests) -> None:
        if not self._filters or self._filters[-1].keys >= self._filter_keys:
            self._filters.append(_Filter(self._filter_keys))
        self._filters[-1].add(new)
        run = new.sorted()
        while self._recent and len(self._recent[-1].high) <= 2 * len(run.high):
            run = Digests.joined([self._recent.pop(), run]).sorted()
        self._recent.append(run)
        if sum(len(run.high) for run in self._recent) >= self._run_keys:
            self._stored.add(Digests.joined(self._recent).sorted())
            self._recent.clear()


class _Filter:
    """Says of a digest that it may have come, or that it did not.

    Each digest sets five bits of one word of 64, and there is a word for every four digests; so one in some hundreds of
    those that did not come is said to may have.
    """

    def __init__(self, most_keys: int) -> None:
        self.keys = 0
        self._words = np.zeros(max(1, most_keys // _KEYS_A_WORD), np.uint64)

    def add(self, digests: Digests) -> None:
        np.bitwise_or.at(self._words, self._places(digests), _bits(digests))
        self.keys += len(digests.high)

    def may_hold(self, digests: Digests) -> Any:
        bits = _bits(digests)
        return self._words[self._places(digests)] & bits == bits

    def _places(self, digests: Digests) -> Any:
        return (digests.low & np.uint64(len(self._words) - 1)).astype(np.int64)


def _bits(digests: Digests) -> Any:
    bits = np.zeros(len(digests.high), np.uint64)
    for place in range(_BITS_A_KEY):
        bits |= np.uint64(1) << (digests.high >> np.uint64(place * _PLACE_BITS) & np.uint64(_WORD_BITS - 1))
    return bits


@dataclass(frozen=True, slots=True)
class _StoredRun:
    """Sorted digests in a file, in blocks.

    Attributes:
        start: Where in the file it begins, in bytes.
        keys: How many digests it has.
        firsts: The high word of the first digest of each block.
    """

    start: int
    keys: int
    firsts: Any


class _StoredRuns:
    """Runs of digests in a temporary file, which goes when this object does."""

    def __init__(self) -> None:
        self._file: Any = None
        self._runs: list[_StoredRun] = []

    def add(self, run: Digests) -> None:
        """Append the sorted *run*."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="feedloom-keys-")  # noqa: SIM115 - closed with this object
            weakref.finalize(self, self._file.close)
        start = self._file.seek(0, os.SEEK_END)
        self._file.write(np.column_stack((run.high, run.low)).tobytes())
        self._file.flush()
        self._runs.append(_StoredRun(start, len(run.high), run.high[::_BLOCK_KEYS].copy()))

    def hold(self, digests: Digests) -> Any:
        """Mask of the digests that are in one of the runs; only the blocks that they may stand in are read."""
        found = np.zeros(len(digests.high), dtype=bool)
        for run in self._runs:
            found |= digests.found_in(self._read(run, digests))
        return found

    def _read(self, run: _StoredRun, digests: Digests) -> Digests:
        first = np.maximum(np.searchsorted(run.firsts, digests.high, side="left") - 1, 0)
        last = np.searchsorted(run.firsts, digests.high, side="right") - 1
        blocks = np.unique(np.concatenate([first, np.maximum(last, 0)]))
        read = b"".join(self._block(run, block) for block in blocks.tolist())
        pairs = np.frombuffer(read, np.uint64).reshape(-1, 2)
        return Digests(pairs[:, 0], pairs[:, 1])

    def _block(self, run: _StoredRun, block: int) -> bytes:
        keys = min(_BLOCK_KEYS, run.keys - block * _BLOCK_KEYS)
        self._file.seek(run.start + block * _BLOCK_KEYS * _DIGEST_BYTES)
        content: bytes = self._file.read(keys * _DIGEST_BYTES)
        return content
