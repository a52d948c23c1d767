"""A local stand-in for a vendor's API, made of invented data: same routes, shapes, limits and mistakes.

This folder knows no vendor. How one behaves stands in ``feedloom.vendors.<slug>.emulator``, as a ``Blueprint``. Names
are imported when they are first used, so that importing this package loads no web server.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feedloom.emulator.engine import Description, Emulator, create_emulator, describe, emulated_vendors
    from feedloom.emulator.server import run, serve

_HOMES = {
    "Description": "feedloom.emulator.engine",
    "Emulator": "feedloom.emulator.engine",
    "create_emulator": "feedloom.emulator.engine",
    "describe": "feedloom.emulator.engine",
    "emulated_vendors": "feedloom.emulator.engine",
    "run": "feedloom.emulator.server",
    "serve": "feedloom.emulator.server",
}

__all__ = ["Description", "Emulator", "create_emulator", "describe", "emulated_vendors", "run", "serve"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
