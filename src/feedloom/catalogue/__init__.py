"""The words in which a vendor is described. Data and its types; imports nothing else of ours."""

from feedloom.catalogue.endpoint import Effect, Endpoint, Method
from feedloom.catalogue.facts import Known, Source
from feedloom.catalogue.paging import CursorPaging, NoPaging, NumberPaging, Paging, ScrollPaging
from feedloom.catalogue.parameters import Field, FilterField, Param, Scalar
from feedloom.catalogue.table import (
    Embedded,
    FanOut,
    LongAnswers,
    MapTypes,
    Parts,
    Pass,
    Questions,
    Revisit,
    Single,
    Slices,
    Table,
    Window,
    Write,
)
from feedloom.catalogue.tool import Action, Argument, ArgumentType, Choice, Tool, WriteTool
from feedloom.catalogue.vendor import Auth, KeyRefusal, Limit, Vendor

__all__ = [
    "Action",
    "Argument",
    "ArgumentType",
    "Auth",
    "Choice",
    "CursorPaging",
    "Effect",
    "Embedded",
    "Endpoint",
    "FanOut",
    "Field",
    "FilterField",
    "KeyRefusal",
    "Known",
    "Limit",
    "LongAnswers",
    "MapTypes",
    "Method",
    "NoPaging",
    "NumberPaging",
    "Paging",
    "Param",
    "Parts",
    "Pass",
    "Questions",
    "Revisit",
    "Scalar",
    "ScrollPaging",
    "Single",
    "Slices",
    "Source",
    "Table",
    "Tool",
    "Vendor",
    "Window",
    "Write",
    "WriteTool",
]
