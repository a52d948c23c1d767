"""A key that came before is known again, and no other is taken for it."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from feedloom.columnar.arrow.seen import SeenKeys

keys = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["", "\0", "\0\0", "a" * 256, "a" * 257, "7" * 8, "7" * 16]
)


@given(batches=st.lists(st.lists(keys, max_size=12), max_size=5), run_keys=st.sampled_from([1, 5, 1000]))
def test_exactly_those_keys_are_repeated_that_came_before(batches: list[list[str]], run_keys: int) -> None:
    seen, known = SeenKeys(run_keys=run_keys, filter_keys=8), set[str]()
    for batch in batches:
        expected = []
        for key in batch:
            expected.append(key in known)
            known.add(key)
        assert seen.add(pa.array(batch, pa.string())).tolist() == expected


def test_many_keys_that_differ_little_are_all_told_apart() -> None:
    seen = SeenKeys(run_keys=30_000, filter_keys=1 << 16)
    for start in range(0, 200_000, 10_000):
        batch = pa.array([f"{number:032x}" for number in range(start, start + 10_000)])
        assert not seen.add(batch).any()
    assert seen.add(pa.array([f"{number:032x}" for number in range(0, 200_000, 7)])).all()
