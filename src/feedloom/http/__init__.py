"""One HTTP client for every vendor, driven by the catalogue: keys, pacing, retries, paging, errors."""

from feedloom.http.answer import Answer, Page, Row, read_json, rows_of
from feedloom.http.auth import Key
from feedloom.http.client import Client
from feedloom.http.encode import Value
from feedloom.http.errors import OutcomeUnknownError, ScrollLostError, StartOverError
from feedloom.http.limits import Limits
from feedloom.http.observe import SILENT, Observer

__all__ = [
    "SILENT",
    "Answer",
    "Client",
    "Key",
    "Limits",
    "Observer",
    "OutcomeUnknownError",
    "Page",
    "Row",
    "ScrollLostError",
    "StartOverError",
    "Value",
    "read_json",
    "rows_of",
]
