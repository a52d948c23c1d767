"""What goes into a call and what comes out of it: parameters, fields, filters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from feedloom.catalogue.facts import Known

Scalar: TypeAlias = str | int | float | bool
ValueType: TypeAlias = Literal["text", "integer", "number", "boolean", "object", "list", "any"]
Place: TypeAlias = Literal["path", "query", "body"]
Encoding: TypeAlias = Literal["plain", "flag", "list", "map", "repeat"]
FieldType: TypeAlias = Literal["text", "integer", "number", "boolean", "timestamp", "object", "map", "list", "any"]
TimeFormat: TypeAlias = Literal["iso", "space", "epoch_ms", "iso_or_space"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """One input of an endpoint.

    Attributes:
        name: As the vendor spells it, without list brackets (``form_uuids``, not ``form_uuids[]``).
        type: JSON type of the value; of the items when ``encoding`` is ``list`` or ``repeat``.
        place: Where it travels. ``body`` parameters go into a JSON object.
        encoding: ``flag`` is 1 or 0; ``list`` is ``name[]=a&name[]=b``; ``map`` is ``name[key]=value``;
            ``repeat`` is ``name=a&name=b``; ``plain`` is ``name=value``.
        required: The vendor refuses the call without it.
        default: What the vendor assumes when it is left out; None when it assumes nothing.
        minimum, maximum: Inclusive bounds of a number, or of the count of items of a list.
        enum: The values allowed; empty when open.
        format: ``uuid``, ``email`` or ``date-time`` where the vendor asks for one, else empty.
        summary: One sentence, or empty where the name says it all.
        known: How the parameter is known.
        deprecated: Spelled so by some client only; never sent.
    """

    name: str
    type: ValueType = "text"
    place: Place = "query"
    encoding: Encoding = "plain"
    required: bool = False
    default: Scalar | None = None
    minimum: int | None = None
    maximum: int | None = None
    enum: tuple[Scalar, ...] = ()
    format: str = ""
    summary: str = ""
    known: Known = Known.DOCUMENTED
    deprecated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a row that an endpoint returns.

    Attributes:
        name: Path inside the row, parts joined by dots; ``[]`` stands for the items of a list (``segments[].uuid``).
        type: ``map`` has keys that the customer chose; ``object`` has keys that the vendor chose;
            ``any`` may hold whatever JSON allows.
        nullable: The vendor may send null.
        time: How a ``timestamp`` is written. ``space`` is ``YYYY-MM-DD HH:MM:SS`` without a zone, taken as UTC.
        zero_is_null: An ``epoch_ms`` of 0 stands for "never".
        summary: One sentence, or empty where the name says it all.
        known: How the field is known.
    """

    name: str
    type: FieldType = "text"
    nullable: bool = False
    time: TimeFormat | None = None
    zero_is_null: bool = False
    summary: str = ""
    known: Known = Known.DOCUMENTED


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterField:
    """One field that an endpoint's filter accepts, with the operators it takes.

    A name that ends in ``.*`` stands for every key below it; ``*`` alone stands for any field.
    """

    name: str
    operators: tuple[str, ...] = ("==", "!=", "<", "<=", ">", ">=", "~", "!~")
