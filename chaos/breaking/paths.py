"""Where things are; imported first, it lets the programs here use what tests and bench have."""

from __future__ import annotations

import os
import sys
from pathlib import Path

CHAOS = Path(__file__).resolve().parents[1]
ROOT = CHAOS.parent
_SHARED = (CHAOS, ROOT / "tests", ROOT / "bench")

sys.path.extend(str(folder) for folder in _SHARED if str(folder) not in sys.path)

FEEDLOOM = str(Path(sys.executable).with_name("feedloom"))
"""The command as it is installed beside the interpreter."""


def environment_in(folder: Path) -> dict[str, str]:
    """An environment with nothing of the user's own settings: home, state and temporary files lie in *folder*."""
    scratch = folder / "tmp"
    scratch.mkdir(exist_ok=True)
    paths = [*map(str, _SHARED), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "TMPDIR": str(scratch),
        "DLT_DATA_DIR": str(folder / "dlt"),
        "FEEDLOOM_STATE": str(folder / "state"),
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(paths),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }
