"""Measures the columnar engine on Refiner's responses, page bytes to Arrow tables and on into DuckDB.

    python bench/columnar_engine.py [--rows 20000] [--rounds 5]

The emulator renders the pages beforehand, so that neither it nor HTTP is in the figures. Both engines take turns; each
figure is the median of the rounds, with the fastest and slowest round beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")

import dlt
import httpx2
import orjson
from dlt.common.schema import Schema

from feedloom.columnar import KeyNames, RowShaper, column_hints
from feedloom.columnar.arrow import ArrowShaper, Naming
from feedloom.columnar.arrow.dlt_seam import Handover, stored_types
from feedloom.columnar.arrow.reading import RowReader
from feedloom.emulator import create_emulator
from feedloom.http.cutting import Cut
from feedloom.http.cutting import cut as cut_answer
from feedloom.vendors.refiner.catalogue import REFINER

TABLE = REFINER.table("responses")
ENDPOINT = REFINER.endpoint(TABLE.endpoint)
PAGES_AT_ONCE = 8
PAGE_ROWS = 1_000


def render(rows: int) -> list[bytes]:
    """Pages of the emulator's responses, views and partial ones included."""
    emulator = create_emulator("refiner", rows=rows)

    async def ask() -> list[bytes]:
        transport = httpx2.ASGITransport(app=emulator.app)
        headers = {"Authorization": f"Bearer {emulator.key}"}
        pages: list[bytes] = []
        async with httpx2.AsyncClient(transport=transport, base_url="http://emulator/v1", headers=headers) as client:
            params: dict[str, Any] = {"include": "all", "page_length": PAGE_ROWS}
            while True:
                answer = await client.get("/responses", params=params)
                answer.raise_for_status()
                content = orjson.loads(answer.content)
                if content["items"]:
                    pages.append(answer.content)
                cursor = content["pagination"].get("next_page_cursor")
                if not cursor or not content["items"]:
                    return pages
                params["page_cursor"] = cursor

    return asyncio.run(ask())


def batches(pages: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """The pages as the engine gets them."""
    for start in range(0, len(pages), PAGES_AT_ONCE):
        yield pages[start : start + PAGES_AT_ONCE]


def new_shaper(schema: Schema, load_id: str) -> ArrowShaper:
    """An engine for a table that was never loaded."""
    return ArrowShaper(
        table=TABLE,
        endpoint=ENDPOINT,
        names=KeyNames({}, schema.naming.normalize_identifier, cap=300),
        naming=Naming.of(schema),
        stored=stored_types(schema, TABLE.name),
        load_id=load_id,
        root_ids=True,
    )


def cut_all(pages: Sequence[bytes]) -> list[Cut]:
    """The pages as the client hands them on."""
    return [cut_answer(ENDPOINT, page) for page in pages]


def cut(pages: Sequence[bytes]) -> None:
    """Cut pages into rows."""
    for page in pages:
        cut_answer(ENDPOINT, page)


def read(pages: Sequence[bytes]) -> None:
    """Cut pages and read the rows into Arrow."""
    reader = RowReader(json_paths=(), map_keys=("data", "attributes"))
    for batch in batches(pages):
        reader.read([row for page in batch for row in cut_answer(ENDPOINT, page).rows])


def shape(pages: Sequence[bytes]) -> None:
    """The whole engine."""
    shaper = new_shaper(Schema("bench"), "1")
    for batch in batches(pages):
        shaper.shape(cut_all(batch))


def shape_by_rows(pages: Sequence[bytes]) -> None:
    """The slow way's part that is not dlt's."""
    shaper = RowShaper(TABLE, ENDPOINT, KeyNames({}, Schema("bench").naming.normalize_identifier, cap=300))
    for page in pages:
        shaper.shape(orjson.loads(page)["items"])


def load(pages: Sequence[bytes], *, engine: str) -> None:
    """A whole dlt run into a new DuckDB file, by way of Parquet, as a first load of a merged table."""

    def by_columns() -> Iterator[Any]:
        handover = Handover()
        shaper = new_shaper(dlt.current.source_schema(), dlt.current.load_package_state()["load_id"])
        for batch in batches(pages):
            yield from handover.items(shaper.shape(cut_all(batch)))

    def by_rows() -> Iterator[Any]:
        names = KeyNames({}, dlt.current.source_schema().naming.normalize_identifier, cap=300)
        shaper = RowShaper(TABLE, ENDPOINT, names)
        for page in pages:
            yield shaper.shape(orjson.loads(page)["items"])

    @dlt.source(name="bench")
    def source() -> Any:
        dlt.current.source_schema().remove_type_detection("iso_timestamp")
        return dlt.resource(
            by_columns if engine == "arrow" else by_rows,
            name=TABLE.name,
            primary_key=TABLE.primary_key,
            write_disposition="merge",
            columns=column_hints(TABLE, ENDPOINT),
            file_format="parquet",
        )

    with tempfile.TemporaryDirectory() as folder:
        destination = dlt.destinations.duckdb(f"{folder}/bench.duckdb")
        dlt.pipeline("bench", destination=destination, dataset_name="loaded", pipelines_dir=folder).run(source())


MEASURED: dict[str, Callable[[Sequence[bytes]], None]] = {
    "cut": cut,
    "cut and read": read,
    "engine": shape,
    "RowShaper, without dlt's normaliser": shape_by_rows,
    "engine and dlt into DuckDB": lambda pages: load(pages, engine="arrow"),
    "RowShaper and dlt into DuckDB": lambda pages: load(pages, engine="json"),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000, help="rows to render (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (default: %(default)s)")
    options = parser.parse_args()
    pages = render(options.rows)
    rows = sum(len(orjson.loads(page)["items"]) for page in pages)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in MEASURED}
    for _ in range(options.rounds):
        for name, run in MEASURED.items():
            wall_s, cpu_s = time.perf_counter(), time.process_time()
            run(pages)
            taken[name].append((time.perf_counter() - wall_s, time.process_time() - cpu_s))
    size_kb = sum(map(len, pages)) / rows / 1000
    out = sys.stdout.write
    out(f"{rows:,} rows of {size_kb:.2f} kB, median of {options.rounds} rounds\n\n")
    out("| path | rows/s | slowest to fastest | CPU µs a row |\n| --- | ---: | ---: | ---: |\n")
    for name, times in taken.items():
        walls = [wall_s for wall_s, _ in times]
        cpu_us = statistics.median(cpu_s for _, cpu_s in times) / rows * 1e6
        spread = f"{rows / max(walls):,.0f} to {rows / min(walls):,.0f}"
        out(f"| {name} | {rows / statistics.median(walls):,.0f} | {spread} | {cpu_us:.1f} |\n")


if __name__ == "__main__":
    main()
