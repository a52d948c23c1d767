"""How the rows of an endpoint become a table, and how that table is kept up to date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, TypeAlias

from feedloom.catalogue.parameters import Scalar, TimeFormat

Write: TypeAlias = Literal["merge", "replace", "append"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One reading of a window.

    Attributes:
        name: Unique in the window.
        params: Parameters that this pass adds.
        column: The column that the vendor's date range compares in this pass.
        first: Part of the first load, which reads the whole history.
        later: Part of every load after the first.
    """

    name: str
    column: str
    params: Mapping[str, Scalar] = field(default_factory=dict)
    first: bool = True
    later: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The date range by which a list is read piece by piece: start inclusive, end exclusive.

    Attributes:
        passes: The readings that together see every row that was new or changed, in order.
        style: ``params`` writes the bounds into the endpoint's ``window`` parameters; ``filter`` writes them into its
            filter, as ``column>=start;column<end``, sorted by the column.
        time: How a bound is written.
        look_back: How far before the last window's end the next one starts, for rows that arrive late.
        longest: The longest range of one call; None when any length is accepted.
        history: How far back the first load goes when no start is given; None for everything.
        optional: The first load may leave the range out and so read everything.
        disputed: The vendor may ignore the filter, so the first page has to prove it; when it does not, the whole list
            is read.
    """

    passes: tuple[Pass, ...]
    style: Literal["params", "filter"]
    time: TimeFormat
    look_back: timedelta
    longest: timedelta | None = None
    history: timedelta | None = None
    optional: bool = False
    disputed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOut:
    """One call (or list) for each row of another table.

    Attributes:
        table: The table whose rows are walked; it is read from the vendor, whether or not it is loaded.
        params: Parameter of this endpoint -> field of that row.
        carry: Column added to each row here -> field of that row.
    """

    table: str
    params: Mapping[str, str]
    carry: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """One call for each combination of values and month: how a report without grouping becomes a table.

    Attributes:
        param: The parameter that takes each of ``values``.
        values: Its values.
        since: Field of the fanned-out row that holds the first moment worth asking for.
        until: Field of the fanned-out row that holds the last one.
        trailing_months: Months, counted back from the running one, that are read again each time.
    """

    param: str
    values: tuple[str, ...]
    since: str
    until: str
    trailing_months: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LongAnswers:
    """A map of answers that also comes out as a child table with a row for each answer.

    The table is ``<parent>__<name>``: key of the parent, question identifier, position, and the value as text, number
    and JSON.
    """

    name: str
    path: str
    key: str
    key_column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of the warehouse.

    Attributes:
        name: Name of the resource and of the table.
        endpoint: Name of the endpoint whose rows it holds.
        summary: One sentence.
        primary_key: Columns that name a row; empty for ``append``.
        write: ``merge`` keeps rows that a run did not see; ``replace`` makes the table equal to the list as read;
            ``append`` keeps one set of rows a run, as history.
        params: Parameters always sent.
        window: The date range, for lists read piece by piece.
        fan_out: The rows of another table, when each asks for a call of its own.
        slices: Report slices, together with ``fan_out``.
        open_maps: Paths of maps whose keys the customer chose; they become columns up to a cap.
        long_answers: The long form of a map of answers.
        aliases: Other names under which the resource can be asked for.
        arguments: Parameters of the endpoint that the user may give, for tables of a single row looked up by key.
        selected: Loaded unless the user says otherwise.
    """

    name: str
    endpoint: str
    summary: str
    primary_key: tuple[str, ...] = ()
    write: Write = "merge"
    params: Mapping[str, Scalar] = field(default_factory=dict)
    window: Window | None = None
    fan_out: FanOut | None = None
    slices: Slices | None = None
    open_maps: tuple[str, ...] = ()
    long_answers: LongAnswers | None = None
    aliases: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    selected: bool = True
