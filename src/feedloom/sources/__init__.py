"""dlt sources and resources made from the catalogue: the public face. Importing it imports dlt."""

from feedloom.sources.refiner import refiner_source
from feedloom.sources.session import Reading, Session, active

SOURCES = {"refiner": refiner_source}
"""The source of each vendor, by slug."""

__all__ = ["SOURCES", "Reading", "Session", "active", "refiner_source"]
