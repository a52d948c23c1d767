"""dlt sources and resources made from the catalogue: the public face. Importing it imports dlt."""

from feedloom.sources.aptrinsic import aptrinsic_source
from feedloom.sources.refiner import refiner_source
from feedloom.sources.session import Reading, Session, active

SOURCES = {"refiner": refiner_source, "aptrinsic": aptrinsic_source}
"""The source of each vendor, by slug."""

__all__ = ["SOURCES", "Reading", "Session", "active", "aptrinsic_source", "refiner_source"]
