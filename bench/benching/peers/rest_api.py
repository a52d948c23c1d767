"""dlt's ``rest_api`` source, as the example of its Refiner and Aptrinsic pages writes it, or tuned.

    python -m benching.peers.rest_api refiner --url URL --key KEY --to duckdb [--tuned]

The example is given what it needs to end and to find its rows: a paginator, the list key, the header of the key and the
date ranges without which Gainsight PX shows one day. Page size and file format are left as they are by default.

``--tuned`` asks for full pages, reads lists side by side where there are several, writes Parquet (CSV for PostgreSQL,
which takes no Parquet), normalizes in two processes, and cuts files so that both have work.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from typing import Any

from benching.subjects import PAGE_ROWS, SUBJECTS, Subject

TUNED = {
    "EXTRACT__WORKERS": "16",
    "NORMALIZE__WORKERS": "2",
    "DATA_WRITER__FILE_MAX_ITEMS": "10000",
}
"""What helped of what dlt's page on performance offers, tried on 100,000 responses with two cores.

Files of 10,000 rows for two processes took 7.9 s where the defaults took 11.1 s. Larger buffers, more load workers and
files without compression took as long, or longer. The workers of the extraction are for lists read side by side.
"""

TUNED_FORMATS = {"duckdb": "parquet", "postgres": "csv"}


def config(subject: Subject, *, url: str, key: str, tuned: bool) -> dict[str, Any]:
    """The configuration of ``rest_api``: one resource for each list, all into one table."""
    size = {subject.size_param: PAGE_ROWS} if tuned else {}
    several = len(subject.lists) > 1
    header, form = subject.key_header
    return {
        "client": {
            "base_url": url,
            "auth": {"type": "api_key", "name": header, "api_key": form.format(key=key), "location": "header"},
            "paginator": {
                "type": "cursor",
                "cursor_path": subject.next_cursor,
                "cursor_param": subject.cursor_param,
            },
        },
        "resources": [
            {
                "name": f"{subject.table}_{number}" if several else subject.table,
                "table_name": subject.table,
                "endpoint": {"path": subject.path, "data_selector": subject.records, "params": {**params, **size}},
            }
            for number, params in enumerate(subject.lists)
        ],
    }


def main() -> None:
    """Load and return."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subject", choices=SUBJECTS)
    parser.add_argument("--url", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--to", choices=TUNED_FORMATS, required=True)
    parser.add_argument("--tuned", action="store_true")
    options = parser.parse_args()
    subject = SUBJECTS[options.subject]
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    if options.tuned:
        os.environ.update(TUNED)

    import dlt  # noqa: PLC0415 - reads the settings above when it is imported
    from dlt.sources.rest_api import rest_api_resources  # noqa: PLC0415 - the same

    # The source is told to read side by side: the key "parallelized" of a resource has no effect in dlt 1.31.
    @dlt.source(name=f"{subject.slug}_source", parallelized=options.tuned and len(subject.lists) > 1)
    def source() -> Iterator[Any]:
        made: Any = config(subject, url=options.url, key=options.key, tuned=options.tuned)
        yield from rest_api_resources(made)

    destination = dlt.destinations.duckdb("bench.duckdb") if options.to == "duckdb" else "postgres"
    pipeline = dlt.pipeline(
        f"{subject.slug}_pipeline", destination=destination, dataset_name=subject.dataset, pipelines_dir="dlt"
    )
    file_format: Any = TUNED_FORMATS[options.to] if options.tuned else None
    pipeline.run(source(), loader_file_format=file_format).raise_on_failed_jobs()


if __name__ == "__main__":
    main()
