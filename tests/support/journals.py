"""What a killed run leaves behind: the journals of the tables it was reading, read without the code that wrote them.

A journal is a row of records, each a frame (four letters, a number, two lengths and a sum), a JSON header and a body. A
record that was cut off by the kill ends what is readable. ``load.json`` beside it says when its rows were loaded.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

_FRAME = struct.Struct("<4sIIII")


def finished_lists(folder: Path) -> set[str]:
    """The lists of which the last page stands whole in a journal that is still to be loaded, by their fingerprints.

    A list that was begun again after its last page had come is not finished.
    """
    finished: set[str] = set()
    for file in sorted(folder.rglob("*.journal")):
        if _is_loaded(file.parent):
            continue
        for header in _headers(file.read_bytes()):
            if header["kind"] == "list":
                finished.discard(header["list"])
            elif header["kind"] == "page" and header["last"]:
                finished.add(header["list"])
    return finished


def _is_loaded(folder: Path) -> bool:
    note = folder / "load.json"
    return note.exists() and json.loads(note.read_bytes())["loaded_at"] is not None


def _headers(content: bytes) -> Iterator[dict[str, Any]]:
    at = 0
    while at + _FRAME.size <= len(content):
        _, number, header_length, body_length, checksum = _FRAME.unpack_from(content, at)
        start = at + _FRAME.size
        at = start + header_length + body_length
        if at > len(content) or crc32(content[start:at], number) != checksum:
            return
        yield json.loads(content[start : start + header_length])
