"""File systems that nobody else sees, for as long as one program runs."""

from __future__ import annotations

import os
import shutil
import subprocess


def own_mounts() -> list[str] | None:
    """The start of a command line that may mount file systems nobody else sees; None where that is barred."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return None
    start = [unshare, "--mount"] if os.geteuid() == 0 else [unshare, "--user", "--map-root-user", "--mount"]
    probe = [*start, "mount", "-t", "tmpfs", "none", "/mnt"]
    done = subprocess.run(probe, capture_output=True, check=False)  # noqa: S603 - a fixed command
    return None if done.returncode else start
