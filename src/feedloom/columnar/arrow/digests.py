"""Digests of keys: 128 bits for each, made of all keys of a batch at once."""

from __future__ import annotations

import secrets
from hashlib import blake2b
from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_LONGEST = 256
_WORD_BYTES = 8


class Digests(NamedTuple):
    """The digest of each key, as two arrays of 64 bits."""

    high: Any
    low: Any

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        """Those of all *parts*, one after the other."""
        return cls(np.concatenate([part.high for part in parts]), np.concatenate([part.low for part in parts]))

    def at(self, places: Any) -> Digests:
        """Those at *places*, positions or a mask."""
        return Digests(self.high[places], self.low[places])

    def sorted(self) -> Digests:
        """The same in the order of their high words."""
        return self.at(np.argsort(self.high, kind="stable"))

    def repeated(self) -> Any:
        """Mask of those that stand further in front as well."""
        order = np.lexsort((self.low, self.high))
        high, low = self.high[order], self.low[order]
        repeated = np.zeros(len(order), dtype=bool)
        repeated[order[1:]] = (high[1:] == high[:-1]) & (low[1:] == low[:-1])
        return repeated

    def found_in(self, others: Digests) -> Any:
        """Mask of those that are among *others*, which are sorted."""
        found = np.zeros(len(self.high), dtype=bool)
        if not len(others.high):
            return found
        starts = np.searchsorted(others.high, self.high, side="left")
        candidates = np.flatnonzero(others.high[np.minimum(starts, len(others.high) - 1)] == self.high)
        for index in candidates.tolist():
            end = np.searchsorted(others.high, self.high[index], side="right")
            found[index] = bool((others.low[starts[index] : end] == self.low[index]).any())
        return found


class Digester:
    """Makes digests; each object makes others of the same keys, so that nobody can choose keys that collide."""

    def __init__(self) -> None:
        self._seeds = [_random_words(1 + _LONGEST // _WORD_BYTES) for _ in range(2)]

    def digests(self, keys: Any) -> Digests:
        """The digest of each of *keys*, a string array."""
        if not len(keys):
            return Digests(np.array([], np.uint64), np.array([], np.uint64))
        words, lengths = _words(_shortened(keys))
        return Digests(*(_hashed(words, lengths, seeds) for seeds in self._seeds))


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
