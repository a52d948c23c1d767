"""dlt sources and resources made from the catalogue: the public face. Importing it imports dlt."""

from collections.abc import Callable

from dlt.extract import DltSource

from feedloom.sources.aptrinsic import aptrinsic_source
from feedloom.sources.refiner import refiner_source
from feedloom.sources.session import Reading, Session, active

SOURCES: dict[str, Callable[..., DltSource]] = {"refiner": refiner_source, "aptrinsic": aptrinsic_source}
"""The source of each vendor, by slug."""

__all__ = ["SOURCES", "Reading", "Session", "active", "aptrinsic_source", "refiner_source"]
