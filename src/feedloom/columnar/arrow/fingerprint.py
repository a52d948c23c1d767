"""A fingerprint of each root row: equal for equal content, whatever the order of keys.

It is made of what is loaded: the name and value of every column that is not null, and the rows of every list, in
order. The bytes between them cannot occur in UTF-8, so that two different rows never read the same.

It is another fingerprint than ``RowShaper`` makes, which reads the row as the vendor wrote it; the two start
differently (``PREFIX``), so that a table loaded by both is noticed.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedloom.columnar.arrow.blocks import Block, as_offsets

PREFIX = "a1:"
"""What these fingerprints start with; 32 hex digits follow."""

_BYTES = pa.binary()
_AND, _OPEN, _NEXT, _CLOSE = (pa.scalar(bytes([number]), _BYTES) for number in (0xFF, 0xFE, 0xFD, 0xFC))
_DIGEST_BYTES = 16
_HEX_DIGITS = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), np.uint8).reshape(256, 2)


def fingerprints(root: Block) -> Any:
    """The fingerprint of each row of a root block, as text."""
    count = len(root)
    if not count:
        return pa.array([], pa.string())
    _, ends, letters = _texts(root).buffers()
    places = np.frombuffer(ends, np.int32)[: count + 1].tolist()
    content = memoryview(letters)
    digests = [blake2b(content[start:end], digest_size=_DIGEST_BYTES).digest() for start, end in pairwise(places)]
    digits = _HEX_DIGITS[np.frombuffer(b"".join(digests), np.uint8)].reshape(count, -1)
    written = np.hstack([np.tile(np.frombuffer(PREFIX.encode(), np.uint8), (count, 1)), digits])
    offsets = np.arange(count + 1, dtype=np.int32) * written.shape[1]
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(written.tobytes()))


def _texts(block: Block) -> Any:
    """All that is in each row, as bytes: names and values in turn, then lists."""
    arrays = {**block.columns, **block.sorted_json, **block.only_hashed}
    # Arrow leaves out rows whose values are all null; the empty text in front keeps them.
    parts = [pa.repeat(_bytes(""), len(block))]
    for name, values in sorted(arrays.items()):
        if name in block.not_hashed:
            continue
        pair = [_bytes(name), _as_bytes(values)]
        parts += pair if not values.null_count else [pc.binary_join_element_wise(*pair, _AND)]
    children = [child for child in block.children if child.is_hashed and len(child)]
    parts += [_list(block, child) for child in sorted(children, key=lambda child: child.parts)]
    return pc.binary_join_element_wise(*parts, _AND, null_handling="skip")


def _list(parent: Block, child: Block) -> Any:
    """The rows of one list in each row of *parent*; null where the list is empty."""
    offsets = as_offsets(child.parent_rows, len(parent))
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), _texts(child)), _NEXT)
    is_empty = pa.array(offsets[1:] == offsets[:-1])
    found = pc.if_else(is_empty, pa.scalar(None, _BYTES), joined)
    name = _bytes("\0".join(child.parts))
    return pc.binary_join_element_wise(name, _OPEN, found, _CLOSE, _bytes(""))


def _as_bytes(values: Any) -> Any:
    """Values as bytes that stand for nothing else: doubles by their bits, moments by their microseconds."""
    kind = values.type
    if pa.types.is_string(kind):
        return values.view(_BYTES)
    if pa.types.is_floating(kind):
        values = values.view(pa.int64())
    elif pa.types.is_timestamp(kind):
        values = values.cast(pa.int64())
    elif pa.types.is_date(kind):
        values = values.cast(pa.int32())
    return values.cast(pa.string()).view(_BYTES)


def _bytes(text: str) -> Any:
    return pa.scalar(text.encode(), _BYTES)
