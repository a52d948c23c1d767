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
            filter, as ``column>=start;column<end``, sorted by the column, oldest first.
        time: How a bound is written.
        look_back: How far before the last window's end the next one starts, for rows that arrive late.
        longest: The longest range of one call; None when any length is accepted.
        parts: How many pieces a long range is cut into, so that they can be read side by side; none is under a week.
        history: How far back the first load goes when no start is given; None for everything.
        whole_days: Windows end at midnight UTC, because rows are sums over the range that was asked for.
        optional: The first load may leave the range out and so read everything.
        disputed: Rows move to the window's end when they change, and the vendor may ignore the filter. So there is no
            end and rows are read newest first, and pages have to prove that filter and order are kept; when one does
            not, the whole list is read.
        moves: A row moves on to a later place when something happens to it, so that one which left a range may lie
            after all that was read.
    """

    passes: tuple[Pass, ...]
    style: Literal["params", "filter"]
    time: TimeFormat
    look_back: timedelta
    longest: timedelta | None = None
    parts: int = 1
    history: timedelta | None = None
    whole_days: bool = False
    optional: bool = False
    disputed: bool = False
    moves: bool = False


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
        column: Column that gets the value; the first day of the month goes to ``month``.
        values: Its values.
        since: Field of the fanned-out row that holds the first moment worth asking for.
        until: Field of the fanned-out row that holds the last one.
        trailing_months: Months, counted back from the running one, that are read again each time.
    """

    param: str
    column: str
    values: tuple[str, ...]
    since: str
    until: str
    trailing_months: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LongAnswers:
    """A map of answers that also comes out as a child table with a row for each answer.

    The table is ``<parent>__<name>``: key of the parent, the map's key, position in a list, and the value as text,
    number and JSON.

    Attributes:
        name: Last part of the table's name.
        path: Path of the map in the row.
        keys: Columns of the long table that name the parent -> fields of the parent (``response_uuid`` -> ``uuid``).
        map_column: Column that holds the map's key, for example ``question``.
        instead: The map comes out long only, because its keys are values (a distribution of answers).
    """

    name: str
    path: str
    keys: Mapping[str, str]
    map_column: str
    instead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MapTypes:
    """The types of an open map's values, as the vendor lists them for each key.

    Attributes:
        path: The map.
        endpoint: The list of keys.
        params: Parameters of that list.
        key: Field of its rows that holds the key.
        type: Field of its rows that holds the vendor's name of the type.
        kinds: That name -> how the value is kept. A ``timestamp`` comes as epoch milliseconds.
    """

    path: str
    endpoint: str
    params: Mapping[str, Scalar]
    key: str
    type: str
    kinds: Mapping[str, Literal["text", "double", "bool", "timestamp"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A copy of another table's row inside each row here, which the vendor changes without moving the window's column.

    Attributes:
        path: Where the copy stands in the row, for example ``contact``.
        table: The table whose row it copies.
        key: Field of the copy that names that row.
        fields: Fields of the copy to compare, paths inside it.
        param: Parameter of the endpoint that asks for the rows with one copy, given its key.
        is_owner: The vendor deletes the rows together with the row they copy.
    """

    path: str
    table: str
    key: str
    fields: tuple[str, ...]
    param: str
    is_owner: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """How one row of a table is asked for again, by itself or in a list as short as the vendor allows.

    Attributes:
        endpoint: What is asked; its rows have the table's fields.
        column: Field of the row by which it is found.
        param: The parameter that takes its value; empty where the filter of the list takes it, as the one
            millisecond in which the row lies.
        params: Parameters always sent.
    """

    endpoint: str
    column: str
    param: str = ""
    params: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """How the vendor's count of a windowed list is asked for in parts, so that a difference shows where it lies.

    Attributes:
        period: Each part is one day or one month, in UTC.
        column: Field of the row by which each period is parted further; empty for none.
        param: The parameter that takes its value.
    """

    period: Literal["day", "month"]
    column: str = ""
    param: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revisit:
    """When a windowed table is read again, for changes that do not move its column, and deletions.

    Attributes:
        every: How long it lets pass before it is done again.
        back: How far back from the end of what is loaded; None for all of it.
    """

    every: timedelta
    back: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """Where the rows of a table, each a survey or an earlier version of one, hold its questions.

    Attributes:
        form: Field that names the survey.
        title: Path of the survey's name.
        path: Path of the list of questions; what stands there otherwise is not looked at.
        key: Member of a question that names it, as its answers do.
        aspects: Members of a question that are compared from version to version.
        moment: Field with the time of the version; empty where the rows are the surveys as they are.
    """

    form: str
    title: str
    path: str
    key: str
    aspects: tuple[str, ...]
    moment: str = ""


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
        map_types: The types of an open map's values, where the vendor lists them.
        json_columns: Paths of values whose inner shape the vendor does not promise; each is kept whole, as JSON.
        long_answers: The long form of a map of answers.
        embedded: Copies of other tables' rows, compared after each sync so that a renamed person or form shows up in
            old rows too.
        questions: Where the rows hold the questions of surveys, so that changed ones are recognised.
        read_at: Column that gets the moment of reading, for histories; empty for none.
        aliases: Other names under which the resource can be asked for.
        arguments: Parameters of the endpoint that the user may give, for tables of a single row looked up by key.
        selected: Loaded unless the user says otherwise.
        single: How one row is asked for again; None where the vendor has no way, or the list is short.
        parts: How the vendor's count is asked for in parts; None where it is asked for as a whole.
        revisit: When a windowed table, or the last part of it, is read again; None for never.
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
    map_types: MapTypes | None = None
    json_columns: tuple[str, ...] = ()
    long_answers: LongAnswers | None = None
    embedded: tuple[Embedded, ...] = ()
    questions: Questions | None = None
    read_at: str = ""
    aliases: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    selected: bool = True
    single: Single | None = None
    parts: Parts | None = None
    revisit: Revisit | None = None

    @property
    def is_countable(self) -> bool:
        """Whether each row stands for a row of the vendor's list, so that the two can be held against each other.

        Sums over ranges do not, nor the answers to calls for each row of another table or for what was named.
        """
        sums = self.window is not None and self.window.whole_days
        return bool(self.primary_key) and self.fan_out is None and not sums and not self.arguments
