"""Breaks syncs on purpose and counts what became of them.

What tests and bench have is used here too: the folders are put on the path before any module of this package is read.
"""

from __future__ import annotations

import sys
from pathlib import Path

CHAOS = Path(__file__).resolve().parents[1]
SHARED = (CHAOS, CHAOS.parent / "tests", CHAOS.parent / "bench")

sys.path.extend(str(folder) for folder in SHARED if str(folder) not in sys.path)
