"""How the memory that a sync may take is shared out among its parts."""

from __future__ import annotations

from dataclasses import dataclass

import dlt
from dlt.common.configuration.exceptions import ConfigurationException

from feedloom.errors import InputError

DEFAULT_MB = 512
LEAST_MB = 128


@dataclass(frozen=True, slots=True)
class Memory:
    """What the rows of one sync may take, in megabytes of 10^6 bytes, on top of some 200 MB of the program itself.

    Half goes to the database that is written, where it is a DuckDB file, which puts aside on disk what does not fit; an
    eighth to the comparison of keys; the rest to pages and rows under way, of which there are a few batches at once:
    being fetched, shaped and written, in several forms.
    """

    total_mb: int = DEFAULT_MB

    @property
    def warehouse_mb(self) -> int:
        """What DuckDB may take for the database."""
        return self.total_mb // 2

    @property
    def comparison_mb(self) -> int:
        """What the comparison of keys and fingerprints may take."""
        return max(32, self.total_mb // 8)

    @property
    def batch_bytes(self) -> int:
        """Bytes of pages that are shaped together."""
        return self.total_mb * 1_000_000 // 64


def configured_memory() -> Memory:
    """The memory in dlt's configuration, ``[feedloom] memory_mb``; raises InputError for one that is no use."""
    try:
        found = dlt.config.get("feedloom.memory_mb", int)
    except (ValueError, ConfigurationException):
        found = 0
    if found is None:
        return Memory()
    if found < LEAST_MB:
        raise InputError(
            f"memory_mb is no whole number from {LEAST_MB} on",
            hint=f"write memory_mb = {DEFAULT_MB} under [feedloom] in .dlt/config.toml, or leave it out",
            code="FL218",
        )
    return Memory(found)
