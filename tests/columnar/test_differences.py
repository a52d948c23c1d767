"""The columnar engine makes the tables that ``RowShaper`` and dlt's normaliser make: names, types, values, structure."""

from __future__ import annotations

from typing import Any

from columnar.made_up import ENDPOINT, TABLE, runs
from columnar.reference import BOOKKEEPING, Columnar, Page, Reference, stored_types, trees
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SLOW = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def compare(loads: list[list[list[Page]]], cap: int, **changed: Any) -> None:
    slow = Reference(TABLE, ENDPOINT, cap)
    fast = Columnar(TABLE, ENDPOINT, cap)
    for batches in loads:
        wanted = slow.run([page for batch in batches for page in batch])
        made = fast.run(batches)
        assert trees("things", made) == trees("things", wanted)
        types = stored_types(slow.schema)
        for table, columns in fast.types.items():
            assert {name: kind for name, kind in columns.items() if name not in BOOKKEEPING}.items() <= types[
                table
            ].items()
    assert fast.names == slow.names
    assert not fast.quarantined


@SLOW
@given(loads=runs, cap=st.sampled_from([300, 300, 4]))
def test_any_rows_in_any_batches_make_the_same_tables_as_the_slow_way(loads: list[list[list[Page]]], cap: int) -> None:
    compare(loads, cap)
