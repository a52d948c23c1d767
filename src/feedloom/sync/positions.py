"""How far each table is loaded, as dlt's state keeps it: cursors of windows, months of slices.

The positions commit together with the rows. Every run notes them in the ledger, so that those of an earlier run can be
put back: the next run then reads again from there, and merges on the keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final, TypeAlias

from dlt.pipeline.pipeline import Pipeline

from feedloom.catalogue import Vendor

KINDS: Final = ("cursors", "slices")
"""The parts of a resource's state that say how far its table is loaded."""

Positions: TypeAlias = dict[str, dict[str, Any]]
"""Table -> kind of position -> what is kept of it, as plain JSON."""


def kept_positions(pipeline: Pipeline, vendor: Vendor) -> Positions:
    """The positions of every table that has some; a copy."""
    sources: Mapping[str, Any] = pipeline.state.get("sources", {})
    resources: Mapping[str, Any] = sources.get(vendor.source_name, {}).get("resources", {})
    found = {
        table: {kind: deepcopy(state[kind]) for kind in KINDS if state.get(kind)} for table, state in resources.items()
    }
    return {table: positions for table, positions in found.items() if positions}
