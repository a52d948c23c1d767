"""The journal of calls: every call of every tool in ``.feedloom/calls``, in a chain that shows what was changed.

One JSON object a line. Each holds the hash of the line before, so that no line can be altered, removed or put in
between unseen; where the chain begins and ends stands outside of the folder, so that neither end can be cut off either.
Files are begun anew at ``FILE_BYTES``, the chain going on, and the oldest go.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson

from feedloom.tools.privacy import clean
from feedloom.tools.vault import corner, locked, pseudonym, read_start, write_start

FILE_BYTES: Final = 4_000_000
MOST_FILES: Final = 16
CALLS: Final = "calls"

_TAIL_BYTES: Final = 32_768
_LONGEST_TEXT: Final = 300
_MOST_ITEMS: Final = 20
_HASH_CHARS: Final = 64
_START: Final = "0" * _HASH_CHARS
_SUFFIX_BYTES: Final = len(b',"hash":""}') + _HASH_CHARS
_PERSONAL: Final = frozenset({"id", "email", "search", "value", "filter", "attributes", "account"})
"""Arguments whose values name persons, or tell of one."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: the number of its last call, and that line's hash."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Note:
    """What stands outside: the head, and the number of the first call that is kept."""

    head: Head
    first: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check of the chain found: how many lines hold, from which call on, and where it breaks, if it does."""

    calls: int
    first: int
    broken: str


class CallJournal:
    """The journal of the folder *folder*, safe for any number of threads and processes."""

    def __init__(self, folder: Path, *, file_bytes: int = FILE_BYTES, most_files: int = MOST_FILES) -> None:
        self._calls = folder / CALLS
        self._corner = corner(folder.parent)
        self._file_bytes = file_bytes
        self._most_files = most_files
        self._known: tuple[Path, int, Head] | None = None

    def append(self, entry: Mapping[str, Any]) -> None:
        """Write one line; raises OSError when it cannot be written."""
        with locked(self._corner / "calls.head") as anchor:
            note = _read_note(anchor)
            file, size, head = self._end(note)
            first = 1 if note is None else note.first
            if file is None or size >= self._file_bytes:
                file, first = self._begin(anchor, Note(head, first))
                size = 0
            body = orjson.dumps({"n": head.number + 1, **entry, "previous": head.hash})
            new = Head(head.number + 1, sha256(body).hexdigest())
            line = body[:-1] + f',"hash":"{new.hash}"}}\n'.encode()
            descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, line)
            finally:
                os.close(descriptor)
            _write_note(anchor, Note(new, first))
            self._known = (file, size + len(line), new)

    def entries(self) -> Iterator[dict[str, Any]]:
        """Every line that can be read, oldest first."""
        for _, line in self._lines():
            try:
                yield orjson.loads(line)
            except orjson.JSONDecodeError:
                continue

    def check(self) -> Verdict:
        """Walk the whole chain; what is being written meanwhile waits."""
        with locked(self._corner / "calls.head") as anchor:
            count, first, last = 0, 0, None
            for place, line in self._lines():
                entry = _intact(line)
                if entry is None:
                    return Verdict(calls=count, first=first, broken=f"{place} was changed")
                if last is not None and (entry.number != last.number + 1 or _previous(line) != last.hash):
                    return Verdict(calls=count, first=first, broken=f"{place} does not follow the line before")
                first, last, count = first or entry.number, entry, count + 1
            return Verdict(calls=count, first=first, broken=_end_fault(first, last, _read_note(anchor)))

    def _end(self, note: Note | None) -> tuple[Path | None, int, Head]:
        """The current file, its size, and the head to go on from.

        The line that a process wrote before it died, without noting so outside, counts. A file that ends elsewhere than
        was noted does not: the chain goes on from the note, so that the break shows.
        """
        noted = None if note is None else note.head
        if self._known is not None and self._known[2] == noted and self._known[0].exists():
            file, size, head = self._known
            if file.stat().st_size == size:
                return file, size, head
        files = self._files()
        if not files:
            return None, 0, noted or Head(0, _START)
        file = files[-1]
        size = file.stat().st_size
        line = _last_line(file, size)
        found = _intact(line)
        if size and found is None:
            size += _end_line(file)
        if noted is None:
            return file, size, found or Head(0, _START)
        is_one_ahead = found is not None and found.number == noted.number + 1 and _previous(line) == noted.hash
        return file, size, found if is_one_ahead and found is not None else noted

    def _begin(self, anchor: int, note: Note) -> tuple[Path, int]:
        """The next file, and the first call that is kept; the oldest files go, which is noted before."""
        self._calls.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self._calls / f"{note.head.number + 1:012d}.jsonl"
        files = [*self._files(), file]
        gone, kept = files[: -self._most_files], files[-self._most_files :]
        first = int(kept[0].stem) if gone else note.first
        _write_note(anchor, Note(note.head, first))
        for old in gone:
            old.unlink(missing_ok=True)
        return file, first

    def _files(self) -> list[Path]:
        return sorted(self._calls.glob("*.jsonl"))

    def _lines(self) -> Iterator[tuple[str, bytes]]:
        for file in self._files():
            for number, line in enumerate(file.read_bytes().splitlines(), start=1):
                yield f"line {number} of {CALLS}/{file.name}", line


def call_entry(
    *,
    at: datetime,
    tool: str,
    arguments: Mapping[str, Any],
    outcome: str,
    verification: Mapping[str, Any],
    seconds: float,
    plan: str,
    approval: str,
) -> dict[str, Any]:
    """One call as the journal keeps it: *outcome* is ``done`` or the code of the failure."""
    return {
        "at": at.isoformat(timespec="milliseconds"),
        "tool": tool[:100],
        "arguments": redacted(arguments),
        "plan": plan or None,
        "approval": approval or None,
        "outcome": outcome,
        "status": verification["status"],
        "attempts": verification["attempts"],
        "healed": verification["healed"],
        "seconds": round(seconds, 3),
    }


def redacted(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """*arguments* without persons: what names one becomes a pseudonym, other texts lose email addresses."""
    return {
        _text(name): _redacted(value, hides=str(name) in _PERSONAL)
        for name, value in list(arguments.items())[:_MOST_ITEMS]
    }


def _redacted(value: Any, *, hides: bool) -> Any:
    match value:
        case dict():
            return {_text(name): _redacted(inner, hides=hides) for name, inner in list(value.items())[:_MOST_ITEMS]}
        case list() | tuple():
            return [_redacted(inner, hides=hides) for inner in value[:_MOST_ITEMS]]
        case None | bool():
            return value
        case _ if hides:
            return f"~{pseudonym(str(value))}"
        case int() | float():
            return value if abs(value) < 2**53 else _text(value)
        case _:
            return _text(value)


def _text(value: Any) -> str:
    return clean(str(value))[:_LONGEST_TEXT].encode(errors="replace").decode()


def _intact(line: bytes) -> Head | None:
    """The head that *line* makes, None when it is not as it was written."""
    body = line[:-_SUFFIX_BYTES] + b"}"
    found = line[-_SUFFIX_BYTES + len(b',"hash":"') : -len(b'"}')].decode(errors="replace")
    if sha256(body).hexdigest() != found:
        return None
    return Head(orjson.loads(body)["n"], found)


def _previous(line: bytes) -> str:
    return str(orjson.loads(line)["previous"])


def _last_line(file: Path, size: int) -> bytes:
    with file.open("rb") as stream:
        stream.seek(max(0, size - _TAIL_BYTES))
        lines = stream.read().splitlines()
    return lines[-1] if lines else b""


def _end_line(file: Path) -> int:
    """End a line that was cut off, so that the next one stands by itself; the bytes added."""
    with file.open("ab+") as stream:
        stream.seek(-1, os.SEEK_END)
        return 0 if stream.read(1) == b"\n" else stream.write(b"\n")


def _read_note(anchor: int) -> Note | None:
    words = read_start(anchor, 200).decode(errors="replace").split()
    if len(words) != 3 or not (words[0].isdecimal() and words[2].isdecimal()):  # noqa: PLR2004 - number, hash, first
        return None
    return Note(Head(int(words[0]), words[1]), int(words[2]))


def _write_note(anchor: int, note: Note) -> None:
    write_start(anchor, f"{note.head.number:020d} {note.head.hash} {note.first:020d}\n".encode())


def _end_fault(first: int, last: Head | None, note: Note | None) -> str:
    """What is wrong at the ends of the chain; a line that was written and not noted yet is not."""
    if note is None:
        return ""
    if last is not None and first > note.first:
        return f"it begins at call {first}, and call {note.first} was kept"
    if last == note.head or (last is not None and last.number == note.head.number + 1):
        return ""
    return f"it ends at call {last.number if last else 0}, and call {note.head.number} was written"
