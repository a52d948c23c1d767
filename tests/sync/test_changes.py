"""A load is compared with what the table holds: new, changed, the same, gone, repeated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from dlt.pipeline.pipeline import Pipeline
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedloom.catalogue import Table
from feedloom.sync import changes
from feedloom.sync.changes import ChangeCounter, Changes

THINGS = Table(name="things", endpoint="list_things", summary="Things.", primary_key=("thingId",))
DAYS = Table(name="days", endpoint="list_days", summary="Days.", primary_key=("name", "day", "at", "number"))
HELD = {f"t{number}": f"hash {number % 3}" for number in range(9)}


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[ChangeCounter]:
    with ChangeCounter(tmp_path) as made:
        made.start()
        yield made


def thing(name: str, content: str) -> dict[str, Any]:
    return {"thingId": name, "_feedloom_hash": content}


def keys(rows: Sequence[dict[str, Any]]) -> Any:
    names = rows[0] if rows else thing("", "")
    return pa.table({name: [row[name] for row in rows] for name in names})


def hold(pipeline: Pipeline, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    pipeline.run(list(rows), table_name=table.name)


def test_every_row_of_a_first_load_is_new(pipeline: Pipeline, counter: ChangeCounter) -> None:
    pipeline.extract([thing("a", "1")], table_name="things")
    counter.add(THINGS, keys([thing("a", "1"), thing("b", "1")]))
    assert counter.compare(pipeline, THINGS) == Changes(new=2, changed=0, same=0, gone=0, repeated=0)


@settings(suppress_health_check=list(HealthCheck), max_examples=25)
@given(
    pages=st.lists(
        st.lists(
            st.tuples(st.sampled_from([*HELD, "n1", "n2", "n3"]), st.sampled_from(["hash 0", "hash 1"])), max_size=6
        ),
        max_size=4,
    )
)
def test_rows_are_counted_by_key_and_content(
    pipeline: Pipeline, counter: ChangeCounter, pages: list[list[tuple[str, str]]]
) -> None:
    if not pipeline.default_schema_name:
        hold(pipeline, THINGS, [thing(name, content) for name, content in HELD.items()])
    content = dict(row for page in pages for row in page)
    pages = [[(name, content[name]) for name, _ in page] for page in pages]
    counter.start()
    for page in pages:
        counter.add(THINGS, keys([thing(name, text) for name, text in page]))
    times = Counter(name for page in pages for name, _ in page)
    assert counter.compare(pipeline, THINGS, whole=True) == Changes(
        new=len(content.keys() - HELD.keys()),
        changed=sum(content[name] != HELD[name] for name in content.keys() & HELD.keys()),
        same=sum(content[name] == HELD[name] for name in content.keys() & HELD.keys()),
        gone=len(HELD.keys() - content.keys()),
        repeated=sum(times.values()) - len(times),
    )


def test_a_key_of_several_columns_is_found_again_whatever_their_types(
    pipeline: Pipeline, counter: ChangeCounter
) -> None:
    there = timezone(timedelta(hours=-5))
    rows: list[dict[str, Any]] = [
        {
            "name": "ä\n'",
            "day": date(2026, 1, 1),
            "at": datetime(2026, 1, 31, 10, 0, 0, number, tzinfo=there),
            "number": number,
            "_feedloom_hash": "1",
        }
        for number in (0, 7)
    ]
    hold(pipeline, DAYS, rows)
    counter.add(DAYS, keys([{**row, "at": row["at"].astimezone(UTC)} for row in rows]))
    assert counter.compare(pipeline, DAYS) == Changes(new=0, changed=0, same=2, gone=0, repeated=0)


def test_a_row_that_was_held_without_fingerprint_has_changed(pipeline: Pipeline, counter: ChangeCounter) -> None:
    hold(pipeline, THINGS, [{"thingId": "a", "_feedloom_hash": None}, thing("b", "1")])
    counter.add(THINGS, keys([thing("a", "1"), thing("b", "1")]))
    assert counter.compare(pipeline, THINGS) == Changes(new=0, changed=1, same=1, gone=0, repeated=0)


def test_a_table_is_fetched_in_chunks(
    pipeline: Pipeline, counter: ChangeCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "_CHUNK_ROWS", 2)
    hold(pipeline, THINGS, [thing(name, content) for name, content in HELD.items()])
    assert counter.compare(pipeline, THINGS, whole=True).gone == len(HELD)


def test_starting_forgets_what_was_collected(pipeline: Pipeline, counter: ChangeCounter) -> None:
    pipeline.extract([thing("a", "1")], table_name="things")
    counter.add(THINGS, keys([thing("a", "1")]))
    counter.start()
    assert counter.compare(pipeline, THINGS) == Changes(new=0, changed=0, same=0, gone=0, repeated=0)


def test_the_scratch_file_stays_in_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "scratch"
    folder.mkdir()
    with ChangeCounter(folder) as made:
        made.start()
        made.add(THINGS, keys([thing("a", "1")]))
    assert [file.name for file in folder.iterdir()] == ["changes.duckdb"]


def test_rows_whose_fingerprints_are_of_another_kind_may_or_may_not_have_changed(
    pipeline: Pipeline, counter: ChangeCounter
) -> None:
    hold(pipeline, THINGS, [thing("a", "0f"), thing("b", "a1:0f"), thing("c", "a1:00")])
    counter.add(THINGS, keys([thing("a", "a1:0f"), thing("b", "a1:0f"), thing("c", "a1:0f")]))
    assert counter.compare(pipeline, THINGS) == Changes(new=0, changed=1, same=1, gone=0, repeated=0, unknown=1)


def test_few_rows_are_compared_without_fetching_the_others(
    pipeline: Pipeline, counter: ChangeCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "_KEYS_A_QUERY", 2)
    hold(pipeline, THINGS, [thing(name, content) for name, content in HELD.items()])
    counter.add(THINGS, keys([thing(name, "hash 0") for name in ("t0", "t1", "t3", "new")]))
    assert counter.compare(pipeline, THINGS) == Changes(new=1, changed=1, same=2, gone=0, repeated=0)
