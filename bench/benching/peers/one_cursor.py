"""The least that one cursor takes: every list read page by page, the rows counted and thrown away.

    python -m benching.peers.one_cursor refiner --url URL --key KEY

No client that follows one cursor at a time can be faster, whatever it does with the rows. Prints the number of rows.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

import httpx2
import orjson

from benching.subjects import PAGE_ROWS, SUBJECTS, Subject


def count_rows(subject: Subject, client: httpx2.Client, params: Mapping[str, Any]) -> int:
    """The rows of one list, followed to its end."""
    rows = 0
    cursor: str | None = None
    while True:
        sent = {**params, subject.size_param: PAGE_ROWS, **({subject.cursor_param: cursor} if cursor else {})}
        answer = client.get(subject.path, params=sent)
        answer.raise_for_status()
        content = orjson.loads(answer.content)
        rows += len(content[subject.records])
        cursor = subject.cursor_in(content)
        if not cursor or not content[subject.records]:
            return rows


def main() -> None:
    """Read and print the count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subject", choices=SUBJECTS)
    parser.add_argument("--url", required=True)
    parser.add_argument("--key", required=True)
    options = parser.parse_args()
    subject = SUBJECTS[options.subject]
    with httpx2.Client(base_url=options.url, headers=subject.headers(options.key), timeout=60) as client:
        rows = sum(count_rows(subject, client, params) for params in subject.lists)
    sys.stdout.write(f"{rows}\n")


if __name__ == "__main__":
    main()
