"""Keeps every page that came, before anything else happens to it, until its rows are loaded.

A run that was killed finds the lists it had finished, and reads them from here without a request. One file a table,
append-only: a plan, then pages, each compressed and checksummed; a record that was cut off by the kill is dropped. What
is written holds no key: the vendor's answers, the range that is read, and fingerprints of what was asked for.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO
from zlib import crc32

import orjson
import pyarrow as pa

from feedloom.catalogue import Endpoint
from feedloom.sources.planning import Read

_FRAME = struct.Struct("<4sIII")
_MAGIC = b"fl01"
_FRESH = timedelta(hours=1)


@dataclass(slots=True)
class _List:
    """Where the pages of one list stand in the file, and whether the last of them is there."""

    places: list[tuple[int, int]] = field(default_factory=list)
    finished: bool = False


class Journal:
    """The journal of one table.

    Args:
        file: Where it is kept; its folder exists.
        purpose: What is read, why and with which key, as plain JSON; only a fingerprint of it is kept. A journal made
            for another purpose is not used.
        now: The time of this run, aware.
        lasting: Pages stay usable however old they are, because their windows are bounded; else for one hour.
    """

    def __init__(self, file: Path, *, purpose: Mapping[str, Any], now: datetime, lasting: bool) -> None:
        self._path = file
        self._lists: dict[str, _List] = {}
        self._lock = threading.Lock()
        self.plan: dict[str, Any] | None = None
        wanted = _fingerprint(purpose)
        usable = self._scan(wanted, None if lasting else now - _FRESH) if file.exists() else 0
        self._file: BinaryIO = file.open("ab")
        self._file.truncate(usable)
        if not usable:
            self._lists.clear()
            self.plan = None
            self._write({"kind": "plan", "purpose": wanted, "at": now.isoformat()}, b"")

    def keep_plan(self, plan: Mapping[str, Any]) -> None:
        """Keep what is going to be read, so that a later run goes on with the same windows."""
        self.plan = dict(plan)
        self._write({"kind": "windows", "plan": self.plan}, b"")

    def is_finished(self, endpoint: Endpoint, read: Read) -> bool:
        """Whether all pages of *read* are here."""
        known = self._lists.get(_identity(endpoint, read))
        return known is not None and known.finished

    def pages(self, endpoint: Endpoint, read: Read) -> Iterator[bytes]:
        """The bodies of the pages of *read*, in the order they came."""
        with self._path.open("rb") as source:
            for start, length in self._lists[_identity(endpoint, read)].places:
                source.seek(start)
                yield _unpack(source.read(length))

    def begin(self, endpoint: Endpoint, read: Read) -> None:
        """A list is read from its start; pages of it that are here are forgotten."""
        identity = _identity(endpoint, read)
        if self._lists.pop(identity, None) is not None:
            self._write({"kind": "again", "list": identity}, b"")

    def add(self, endpoint: Endpoint, read: Read, body: bytes, *, is_last: bool) -> None:
        """Keep one page."""
        identity = _identity(endpoint, read)
        header = {"kind": "page", "list": identity, "last": is_last, "at": datetime.now(UTC).isoformat()}
        place = self._write(header, _pack(body))
        known = self._lists.setdefault(identity, _List())
        known.places.append(place)
        known.finished = is_last

    def close(self) -> None:
        """Keep what is here for the next run."""
        self._file.close()

    def clear(self) -> None:
        """Remove it: everything in it is loaded."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _write(self, header: Mapping[str, Any], packed: bytes) -> tuple[int, int]:
        head = orjson.dumps(header)
        frame = _FRAME.pack(_MAGIC, len(head), len(packed), crc32(packed, crc32(head)))
        with self._lock:
            start = self._file.seek(0, os.SEEK_END)
            self._file.write(frame + head + packed)
            self._file.flush()
        return start + _FRAME.size + len(head), len(packed)

    def _scan(self, purpose: str, since: datetime | None) -> int:
        """Read what is kept; returns how many bytes of it are whole and usable."""
        usable = 0
        with self._path.open("rb") as source:
            while (record := _next_record(source)) is not None:
                header, place = record
                if usable == 0 and not _fits(header, purpose, since):
                    return 0
                self._remember(header, place)
                usable = source.tell()
        return usable

    def _remember(self, header: Mapping[str, Any], place: tuple[int, int]) -> None:
        match header["kind"]:
            case "windows":
                self.plan = dict(header["plan"])
            case "again":
                self._lists.pop(header["list"], None)
            case "page":
                known = self._lists.setdefault(header["list"], _List())
                known.places.append(place)
                known.finished = bool(header["last"])


def _next_record(source: BinaryIO) -> tuple[dict[str, Any], tuple[int, int]] | None:
    """The next whole record: its header, and where its body stands; None at the end or at a torn record."""
    frame = source.read(_FRAME.size)
    if len(frame) < _FRAME.size:
        return None
    magic, head_length, body_length, checksum = _FRAME.unpack(frame)
    if magic != _MAGIC:
        return None
    head = source.read(head_length)
    start = source.tell()
    packed = source.read(body_length)
    if len(packed) < body_length or crc32(packed, crc32(head)) != checksum:
        return None
    header: dict[str, Any] = orjson.loads(head)
    return header, (start, body_length)


def _fits(header: Mapping[str, Any], purpose: str, since: datetime | None) -> bool:
    if header.get("kind") != "plan" or header.get("purpose") != purpose:
        return False
    return since is None or datetime.fromisoformat(header["at"]) >= since


def _fingerprint(value: Any) -> str:
    return blake2b(orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def _identity(endpoint: Endpoint, read: Read) -> str:
    return _fingerprint([endpoint.name, dict(read.params)])


def _pack(body: bytes) -> bytes:
    size = len(body).to_bytes(8, "little")
    compressed: bytes = pa.compress(body, codec="zstd", asbytes=True)
    return size + compressed


def _unpack(packed: bytes) -> bytes:
    size = int.from_bytes(packed[:8], "little")
    body: bytes = pa.decompress(packed[8:], decompressed_size=size, codec="zstd", asbytes=True)
    return body
