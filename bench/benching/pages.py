"""Pages of an emulator saved to disk, and how many rows each table has to hold once they are loaded."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import orjson

from benching.subjects import PAGE_ROWS, Subject
from feedloom.emulator import create_emulator

SEPARATOR = "__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What was saved.

    Attributes:
        folder: A file for each page, in the order in which they came.
        tables: Table -> rows, as dlt calls tables; every list in a row makes one.
        row_bytes: Mean size of a row as it is sent.
    """

    folder: Path
    tables: Mapping[str, int]
    row_bytes: float


def save(subject: Subject, rows: int, folder: Path) -> Saved:
    """Write the pages of the emulator's list, about *rows* rows, into *folder*, which is made.

    The emulator is asked in this process and keeps no answers, so that the servers that are measured later start cold.
    """
    folder.mkdir(parents=True)
    return asyncio.run(_save(subject, rows, folder))


async def _save(subject: Subject, rows: int, folder: Path) -> Saved:
    tables: Counter[str] = Counter({subject.table: 0})
    size = number = 0
    async for page, found in _render(subject, rows):
        (folder / f"{number:06}.json").write_bytes(page)
        number += 1
        size += len(page)
        tables[subject.table] += len(found)
        for row in found:
            for path, items in _lists(row):
                if path[0] not in subject.whole_lists:
                    tables[SEPARATOR.join((subject.table, *path))] += items
    held = {table: count for table, count in tables.items() if count or table == subject.table}
    return Saved(folder=folder, tables=held, row_bytes=size / max(1, tables[subject.table]))


async def _render(subject: Subject, rows: int) -> AsyncIterator[tuple[bytes, list[Any]]]:
    """Each page that has rows: its bytes and its rows."""
    emulator = create_emulator(subject.slug, rows=subject.emulator_rows(rows), cache_bytes=0)
    base_url = f"http://emulator{emulator.base_path}"
    transport, headers = httpx2.ASGITransport(app=emulator.app), subject.headers(emulator.key)
    async with httpx2.AsyncClient(transport=transport, base_url=base_url, headers=headers) as client:
        for params in subject.lists:
            cursor: Any = None
            while True:
                sent = {**params, subject.size_param: PAGE_ROWS, **({subject.cursor_param: cursor} if cursor else {})}
                answer = await client.get(subject.path, params=sent)
                answer.raise_for_status()
                content = orjson.loads(answer.content)
                if content[subject.records]:
                    yield answer.content, content[subject.records]
                cursor = subject.cursor_in(content)
                if not cursor or not content[subject.records]:
                    break


def _lists(value: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    """Path and length of each list, below objects of any depth."""
    if isinstance(value, list):
        yield above, len(value)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _lists(item, (*above, name))
