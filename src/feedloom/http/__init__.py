"""One HTTP client for every vendor, driven by the catalogue: keys, pacing, retries, paging, errors."""

from feedloom.http.answer import Answer, Page, Row, cut_body, glimpse, legible_rows, page_of, read_rows
from feedloom.http.auth import Key, KeyHolder
from feedloom.http.client import Client
from feedloom.http.cutting import Cut, other_lists
from feedloom.http.encode import Value
from feedloom.http.errors import OutcomeUnknownError, ScrollLostError, StartOverError
from feedloom.http.limits import Limits
from feedloom.http.observe import SILENT, Observer

__all__ = [
    "SILENT",
    "Answer",
    "Client",
    "Cut",
    "Key",
    "KeyHolder",
    "Limits",
    "Observer",
    "OutcomeUnknownError",
    "Page",
    "Row",
    "ScrollLostError",
    "StartOverError",
    "Value",
    "cut_body",
    "glimpse",
    "legible_rows",
    "other_lists",
    "page_of",
    "read_rows",
]
