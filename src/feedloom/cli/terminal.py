"""What the place that is written to can show: colours, moving bars, or plain text alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO


def shows_colours(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether text on *stream* may be coloured.

    FORCE_COLOR says yes wherever the text goes; else NO_COLOR and TERM=dumb say no, and a terminal says yes.
    """
    if environment.get("FORCE_COLOR"):
        return True
    if environment.get("NO_COLOR") or environment.get("TERM") == "dumb":
        return False
    return stream.isatty()


def shows_bars(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether lines on *stream* can be drawn over: a terminal that is not dumb, and no CI that keeps every byte."""
    return stream.isatty() and environment.get("TERM") != "dumb" and not environment.get("CI")
