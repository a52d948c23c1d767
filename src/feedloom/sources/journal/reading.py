"""The journal of one reading of one table: every page that came, before anything else happens to it.

A run that was cut off finds the lists it had finished, and the pages of those it had not. What is written holds no key:
the vendor's answers, what was asked for, and a fingerprint of why. A folder for each reading::

    000001.journal ...  records: opening, windows, list, page, slices (see ``records``)
    load.json           which loads took its pages, whether it was read to its end, and when it was loaded
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from feedloom.catalogue import Endpoint
from feedloom.http import Page
from feedloom.sources.journal.notes import LoadNote, read_load_note, write_load_note
from feedloom.sources.journal.records import SEGMENT_BYTES, Place, Record, Writer, read_records, record_at
from feedloom.sources.planning import Read

_OPENS = ("opening", "again")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a reading is for, which stands at the beginning of its journal.

    Attributes:
        table: The table.
        purpose: Fingerprint of all that has to be the same for a later run to go on with it.
        at: When the run that began it did, aware.
        full: The table is read whole again, and replaced.
        calls: Calls that were made in place of the planned ones; None for the planned ones.
        params: Parameters that the user added, by which the table's cursor is found.
    """

    table: str
    purpose: str
    at: datetime
    full: bool = False
    calls: list[dict[str, Any]] | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON; times as text."""
        made: dict[str, Any] = orjson.loads(
            orjson.dumps(
                {
                    "table": self.table,
                    "purpose": self.purpose,
                    "at": self.at.isoformat(),
                    "full": self.full,
                    "calls": self.calls,
                    "params": dict(self.params),
                },
                default=str,
            )
        )
        return made

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Opening:
        """What ``as_dict`` made."""
        return cls(
            table=kept["table"],
            purpose=kept["purpose"],
            at=datetime.fromisoformat(kept["at"]),
            full=kept["full"],
            calls=kept["calls"],
            params=kept["params"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPage:
    """One page as it was kept.

    Attributes:
        list: Fingerprint of the list it belongs to.
        run: The run that asked for it.
        number: How many pages of the list came before it.
        position: What it was asked by: number or cursor; None where nothing was needed.
        size: Rows that were asked for; None where the list has no size.
        status: HTTP status.
        request: Method and URL, without the key.
        at: When it was kept, by this machine, aware.
        received_at: The vendor's own time of the answer, aware.
        is_last: It ends its list.
        body: The bytes as they came.
    """

    list: str
    run: str
    number: int
    position: int | str | None
    size: int | None
    status: int
    request: str
    at: datetime
    received_at: datetime
    is_last: bool
    body: bytes = field(repr=False)


@dataclass(slots=True)
class _List:
    """Where the pages of one list stand, and whether the last of them is there."""

    places: list[Place] = field(default_factory=list)
    finished: bool = False


class Journal:
    """The journal of one reading, open to be read and added to.

    Args:
        folder: Its own; it exists.
        opening: What it is for, where it is begun with this.
        run: The run that opens it.
        segment_bytes: Size from which a new file is begun.

    Attributes:
        plan: The windows that are read, as they were first kept; None before.
    """

    def __init__(self, folder: Path, *, opening: Opening, run: str, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.folder = folder
        self.plan: dict[str, Any] | None = None
        self._run = run
        self._lists: dict[str, _List] = {}
        self._pages = 0
        last: Place | None = None
        for record in read_records(folder):
            self._remember(record)
            last = record.place
        self._writer = Writer(folder, after=last, segment_bytes=segment_bytes)
        begins = {"kind": "opening", "opening": opening.as_dict()} if last is None else {"kind": "again"}
        self._writer.add({**begins, "run": run, "at": _now()})

    def keep_plan(self, plan: Mapping[str, Any]) -> None:
        """Keep what is going to be read, so that a later run goes on with the same windows."""
        self.plan = dict(plan)
        self._writer.add({"kind": "windows", "plan": self.plan})

    def keep_slices(self, read: Mapping[str, str]) -> None:
        """Keep up to which month the slices of each row of the fanned-out table were read."""
        self._writer.add({"kind": "slices", "read": dict(read)})

    def is_finished(self, endpoint: Endpoint, read: Read) -> bool:
        """Whether all pages of *read* are here."""
        known = self._lists.get(list_identity(endpoint, read.params))
        return known is not None and known.finished

    def count(self, endpoint: Endpoint, read: Read) -> int:
        """How many pages of *read* are here."""
        known = self._lists.get(list_identity(endpoint, read.params))
        return 0 if known is None else len(known.places)

    def pages(self, endpoint: Endpoint, read: Read) -> Iterator[KeptPage]:
        """The pages of *read*, in the order they came."""
        for place in list(self._lists[list_identity(endpoint, read.params)].places):
            yield _as_page(record_at(place))

    def begin(self, endpoint: Endpoint, read: Read) -> None:
        """A list is read from its start; pages of it that are here do not count any more."""
        identity = list_identity(endpoint, read.params)
        self._lists[identity] = _List()
        self._writer.add(
            {
                "kind": "list",
                "list": identity,
                "endpoint": endpoint.name,
                "params": _plain(read.params),
                "extra": _plain(read.extra),
            }
        )

    def add(self, endpoint: Endpoint, read: Read, page: Page, *, is_last: bool) -> datetime:
        """Keep one page; returns the moment that is noted for it."""
        identity = list_identity(endpoint, read.params)
        at = datetime.now(UTC)
        header = {
            "kind": "page",
            "list": identity,
            "run": self._run,
            "number": page.number,
            "position": page.position,
            "size": page.size,
            "status": page.status,
            "request": page.request,
            "at": at.isoformat(),
            "received_at": page.received_at.isoformat(),
            "last": is_last,
        }
        place = self._writer.add(header, page.body)
        self._pages += 1
        known = self._lists.setdefault(identity, _List())
        known.places.append(place)
        known.finished = is_last
        return at

    def goes_to(self, load_id: str) -> None:
        """Note which load takes the pages."""
        known = read_load_note(self.folder).load_ids
        write_load_note(self.folder, LoadNote(load_ids=(*(one for one in known if one != load_id), load_id)))

    def finish(self) -> None:
        """Note that everything was read that was to be."""
        known = read_load_note(self.folder)
        write_load_note(self.folder, LoadNote(load_ids=known.load_ids, pages=self._pages))

    def close(self) -> None:
        """Leave it as it is."""
        self._writer.close()

    def _remember(self, record: Record) -> None:
        header = record.header
        match header["kind"]:
            case "windows":
                self.plan = dict(header["plan"])
            case "list":
                self._lists[header["list"]] = _List()
            case "page":
                self._pages += 1
                known = self._lists.setdefault(header["list"], _List())
                known.places.append(record.place)
                known.finished = bool(header["last"])


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptList:
    """A list as it was asked for: its endpoint, parameters (as JSON) and the columns added to each of its rows."""

    endpoint: str
    params: Mapping[str, Any]
    extra: Mapping[str, Any]


@dataclass(slots=True)
class Walk:
    """One pass over a closed journal: its pages, with what else stood before each of them.

    Attributes:
        opening: What it is for; None before the first record.
        lists: The lists begun so far, by fingerprint.
        plan: The windows; None where the table has none.
        slices: Up to which month the slices were read.
        runs: The runs that opened it, in order.
        pages: Pages that went by.
    """

    folder: Path
    opening: Opening | None = None
    lists: dict[str, KeptList] = field(default_factory=dict)
    plan: dict[str, Any] | None = None
    slices: dict[str, str] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)
    pages: int = 0

    def every_page(self) -> Iterator[KeptPage]:
        """All pages, in the order they were kept, also those of lists that were begun again later."""
        for record in read_records(self.folder):
            if (page := self._take(record)) is not None:
                yield page

    def loaded_pages(self) -> Iterator[KeptPage]:
        """The pages that the last run to open it handed on: what it kept itself, and finished what was there.

        A list that was begun again by a later run than kept its pages stands here with the later ones alone.
        """
        opened, latest = _counts(self.folder)
        runs = 0
        begun: Counter[str] = Counter()
        for record in read_records(self.folder):
            header = record.header
            runs += header["kind"] in _OPENS
            begun[header.get("list", "")] += header["kind"] == "list"
            page = self._take(record)
            if page is not None and (runs == opened or begun[page.list] == latest[page.list]):
                yield page

    def _take(self, record: Record) -> KeptPage | None:
        header = record.header
        match header["kind"]:
            case "page":
                self.pages += 1
                return _as_page(record)
            case "list":
                self.lists[header["list"]] = KeptList(
                    endpoint=header["endpoint"], params=_typed(header["params"]), extra=_typed(header["extra"])
                )
            case "windows":
                self.plan = header["plan"]
            case "slices":
                self.slices.update(header["read"])
            case "opening":
                self.opening = Opening.from_dict(header["opening"])
        if "run" in header:
            self.runs.append(header["run"])
        return None


def read_opening(folder: Path) -> Opening | None:
    """What the journal in *folder* is for; None where it has not got so far, or is damaged at its beginning."""
    first = next(read_records(folder), None)
    return None if first is None or first.header["kind"] != "opening" else Opening.from_dict(first.header["opening"])


def read_plan(folder: Path) -> dict[str, Any] | None:
    """The windows that the journal in *folder* reads; None where its table has none."""
    plan = None
    for record in read_records(folder):
        if record.header["kind"] == "windows":
            plan = record.header["plan"]
    return plan


def fingerprint(value: Any) -> str:
    """A digest of *value*, which is JSON or turns into text."""
    return blake2b(orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def list_identity(endpoint: Endpoint, params: Mapping[str, Any]) -> str:
    """The name of a list in a journal: of its endpoint and parameters, whatever their order."""
    return fingerprint([endpoint.name, dict(params)])


def _counts(folder: Path) -> tuple[int, Counter[str]]:
    """How often the journal was opened, and how often each of its lists was begun."""
    opened = 0
    begun: Counter[str] = Counter()
    for record in read_records(folder):
        opened += record.header["kind"] in _OPENS
        begun[record.header.get("list", "")] += record.header["kind"] == "list"
    return opened, begun


def _as_page(record: Record) -> KeptPage:
    header = record.header
    return KeptPage(
        list=header["list"],
        run=header["run"],
        number=header["number"],
        position=header["position"],
        size=header["size"],
        status=header["status"],
        request=header["request"],
        at=datetime.fromisoformat(header["at"]),
        received_at=datetime.fromisoformat(header["received_at"]),
        is_last=header["last"],
        body=record.body,
    )


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """*values* as JSON; days and moments with their kind, so that they come back as they were."""
    return {name: _plain_value(value) for name, value in values.items()}


def _plain_value(value: Any) -> Any:
    match value:
        case datetime():
            return {"moment": value.isoformat()}
        case date():
            return {"day": value.isoformat()}
        case tuple():
            return list(value)
        case _:
            return value


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _typed_value(value) for name, value in values.items()}


def _typed_value(value: Any) -> Any:
    match value:
        case {"moment": str(text)}:
            return datetime.fromisoformat(text)
        case {"day": str(text)}:
            return date.fromisoformat(text)
        case _:
            return value


def _now() -> str:
    return datetime.now(UTC).isoformat()
