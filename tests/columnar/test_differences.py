"""The engine makes the tables that ``RowShaper`` and dlt's normaliser make: names, types, values and structure."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from columnar.made_up import ENDPOINT, TABLE, Loads, alike_loads, loads
from columnar.reference import BOOKKEEPING, Columnar, Reference, stored_types, trees

MANY = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
MANY_MORE = settings(MANY, max_examples=2000)


def compare(given_loads: Loads, cap: int) -> Columnar:
    """Shape the loads both ways; whatever differs fails here."""
    slow, fast = Reference(TABLE, ENDPOINT, cap), Columnar(TABLE, ENDPOINT, cap)
    for batches in given_loads:
        wanted = slow.run([page for batch in batches for page in batch])
        assert trees("things", fast.run(batches)) == trees("things", wanted)
        types = stored_types(slow.schema)
        for table, columns in fast.types.items():
            own = {name: kind for name, kind in columns.items() if name not in BOOKKEEPING}
            assert own.items() <= types[table].items()
    assert fast.names == slow.names
    assert not fast.quarantined
    return fast


@MANY
@given(given_loads=loads, cap=st.sampled_from([300, 300, 4]))
def test_any_rows_in_any_batches_make_the_same_tables_as_the_slow_way(given_loads: Loads, cap: int) -> None:
    compare(given_loads, cap)


@MANY
@given(given_loads=alike_loads)
def test_rows_of_one_shape_make_the_same_tables_as_the_slow_way(given_loads: Loads) -> None:
    compare(given_loads, 300)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@MANY_MORE
@given(given_loads=loads, cap=st.sampled_from([300, 300, 4]))
def test_any_rows_at_length(given_loads: Loads, cap: int) -> None:
    compare(given_loads, cap)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@MANY_MORE
@given(given_loads=alike_loads)
def test_rows_of_one_shape_at_length(given_loads: Loads) -> None:
    compare(given_loads, 300)
