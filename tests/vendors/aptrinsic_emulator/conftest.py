"""An emulator that no test changes, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vendors.aptrinsic_emulator.stage import Px, playing


@pytest.fixture(scope="module")
def px() -> Iterator[Px]:
    with playing() as one:
        yield one
