"""Settings of dlt, which it reads once a process."""

from __future__ import annotations

from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext


def forget_settings() -> None:
    """Make dlt read its settings anew, from wherever the process stands, when they are next asked for."""
    container = Container()
    if PluggableRunContext in container:
        del container[PluggableRunContext]
