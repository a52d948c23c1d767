"""What every test runs under: no telemetry, and a state folder of its own."""

from __future__ import annotations

import os
import tempfile

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ.setdefault("FEEDLOOM_STATE", tempfile.mkdtemp(prefix="feedloom-tests-"))
