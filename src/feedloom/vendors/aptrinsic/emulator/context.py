"""The global context of events, in the three shapes in which it is seen. Source: aptrinsic-notes, section 5."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any


@cache
def _object(plan: str, country: str) -> dict[str, str]:
    return {"plan": plan, "locale": country.lower(), "Umgebung": "prod"}


@cache
def _array(plan: str, country: str) -> list[dict[str, str]]:
    return [{"key": name, "value": value} for name, value in _object(plan, country).items()]


def _null(_plan: str, _country: str) -> None:
    return None


CONTEXTS: dict[str, Callable[[str, str], Any]] = {"object": _object, "array": _array, "null": _null}
"""How the global context is written, by the name of its shape."""
