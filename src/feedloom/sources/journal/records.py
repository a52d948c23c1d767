"""Records of a journal: each framed, checksummed and compressed, in files that are only ever added to.

A file is a row of records, each a frame (four letters, its number in the journal, two lengths, a checksum), a JSON
header and a body packed with zstd. A record that is missing or not whole ends what can be read: nothing that stands
behind it is believed.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from zlib import crc32

import orjson
import pyarrow as pa

SEGMENT_BYTES = 64_000_000
"""A file that has reached this size is added to no more."""

SUFFIX = ".journal"

_FRAME = struct.Struct("<4sIIII")
_MAGIC = b"fl02"
_SIZE_BYTES = 8


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands: its number in the journal, from 0, its file, and the bytes [start, end) in it."""

    number: int
    file: Path
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Record:
    """One whole record: its header, what its body is packed into, and its place."""

    header: dict[str, Any]
    packed: bytes
    place: Place

    @property
    def body(self) -> bytes:
        """The body as it was given."""
        size = int.from_bytes(self.packed[:_SIZE_BYTES], "little")
        body: bytes = pa.decompress(self.packed[_SIZE_BYTES:], decompressed_size=size, codec="zstd", asbytes=True)
        return body


def encode(number: int, header: Mapping[str, Any], body: bytes = b"") -> bytes:
    """The bytes of record *number* of a journal."""
    head = orjson.dumps(header)
    packed: bytes = len(body).to_bytes(_SIZE_BYTES, "little") + pa.compress(body, codec="zstd", asbytes=True)
    return _FRAME.pack(_MAGIC, number, len(head), len(packed), _checksum(number, head, packed)) + head + packed


def read_records(folder: Path) -> Iterator[Record]:
    """The whole records of the files in *folder*, in the order they were added, up to the first that is not."""
    number = 0
    for file in segments(folder):
        with file.open("rb") as source:
            end = 0
            while (record := _next(source, file)) is not None and record.place.number == number:
                end, number = record.place.end, number + 1
                yield record
            if end < file.stat().st_size:
                return


def record_at(place: Place) -> Record:
    """The record at *place*; raises ValueError when it is not whole any more."""
    with place.file.open("rb") as source:
        source.seek(place.start)
        record = _next(source, place.file)
    if record is None:
        raise ValueError(f"{place.file.name} holds no whole record at byte {place.start}")
    return record


def segments(folder: Path) -> list[Path]:
    """The files of the journal in *folder*, in the order they were begun."""
    return sorted(folder.glob(f"*{SUFFIX}"))


class Writer:
    """Adds records to the journal in *folder*, from any thread, behind the record that ends at *after*.

    What stands behind *after* is removed; None stands for an empty journal. A record outlives the end of the program
    from when ``add`` returns; of a machine that lost power, the last records may be gone.
    """

    def __init__(self, folder: Path, *, after: Place | None, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._lock = threading.Lock()
        for file in segments(folder):
            if after is None or file > after.file:
                file.unlink()
        self._path = after.file if after is not None else self._name(1)
        self._file: BinaryIO = self._path.open("ab")
        self._end = after.end if after is not None else 0
        self._number = after.number + 1 if after is not None else 0
        self._file.truncate(self._end)

    def add(self, header: Mapping[str, Any], body: bytes = b"") -> Place:
        """Add a record; returns where it stands."""
        with self._lock:
            record = encode(self._number, header, body)
            if self._end >= self._segment_bytes:
                self._file.close()
                self._path = self._name(int(self._path.stem) + 1)
                self._file, self._end = self._path.open("ab"), 0
            start = self._end
            self._file.write(record)
            self._file.flush()
            self._end = start + len(record)
            self._number += 1
            return Place(self._number - 1, self._path, start, self._end)

    def close(self) -> None:
        """Leave the journal as it is."""
        self._file.close()

    def _name(self, number: int) -> Path:
        return self._folder / f"{number:06d}{SUFFIX}"


def _next(source: BinaryIO, file: Path) -> Record | None:
    """The next whole record; None at the end, or at a record that is not whole."""
    start = source.tell()
    frame = source.read(_FRAME.size)
    if len(frame) < _FRAME.size:
        return None
    magic, number, head_bytes, packed_bytes, checksum = _FRAME.unpack(frame)
    left = os.fstat(source.fileno()).st_size - start - _FRAME.size
    if magic != _MAGIC or head_bytes + packed_bytes > left:
        return None
    head = source.read(head_bytes)
    packed = source.read(packed_bytes)
    if _checksum(number, head, packed) != checksum:
        return None
    return Record(orjson.loads(head), packed, Place(number, file, start, source.tell()))


def _checksum(number: int, head: bytes, packed: bytes) -> int:
    return crc32(packed, crc32(head, number))
