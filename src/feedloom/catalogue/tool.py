"""How an operation of a vendor is offered to programs that call it by name: agents, scripts, the command line.

Which tools exist, their names and their words are chosen by hand; how a call is made follows from the endpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from feedloom.catalogue.parameters import Scalar

ArgumentType: TypeAlias = Literal["text", "integer", "boolean", "moment", "texts", "map"]
Action: TypeAlias = Literal["update_contact", "track_event", "tag_response", "set_segment", "delete_contact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One input of a tool.

    Attributes:
        name: As callers write it.
        type: ``moment`` is ISO 8601 text with a time zone, ``texts`` a list of texts, ``map`` an object of texts,
            numbers and truth values by name.
        summary: A phrase, or empty where the name says it all.
        param: The endpoint's parameter that gets the value; empty for one of the same name.
        filter_field: The field that has to equal the value, where the endpoint's filter gets it instead.
        required: A call without it is refused.
        default: What it is when left out; None for nothing.
        enum: The values allowed; empty when open.
        minimum, maximum: Inclusive bounds of a number, or of the count of texts.
        nullable: null is taken for "left out".
    """

    name: str
    type: ArgumentType = "text"
    summary: str = ""
    param: str = ""
    filter_field: str = ""
    required: bool = False
    default: Scalar | None = None
    enum: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    nullable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One endpoint behind a tool, and what of its rows is shown.

    Attributes:
        endpoint: Name of an endpoint that only reads.
        fixed: Parameters always sent.
        shown: Paths shown when the caller does not choose; empty for all.
        optional: Paths that the vendor leaves out of rows for good reasons, so that their absence tells nothing.
        strangers: Paths of text that the customer's own users wrote, or may have chosen.
        adds: Fields made of a row, each shown when the argument of its name is true; None where a row is not such as
            the field can be made of.
    """

    endpoint: str
    fixed: Mapping[str, Scalar] = field(default_factory=dict)
    shown: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    adds: Mapping[str, Callable[[Mapping[str, Any]], Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool that reads from a vendor.

    Attributes:
        name: Unique among all tools.
        title: For people, two or three words.
        description: For the caller: what it gives, in at most 400 characters.
        choices: The endpoint; several, by the value of the argument ``chooser``.
        chooser: That argument; empty where there is one endpoint, whose key is then empty too.
        arguments: What the caller may give, beside ``fields``, ``limit`` and ``cursor``, which lists get by themselves.
        exactly_one: Arguments of which one has to be given, and no second.
        id_argument: The argument that goes into the endpoint's one path parameter, whatever that is called.
        longest_days: The longest range from ``start`` to ``end`` that one call takes; None for any.
        style: ``own`` gives rows in feedloom's envelope, ``published`` in that of a published toolkit: the vendor's
            answer under ``data``, ``published_flat`` its fields beside ``error`` and ``successful``.
        null_fields: Fields of the answer that a ``published_flat`` tool always has, null where the vendor has none.
    """

    name: str
    title: str
    description: str
    choices: Mapping[str, Choice]
    chooser: str = ""
    arguments: tuple[Argument, ...] = ()
    exactly_one: tuple[str, ...] = ()
    id_argument: str = ""
    longest_days: int | None = None
    style: Literal["own", "published", "published_flat"] = "own"
    null_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteTool:
    """One tool that changes something at a vendor, once a person has approved of exactly that.

    Attributes:
        name: Unique among all tools.
        title: For people, two or three words.
        description: For the caller: what it does, in at most 400 characters.
        action: What is done; how is written in ``tools/writing``.
        arguments: What the caller may give.
        exactly_one: Arguments of which one has to be given, and no second.
        is_destructive: It may overwrite or remove what is there.
        style: How results are enveloped: see ``Tool``.
        answer: Fields of a ``published`` tool's ``data``.
    """

    name: str
    title: str
    description: str
    action: Action
    arguments: tuple[Argument, ...]
    exactly_one: tuple[str, ...] = ()
    is_destructive: bool = False
    style: Literal["own", "published"] = "own"
    answer: tuple[str, ...] = ()
