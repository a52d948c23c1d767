"""What became of the pages of a reading, noted beside its journal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import orjson

_LOAD_NOTE = "load.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadNote:
    """What became of the pages of a reading.

    Attributes:
        load_ids: The loads that took them; where there are several, the last took all.
        pages: Pages in the journal when the last of them had come; None while some are missing.
        loaded_at: When its rows were in the database, aware; None before.
    """

    load_ids: tuple[str, ...] = ()
    pages: int | None = None
    loaded_at: datetime | None = None


def note_load(folder: Path, load_id: str) -> None:
    """Note that a further load takes the pages of the journal in *folder*, as they are."""
    note = read_load_note(folder)
    write_load_note(folder, replace(note, load_ids=(*note.load_ids, load_id)))


def read_load_note(folder: Path) -> LoadNote:
    """What became of the pages of the journal in *folder*; nothing yet where that is not noted."""
    try:
        kept = orjson.loads((folder / _LOAD_NOTE).read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return LoadNote()
    loaded_at = kept["loaded_at"]
    return LoadNote(
        load_ids=tuple(kept["load_ids"]),
        pages=kept["pages"],
        loaded_at=datetime.fromisoformat(loaded_at) if loaded_at else None,
    )


def write_load_note(folder: Path, note: LoadNote) -> None:
    """Note what became of the pages, whole or not at all."""
    draft = folder / f"{_LOAD_NOTE}.new"
    draft.write_bytes(orjson.dumps({"load_ids": note.load_ids, "pages": note.pages, "loaded_at": note.loaded_at}))
    draft.replace(folder / _LOAD_NOTE)
