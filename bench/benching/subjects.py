"""What is loaded: one list of each emulated vendor, in the plain facts that every peer needs.

The facts about paging stand here a second time on purpose: peers must not read them from feedloom's catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

PAGE_ROWS = 1_000
_START = datetime(2024, 11, 1, tzinfo=UTC)
_END = datetime(2026, 11, 1, tzinfo=UTC)
_PARTS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One list of one vendor.

    Attributes:
        slug: The vendor, as feedloom calls it.
        title: The rows, in words.
        dataset: Schema of the database that the rows go to.
        table: The table of the rows.
        path: Below the base URL.
        key_header: Header that carries the key, and how its value is written around the key.
        records: Key of the answer under which the rows stand.
        next_cursor: Path in the answer to the cursor of the next page; the last page has none.
        cursor_param: Parameter that takes it.
        size_param: Parameter for the rows of a page.
        lists: Parameters of each list to follow; together they hold every row once.
        feedloom_arguments: What makes ``feedloom sync`` load the same rows.
        rows_of_emulator: Rows of this list for each row that the emulator is asked for.
        whole_lists: Fields whose lists feedloom keeps as JSON, so that no table is made of them.
        limit_rows_s: The vendor's limit on calls, with full pages.
    """

    slug: str
    title: str
    dataset: str
    table: str
    path: str
    key_header: tuple[str, str]
    records: str
    next_cursor: str
    cursor_param: str
    size_param: str
    lists: tuple[Mapping[str, Any], ...]
    feedloom_arguments: tuple[str, ...]
    rows_of_emulator: float
    whole_lists: frozenset[str] = frozenset()
    limit_rows_s: float

    def headers(self, key: str) -> dict[str, str]:
        """The header that carries *key*."""
        name, form = self.key_header
        return {name: form.format(key=key)}

    def cursor_in(self, content: Any) -> str | None:
        """The cursor of the next page that an answer hands out."""
        for name in self.next_cursor.split("."):
            content = content.get(name)
        return content if isinstance(content, str) else None

    def emulator_rows(self, rows: int) -> int:
        """What to ask the emulator for to have about *rows* rows here."""
        return round(rows / self.rows_of_emulator)


def _windows() -> tuple[Mapping[str, Any], ...]:
    """Two years in equal windows, each far below the 190 days that Gainsight PX takes, as feedloom cuts them too."""
    length = (_END - _START) / _PARTS
    return tuple(
        {"filter": f"date>={_epoch_ms(start)};date<{_epoch_ms(start + length)}", "sort": "date"}
        for start in (_START + number * length for number in range(_PARTS))
    )


def _epoch_ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


REFINER = Subject(
    slug="refiner",
    title="Refiner responses",
    dataset="refiner_data",
    table="responses",
    path="responses",
    key_header=("Authorization", "Bearer {key}"),
    records="items",
    next_cursor="pagination.next_page_cursor",
    cursor_param="page_cursor",
    size_param="page_length",
    lists=({"include": "all"},),
    feedloom_arguments=("--only", "responses"),
    rows_of_emulator=1,
    limit_rows_s=4_000 / 60 * PAGE_ROWS,
)
"""Source of the limit: feedloom's reference of Refiner, 4,000 calls a minute."""

APTRINSIC = Subject(
    slug="aptrinsic",
    title="Gainsight PX page views",
    dataset="aptrinsic_data",
    table="events_page_view",
    path="events/pageView",
    key_header=("X-APTRINSIC-API-KEY", "{key}"),
    records="results",
    next_cursor="scrollId",
    cursor_param="scrollId",
    size_param="pageSize",
    lists=_windows(),
    feedloom_arguments=(
        "--only", "events_page_view", "--start", f"{_START:%Y-%m-%dT%H:%M:%SZ}", "--end", f"{_END:%Y-%m-%dT%H:%M:%SZ}",
    ),
    rows_of_emulator=4.4,
    whole_lists=frozenset({"queryParams"}),
    limit_rows_s=200 * PAGE_ROWS,
)  # fmt: skip
"""Source of the limit: feedloom's reference of Gainsight PX, 200 calls a second."""

SUBJECTS: dict[str, Subject] = {subject.slug: subject for subject in (REFINER, APTRINSIC)}
