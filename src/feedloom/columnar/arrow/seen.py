"""Remembers which keys came before, in 16 bytes each."""

from __future__ import annotations

import secrets
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_LONGEST = 256
_WORD_BYTES = 8


class _Digests(NamedTuple):
    """128 bits for each key, as two arrays of 64; sorted by ``high`` where it matters."""

    high: Any
    low: Any

    def at(self, places: Any) -> _Digests:
        return _Digests(self.high[places], self.low[places])

    def sorted(self) -> _Digests:
        return self.at(np.argsort(self.high, kind="stable"))


class SeenKeys:
    """The keys that came so far; two keys are taken for one with a chance of less than 1 in 10^20 among 10^9 keys."""

    def __init__(self) -> None:
        self._runs: list[_Digests] = []
        self._seeds = [_random_words(1 + _LONGEST // _WORD_BYTES) for _ in range(2)]

    def add(self, keys: Any) -> Any:
        """Mask of those of *keys*, a string array, that came before, in an earlier call or earlier in this one."""
        digests = self._digests(keys)
        repeated = _repeated_within(digests)
        for run in self._runs:
            repeated |= _found_in(run, digests)
        new = digests.at(~repeated)
        if len(new.high):
            self._keep(new.sorted())
        return repeated

    def _keep(self, run: _Digests) -> None:
        """Add a sorted run; small ones are merged, so that there are few to search."""
        while self._runs and len(self._runs[-1].high) <= 2 * len(run.high):
            last = self._runs.pop()
            both = _Digests(np.concatenate([last.high, run.high]), np.concatenate([last.low, run.low]))
            run = both.sorted()
        self._runs.append(run)

    def _digests(self, keys: Any) -> _Digests:
        if not len(keys):
            return _Digests(np.array([], np.uint64), np.array([], np.uint64))
        words, lengths = _words(_shortened(keys))
        return _Digests(*(_hashed(words, lengths, seeds) for seeds in self._seeds))


def _random_words(count: int) -> Any:
    return np.frombuffer(secrets.token_bytes(count * _WORD_BYTES), np.uint64)


def _shortened(keys: Any) -> Any:
    """*keys*, the long ones by a digest of theirs."""
    is_long = pc.greater(pc.binary_length(keys), _LONGEST)
    if not pc.any(is_long).as_py():
        return keys
    long = keys.filter(is_long).to_pylist()
    return pc.replace_with_mask(keys, is_long, pa.array([blake2b(key.encode()).hexdigest() for key in long]))


def _words(keys: Any) -> tuple[Any, Any]:
    """The bytes of *keys*, a row each, as 64-bit words with zeros behind; and how many bytes each key has."""
    _, ends, letters = keys.buffers()
    offsets = np.frombuffer(ends, np.int32)[keys.offset : keys.offset + len(keys) + 1].astype(np.int64)
    lengths = np.diff(offsets)
    places = np.arange(max(1, -(-int(lengths.max()) // _WORD_BYTES)) * _WORD_BYTES)
    inside = places < lengths[:, None]
    content = np.frombuffer(letters, np.uint8) if lengths.any() else np.zeros(1, np.uint8)
    taken = content[np.where(inside, offsets[:-1, None] + places, 0)]
    return np.where(inside, taken, 0).astype(np.uint8).view(np.uint64), lengths


def _hashed(words: Any, lengths: Any, seeds: Any) -> Any:
    """64 bits for each row of *words*: the length and every word are mixed, each with a seed of its own."""
    found = _mixed(lengths.astype(np.uint64) ^ seeds[0])
    for index in range(words.shape[1]):
        is_used = lengths > index * _WORD_BYTES
        found += np.where(is_used, _mixed(words[:, index] ^ seeds[index + 1]), np.uint64(0))
    return _mixed(found)


def _mixed(values: Any) -> Any:
    """The finishing steps of the generator splitmix64, which spread each bit over all."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _repeated_within(digests: _Digests) -> Any:
    """Mask of the digests that stand further in front as well."""
    order = np.lexsort((digests.low, digests.high))
    high, low = digests.high[order], digests.low[order]
    repeated = np.zeros(len(order), dtype=bool)
    repeated[order[1:]] = (high[1:] == high[:-1]) & (low[1:] == low[:-1])
    return repeated


def _found_in(run: _Digests, digests: _Digests) -> Any:
    """Mask of the digests that stand in the sorted *run*."""
    starts = np.searchsorted(run.high, digests.high, side="left")
    candidates = np.flatnonzero(run.high[np.minimum(starts, len(run.high) - 1)] == digests.high)
    found = np.zeros(len(digests.high), dtype=bool)
    for index in candidates.tolist():
        end = np.searchsorted(run.high, digests.high[index], side="right")
        found[index] = bool((run.low[starts[index] : end] == digests.low[index]).any())
    return found
