"""The command that is broken, and the environment it runs in."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from breaking import SHARED

FEEDLOOM = str(Path(sys.executable).with_name("feedloom"))
"""The command as it is installed beside the interpreter."""


def python_path() -> str:
    """Where the programs that are started here import from."""
    return os.pathsep.join([*map(str, SHARED), *filter(None, [os.environ.get("PYTHONPATH")])])


def environment_in(folder: Path) -> dict[str, str]:
    """An environment with nothing of the user's own settings: home, state and temporary files lie in *folder*."""
    scratch = folder / "tmp"
    scratch.mkdir(exist_ok=True)
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "TMPDIR": str(scratch),
        "DLT_DATA_DIR": str(folder / "dlt"),
        "FEEDLOOM_STATE": str(folder / "state"),
        "LANG": "C.UTF-8",
        "PYTHONPATH": python_path(),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }
