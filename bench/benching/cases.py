"""What is measured: the peers, and the plan of who loads how much, in which order. Pure data and pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from benching.subjects import SUBJECTS

Destination: TypeAlias = Literal["duckdb", "postgres"]

SIZES = (10_000, 100_000, 1_000_000)
LATENCIES_MS = (0, 100, 300)
ROUNDS = 5
TEN_MILLION = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One way to get the rows into a database.

    Attributes:
        name: As results and ``--only`` call it.
        title: What it is, in words.
        program: Arguments after the interpreter; empty for feedloom's own command.
        reads: The API, over HTTP, or pages that lie on the disk.
        makes: Which tables come out: ``all`` of them, the ``root`` table alone, or ``none``.
        cores: How many cores it may use; 0 for all.
        destinations: Where it can load to.
        most_rows: It is not measured in every round with more; it takes too long.
        once_rows: More rows that it is measured with once.
        at_latency: It is measured with latency as well.
    """

    name: str
    title: str
    program: tuple[str, ...] = ()
    reads: Literal["api", "pages"] = "api"
    makes: Literal["all", "root", "none"] = "all"
    cores: int = 0
    destinations: tuple[Destination, ...] = ("duckdb",)
    most_rows: int = TEN_MILLION
    once_rows: tuple[int, ...] = ()
    at_latency: bool = False


_REST_API = ("-m", "benching.peers.rest_api")
_READ_JSON = ("-m", "benching.peers.read_json")

PEERS: tuple[Peer, ...] = (
    Peer(name="feedloom", title="feedloom", destinations=("duckdb", "postgres"), at_latency=True),
    Peer(name="feedloom-one-core", title="feedloom, held to one core", cores=1, most_rows=100_000),
    Peer(
        name="dlt-seed",
        title="dlt `rest_api`, as its example",
        program=_REST_API,
        destinations=("duckdb", "postgres"),
        most_rows=10_000,
        once_rows=(100_000,),
    ),
    Peer(
        name="dlt-tuned",
        title="dlt `rest_api`, tuned",
        program=(*_REST_API, "--tuned"),
        destinations=("duckdb", "postgres"),
        most_rows=100_000,
        once_rows=(1_000_000,),
        at_latency=True,
    ),
    Peer(
        name="one-cursor",
        title="one cursor, page by page, nothing loaded",
        program=("-m", "benching.peers.one_cursor"),
        makes="none",
        most_rows=100_000,
        at_latency=True,
    ),
    Peer(
        name="duckdb-one-thread",
        title="DuckDB `read_json` from disk, one thread",
        program=(*_READ_JSON, "--threads", "1"),
        reads="pages",
    ),
    Peer(name="duckdb", title="DuckDB `read_json` from disk", program=_READ_JSON, reads="pages"),
    Peer(
        name="duckdb-one-thread-root",
        title="DuckDB, root table only, one thread",
        program=(*_READ_JSON, "--root-only", "--threads", "1"),
        reads="pages",
        makes="root",
        most_rows=100_000,
    ),
    Peer(
        name="duckdb-root",
        title="DuckDB, root table only",
        program=(*_READ_JSON, "--root-only"),
        reads="pages",
        makes="root",
        most_rows=100_000,
    ),
)

BY_NAME: Mapping[str, Peer] = {peer.name: peer for peer in PEERS}

_LATENCY_ROWS = 50_000
_POSTGRES_ROWS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Case:
    """One peer loading one list of about *rows* rows; equal cases are measured again, never differently.

    Attributes:
        subject: Slug of the vendor.
        destination: Where to.
        latency_ms: How long each answer of the emulator waits.
        rows: How many rows there are, about.
        peer: Name of the peer.
    """

    subject: str
    destination: Destination = "duckdb"
    latency_ms: int = 0
    rows: int
    peer: str


LONG_WAITS = tuple(
    Case(subject="aptrinsic", latency_ms=300, rows=1_000_000, peer=peer) for peer in ("feedloom", "one-cursor")
)
"""Measured once: enough pages for what is done once a sync not to hide what windows read side by side save."""


def plan(
    *,
    sizes: Sequence[int] = SIZES,
    latencies_ms: Sequence[int] = LATENCIES_MS,
    rounds: int = ROUNDS,
    peers: Iterable[Peer] = PEERS,
    subjects: Iterable[str] = SUBJECTS,
    with_postgres: bool = True,
) -> dict[Case, int]:
    """How often each case is measured.

    A peer that is too slow for a size takes its own largest one instead, and the sizes it is measured with once, up to
    the largest asked for. Latency is measured with up to 50,000 rows, PostgreSQL with up to 100,000.
    """
    peers, subjects = list(peers), list(subjects)
    planned: dict[Case, int] = {}
    for subject in subjects:
        for peer in peers:
            for case in _cases(peer, subject, sizes, latencies_ms, with_postgres=with_postgres):
                planned[case] = rounds
            for case in _once(peer, subject, max(sizes), with_postgres=with_postgres):
                planned.setdefault(case, 1)
    for case in LONG_WAITS:
        is_wanted = case.subject in subjects and BY_NAME[case.peer] in peers
        if is_wanted and case.rows <= max(sizes) and case.latency_ms in latencies_ms:
            planned.setdefault(case, 1)
    return planned


def ten_million() -> dict[Case, int]:
    """The one case that shows that memory does not grow with the rows."""
    return {Case(subject="refiner", rows=TEN_MILLION, peer="feedloom"): 1}


def turns(planned: Mapping[Case, int]) -> Iterator[tuple[int, Case]]:
    """Round by round, every case that is still to be measured; each round starts with another one."""
    cases = list(planned)
    for number in range(max(planned.values(), default=0)):
        start = number % len(cases)
        for case in cases[start:] + cases[:start]:
            if number < planned[case]:
                yield number + 1, case


def _cases(
    peer: Peer, subject: str, sizes: Sequence[int], latencies_ms: Sequence[int], *, with_postgres: bool
) -> Iterator[Case]:
    for latency_ms in latencies_ms:
        if latency_ms == 0:
            for size in sizes:
                yield Case(subject=subject, rows=min(size, peer.most_rows), peer=peer.name)
        elif peer.at_latency:
            rows = min(max(sizes), _LATENCY_ROWS, peer.most_rows)
            yield Case(subject=subject, latency_ms=latency_ms, rows=rows, peer=peer.name)
    if with_postgres and "postgres" in peer.destinations:
        for size in sizes:
            rows = min(size, _POSTGRES_ROWS, peer.most_rows)
            yield Case(subject=subject, destination="postgres", rows=rows, peer=peer.name)


def _once(peer: Peer, subject: str, largest: int, *, with_postgres: bool) -> Iterator[Case]:
    for rows in peer.once_rows:
        if rows <= largest:
            yield Case(subject=subject, rows=rows, peer=peer.name)
        if rows <= min(largest, _POSTGRES_ROWS) and with_postgres and "postgres" in peer.destinations:
            yield Case(subject=subject, destination="postgres", rows=rows, peer=peer.name)


def command(
    case: Case, *, python: str, feedloom: str, url: str, key: str, pages: str
) -> tuple[list[str], dict[str, str]]:
    """What to run for *case*, in a fresh folder, and what to add to its environment."""
    peer, subject = BY_NAME[case.peer], SUBJECTS[case.subject]
    if peer.reads == "pages":
        return [python, *peer.program[:2], subject.slug, "--pages", pages, *peer.program[2:]], {}
    if not peer.program:
        to = "duckdb:bench.duckdb" if case.destination == "duckdb" else case.destination
        section = f"SOURCES__{subject.slug.upper()}_SOURCE"
        settings = {f"{section}__BASE_URL": url, f"{section}__API_KEY": key}
        return [feedloom, "sync", subject.slug, *subject.feedloom_arguments, "--to", to, "--quiet"], settings
    where = ["--url", url, "--key", key, *(["--to", case.destination] if peer.makes == "all" else [])]
    return [python, *peer.program[:2], subject.slug, *where, *peer.program[2:]], {}
