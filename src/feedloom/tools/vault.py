"""What tools keep where no tool, and no file of the folder they work in, can reach: in the state folder of the user.

It holds one key (mode 0600), which signs plans and approvals and salts what the call journal says of persons, and what
must not be lost with the folder: which approvals were used, and how far its call journal has come.
"""

from __future__ import annotations

import hmac
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any, Final

import orjson

from feedloom.errors import DestinationError
from feedloom.http.ledger import state_path

if sys.platform == "win32":
    import msvcrt
    import time

    _PAUSE_S = 0.01
    _BEYOND = 1 << 30
    """A byte that no text reaches: Windows keeps others from reading what is locked."""

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _BEYOND, os.SEEK_SET)
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            except OSError:
                time.sleep(_PAUSE_S)
            else:
                return

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)


_KEY_BYTES: Final = 32
_PRIVATE: Final = 0o600


def mark(kind: str, content: Any) -> str:
    """The mark that only the key of this user makes on *content*, JSON types only, for one *kind* of use."""
    text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    return hmac.new(_key(state_path()), kind.encode() + b"\0" + text, sha256).hexdigest()


def is_marked(kind: str, content: Any, found: str) -> bool:
    """Whether *found* is that mark."""
    return hmac.compare_digest(mark(kind, content).encode(), found.encode())


def pseudonym(text: str) -> str:
    """Twelve characters that stand for *text*: the same for the same text, and no way back without the key."""
    return blake2b(text.encode(errors="replace"), key=_key(state_path()), digest_size=6).hexdigest()


def corner(folder: Path) -> Path:
    """The part of the state folder that belongs to the folder of work *folder*; made when it is not there."""
    name = sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    return _made(state_path() / "tools" / name)


def used_approvals() -> Path:
    """The folder with one file for each plan that an approval was used for."""
    return _made(state_path() / "tools" / "used")


@contextmanager
def locked(file: Path) -> Iterator[int]:
    """Nobody else holds *file* inside the block, in this process or another; gives its descriptor.

    The operating system lets go of it when the process dies. The file is never removed.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, _PRIVATE)
    try:
        _lock(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)


def read_start(descriptor: int, count: int) -> bytes:
    """The first *count* bytes of an open file, fewer where it is shorter."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, count)


def write_start(descriptor: int, content: bytes) -> None:
    """Overwrite the beginning of an open file."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, content)


@cache
def _key(folder: Path) -> bytes:
    """The key in *folder*; made by whoever needs it first."""
    file = _made(folder) / "tools.key"
    with locked(file) as descriptor:
        key = read_start(descriptor, _KEY_BYTES)
        if len(key) < _KEY_BYTES:
            key = secrets.token_bytes(_KEY_BYTES)
            write_start(descriptor, key)
        return key


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise DestinationError(
            f"the state folder {folder} can't be made: {error.strerror}",
            hint="set FEEDLOOM_STATE to a folder that can be written to",
            code="FL630",
        ) from error
    return folder
